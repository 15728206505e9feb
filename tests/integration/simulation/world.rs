//! The model: machines with what runs on them, clusters of etcd with the
//! objects that they hold, the inventory and the state directory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

use crate::plans::hosts::Has;
use crate::plans::state::Whose;

/// All that there is.
#[derive(Debug, Clone)]
pub struct World {
    pub machines: Vec<Machine>,
    /// Clusters of etcd, with what Kubernetes keeps in each; the first is the
    /// one that was there before the accidents.
    pub etcds: Vec<Etcd>,
    pub inventory: Vec<Entry>,
    /// Whether one control plane bootstraps a new cluster alone.
    pub serial: bool,
    pub directory: Directory,
    /// For identities that are given out.
    pub next: u32,
}

/// A node as the inventory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub at: u8,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plane,
    Worker,
    Balancer,
}

/// The state directory beside the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    Has(Whose),
    Deleted,
}

#[derive(Debug, Clone)]
pub struct Machine {
    /// /etc/machine-id.
    pub id: String,
    /// The last part of its address.
    pub at: u8,
    /// Whether kdiy can log in; what runs there does so all the same.
    pub reachable: bool,
    /// Files, packages, units.
    pub has: Rc<Has>,
    /// Whose ca.crt it has, and whether with its key.
    pub ca: Option<(Whose, bool)>,
    /// /var/lib/kdiy/unfinished.
    pub mark: Option<String>,
    pub kubelet: Kubelet,
    pub pods: Pods,
    /// The member of etcd whose data it has.
    pub data: Option<Data>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubelet {
    /// The name of its Node, as kubeadm set it.
    pub name: Option<String>,
    pub kubeconfig: bool,
    /// Whether it has a certificate to log in with.
    pub client: bool,
    pub runs: bool,
    /// Whether it has made its Node since it started.
    pub registered: bool,
}

/// Static pods of a control plane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pods {
    pub manifests: bool,
    pub etcd: Process,
    pub api: Process,
    /// Whether kdiy noted what it applied.
    pub noted: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Process {
    #[default]
    Absent,
    /// It is there and answers nobody.
    Hangs,
    Runs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data {
    pub cluster: usize,
    pub member: u32,
}

#[derive(Debug, Clone)]
pub struct Etcd {
    /// What its first members were started with.
    pub initial: String,
    pub members: Vec<Member>,
    pub objects: Objects,
    /// Whose CAs its API servers have.
    pub cas: Whose,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: u32,
    /// Empty when it has never started.
    pub name: String,
    pub at: u8,
    pub learner: bool,
}

/// What the API holds.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    pub nodes: BTreeMap<String, NodeObject>,
    /// kubeadm's configuration and what else joins need.
    pub set_up: bool,
    pub manifest: bool,
    pub settings: bool,
    /// API servers are let into kubelets.
    pub access: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeObject {
    pub uid: u32,
    /// The machine whose kubelet has registered it.
    pub host: String,
    /// What its kubelet says of itself.
    pub machine: String,
    pub at: Vec<u8>,
    pub runtime: Option<String>,
    pub labels: BTreeSet<String>,
    pub taints: BTreeSet<String>,
}

/// An address of the model's network.
pub fn address(at: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, at])
}

/// kubeadm's label of a control plane.
pub const PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane=";
/// kubeadm's other label of it.
pub const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers=";
/// kubeadm's taint of it.
pub const PLANE_TAINT: &str = "node-role.kubernetes.io/control-plane=:NoSchedule";
/// kdiy's label of a worker.
pub const WORKER_LABEL: &str = "node-role.kubernetes.io/worker=";

impl Machine {
    pub fn blank(id: &str, at: u8) -> Self {
        Self {
            id: id.to_owned(),
            at,
            reachable: true,
            has: Rc::default(),
            ca: None,
            mark: None,
            kubelet: Kubelet::default(),
            pods: Pods::default(),
            data: None,
        }
    }

    /// Whether nothing of kdiy's or of a cluster's is on it.
    pub fn is_blank(&self) -> bool {
        self.has.is_empty()
            && self.mark.is_none()
            && self.ca.is_none()
            && self.data.is_none()
            && self.kubelet == Kubelet::default()
    }

    pub fn wipe(&mut self) {
        *self = Self {
            reachable: self.reachable,
            ..Self::blank(&self.id, self.at)
        };
    }
}

impl World {
    /// What hung answers again.
    pub fn recover(&mut self) {
        for machine in &mut self.machines {
            for process in [&mut machine.pods.etcd, &mut machine.pods.api] {
                if *process == Process::Hangs {
                    *process = Process::Runs;
                }
            }
        }
    }

    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.inventory.iter().find(|entry| entry.name == name)
    }

    pub fn planes(&self) -> impl Iterator<Item = &Entry> {
        let all = self.inventory.iter();
        all.filter(|entry| entry.kind == Kind::Plane)
    }

    /// The machine at an address.
    pub fn at(&self, at: u8) -> Option<usize> {
        self.machines.iter().position(|machine| machine.at == at)
    }

    /// The machine that kdiy finds under a name of the inventory.
    pub fn seen(&self, name: &str) -> Option<usize> {
        let at = self.at(self.entry(name)?.at)?;
        self.machines[at].reachable.then_some(at)
    }

    /// Who kdiy cannot log in to.
    pub fn unseen(&self) -> Vec<&str> {
        let names = self.inventory.iter().map(|entry| entry.name.as_str());
        names.filter(|name| self.seen(name).is_none()).collect()
    }

    /// The entry of etcd's list for the data of a machine.
    pub fn member(&self, machine: usize) -> Option<&Member> {
        let data = self.machines[machine].data?;
        let mut members = self.etcds[data.cluster].members.iter();
        members.find(|member| member.id == data.member)
    }

    /// Whether its member of etcd answers, and has a vote.
    pub fn is_living_voter(&self, machine: usize) -> bool {
        self.machines[machine].pods.etcd == Process::Runs
            && self.member(machine).is_some_and(|member| !member.learner)
    }

    /// Machines whose members live and have votes in a cluster.
    pub fn living_voters(&self, cluster: usize) -> Vec<usize> {
        let of = |machine: &usize| {
            let data = self.machines[*machine].data;
            data.is_some_and(|data| data.cluster == cluster) && self.is_living_voter(*machine)
        };
        (0..self.machines.len()).filter(of).collect()
    }

    pub fn has_quorum(&self, cluster: usize) -> bool {
        let voters = self.etcds[cluster].members.iter();
        let voters = voters.filter(|member| !member.learner).count();
        voters > 0 && self.living_voters(cluster).len() > voters / 2
    }

    /// The cluster whose API server on a machine answers.
    pub fn serves(&self, machine: usize) -> Option<usize> {
        let of = &self.machines[machine];
        let cluster = of.data?.cluster;
        let serves = of.pods.manifests
            && of.pods.api == Process::Runs
            && self.is_living_voter(machine)
            && self.has_quorum(cluster);
        serves.then_some(cluster)
    }

    /// The cluster that answers kdiy with CAs: through a control plane of the
    /// inventory.
    pub fn answers(&self, whose: Whose) -> Option<usize> {
        let planes: Vec<_> = self.planes().collect();
        let mut served = { planes.iter() }
            .filter_map(|entry| self.serves(self.seen(&entry.name)?))
            .filter(|cluster| self.etcds[*cluster].cas == whose);
        served.next()
    }

    /// The cluster behind the endpoint: through a load balancer's own
    /// configuration.
    pub fn at_the_endpoint(&self) -> Option<usize> {
        let balancers = { self.machines.iter() }.filter_map(|machine| {
            match machine.has.get("file /etc/haproxy/haproxy.cfg")? {
                kdiy::resource::Resource::File(file) => Some(&file.content),
                other => panic!("{other:?} is no file"),
            }
        });
        let configurations: Vec<_> = balancers
            .map(|content| match content {
                kdiy::resource::Content::Plain(text) => text,
                other => panic!("{other:?}: the configuration is no plain text"),
            })
            .collect();
        let leads_to = |machine: &usize| {
            let server = format!("{}:6443", address(self.machines[*machine].at));
            configurations.iter().any(|text| text.contains(&server))
        };
        let mut all = (0..self.machines.len()).filter(leads_to);
        all.find_map(|machine| self.serves(machine))
    }

    /// Whether a Node's kubelet is alive, and pods have a network.
    pub fn is_ready(&self, cluster: usize, name: &str) -> bool {
        let objects = &self.etcds[cluster].objects;
        let alive = |node: &NodeObject| {
            let own = |machine: &&Machine| {
                machine.id == node.host && machine.kubelet.name.as_deref() == Some(name)
            };
            let machine = self.machines.iter().find(own);
            machine.is_some_and(|machine| machine.kubelet.runs && machine.kubelet.kubeconfig)
        };
        objects.manifest && objects.nodes.get(name).is_some_and(alive)
    }

    /// Kubelets that have started make their Nodes once the API answers them.
    pub fn register(&mut self) {
        for machine in 0..self.machines.len() {
            let Machine { kubelet, ca, .. } = &self.machines[machine];
            let waits = kubelet.runs && kubelet.kubeconfig && !kubelet.registered;
            let cluster = self.serves(machine).or_else(|| self.at_the_endpoint());
            let (true, Some(cluster), Some(name)) = (waits, cluster, kubelet.name.clone()) else {
                continue;
            };
            if ca.map(|(whose, _)| whose) != Some(self.etcds[cluster].cas) {
                continue;
            }
            self.next += 1;
            let own = &mut self.machines[machine];
            own.kubelet.registered = true;
            let nodes = &mut self.etcds[cluster].objects.nodes;
            let node = nodes.entry(name).or_insert_with(|| NodeObject {
                uid: self.next,
                host: String::new(),
                machine: String::new(),
                at: Vec::new(),
                runtime: None,
                labels: BTreeSet::new(),
                taints: BTreeSet::new(),
            });
            node.host.clone_from(&own.id);
            node.machine.clone_from(&own.id);
            node.at = vec![own.at];
        }
    }

    /// Whose CAs kdiy works with: those of the state directory, those that
    /// control planes have, or new ones.
    ///
    /// # Errors
    /// The host that keeps it from them.
    pub fn cas(&self) -> Result<Whose, String> {
        if let Directory::Has(whose) = self.directory {
            return Ok(whose);
        }
        let planes = || self.planes().map(|entry| entry.name.as_str());
        let read = planes().filter_map(|name| match self.machines[self.seen(name)?].ca? {
            (whose, true) => Some((name, whose)),
            (_, false) => None,
        });
        let read: Vec<_> = read.collect();
        if let Some((_, whose)) = read.first() {
            let mut others = read.iter().filter(|(_, other)| other != whose);
            return match others.next() {
                Some((name, _)) => Err(format!("{name} is of another cluster")),
                None => Ok(*whose),
            };
        }
        let mut unseen = planes().filter(|name| self.seen(name).is_none());
        match unseen.next() {
            Some(name) => Err(format!("{name} may have the CAs, and could not be asked")),
            // New ones are not those of before.
            None if self.etcds.is_empty() => Ok(Whose::Own),
            None => Ok(Whose::Other),
        }
    }
}
