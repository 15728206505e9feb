//! Problems with what hosts are to the cluster: joined to another one, the only
//! ones that may know of it, or running what the inventory no longer says.

use std::collections::BTreeMap;

use super::Found;
use crate::cluster::{Name, Node, ResolvedCluster, Role};
use crate::plan::{Facts, Observation, Standing, founding};
use crate::runtime;

pub(super) fn foreign(node: &Node, standing: &Standing, facts: &Facts, found: &mut Vec<Found>) {
    let stranger = standing.knows_nodes() && !standing.nodes.contains_key(node.name.as_str());
    if facts.kubelet_conf && facts.unfinished.is_none() && stranger {
        found.push(Found {
            code: "foreign-node",
            kubeadm: "",
            what: "its kubelet has joined a cluster that is not this one".to_owned(),
            fix: "if nothing on it is needed any more, run `kubeadm reset` there first".to_owned(),
        });
    }
}

/// A control plane that is away may carry the cluster: no other is founded then.
pub(super) fn unseen(
    resolved: &ResolvedCluster,
    standing: &Standing,
    node: &Node,
    seen: &BTreeMap<Name, Observation>,
    found: &mut Vec<Found>,
) {
    let founds = founding::needed(resolved, standing).first() == Some(&&node.name);
    // An API server that answers has a quorum of etcd behind it.
    let begun = standing.founding.is_some() || !standing.answering.is_empty();
    if !founds || begun || !standing.silent.is_empty() {
        return;
    }
    let away: Vec<_> = resolved
        .with_role(Role::ControlPlane)
        .filter(|other| !seen.contains_key(&other.name))
        .map(|other| other.name.to_string())
        .collect();
    if !away.is_empty() {
        found.push(Found {
            code: "control-plane-unseen",
            kubeadm: "",
            what: format!(
                "a cluster is to be founded here, and {} could not be looked at",
                away.join(", ")
            ),
            fix: "the cluster may run there: bring all control planes back, or take those that \
                  never were out of the inventory"
                .to_owned(),
        });
    }
}

/// An etcd that was begun with other members is another etcd.
pub(super) fn other_founders(
    resolved: &ResolvedCluster,
    standing: &Standing,
    node: &Node,
    found: &mut Vec<Found>,
) {
    let wanted = founding::members(resolved);
    let begun = standing.founders.get(&node.name).filter(|own| own.begun);
    // With an API server that answers there is a quorum, and a cluster.
    let resolved = !standing.answering.is_empty();
    let Some(begun) = begun.filter(|own| own.members != wanted && !resolved) else {
        return;
    };
    found.push(Found {
        code: "founding-changed",
        kubeadm: "",
        what: format!(
            "it has begun to found a cluster with the control planes {}, and the inventory says {}",
            names(&begun.members),
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

/// A cluster is not upgraded by installing other packages.
pub(super) fn upgrade(
    resolved: &ResolvedCluster,
    standing: &Standing,
    node: &Node,
    found: &mut Vec<Found>,
) {
    let wanted = format!("v{}", resolved.version);
    let known = standing.nodes.get(node.name.as_str());
    let runs = known
        .filter(|_| standing.members.contains(&node.name))
        .map(|known| &known.version);
    if let Some(runs) = runs.filter(|runs| **runs != wanted) {
        found.push(Found {
            code: "upgrade",
            kubeadm: "",
            what: format!("it runs {runs}, and the inventory asks for {wanted}"),
            fix: format!(
                "set `version: {}`; upgrades are not built yet, and kubelets are never changed by \
                 the way",
                runs.trim_start_matches('v')
            ),
        });
    }
}

/// A kubelet stays with the runtime that it joined with: what kubeadm wrote
/// for it then names its socket.
pub(super) fn other_runtime(
    resolved: &ResolvedCluster,
    standing: &Standing,
    node: &Node,
    found: &mut Vec<Found>,
) {
    let wanted = runtime::profile(&resolved.cluster.runtime).name;
    let Some(known) = standing.nodes.get(node.name.as_str()) else {
        return;
    };
    let (runs, release) = known.runtime.split_once("://").unwrap_or_default();
    if standing.members.contains(&node.name) && !runs.is_empty() && runs != wanted {
        found.push(Found {
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
