//! Problems with what hosts are to the cluster: joined to another one, the only
//! ones that may know of it, or running what the inventory no longer says.

use std::collections::BTreeMap;

use super::HostProblem;
use crate::cluster::{Name, Node, ResolvedCluster, Role};
use crate::etcd::member;
use crate::plan::facts::NodeView;
use crate::plan::membership::{Membership, Outside};
use crate::plan::version_step::{self, VersionStep};
use crate::plan::{ClusterState, Facts, Observation, bootstrap};
use crate::runtime;
use crate::transport::sanitise::sanitise_short;

/// A host that is another cluster's, or was taken out of this one.
pub(super) fn outside(node: &Node, cluster_state: &ClusterState, problems: &mut Vec<HostProblem>) {
    let Some(Membership::Outside(outside)) = cluster_state.memberships.get(&node.name) else {
        return;
    };
    let (what, fix) = match outside {
        Outside::OtherCa => (
            "its kubelet has joined a cluster that is not this one",
            "if nothing on it is needed any more, run `kubeadm reset` there first",
        ),
        Outside::Removed => (
            "it holds what a control plane of this cluster has, and etcd has no member of it: \
             somebody removed that",
            "run `kubeadm reset` there: kdiy joins it anew then",
        ),
    };
    problems.push(HostProblem {
        code: "foreign-node",
        kubeadm: "",
        what: what.to_owned(),
        fix: fix.to_owned(),
    });
}

/// A host that the cluster knows by another name or another address.
pub(super) fn moved(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    // What a Node says of its machine is its kubelet's word: it is believed of
    // a name alone that no host of the inventory has.
    let listed = |name: &str| {
        let mut all = resolved.cluster.kubelets();
        all.any(|node| node.name.as_str() == name)
    };
    let same_machine = |known: &&NodeView| {
        !facts.machine_id.is_empty() && known.machine_id == facts.machine_id && !listed(&known.name)
    };
    let own = cluster_state.nodes.get(node.name.as_str());
    let mut nodes = cluster_state.nodes.values();
    if facts.kubelet_conf
        && own.is_none()
        && let Some(known) = nodes.find(same_machine)
    {
        let name = sanitise_short(&known.name);
        problems.push(HostProblem {
            code: "renamed-node",
            kubeadm: "",
            what: format!("the cluster knows this machine as {name}"),
            fix: format!(
                "name it {name} again; a node's name cannot change: to have it under another \
                 one, drain it, `kubectl delete node {name}`, run `kubeadm reset` there and \
                 kdiy apply"
            ),
        });
        return;
    }
    if !cluster_state.joined_nodes.contains(&node.name) {
        at_the_address_of_another(resolved, cluster_state, node, problems);
        return;
    }
    let address = resolved.address(node);
    let addresses = own.map_or(&[][..], |known| &known.addresses);
    let mut members = cluster_state.etcd_members.iter();
    let member = members.find(|member| member.name == node.name.as_str());
    let peer_urls = member.map_or(&[][..], |member| &member.peer_urls);
    let is_else = if !addresses.is_empty() && !addresses.contains(&address) {
        let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        format!("its node has joined with {}", all.join(", "))
    } else if !peer_urls.is_empty() && !peer_urls.contains(&member::peer_url(address)) {
        format!(
            "its member of etcd has joined with {}",
            sanitise_short(&peer_urls.join(", "))
        )
    } else {
        return;
    };
    problems.push(HostProblem {
        code: "moved-node",
        kubeadm: "",
        what: format!("its address is {address} by the inventory, and {is_else}"),
        fix: "certificates and etcd hold the old address: give it back to the host and to the \
              inventory; or drain the node, remove it from the cluster, run `kubeadm reset` there \
              and kdiy apply"
            .to_owned(),
    });
}

/// A control plane that is to join at the address of another member of stacked
/// etcd: etcd would take it for that one, whose data it has not.
fn at_the_address_of_another(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    problems: &mut Vec<HostProblem>,
) {
    let url = member::peer_url(resolved.address(node));
    let mut members = cluster_state.etcd_members.iter();
    let other = members.find(|member| {
        let other = !member.name.is_empty() && member.name != node.name.as_str();
        other && member.peer_urls.contains(&url)
    });
    let Some(other) = other.filter(|_| node.roles.has(Role::ControlPlane)) else {
        return;
    };
    let name = sanitise_short(&other.name);
    problems.push(HostProblem {
        code: "renamed-node",
        kubeadm: "",
        what: format!("etcd has a member {name} at its address"),
        fix: format!(
            "name it {name} again, and kdiy joins it anew; or remove the member {} with etcdctl \
             first, where its host is gone for good",
            other.id
        ),
    });
}

/// A control plane that is unreachable may run the cluster: no other is
/// bootstrapped then.
pub(super) fn unobserved(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    seen: &BTreeMap<Name, Observation>,
    problems: &mut Vec<HostProblem>,
) {
    let bootstraps =
        bootstrap::required_hosts(resolved, cluster_state).first() == Some(&&node.name);
    // An API server that answers has a quorum of etcd behind it.
    let begun = cluster_state.unfinished_init.is_some() || !cluster_state.answering.is_empty();
    if !bootstraps || begun || !cluster_state.silent.is_empty() {
        return;
    }
    let unreachable: Vec<_> = resolved
        .with_role(Role::ControlPlane)
        .filter(|other| !seen.contains_key(&other.name))
        .map(|other| other.name.to_string())
        .collect();
    if !unreachable.is_empty() {
        problems.push(HostProblem {
            code: "control-plane-unseen",
            kubeadm: "",
            what: format!(
                "a cluster is to be bootstrapped here, and {} could not be looked at",
                unreachable.join(", ")
            ),
            fix: "the cluster may run there: bring all control planes back, or take those that \
                  never were out of the inventory"
                .to_owned(),
        });
    }
}

/// An etcd that was begun with other members is another etcd.
pub(super) fn bootstrap_changed(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    problems: &mut Vec<HostProblem>,
) {
    let wanted = bootstrap::initial_cluster(resolved);
    let begun = cluster_state
        .bootstrapping
        .get(&node.name)
        .filter(|own| own.begun);
    // With an API server that answers there is a quorum, and a cluster.
    let resolved = !cluster_state.answering.is_empty();
    let Some(begun) = begun.filter(|own| own.initial_cluster != wanted && !resolved) else {
        return;
    };
    problems.push(HostProblem {
        code: "bootstrap-changed",
        kubeadm: "",
        what: format!(
            "it has begun to bootstrap a cluster with the control planes {}, and the inventory says {}",
            names(&begun.initial_cluster),
            names(&wanted),
        ),
        fix:
            "put those back that were there. Or, since no cluster came to be, run `kubeadm reset` \
              there, remove /var/lib/kdiy/unfinished and begin anew"
                .to_owned(),
    });
}

/// The names of `cp-1=https://192.0.2.11:2380,…`, with the address where it
/// tells two apart.
fn names(members: &str) -> String {
    let members = members.split(',').map(|member| {
        let (name, url) = member.split_once('=').unwrap_or((member, ""));
        let address = url.trim_start_matches("https://").trim_end_matches(":2380");
        match address.is_empty() {
            true => name.to_owned(),
            false => format!("{name} ({address})"),
        }
    });
    members.collect::<Vec<_>>().join(", ")
}

/// A version is left for a later patch or the next minor version, and for no
/// other.
pub(super) fn upgrade(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    problems: &mut Vec<HostProblem>,
) {
    let wanted = resolved.version;
    let (runs, fix) = match version_step::of_kubelet(resolved, cluster_state, node) {
        Some(VersionStep::TooFar(from)) => (
            from,
            format!(
                "go one minor version at a time, with an apply for each: {}",
                version_step::path(from, wanted)
            ),
        ),
        Some(VersionStep::Back(from)) => (
            from,
            format!("write `version: {from}`: Kubernetes does not go back to an earlier version"),
        ),
        _ => return,
    };
    problems.push(HostProblem {
        code: "upgrade",
        kubeadm: "",
        what: format!("its kubelet is of version {runs}, and the inventory asks for {wanted}"),
        fix,
    });
}

/// A kubelet stays with the runtime that it joined with: what kubeadm wrote
/// for it then names its socket.
pub(super) fn other_runtime(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    problems: &mut Vec<HostProblem>,
) {
    let wanted = runtime::profile(&resolved.cluster.runtime).name;
    let Some(known) = cluster_state.nodes.get(node.name.as_str()) else {
        return;
    };
    let (runs, release) = known.runtime.split_once("://").unwrap_or_default();
    if cluster_state.joined_nodes.contains(&node.name) && !runs.is_empty() && runs != wanted {
        problems.push(HostProblem {
            code: "runtime",
            kubeadm: "",
            what: format!(
                "its kubelet runs with {runs} {release}, and the inventory asks for {wanted}"
            ),
            fix: format!(
                "set `runtime: {runs}`; or, one node after the other, drain it, delete its Node \
                 and make the host anew: kdiy joins it with {wanted}"
            ),
        });
    }
}
