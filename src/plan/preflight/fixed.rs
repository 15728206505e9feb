//! What a cluster that runs keeps: where its nodes reach the API, and where
//! its data is. Both are in certificates and kubeconfigs on every host.

use std::net::IpAddr;

use super::{ClusterState, HostProblem};
use crate::cluster::{Change, Node, ResolvedCluster, Topology};
use crate::kubeadm::PlaneComponent;
use crate::plan::{Facts, bootstrap, settings_kept};

pub(super) fn problems(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    if cluster_state.joined_nodes.contains(&node.name) {
        if bootstrap::lead(resolved, cluster_state).name == node.name {
            settings(resolved, cluster_state, problems);
        }
        endpoint(resolved, facts, problems);
        topology(resolved, facts, problems);
    }
}

/// Told once, of the control plane that kdiy asks.
fn settings(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    problems: &mut Vec<HostProblem>,
) {
    for changed in settings_kept::changed(&resolved.cluster, cluster_state) {
        let Change::Refused(why) = changed.change else {
            continue;
        };
        problems.push(HostProblem {
            code: "setting-fixed",
            kubeadm: "",
            what: format!(
                "the cluster runs with {} {}, and the inventory says {}",
                changed.path, changed.was, changed.is
            ),
            fix: why.to_owned(),
        });
    }
}

fn endpoint(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let wanted = resolved.cluster.node_endpoint().to_string();
    let other = |at: &&String| !at.eq_ignore_ascii_case(&wanted);
    let Some(serves) = facts.plane.endpoint.as_ref().filter(other) else {
        return;
    };
    problems.push(HostProblem {
        code: "endpoint-moved",
        kubeadm: "",
        what: format!(
            "the nodes of this cluster reach its API at {serves}, and the inventory says {wanted}"
        ),
        fix: "put back the `endpoint` and the `loadBalancer` of before: kdiy does not move a \
              cluster that runs, whose certificates and kubeconfigs name that address"
            .to_owned(),
    });
}

fn topology(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let arguments = facts.plane.running.get(PlaneComponent::ApiServer.name());
    let Some(servers) = arguments.and_then(|all| all.get("etcd-servers")) else {
        return;
    };
    // kubeadm's stacked member is asked on the loopback address alone.
    let mut all = servers.iter().flat_map(|servers| servers.split(','));
    let stacked = all.all(on_loopback);
    let (is, fix) = match (&resolved.cluster.topology, stacked) {
        (Topology::Stacked, false) => ("external", "write `topology: external`"),
        (Topology::External(_), true) => ("stacked", "take `topology: external` out"),
        _ => return,
    };
    problems.push(HostProblem {
        code: "topology-changed",
        kubeadm: "",
        what: format!("the etcd of this cluster is {is}: its API server uses {servers}"),
        fix: format!(
            "{fix}; to change the topology, make a new cluster and restore a snapshot of etcd there"
        ),
    });
}

fn on_loopback(url: &str) -> bool {
    let host = url.trim_start_matches("https://");
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    address.is_some_and(|address| address.is_loopback())
}
