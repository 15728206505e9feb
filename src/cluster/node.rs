//! Hosts: their names, roles, addresses and how to log in to them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// A lower-case RFC 1123 name of a cluster or a node.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The word for the cluster itself beside names of hosts, in plans and logs: no
/// node may be named so.
pub const CLUSTER: &str = "cluster";

/// What a host does in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// API server, controller-manager, scheduler (and etcd when stacked).
    ControlPlane,
    /// Runs workloads.
    Worker,
    /// Member of an external etcd cluster.
    Etcd,
    /// Balances the endpoint.
    LoadBalancer,
}

/// The roles of one host, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

/// Where a node's address comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressSpec {
    /// Written in the inventory.
    Fixed(IpAddr),
    /// The first global address of this interface.
    Interface(String),
}

/// One host.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Node name, host name and the name in all output.
    pub name: Name,
    /// How to log in.
    pub login: Login,
    /// The address that the other hosts use.
    pub address: AddressSpec,
    /// What it does.
    pub roles: Roles,
    /// Labels of the Kubernetes node.
    pub labels: BTreeMap<String, String>,
    /// Taints of the Kubernetes node; `None` keeps kubeadm's default.
    pub taints: Option<Vec<Taint>>,
}

/// A taint of a Kubernetes node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value, perhaps empty.
    pub value: String,
    /// What it does to pods.
    pub effect: TaintEffect,
}

/// As kubectl and the kubelet are told of it: `key=value:effect`.
impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", self.key, self.value, self.effect.as_str())
    }
}

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaintEffect {
    /// They are not scheduled.
    NoSchedule,
    /// They are not scheduled if it can be helped.
    PreferNoSchedule,
    /// They are evicted.
    NoExecute,
}

/// How to reach and enter a host. What the inventory leaves open is `None`
/// and comes from `~/.ssh/config`, then from OpenSSH's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Host name, alias of ssh_config, or address.
    pub host: String,
    /// Port.
    pub port: Option<u16>,
    /// User.
    pub user: Option<String>,
    /// Private key files; empty means agent and OpenSSH's default files.
    pub identities: Vec<PathBuf>,
    /// Jump hosts, nearest first; `None` leaves it to ssh_config.
    pub jumps: Option<Vec<Jump>>,
    /// Accepted host key fingerprint (`SHA256:...`), instead of known_hosts.
    pub fingerprint: Option<String>,
    /// known_hosts file to use instead of the user's.
    pub known_hosts: Option<PathBuf>,
    /// How root is reached.
    pub sudo: SudoPassword,
}

/// One hop of a jump chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// Host name, alias or address.
    pub host: String,
    /// Port.
    pub port: Option<u16>,
    /// User.
    pub user: Option<String>,
}

/// Where sudo's password comes from. Not asked for when the login is root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SudoPassword {
    /// sudo asks for none.
    NotNeeded,
    /// Asked for on the terminal, once for all hosts.
    Prompt,
    /// Value of an environment variable of kdiy.
    Environment(String),
    /// First line that a local command prints.
    Command(Vec<String>),
}

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a lower-case RFC 1123 label: a-z, 0-9 and -, at most 63, first and last not -")]
pub struct NotAName;

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let sound = text.len() <= 63
            && text.starts_with(edge)
            && text.ends_with(edge)
            && text.chars().all(|c| edge(c) || c == '-');
        if sound { Ok(Self(text)) } else { Err(NotAName) }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Login {
    /// A host of which only the name is said.
    #[must_use]
    pub fn to(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            user: None,
            identities: Vec::new(),
            jumps: None,
            fingerprint: None,
            known_hosts: None,
            sudo: SudoPassword::NotNeeded,
        }
    }
}

impl Roles {
    /// Roles without repetition; `None` when there are none.
    #[must_use]
    pub fn new(mut roles: Vec<Role>) -> Option<Self> {
        roles.sort_unstable();
        roles.dedup();
        (!roles.is_empty()).then_some(Self(roles))
    }

    /// Whether a role is among them.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// All of them, sorted.
    #[must_use]
    pub fn all(&self) -> &[Role] {
        &self.0
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::ControlPlane,
        Self::Worker,
        Self::Etcd,
        Self::LoadBalancer,
    ];

    /// Its name in the inventory.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
            Self::Etcd => "etcd",
            Self::LoadBalancer => "load-balancer",
        }
    }
}

impl TaintEffect {
    /// Its name in the Kubernetes API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

impl Node {
    /// Whether a kubelet runs here: control planes and workers.
    #[must_use]
    pub fn runs_kubelet(&self) -> bool {
        self.roles.has(Role::ControlPlane) || self.roles.has(Role::Worker)
    }
}
