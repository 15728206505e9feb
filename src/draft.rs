//! An inventory about to be written: by `kdiy init`, or of what another tool
//! knows.
//!
//! ```text
//! flags, answers, addresses --+
//! vagrant ssh-config          +-> Draft -> text -> inventory::load -> the file
//! terraform output, Ansible --+
//! ```
//! A draft need not be valid: its text is read as every inventory is before it
//! is written, so that there is one set of rules.

pub mod ansible;
mod base;
mod codes;
mod comments;
pub mod hosts;
pub mod imported;
mod login;
mod nodes;
mod scalar;
pub mod shape;
pub mod terraform;
mod text;
pub mod vagrant;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

pub use base::Base;
pub use codes::CODES;

use crate::cluster::{Endpoint, Jump, Name, Role, SudoPassword, VersionSpec};

/// An inventory about to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Name of the cluster.
    pub name: Name,
    /// What it was made of, for its first line: `kdiy init`.
    pub origin: String,
    /// Version of Kubernetes; `None` is the newest minor that kdiy knows.
    pub version: Option<VersionSpec>,
    /// Whether etcd is on hosts of its own.
    pub external_etcd: bool,
    /// Where clients reach the API servers, where that cannot be derived.
    pub endpoint: Option<Endpoint>,
    /// What spreads the endpoint over the API servers; `None` leaves it to
    /// the nodes' roles.
    pub balancing: Option<Balancing>,
    /// The virtual IP.
    pub vip: Option<IpAddr>,
    /// How to log in, as far as it is the same for all nodes.
    pub ssh: DraftLogin,
    /// All hosts, in the order in which they are written.
    pub nodes: Vec<DraftNode>,
    /// Networks of pods and services.
    pub network: DraftNetwork,
    /// Word for the container runtime, such as `containerd`.
    pub runtime: Option<String>,
    /// More names and addresses in the API servers' certificates.
    pub cert_sans: Vec<String>,
    /// Settings to start from, which replace those of the draft.
    pub base: Option<Base>,
}

/// What spreads the endpoint over the API servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balancing {
    /// haproxy on the load-balancer hosts.
    Haproxy,
    /// nginx on the load-balancer hosts.
    Nginx,
    /// kube-vip on the control planes.
    KubeVip,
    /// haproxy on every node, for that node.
    Local,
    /// Somebody else's.
    External,
}

/// A host about to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftNode {
    /// Name of the node.
    pub name: Name,
    /// How to log in, as far as [`Draft::ssh`] does not say it.
    pub ssh: DraftLogin,
    /// The address by which the other hosts reach it.
    pub address: Option<IpAddr>,
    /// The interface that has this address, where the address is not known.
    pub interface: Option<String>,
    /// What it does.
    pub roles: Vec<Role>,
    /// Labels of the Kubernetes node.
    pub labels: BTreeMap<String, String>,
}

/// How to log in to a host, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DraftLogin {
    /// Host name, alias of ssh_config, or address.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// User.
    pub user: Option<String>,
    /// Private key files.
    pub identities: Vec<PathBuf>,
    /// Jump hosts, nearest first; empty where nothing is known of any.
    pub jumps: Vec<Jump>,
    /// Accepted fingerprint of the host key, `SHA256:...`; of a node only.
    pub host_key: Option<String>,
    /// known_hosts file to use instead of the user's.
    pub known_hosts: Option<PathBuf>,
    /// Where sudo's password comes from.
    pub sudo: Option<SudoPassword>,
}

/// The networks of the cluster; what is `None` has the inventory's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DraftNetwork {
    /// Addresses of pods.
    pub pod_cidr: Option<IpNet>,
    /// Addresses of services.
    pub service_cidr: Option<IpNet>,
    /// Suffix of service names.
    pub dns_domain: Option<String>,
    /// What connects the pods; `None` is kdiy's own bridge.
    pub cni: Option<DraftCni>,
}

/// What connects the pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftCni {
    /// kdiy's own, for hosts on one layer-2 network.
    Bridge,
    /// The operator brings one.
    None,
    /// A file or a https:// URL.
    Manifest(String),
}

impl Draft {
    /// A draft without hosts and with every default.
    #[must_use]
    pub fn new(name: Name, origin: impl Into<String>) -> Self {
        Self {
            name,
            origin: origin.into(),
            version: None,
            external_etcd: false,
            endpoint: None,
            balancing: None,
            vip: None,
            ssh: DraftLogin::default(),
            nodes: Vec::new(),
            network: DraftNetwork::default(),
            runtime: None,
            cert_sans: Vec::new(),
            base: None,
        }
    }

    /// Nodes that have a role.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &DraftNode> {
        self.nodes
            .iter()
            .filter(move |node| node.roles.contains(&role))
    }

    /// Whether any node has a role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.with_role(role).next().is_some()
    }

    /// The inventory, with comments. What all nodes have in common stands
    /// once, under `ssh`.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }
}

impl Balancing {
    /// Its word in the inventory.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::KubeVip => "kube-vip",
            Self::Local => "local",
            Self::External => "external",
        }
    }
}

impl DraftNode {
    /// A host of which only name and roles are known.
    #[must_use]
    pub fn new(name: Name, roles: Vec<Role>) -> Self {
        Self {
            name,
            ssh: DraftLogin::default(),
            address: None,
            interface: None,
            roles,
            labels: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests;
