//! What a cluster is and what it survives, in words.

use std::fmt::Write as _;

use super::{Balancer, Cluster, EndpointHost, LoadBalancer, Quorum, Role, VersionSpec};

/// The text of `kdiy validate`: versions, nodes by role, quorum, and what the
/// cluster tolerates. Ends with a line break.
#[must_use]
pub fn describe(cluster: &Cluster) -> String {
    let quorum = cluster.quorum();
    let rows = [
        ("cluster", cluster.name.to_string()),
        ("kubernetes", version(cluster.version)),
        (
            "endpoint",
            format!("{}, {}", cluster.endpoint, balancer(cluster)),
        ),
        ("control planes", names(cluster, Role::ControlPlane)),
        ("workers", names(cluster, Role::Worker)),
        ("load balancers", balancers(cluster)),
        ("etcd", format!("stacked, {quorum}")),
        ("tolerates", tolerates(cluster, quorum)),
    ];
    let mut text = String::new();
    for (label, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{label:<16}{value}");
    }
    for note in notes(cluster, quorum) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn version(version: VersionSpec) -> String {
    match version {
        VersionSpec::Minor(..) => format!("{version}, newest patch of the repository"),
        VersionSpec::Exact(_) => version.to_string(),
    }
}

fn balancer(cluster: &Cluster) -> &'static str {
    match &cluster.load_balancer {
        LoadBalancer::None => "the API server itself",
        LoadBalancer::Hosts {
            kind: Balancer::Haproxy,
            ..
        } => "balanced by haproxy",
        LoadBalancer::Hosts {
            kind: Balancer::Nginx,
            ..
        } => "balanced by nginx",
        LoadBalancer::KubeVip { .. } => "held by kube-vip on a control plane",
        LoadBalancer::Local { .. } => "for clients; nodes have a balancer each",
        LoadBalancer::External => "balanced outside of this inventory",
    }
}

fn names(cluster: &Cluster, role: Role) -> String {
    let names: Vec<&str> = cluster
        .with_role(role)
        .map(|node| node.name.as_str())
        .collect();
    match names.len() {
        0 => "none".to_owned(),
        number => format!("{number}: {}", names.join(", ")),
    }
}

fn balancers(cluster: &Cluster) -> String {
    match cluster.load_balancer {
        LoadBalancer::External => "somebody else's".to_owned(),
        _ => names(cluster, Role::LoadBalancer),
    }
}

fn tolerates(cluster: &Cluster, quorum: Quorum) -> String {
    let balancers = cluster.with_role(Role::LoadBalancer).count();
    let planes = match quorum.tolerated() {
        0 => "no failure of a control plane".to_owned(),
        1 => "the failure of 1 control plane".to_owned(),
        number => format!("the failure of {number} control planes"),
    };
    match cluster.load_balancer {
        LoadBalancer::Hosts { .. } if balancers == 1 => {
            format!("{planes}, and none of the load balancer")
        }
        _ => planes,
    }
}

fn notes(cluster: &Cluster, quorum: Quorum) -> Vec<String> {
    let mut notes = Vec::new();
    let next = if quorum.members.is_multiple_of(2) {
        quorum.members + 1
    } else {
        quorum.members + 2
    };
    let grown = Quorum::of(next);
    if grown.members <= 5 {
        notes.push(format!(
            "growing to {} control planes: {grown}{}",
            grown.members,
            match quorum.members % 2 {
                0 => "",
                _ => "; on the way there an even number tolerates no more than now",
            }
        ));
    }
    if quorum.members.is_multiple_of(2) {
        let fewer = quorum.members - 1;
        notes.push(format!(
            "{} members tolerate no more failures than {fewer}, and more hosts can fail",
            quorum.members
        ));
    }
    notes.extend(match cluster.load_balancer {
        LoadBalancer::Hosts { .. } => Some(
            "while the load balancer is down workloads run on, but nodes and clients do not reach the API",
        ),
        LoadBalancer::External => Some(
            "the balancer must pass the endpoint on to port 6443 of all control planes before `kdiy apply`",
        ),
        LoadBalancer::None if matches!(cluster.endpoint.host, EndpointHost::Address(_)) => Some(
            "certificates and kubeconfigs name the endpoint: take a DNS name if more control planes may come later",
        ),
        LoadBalancer::None | LoadBalancer::KubeVip { .. } | LoadBalancer::Local { .. } => None,
    }.map(str::to_owned));
    notes
}
