//! Encryption at rest may only come when all API servers can be brought to
//! read it, and is not taken back by leaving out a line.

use super::HostProblem;
use crate::cluster::{Encryption, Node, ResolvedCluster, Role};
use crate::kubeadm::{PlaneComponent, Stage};
use crate::plan::{ClusterState, Facts};

pub(super) fn check(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    all: &dyn Fn(&Node) -> Option<Facts>,
    problems: &mut Vec<HostProblem>,
) {
    if !node.roles.has(Role::ControlPlane) {
        return;
    }
    let Some(own) = all(node) else { return };
    match resolved.cluster.control_plane.encryption {
        Encryption::None => taken_back(&own, problems),
        Encryption::Secretbox => unready(resolved, cluster_state, node, &own, all, problems),
    }
}

fn taken_back(own: &Facts, problems: &mut Vec<HostProblem>) {
    let writes = own.plane.stage() == Stage::Writes;
    if !writes && own.plane.encrypted.is_none() {
        return;
    }
    problems.push(HostProblem {
        code: "encryption",
        kubeadm: "",
        what: "secrets are encrypted at rest, and the inventory no longer says so".to_owned(),
        fix:
            "set `controlPlane.apiServer.encryption: secretbox` again: without it the API servers \
              could not read their secrets. To decrypt them by hand: on all control planes set \
              --encryption-provider-config to /etc/kubernetes/pki/kdiy-encryption-read.yaml, \
              then `kubectl get secrets -A -o json | kubectl replace -f -`, then `kubectl -n \
              kube-system patch configmap kdiy --type json -p \
              '[{\"op\":\"remove\",\"path\":\"/data/encryption\"}]'`; kdiy then takes it out"
                .to_owned(),
    });
}

/// Only said until all secrets were rewritten: before that an API server might
/// not read what another writes, or still write secrets as they are.
fn unready(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    own: &Facts,
    all: &dyn Fn(&Node) -> Option<Facts>,
    problems: &mut Vec<HostProblem>,
) {
    let done = own.plane.stage() == Stage::Writes && own.plane.encrypted.is_some();
    if done || !cluster_state.joined_nodes.contains(&node.name) {
        return;
    }
    let planes: Vec<_> = resolved.with_role(Role::ControlPlane).collect();
    let unseen = planes
        .iter()
        .filter(|other| cluster_state.joined_nodes.contains(&other.name) && all(other).is_none())
        .map(|other| other.name.to_string());
    let unlisted = cluster_state
        .nodes
        .values()
        .filter(|known| known.is_control_plane())
        .filter(|known| planes.iter().all(|node| node.name.as_str() != known.name))
        .map(|known| known.name.clone());
    let unknown: Vec<_> = unseen.chain(unlisted).collect();
    if unknown.is_empty() {
        return;
    }
    problems.push(HostProblem {
        code: "encryption",
        kubeadm: "",
        what: format!(
            "secrets cannot be encrypted: whether the {} of {} could read them is not known",
            PlaneComponent::ApiServer.name(),
            unknown.join(", ")
        ),
        fix: "bring these control planes back, name them in the inventory, or delete their \
              Nodes if they are gone; or leave out controlPlane.apiServer.encryption until then"
            .to_owned(),
    });
}
