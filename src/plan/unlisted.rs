//! What the cluster has and the inventory does not: said in every plan, and
//! left alone.

use super::ClusterState;
use crate::cluster::{Cluster, Role};
use crate::transport::sanitise::sanitise_short;

/// A line for each Node and each member of stacked etcd that no host of the
/// inventory stands for.
#[must_use]
pub fn warnings(cluster: &Cluster, state: &ClusterState) -> Vec<String> {
    let has_node = |name: &str| cluster.kubelets().any(|node| node.name.as_str() == name);
    let nodes = { state.nodes.keys() }.filter(|name| !has_node(name));
    let nodes = nodes.map(|name| {
        format!(
            "the cluster has a Node {0}, and the inventory no host of that name: it is left \
             alone; put the host back into the inventory, or drain it and \
             `kubectl delete node {0}`",
            sanitise_short(name)
        )
    });
    let has_member = |name: &str| {
        let mut planes = cluster.with_role(Role::ControlPlane);
        planes.any(|node| node.name.as_str() == name)
    };
    let members = { state.etcd_members.iter() }.filter(|member| !has_member(&member.name));
    let members = members.map(|member| {
        let who = match member.name.as_str() {
            "" => format!("that never started ({})", member.peer_urls.join(", ")),
            name => name.to_owned(),
        };
        let (who, votes) = (
            sanitise_short(&who),
            if member.learner { "no" } else { "a" },
        );
        format!(
            "etcd has a member {who} with {votes} vote, and the inventory no control plane of \
             that name: it is left alone and counts for the quorum; put the host back into the \
             inventory, or remove the member {} with etcdctl",
            member.id
        )
    });
    nodes.chain(members).collect()
}
