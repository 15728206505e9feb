//! Problems that are better seen before the first change than during it.

mod encryption;
mod endpoint;
mod etcd;
mod fixed;
mod membership;
mod software;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::{Facts, Observation, Standing};
use crate::cluster::{Name, Node, ResolvedCluster, Role, Topology};
use crate::lb::HEALTH_PORT;
use crate::runtime;

/// A reason not to begin, with its fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Where.
    pub host: Name,
    /// Stable name, such as `clock-skew`.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// kubeadm's minimum for a control plane: processors.
const CPUS: u64 = 2;
/// kubeadm's minimum for a control plane: memory in KiB (1700 MB).
const MEMORY: u64 = 1_700_000_000 / 1024;
/// Room for packages and images under /var, in KiB.
const DISK: u64 = 2 * 1024 * 1024;
/// Certificates and tokens of one host must be valid on the others.
const SKEW: Duration = Duration::from_secs(30);

/// Ports of kubelet.
const KUBELET_PORTS: &[u16] = &[10250];
/// Ports of a control plane: API server, kubelet, controller-manager,
/// scheduler.
const CONTROL_PLANE_PORTS: &[u16] = &[6443, 10250, 10257, 10259];
/// Every port that a cluster may have on a host, but for its endpoint's own:
/// etcd, API server, health of the balancer, kubelet, kube-proxy,
/// controller-manager, scheduler.
pub const PORTS: &[u16] = &[
    2379,
    2380,
    6443,
    HEALTH_PORT,
    10249,
    10250,
    10256,
    10257,
    10259,
];
/// Ports of a member of etcd that is stacked: clients, peers.
const ETCD_PORTS: &[u16] = &[2379, 2380];

/// What keeps a cluster that is there, and its data, from harm. kubeadm's word
/// for ignoring all checks does not mean these: they are ignored by name alone.
const GUARDS: [&str; 13] = [
    "api-silent",
    "control-plane-unseen",
    "encryption",
    "etcd-foreign-data",
    "etcd-foreign-unit",
    "etcd-incomplete",
    "etcd-lost",
    "etcd-quorum",
    "etcd-split",
    "etcd-step",
    "foreign-endpoint",
    "founding-changed",
    "runtime-source",
];

/// All problems of all hosts, in the order of the inventory. A check that the
/// inventory ignores (`kubeadm.ignorePreflightErrors`, kubeadm's name or the
/// one here) is not made.
#[must_use]
pub fn problems(
    resolved: &ResolvedCluster,
    standing: &Standing,
    etcd_token: &str,
    seen: &BTreeMap<Name, Observation>,
) -> Vec<Problem> {
    let mut all = Vec::new();
    for node in &resolved.cluster.nodes {
        let Some(observation) = seen.get(&node.name) else {
            continue;
        };
        let mut found = Vec::new();
        system(&observation.facts, &mut found);
        if node.runs_kubelet() && !standing.members.contains(&node.name) {
            size(node, &observation.facts, &mut found);
            membership::foreign(node, standing, &observation.facts, &mut found);
        }
        membership::unseen(resolved, standing, node, seen, &mut found);
        membership::other_founders(resolved, standing, node, &mut found);
        membership::upgrade(resolved, standing, node, &mut found);
        membership::other_runtime(resolved, standing, node, &mut found);
        fixed::problems(resolved, standing, node, &observation.facts, &mut found);
        ports(resolved, standing, node, &observation.facts, &mut found);
        address(resolved, node, &observation.facts, &mut found);
        software::problems(resolved, standing, node, &observation.facts, &mut found);
        let facts = |node: &Node| Some(seen.get(&node.name)?.facts.clone());
        encryption::check(resolved, standing, node, &facts, &mut found);
        clock(observation.skew, &mut found);
        twins(node, seen, &mut found);
        unreachable(resolved, &observation.facts, &mut found);
        endpoint::foreign(resolved, &observation.facts, &mut found);
        endpoint::virtual_address(resolved, node, seen, &mut found);
        etcd::problems(resolved, standing, node, etcd_token, seen, &mut found);
        let silent = standing.silent.get(&node.name);
        if let Some(why) = silent.filter(|_| !standing.waits_for_etcd()) {
            found.push(Found {
                code: "api-silent",
                kubeadm: "",
                what: format!(
                    "it is a control plane of a cluster whose API does not answer: {why}"
                ),
                fix: format!(
                    "start its kubelet and container runtime and look at `{}`; kdiy founds no \
                     second cluster beside it",
                    runtime::LIST
                ),
            });
        }
        all.extend(kept(resolved, node, found));
    }
    all
}

/// What keeps nobody from beginning, of all hosts in the order of the
/// inventory; ignored as problems are.
#[must_use]
pub fn warnings(resolved: &ResolvedCluster, seen: &BTreeMap<Name, Observation>) -> Vec<Problem> {
    let mut all = Vec::new();
    for node in &resolved.cluster.nodes {
        let Some(observation) = seen.get(&node.name) else {
            continue;
        };
        let mut found = Vec::new();
        software::warnings(resolved, node, &observation.facts, &mut found);
        all.extend(kept(resolved, node, found));
    }
    all
}

/// What the inventory does not ignore.
fn kept<'a>(
    resolved: &'a ResolvedCluster,
    node: &'a Node,
    found: Vec<Found>,
) -> impl Iterator<Item = Problem> + 'a {
    let ignored = |code: &str, kubeadm: &str| {
        let names = &resolved.cluster.kubeadm.ignore_preflight_errors;
        names.iter().any(|name| {
            name.eq_ignore_ascii_case(code)
                || name.eq_ignore_ascii_case(kubeadm)
                || (name.eq_ignore_ascii_case("all") && !GUARDS.contains(&code))
        })
    };
    let found = found
        .into_iter()
        .filter(move |found| !ignored(found.code, found.kubeadm));
    found.map(|found| Problem {
        host: node.name.clone(),
        code: found.code,
        what: found.what,
        fix: found.fix,
    })
}

struct Found {
    code: &'static str,
    kubeadm: &'static str,
    what: String,
    fix: String,
}

fn system(facts: &Facts, found: &mut Vec<Found>) {
    if !facts.apt || !facts.systemd {
        found.push(Found {
            code: "unsupported-system",
            kubeadm: "SystemVerification",
            what: format!("{} {} has no apt or no systemd", facts.os, facts.os_version),
            fix: "use a host with Debian or Ubuntu; other families come later".to_owned(),
        });
    }
}

fn size(node: &Node, facts: &Facts, found: &mut Vec<Found>) {
    if node.roles.has(Role::ControlPlane) {
        if facts.cpus < CPUS {
            found.push(Found {
                code: "cpus",
                kubeadm: "NumCPU",
                what: format!(
                    "{} processor; kubeadm wants {CPUS} for a control plane",
                    facts.cpus
                ),
                fix: "give it more, or add NumCPU to kubeadm.ignorePreflightErrors".to_owned(),
            });
        }
        if facts.memory < MEMORY {
            let mib = facts.memory / 1024;
            found.push(Found {
                code: "memory",
                kubeadm: "Mem",
                what: format!("{mib} MiB of memory; kubeadm wants 1700 MB for a control plane"),
                fix: "give it more, or add Mem to kubeadm.ignorePreflightErrors".to_owned(),
            });
        }
    }
    if facts.disk_free < DISK {
        let mib = facts.disk_free / 1024;
        found.push(Found {
            code: "disk",
            kubeadm: "",
            what: format!("{mib} MiB free under /var; packages and images need 2048 MiB"),
            fix: "make room, or add `disk` to kubeadm.ignorePreflightErrors".to_owned(),
        });
    }
}

fn ports(
    resolved: &ResolvedCluster,
    standing: &Standing,
    node: &Node,
    facts: &Facts,
    found: &mut Vec<Found>,
) {
    let mut wanted: Vec<(u16, &str)> = Vec::new();
    let joined =
        standing.members.contains(&node.name) || facts.kubelet_conf || facts.unfinished.is_some();
    if node.runs_kubelet() && !joined {
        let ports = if node.roles.has(Role::ControlPlane) {
            CONTROL_PLANE_PORTS
        } else {
            KUBELET_PORTS
        };
        wanted.extend(ports.iter().map(|port| (*port, "kubelet")));
        if node.roles.has(Role::ControlPlane) && resolved.cluster.topology == Topology::Stacked {
            wanted.extend(ETCD_PORTS.iter().map(|port| (*port, "kubelet")));
        }
    }
    wanted.extend(endpoint::ports(&resolved.cluster, node));
    for (port, own) in wanted {
        port_taken(port, Some(own), facts, found);
    }
}

/// A port that another process than its own listens on.
fn port_taken(port: u16, own: Option<&str>, facts: &Facts, found: &mut Vec<Found>) {
    let taken = facts
        .listening
        .iter()
        .find(|(at, process)| *at == port && Some(process.as_str()) != own);
    if let Some((_, process)) = taken {
        found.push(Found {
            code: "port",
            kubeadm: "Port",
            what: format!("port {port} is taken by {process}"),
            fix: format!("stop {process}, or move it to another port"),
        });
    }
}

fn address(resolved: &ResolvedCluster, node: &Node, facts: &Facts, found: &mut Vec<Found>) {
    let wanted = resolved.address(node);
    if facts
        .addresses
        .iter()
        .any(|(_, address)| address.addr() == wanted)
    {
        return;
    }
    let there: Vec<_> = facts
        .addresses
        .iter()
        .map(|(name, address)| format!("{} ({name})", address.addr()))
        .collect();
    found.push(Found {
        code: "address",
        kubeadm: "",
        what: format!("the node address {wanted} is on none of its interfaces"),
        fix: format!("set `address` to one that it has: {}", there.join(", ")),
    });
}

fn clock(skew: Duration, found: &mut Vec<Found>) {
    if skew > SKEW {
        found.push(Found {
            code: "clock-skew",
            kubeadm: "",
            what: format!("its clock is {} s away from this machine's", skew.as_secs()),
            fix: "have it keep time, for instance with chrony or systemd-timesyncd".to_owned(),
        });
    }
}

/// Cloned machines: the identities that kubelets are told apart by.
fn twins(node: &Node, seen: &BTreeMap<Name, Observation>, found: &mut Vec<Found>) {
    let own = &seen[&node.name].facts;
    let others = || seen.iter().filter(|(name, _)| **name != node.name);
    let same = |id: &dyn Fn(&Facts) -> Option<String>| -> Option<String> {
        let own = id(own)?;
        let twins: Vec<_> = others()
            .filter(|(_, other)| id(&other.facts).as_ref() == Some(&own))
            .map(|(name, _)| name.to_string())
            .collect();
        (!twins.is_empty()).then(|| twins.join(", "))
    };
    if own.machine_id.is_empty() {
        found.push(Found {
            code: "machine-id",
            kubeadm: "",
            what: "/etc/machine-id is empty".to_owned(),
            fix: "run `systemd-machine-id-setup` there".to_owned(),
        });
    } else if let Some(twins) = same(&|facts| Some(facts.machine_id.clone())) {
        found.push(Found {
            code: "machine-id",
            kubeadm: "",
            what: format!("it has the machine-id of {twins}"),
            fix: "it is a clone: remove /etc/machine-id there and run `systemd-machine-id-setup`"
                .to_owned(),
        });
    }
    if let Some(twins) = same(&|facts| facts.product_uuid.clone()) {
        found.push(Found {
            code: "product-uuid",
            kubeadm: "",
            what: format!("it has the product_uuid of {twins}"),
            fix: "it is a clone: give the virtual machine a UUID of its own".to_owned(),
        });
    }
}

fn unreachable(resolved: &ResolvedCluster, facts: &Facts, found: &mut Vec<Found>) {
    let lost: Vec<_> = resolved
        .cluster
        .nodes
        .iter()
        .filter(|other| facts.unreachable.contains(&resolved.address(other)))
        .map(|other| format!("{} ({})", other.name, resolved.address(other)))
        .collect();
    if !lost.is_empty() {
        found.push(Found {
            code: "unreachable",
            kubeadm: "",
            what: format!("it cannot reach {}", lost.join(", ")),
            fix: "check that these are the addresses by which the hosts know each other (not the \
                  NAT interface), and that no firewall stands between them"
                .to_owned(),
        });
    }
}
