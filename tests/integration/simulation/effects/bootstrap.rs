//! Bootstraps: `kubeadm init` on one control plane, and all at once.

use kdiy::resource::Command;

use super::{Ended, Made, Work, failed};
use crate::simulation::world::{Data, Etcd, Member, Objects, Process, address};

impl Work<'_> {
    pub fn init(&mut self, machine: usize, host: &str) -> Ended {
        if self.has_ended_meanwhile(machine, host) {
            return Ok(());
        }
        let takes_up = self.world.machines[machine].mark.is_some();
        self.world.machines[machine].mark = Some("init".to_owned());
        self.part()?;
        self.checks_of_kubeadm(machine, takes_up)?;
        let at = self.world.machines[machine].at;
        self.prepare(machine, host);
        self.part()?;
        let initial = format!("{host}=https://{}:2380", address(at));
        self.start_member(machine, host, &initial);
        self.part()?;
        self.world.register();
        self.mark_plane(machine, host)?;
        self.part()?;
        self.set_up(machine)?;
        let own = &mut self.world.machines[machine];
        own.mark = None;
        own.pods.noted = true;
        Ok(())
    }

    /// Certificates, kubeconfigs, the kubelet.
    fn prepare(&mut self, machine: usize, host: &str) {
        let own = &mut self.world.machines[machine];
        own.kubelet.kubeconfig = true;
        own.kubelet.client = true;
        own.kubelet.name = Some(host.to_owned());
        own.kubelet.runs = true;
        own.kubelet.registered = false;
    }

    /// A control plane with the member of etcd that it has data of, or a new
    /// one of this initial cluster.
    fn start_member(&mut self, machine: usize, host: &str, initial: &str) {
        if self.world.machines[machine].data.is_none() {
            let known = { self.world.etcds.iter() }.position(|etcd| etcd.initial == initial);
            let cluster = known.unwrap_or_else(|| self.make_cluster(host, initial));
            let mut members = self.world.etcds[cluster].members.iter();
            let member = members.find(|member| member.name == host);
            let member = member.expect("it is of the initial cluster").id;
            self.world.machines[machine].data = Some(Data { cluster, member });
        }
        let own = &mut self.world.machines[machine];
        own.pods.manifests = true;
        own.pods.etcd = Process::Runs;
        own.pods.api = Process::Runs;
    }

    /// A new cluster, and what it is made beside.
    fn make_cluster(&mut self, host: &str, initial: &str) -> usize {
        let lives = |place: &usize| {
            let machine = &self.world.machines[*place];
            let mut inventory = self.world.inventory.iter();
            let listed = inventory.any(|entry| entry.at == machine.at);
            let runs = machine.pods.etcd != Process::Absent;
            machine.data.is_some() && (listed || runs)
        };
        let all = (0..self.world.machines.len()).filter(lives);
        let beside = all.map(|place| self.world.machines[place].id.clone());
        self.made.push(Made {
            on: host.to_owned(),
            beside: beside.collect(),
        });
        let mut next = self.world.next;
        let members = initial.split(',').map(|member| {
            let (name, url) = member.split_once("=https://").expect("NAME=URL");
            let at = url.strip_suffix(":2380").expect("etcd's port");
            let at = at.rsplit_once('.').expect("four parts").1;
            next += 1;
            Member {
                id: next,
                name: name.to_owned(),
                at: at.parse().unwrap(),
                learner: false,
            }
        });
        let members = members.collect();
        self.world.next = next;
        self.world.etcds.push(Etcd {
            initial: initial.to_owned(),
            members,
            objects: Objects::default(),
            cas: self.whose,
        });
        self.world.etcds.len() - 1
    }

    pub fn prepare_plane(&mut self, machine: usize, host: &str, command: &Command) -> Ended {
        let takes_up = self.world.machines[machine].mark.is_some();
        self.checks_of_kubeadm(machine, takes_up)?;
        let planes = self.world.planes();
        let mut initial: Vec<_> = planes
            .map(|entry| format!("{}=https://{}:2380", entry.name, address(entry.at)))
            .collect();
        initial.sort();
        let initial = initial.join(",");
        let note = format!("bootstrap {initial}");
        let script = command.script.as_str();
        assert!(script.contains(&note), "{script}");
        let (_, hash) = { script.rsplit_once("prepared ") }.expect("it notes how far it is");
        let hash = hash.get(..16).expect("a hash");
        let mark = &mut self.world.machines[machine].mark;
        let first = |mark: &String| mark.split(' ').take(2).eq(note.split(' '));
        if !mark.as_ref().is_some_and(first) {
            *mark = Some(note);
        }
        self.part()?;
        self.prepare(machine, host);
        self.note(machine, &format!("prepared {hash}"));
        Ok(())
    }

    fn note(&mut self, machine: usize, what: &str) {
        let mark = &mut self.world.machines[machine].mark;
        let begun = mark.as_ref().expect("it has begun");
        *mark = Some(format!("{begun} {what}"));
    }

    pub fn start_plane(&mut self, machine: usize, host: &str) -> Ended {
        let mark = self.world.machines[machine].mark.clone();
        let mark = mark.expect("it was prepared");
        let (initial, hash) = (mark.split(' ').nth(1), mark.rsplit("prepared ").next());
        let hash = hash.expect("it was prepared")[..16].to_owned();
        let initial = initial.expect("it is noted").to_owned();
        self.note(machine, &format!("starting {hash}"));
        self.part()?;
        self.start_member(machine, host, &initial);
        self.part()?;
        self.note(machine, &format!("started {hash}"));
        Ok(())
    }

    pub fn set_up(&mut self, machine: usize) -> Ended {
        let Some(cluster) = self.world.serves(machine) else {
            return failed("the API server does not answer");
        };
        let objects = &mut self.world.etcds[cluster].objects;
        (objects.set_up, objects.access) = (true, true);
        Ok(())
    }

    pub fn complete(&mut self, machine: usize, host: &str) -> Ended {
        self.mark_plane(machine, host)?;
        self.part()?;
        let own = &mut self.world.machines[machine];
        own.pods.noted = true;
        own.mark = None;
        Ok(())
    }
}
