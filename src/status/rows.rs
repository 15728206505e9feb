//! Nodes as the API knows them, beside those of the inventory.

use std::net::IpAddr;

use serde::Serialize;

use super::answer::NodeSeen;
use super::problem::{Problem, Severity};
use super::{Answer, Hosts};
use crate::cluster::{AddressSpec, Cluster, Node};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    /// Name of the Node object, or of the node in the inventory.
    pub name: String,
    /// Its roles: the inventory's, or the API's where that has none.
    pub roles: Vec<&'static str>,
    /// Whether the inventory has it.
    pub in_inventory: bool,
    /// Whether its host could be asked; `null` for one that nobody asks.
    pub reachable: Option<bool>,
    /// State of the node.
    pub state: NodeState,
    /// Whether pods are scheduled to it.
    pub schedulable: bool,
    /// What the API says about its not being ready.
    pub why: Option<String>,
    /// Its kubelet's version.
    pub version: Option<String>,
    /// Its container runtime, such as `containerd 1.7.2`.
    pub runtime: Option<String>,
    /// Its address.
    pub address: Option<IpAddr>,
}

/// How a node is, by the API's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It takes pods.
    Ready,
    /// Its kubelet says no.
    NotReady,
    /// Its kubelet says nothing any more.
    Lost,
    /// The API does not know it.
    NotRegistered,
    /// No API server tells.
    Unknown,
}

impl NodeState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::NotReady | Self::Lost => "NotReady",
            Self::NotRegistered => "not registered",
            Self::Unknown => "not known",
        }
    }

    fn of(seen: &NodeSeen) -> Self {
        match seen.ready.as_str() {
            "True" => Self::Ready,
            "Unknown" => Self::Lost,
            _ => Self::NotReady,
        }
    }
}

/// What any API server knows of something: one that is ready is asked first.
pub(super) fn first_known<'a, T>(
    hosts: &'a Hosts,
    of: impl Fn(&'a Answer) -> Option<&'a T>,
) -> Option<&'a T> {
    let answers = || hosts.values().filter_map(|host| host.as_ref().ok());
    let ready = |answer: &&Answer| {
        answer
            .api
            .as_ref()
            .is_some_and(super::answer::Probe::answers)
    };
    let first = answers().filter(ready).find_map(&of);
    first.or_else(|| answers().find_map(&of))
}

/// All nodes: those of the inventory in its order, then the others.
pub(super) fn nodes(cluster: &Cluster, hosts: &Hosts) -> Vec<NodeRow> {
    let known = first_known(hosts, |answer| answer.nodes.as_ref());
    let find = |name: &str| known?.iter().find(|node| node.name == name);
    let mut rows: Vec<_> = cluster
        .kubelets()
        .map(|node| row(node, find(node.name.as_str()), known.is_some(), hosts))
        .collect();
    let unlisted = known.into_iter().flatten().filter(|seen| {
        cluster
            .kubelets()
            .all(|node| node.name.as_str() != seen.name)
    });
    rows.extend(unlisted.map(|seen| NodeRow {
        roles: vec![if seen.control_plane {
            "control-plane"
        } else {
            "worker"
        }],
        in_inventory: false,
        reachable: None,
        ..of_seen(seen)
    }));
    rows
}

fn row(node: &Node, seen: Option<&NodeSeen>, first_known: bool, hosts: &Hosts) -> NodeRow {
    let roles = node.roles.all().iter().map(|role| role.as_str());
    let row = match seen {
        Some(seen) => of_seen(seen),
        None => NodeRow {
            name: node.name.to_string(),
            roles: Vec::new(),
            in_inventory: true,
            reachable: None,
            state: match first_known {
                true => NodeState::NotRegistered,
                false => NodeState::Unknown,
            },
            schedulable: true,
            why: None,
            version: None,
            runtime: None,
            address: match node.address {
                AddressSpec::Fixed(address) => Some(address),
                AddressSpec::Interface(_) => None,
            },
        },
    };
    NodeRow {
        roles: roles.collect(),
        reachable: hosts.get(&node.name).map(Result::is_ok),
        ..row
    }
}

fn of_seen(seen: &NodeSeen) -> NodeRow {
    let state = NodeState::of(seen);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    NodeRow {
        name: seen.name.clone(),
        roles: Vec::new(),
        in_inventory: true,
        reachable: None,
        state,
        schedulable: !seen.cordoned,
        why: some(&seen.why).filter(|_| state != NodeState::Ready),
        version: some(&seen.version),
        runtime: some(&seen.runtime.replacen("://", " ", 1)),
        address: seen.address,
    }
}

/// What is wrong with them. Of a host that is away that is said already.
pub(super) fn problems(cluster: &Cluster, rows: &[NodeRow], hosts: &Hosts) -> Vec<Problem> {
    let mut all = Vec::new();
    for row in rows {
        let node = cluster
            .nodes
            .iter()
            .find(|node| node.name.as_str() == row.name);
        let Some(node) = node.filter(|_| row.in_inventory) else {
            let what = format!(
                "the cluster has a node {} that the inventory has not",
                row.name
            );
            let fix = format!(
                "add it to the inventory, or remove it: kubectl delete node {}",
                row.name
            );
            all.push(Problem::whole(Severity::Warning, what).fix(fix));
            continue;
        };
        if !row.schedulable {
            let fix = format!("kubectl uncordon {}", row.name);
            all.push(
                Problem::of(Severity::Warning, &node.name, "no pods are scheduled to it").fix(fix),
            );
        }
        let Some(Ok(answer)) = hosts.get(&node.name) else {
            continue;
        };
        let why = row.why.as_deref().unwrap_or("no reason is given");
        let what = match row.state {
            NodeState::Ready | NodeState::Unknown => continue,
            NodeState::NotReady | NodeState::Lost => format!("its node is not ready: {why}"),
            NodeState::NotRegistered => "the cluster has no such node".to_owned(),
        };
        let problem = Problem::of(Severity::Degraded, &node.name, what);
        // A unit that does not run is the reason, and is told about there.
        let runs = answer.units.iter().all(|(_, state)| state == "active");
        all.push(match row.state {
            NodeState::NotRegistered => problem.fix("kdiy apply joins it"),
            _ if runs => problem.fix("see what its kubelet says: journalctl -u kubelet there"),
            _ => problem,
        });
    }
    all
}
