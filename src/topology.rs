//! The cluster as a diagram: tiers of boxes, and who speaks to whom. It says
//! nothing of places and colours; [`crate::ui::topology`] draws it.

mod links;
mod tiers;

use serde::Serialize;

use crate::cluster::{Cluster, LoadBalancer, Name, Topology};

/// Everything that is drawn, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagram {
    /// Name of the cluster.
    pub cluster: Name,
    /// Kubernetes version that was asked for.
    pub kubernetes: String,
    /// Where etcd runs.
    pub etcd: Etcd,
    /// Where clients reach the API servers.
    pub endpoint: String,
    /// What balances the endpoint.
    pub load_balancer: &'static str,
    /// Rows of the diagram; each [`Place`] at most once.
    pub tiers: Vec<Tier>,
    /// Who connects to whom, at most once for each pair of tiers.
    pub links: Vec<Link>,
}

/// Where etcd's members are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Etcd {
    /// On the control planes.
    Stacked,
    /// On hosts with the role etcd.
    External,
}

/// What a tier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// kubectl and all others from outside.
    Clients,
    /// The address that clients use.
    Endpoint,
    /// What passes connections on.
    LoadBalancers,
    /// API servers, controller-managers, schedulers.
    ControlPlanes,
    /// Members of an external etcd.
    Etcd,
    /// Where workloads run.
    Workers,
}

/// One row: boxes in a frame, or only the frame with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tier {
    /// Kind of the tier.
    pub place: Place,
    /// What it is, in words.
    pub title: String,
    /// How many of its hosts may fail while API requests are served.
    pub tolerates: Option<Tolerates>,
    /// What else to know about it.
    pub facts: Vec<Fact>,
    /// Its hosts, each in one tier of the diagram only.
    pub boxes: Vec<Block>,
    /// What its hosts say to each other, all to all.
    pub peers: Option<String>,
}

/// Hosts or members that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tolerates {
    /// So many of them
    pub failures: usize,
    /// of so many.
    pub of: usize,
}

/// A sentence about a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The sentence.
    pub text: String,
    /// Whether it is about a loss that the cluster survives, or does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survives: Option<bool>,
}

/// One host, or many alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    /// Their names, at least one.
    pub nodes: Vec<Name>,
    /// Its address, or the interface that has it; only of a single host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Their roles, as the inventory names them.
    pub roles: Vec<&'static str>,
    /// What runs there.
    pub runs: Vec<Program>,
    /// A member of etcd that runs there beside other things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
}

/// A program and where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Name of the program, such as `API server`.
    pub name: &'static str,
    /// Address and port, or `:port` for the host's own addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listens: Option<String>,
}

/// A member of etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// TCP port for API servers.
    pub client_port: u16,
    /// TCP port for other members.
    pub peer_port: u16,
}

/// Connections from one tier to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Who connects.
    pub from: Place,
    /// To whom.
    pub to: Place,
    /// TCP port there.
    pub port: u16,
    /// What goes over it.
    pub label: String,
}

impl Diagram {
    /// The diagram of a cluster.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let tiers = tiers::of(cluster);
        let links = links::of(cluster, &tiers);
        Self {
            cluster: cluster.name.clone(),
            kubernetes: cluster.version.to_string(),
            etcd: match &cluster.topology {
                Topology::Stacked => Etcd::Stacked,
                Topology::External(_) => Etcd::External,
            },
            endpoint: cluster.endpoint.to_string(),
            load_balancer: match &cluster.load_balancer {
                LoadBalancer::None => "none",
                LoadBalancer::Hosts { kind, .. } => kind.as_str(),
                LoadBalancer::KubeVip { .. } => "kube-vip",
                LoadBalancer::Local { .. } => "local",
                LoadBalancer::External => "external",
            },
            tiers,
            links,
        }
    }

    /// The first line: what the cluster is.
    #[must_use]
    pub fn headline(&self) -> String {
        let etcd = match self.etcd {
            Etcd::Stacked => "etcd on the control planes",
            Etcd::External => "etcd on hosts of its own",
        };
        format!(
            "{}: Kubernetes {}, {etcd}, load balancer: {}",
            self.cluster, self.kubernetes, self.load_balancer
        )
    }
}

impl Tolerates {
    /// `1 of 3 may fail`.
    #[must_use]
    pub fn text(self) -> String {
        match (self.failures, self.of) {
            (0, 1) => "must not fail".to_owned(),
            (0, of) => format!("none of {of} may fail"),
            (failures, of) => format!("{failures} of {of} may fail"),
        }
    }
}

impl Program {
    /// `API server :6443`.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.listens {
            Some(listens) => format!("{} {listens}", self.name),
            None => self.name.to_owned(),
        }
    }
}
