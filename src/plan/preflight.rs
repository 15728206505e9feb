//! Problems that are better seen before the first change than during it.

mod encryption;
mod endpoint;
mod etcd;
mod fixed;
mod joined_nodes;
mod software;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::{ClusterState, Facts, Observation};
use crate::cluster::{Name, Node, ResolvedCluster, Role, Topology};
use crate::lb::HEALTH_PORT;
use crate::runtime;

/// A reason not to begin, with its fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The host's name in the inventory.
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
const GUARDS: [&str; 17] = [
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
    "foreign-node",
    "moved-node",
    "renamed-node",
    "bootstrap-changed",
    "runtime-source",
    "setting-fixed",
];

/// All problems of all hosts, in the order of the inventory. A check that the
/// inventory ignores (`kubeadm.ignorePreflightErrors`, kubeadm's name or the
/// one here) is not made.
#[must_use]
pub fn problems(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    etcd_token: &str,
    seen: &BTreeMap<Name, Observation>,
) -> Vec<Problem> {
    let mut all = Vec::new();
    for node in &resolved.cluster.nodes {
        let Some(observation) = seen.get(&node.name) else {
            continue;
        };
        let mut problems = Vec::new();
        system(&observation.facts, &mut problems);
        if node.runs_kubelet() && !cluster_state.joined_nodes.contains(&node.name) {
            size(node, &observation.facts, &mut problems);
            joined_nodes::foreign(node, cluster_state, &mut problems);
        }
        joined_nodes::moved(
            resolved,
            cluster_state,
            node,
            &observation.facts,
            &mut problems,
        );
        joined_nodes::unobserved(resolved, cluster_state, node, seen, &mut problems);
        joined_nodes::bootstrap_changed(resolved, cluster_state, node, &mut problems);
        joined_nodes::upgrade(resolved, cluster_state, node, &mut problems);
        joined_nodes::other_runtime(resolved, cluster_state, node, &mut problems);
        fixed::problems(
            resolved,
            cluster_state,
            node,
            &observation.facts,
            &mut problems,
        );
        ports(
            resolved,
            cluster_state,
            node,
            &observation.facts,
            &mut problems,
        );
        address(resolved, node, &observation.facts, &mut problems);
        software::problems(
            resolved,
            cluster_state,
            node,
            &observation.facts,
            &mut problems,
        );
        let facts = |node: &Node| Some(seen.get(&node.name)?.facts.clone());
        encryption::check(resolved, cluster_state, node, &facts, &mut problems);
        clock(observation.skew, &mut problems);
        twins(node, seen, &mut problems);
        unreachable(resolved, &observation.facts, &mut problems);
        endpoint::other_cluster(resolved, &observation.facts, &mut problems);
        endpoint::virtual_address(resolved, node, seen, &mut problems);
        etcd::problems(
            resolved,
            cluster_state,
            node,
            etcd_token,
            seen,
            &mut problems,
        );
        let silent = cluster_state.silent.get(&node.name);
        if let Some(why) = silent.filter(|_| !cluster_state.waits_for_etcd()) {
            problems.push(HostProblem {
                code: "api-silent",
                kubeadm: "",
                what: format!(
                    "it is a control plane of a cluster whose API does not answer: {why}"
                ),
                fix: format!(
                    "start its kubelet and container runtime and look at `{}`; kdiy bootstraps no \
                     second cluster beside it",
                    runtime::LIST
                ),
            });
        }
        all.extend(kept(resolved, node, problems));
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
        let mut problems = Vec::new();
        software::warnings(resolved, node, &observation.facts, &mut problems);
        all.extend(kept(resolved, node, problems));
    }
    all
}

/// What the inventory does not ignore.
fn kept<'a>(
    resolved: &'a ResolvedCluster,
    node: &'a Node,
    problems: Vec<HostProblem>,
) -> impl Iterator<Item = Problem> + 'a {
    let ignored = |code: &str, kubeadm: &str| {
        let names = &resolved.cluster.kubeadm.ignore_preflight_errors;
        names.iter().any(|name| {
            name.eq_ignore_ascii_case(code)
                || name.eq_ignore_ascii_case(kubeadm)
                || (name.eq_ignore_ascii_case("all") && !GUARDS.contains(&code))
        })
    };
    let problems = problems
        .into_iter()
        .filter(move |problems| !ignored(problems.code, problems.kubeadm));
    problems.map(|problems| Problem {
        host: node.name.clone(),
        code: problems.code,
        what: problems.what,
        fix: problems.fix,
    })
}

struct HostProblem {
    code: &'static str,
    kubeadm: &'static str,
    what: String,
    fix: String,
}

fn system(facts: &Facts, problems: &mut Vec<HostProblem>) {
    if !facts.apt || !facts.systemd {
        problems.push(HostProblem {
            code: "unsupported-system",
            kubeadm: "SystemVerification",
            what: format!("{} {} has no apt or no systemd", facts.os, facts.os_version),
            fix: "use a host with Debian or Ubuntu; other families come later".to_owned(),
        });
    }
}

fn size(node: &Node, facts: &Facts, problems: &mut Vec<HostProblem>) {
    if node.roles.has(Role::ControlPlane) {
        if facts.cpus < CPUS {
            problems.push(HostProblem {
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
            problems.push(HostProblem {
                code: "memory",
                kubeadm: "Mem",
                what: format!("{mib} MiB of memory; kubeadm wants 1700 MB for a control plane"),
                fix: "give it more, or add Mem to kubeadm.ignorePreflightErrors".to_owned(),
            });
        }
    }
    if facts.disk_free < DISK {
        let mib = facts.disk_free / 1024;
        problems.push(HostProblem {
            code: "disk",
            kubeadm: "",
            what: format!("{mib} MiB free under /var; packages and images need 2048 MiB"),
            fix: "make room, or add `disk` to kubeadm.ignorePreflightErrors".to_owned(),
        });
    }
}

fn ports(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    let mut wanted: Vec<(u16, &str)> = Vec::new();
    let joined = cluster_state.joined_nodes.contains(&node.name)
        || facts.kubelet_conf
        || facts.unfinished.is_some();
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
        port_taken(port, Some(own), facts, problems);
    }
}

/// A port that another process than its own listens on.
fn port_taken(port: u16, own: Option<&str>, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let taken = facts
        .listening
        .iter()
        .find(|(at, process)| *at == port && Some(process.as_str()) != own);
    if let Some((_, process)) = taken {
        problems.push(HostProblem {
            code: "port",
            kubeadm: "Port",
            what: format!("port {port} is taken by {process}"),
            fix: format!("stop {process}, or move it to another port"),
        });
    }
}

fn address(
    resolved: &ResolvedCluster,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
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
    problems.push(HostProblem {
        code: "address",
        kubeadm: "",
        what: format!("the node address {wanted} is on none of its interfaces"),
        fix: format!("set `address` to one that it has: {}", there.join(", ")),
    });
}

fn clock(skew: Duration, problems: &mut Vec<HostProblem>) {
    if skew > SKEW {
        problems.push(HostProblem {
            code: "clock-skew",
            kubeadm: "",
            what: format!("its clock is {} s away from this machine's", skew.as_secs()),
            fix: "have it keep time, for instance with chrony or systemd-timesyncd".to_owned(),
        });
    }
}

/// Cloned machines: the identities that kubelets are told apart by.
fn twins(node: &Node, seen: &BTreeMap<Name, Observation>, problems: &mut Vec<HostProblem>) {
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
        problems.push(HostProblem {
            code: "machine-id",
            kubeadm: "",
            what: "/etc/machine-id is empty".to_owned(),
            fix: "run `systemd-machine-id-setup` there".to_owned(),
        });
    } else if let Some(twins) = same(&|facts| Some(facts.machine_id.clone())) {
        problems.push(HostProblem {
            code: "machine-id",
            kubeadm: "",
            what: format!("it has the machine-id of {twins}"),
            fix: "it is a clone: remove /etc/machine-id there and run `systemd-machine-id-setup`"
                .to_owned(),
        });
    }
    if let Some(twins) = same(&|facts| facts.product_uuid.clone()) {
        problems.push(HostProblem {
            code: "product-uuid",
            kubeadm: "",
            what: format!("it has the product_uuid of {twins}"),
            fix: "it is a clone: give the virtual machine a UUID of its own".to_owned(),
        });
    }
}

fn unreachable(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let lost: Vec<_> = resolved
        .cluster
        .nodes
        .iter()
        .filter(|other| facts.unreachable.contains(&resolved.address(other)))
        .map(|other| format!("{} ({})", other.name, resolved.address(other)))
        .collect();
    if !lost.is_empty() {
        problems.push(HostProblem {
            code: "unreachable",
            kubeadm: "",
            what: format!("it cannot reach {}", lost.join(", ")),
            fix: "check that these are the addresses by which the hosts know each other (not the \
                  NAT interface), and that no firewall stands between them"
                .to_owned(),
        });
    }
}
