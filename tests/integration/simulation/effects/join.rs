//! `kubeadm join` of a control plane, part by part as it may be cut off.

use super::{Ended, Stop, Work, failed};
use crate::simulation::world::{Data, EXCLUDED, Member, PLANE_LABEL, PLANE_TAINT, Process};

/// Parts of a join that it may be cut off after.
pub const PARTS: u8 = 6;

impl Work<'_> {
    pub fn join(&mut self, machine: usize, host: &str) -> Ended {
        assert!(
            self.is_plane(host),
            "workers have their certificates issued"
        );
        if self.has_ended_meanwhile(machine, host) {
            return Ok(());
        }
        let takes_up = self.world.machines[machine].mark.is_some();
        self.world.machines[machine].mark = Some("join".to_owned());
        self.part()?;
        self.checks_of_kubeadm(machine, takes_up)?;
        let cluster = self.world.at_the_endpoint();
        let cluster = cluster.filter(|cluster| {
            let etcd = &self.world.etcds[*cluster];
            etcd.cas == self.whose && etcd.objects.set_up
        });
        let Some(cluster) = cluster else {
            return failed("the API does not answer at the endpoint");
        };
        if self.world.is_ready(cluster, host) && !takes_up {
            return failed(format!("a Node {host} exists and is ready"));
        }
        let own = &mut self.world.machines[machine];
        own.pods.manifests = true;
        own.pods.api = Process::Runs;
        own.kubelet.runs = true;
        own.kubelet.name = Some(host.to_owned());
        self.part()?;
        let id = self.add_member(machine, cluster)?;
        self.part()?;
        let own = &mut self.world.machines[machine];
        own.data = Some(Data {
            cluster,
            member: id,
        });
        own.pods.etcd = Process::Runs;
        self.rename(cluster, id, host);
        self.part()?;
        if self.world.has_quorum(cluster) {
            let mut members = self.world.etcds[cluster].members.iter_mut();
            let member = members.find(|member| member.id == id);
            member.expect("it was added").learner = false;
        }
        self.part()?;
        let own = &mut self.world.machines[machine];
        own.kubelet.kubeconfig = true;
        own.kubelet.client = true;
        own.kubelet.registered = false;
        self.world.register();
        self.part()?;
        self.mark_plane(machine, host)?;
        let own = &mut self.world.machines[machine];
        own.mark = None;
        own.pods.noted = true;
        Ok(())
    }

    /// A run of kubeadm that ended after its connection was cut is not run
    /// twice.
    pub(super) fn has_ended_meanwhile(&self, machine: usize, host: &str) -> bool {
        let own = &self.world.machines[machine];
        let asked = self.world.serves(machine).or(self.world.at_the_endpoint());
        let node = asked.and_then(|cluster| self.world.etcds[cluster].objects.nodes.get(host));
        let labelled = node.is_some_and(|node| node.labels.contains(PLANE_LABEL));
        own.mark.is_none() && own.kubelet.kubeconfig && labelled
    }

    /// kubeadm's preflight refuses what a first run has left, unless it is
    /// taken up.
    pub(super) fn checks_of_kubeadm(&self, machine: usize, takes_up: bool) -> Ended {
        let own = &self.world.machines[machine];
        let left = own.kubelet.kubeconfig || own.pods.manifests || own.data.is_some();
        match left && !takes_up {
            true => failed("kubeadm's preflight finds files of a cluster"),
            false => Ok(()),
        }
    }

    /// etcd takes one learner at a time; a peer URL that it knows is taken as
    /// it is.
    fn add_member(&mut self, machine: usize, cluster: usize) -> Result<u32, Stop> {
        let own = &self.world.machines[machine];
        let (at, data) = (own.at, own.data);
        let refused = |why: &str| Err(Stop::Failed(why.to_owned()));
        let mut members = self.world.etcds[cluster].members.iter();
        if let Some(member) = members.find(|member| member.at == at) {
            let own = data.is_some_and(|data| data.member == member.id);
            return match own || member.name.is_empty() {
                true => Ok(member.id),
                false => refused("etcd has a member of this address, whose data is gone"),
            };
        }
        if data.is_some() {
            return refused("the data are of a member that was removed");
        }
        if !self.world.has_quorum(cluster) {
            return refused("etcd has no leader");
        }
        let members = &mut self.world.etcds[cluster].members;
        if members.iter().any(|member| member.learner) {
            return refused("too many learner members in cluster");
        }
        self.world.next += 1;
        members.push(Member {
            id: self.world.next,
            name: String::new(),
            at,
            learner: true,
        });
        Ok(self.world.next)
    }

    fn rename(&mut self, cluster: usize, id: u32, name: &str) {
        let members = self.world.etcds[cluster].members.iter_mut();
        for member in members.filter(|member| member.id == id) {
            name.clone_into(&mut member.name);
        }
    }

    /// kubeadm's mark-control-plane.
    pub(super) fn mark_plane(&mut self, machine: usize, host: &str) -> Ended {
        let Some(cluster) = self.world.serves(machine) else {
            return failed("the API server does not answer");
        };
        let nodes = &mut self.world.etcds[cluster].objects.nodes;
        let Some(node) = nodes.get_mut(host) else {
            return failed(format!("{host} does not register"));
        };
        node.labels
            .extend([PLANE_LABEL, EXCLUDED].map(str::to_owned));
        node.taints.insert(PLANE_TAINT.to_owned());
        Ok(())
    }
}
