//! What a cluster is and what it survives, in words.

use std::fmt::Write as _;

use super::{
    Balancer, Cluster, EndpointHost, LoadBalancer, Node, Quorum, Role, Topology, VersionSpec,
};

/// The text of `kdiy validate`: versions, nodes by role, quorum, and what the
/// cluster tolerates. Ends with a line break.
#[must_use]
pub fn describe(cluster: &Cluster) -> String {
    let rows = [
        ("cluster", cluster.name.to_string()),
        ("kubernetes", version(cluster.version)),
        (
            "endpoint",
            format!("{}, {}", cluster.endpoint, serving(cluster)),
        ),
        (
            "control planes",
            names(cluster.with_role(Role::ControlPlane)),
        ),
        ("workers", names(cluster.with_role(Role::Worker))),
        ("load balancers", balancers(cluster)),
        (
            "etcd",
            match cluster.topology {
                Topology::Stacked => "stacked, on the control planes".to_owned(),
                Topology::External(_) => format!("external, {}", names(cluster.etcd_members())),
            },
        ),
        ("quorum", cluster.quorum().to_string()),
        ("tolerates", tolerates(cluster)),
    ];
    let mut text = String::new();
    for (label, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{label:<16}{value}");
    }
    for note in notes(cluster) {
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

/// Who answers at the endpoint.
fn serving(cluster: &Cluster) -> String {
    let named = matches!(cluster.endpoint.host, EndpointHost::Name(_));
    match &cluster.load_balancer {
        LoadBalancer::None => "the API server itself".to_owned(),
        LoadBalancer::Hosts { kind, failover } => match failover {
            Some(failover) if named => format!(
                "balanced by {} at the virtual IP {}",
                kind.as_str(),
                failover.vip.address
            ),
            Some(_) => format!("a virtual IP, balanced by {}", kind.as_str()),
            None => format!("balanced by {}", kind.as_str()),
        },
        LoadBalancer::KubeVip { vip, .. } if named => {
            format!("at the virtual IP {} of kube-vip", vip.address)
        }
        LoadBalancer::KubeVip { .. } => "a virtual IP of kube-vip".to_owned(),
        LoadBalancer::Local { .. } => "for clients from outside".to_owned(),
        LoadBalancer::External => "balanced outside of this inventory".to_owned(),
    }
}

fn names<'c>(nodes: impl Iterator<Item = &'c Node>) -> String {
    let names: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    match names.len() {
        0 => "none".to_owned(),
        number => format!("{number}: {}", names.join(", ")),
    }
}

fn balancers(cluster: &Cluster) -> String {
    match &cluster.load_balancer {
        LoadBalancer::None => "none".to_owned(),
        LoadBalancer::Hosts { .. } => names(cluster.with_role(Role::LoadBalancer)),
        LoadBalancer::KubeVip { .. } => "kube-vip on the control planes".to_owned(),
        LoadBalancer::Local { .. } => {
            format!("haproxy on every node, at {}", cluster.node_endpoint())
        }
        LoadBalancer::External => "somebody else's".to_owned(),
    }
}

/// `the failure of 2 control planes and 1 etcd host, and none of the load balancer`.
fn tolerates(cluster: &Cluster) -> String {
    let tolerance = cluster.tolerance();
    let single = cluster.with_role(Role::LoadBalancer).count() == 1;
    let kinds = [
        (
            Some(tolerance.control_planes),
            "a control plane",
            "control plane",
        ),
        (tolerance.etcd_hosts, "an etcd host", "etcd host"),
        (
            tolerance.balancers,
            if single {
                "the load balancer"
            } else {
                "a load balancer"
            },
            "load balancer",
        ),
    ];
    let (mut some, mut none) = (Vec::new(), Vec::new());
    for (number, one, name) in kinds {
        match number {
            Some(0) => none.push(one.to_owned()),
            Some(1) => some.push(format!("1 {name}")),
            Some(number) => some.push(format!("{number} {name}s")),
            None => {}
        }
    }
    match (some.is_empty(), none.is_empty()) {
        (true, _) => format!("no failure of {}", listed(&none, "or")),
        (false, true) => format!("the failure of {}", listed(&some, "and")),
        (false, false) => format!(
            "the failure of {}, and none of {}",
            listed(&some, "and"),
            listed(&none, "or")
        ),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String], last: &str) -> String {
    match words {
        [rest @ .., end] if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn notes(cluster: &Cluster) -> Vec<String> {
    let mut notes = growth(cluster);
    notes.extend(topology(cluster));
    notes.extend(balancing(cluster));
    notes
}

/// What more members would bring, and what an even number of them does not.
fn growth(cluster: &Cluster) -> Vec<String> {
    let quorum = cluster.quorum();
    let what = match cluster.topology {
        Topology::Stacked => "control planes",
        Topology::External(_) => "etcd hosts",
    };
    let even = quorum.members.is_multiple_of(2);
    let grown = Quorum::of(quorum.members + if even { 1 } else { 2 });
    let mut notes = Vec::new();
    if grown.members <= 5 {
        notes.push(format!(
            "growing to {} {what}: {grown}{}",
            grown.members,
            if even {
                ""
            } else {
                "; on the way there an even number tolerates no more than now"
            }
        ));
    }
    if even {
        notes.push(format!(
            "{} members tolerate no more failures than {}, and more hosts can fail",
            quorum.members,
            quorum.members - 1
        ));
    }
    notes
}

/// What it means where etcd is.
fn topology(cluster: &Cluster) -> Option<String> {
    let planes = cluster.with_role(Role::ControlPlane).count();
    let shared = cluster
        .with_role(Role::Etcd)
        .filter(|node| node.roles.has(Role::ControlPlane))
        .count();
    match (&cluster.topology, shared) {
        (Topology::Stacked, _) if planes < 3 => None,
        (Topology::Stacked, _) => Some(
            "stacked: a control plane that fails takes a member of etcd with it; `topology: external` keeps the two apart, for three hosts more".to_owned(),
        ),
        (Topology::External(_), 0) => Some(
            "external: failures of control planes and of etcd hosts count apart; control planes hold no member, so any number of them will do, an even one too".to_owned(),
        ),
        (Topology::External(_), 1) => Some(
            "1 host is a control plane and an etcd host: its failure counts as one of each".to_owned(),
        ),
        (Topology::External(_), shared) => Some(format!(
            "{shared} hosts are control planes and etcd hosts: each failure counts as one of each"
        )),
    }
}

/// What to know about the way to the API servers.
fn balancing(cluster: &Cluster) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(vip), EndpointHost::Name(name)) =
        (cluster.load_balancer.vip(), &cluster.endpoint.host)
    {
        notes.push(format!(
            "{name} must resolve to {} on all hosts before `kdiy apply`",
            vip.address
        ));
    }
    let note = match &cluster.load_balancer {
        LoadBalancer::Hosts { failover: None, .. } => Some(
            "while the load balancer is down workloads run on, but nodes and clients do not reach the API",
        ),
        LoadBalancer::Hosts {
            failover: Some(_), ..
        } => match cluster.with_role(Role::LoadBalancer).count() {
            1 => Some("a second load-balancer host is what the virtual IP could move to"),
            _ => Some(
                "the virtual IP moves within seconds when its holder, or the balancer there, fails; open connections are made anew",
            ),
        },
        LoadBalancer::KubeVip { .. } => Some(
            "the control plane that holds the virtual IP serves all clients; they are not spread, and all control planes must be on one layer-2 network",
        ),
        LoadBalancer::Local { .. } => Some(
            "each node's own balancer leads it to all control planes, so nodes need no endpoint that moves",
        ),
        LoadBalancer::External => Some(
            "the balancer must pass the endpoint on to port 6443 of all control planes before `kdiy apply`",
        ),
        LoadBalancer::None if matches!(cluster.endpoint.host, EndpointHost::Address(_)) => Some(
            "certificates and kubeconfigs name the endpoint: take a DNS name if more control planes may come later",
        ),
        LoadBalancer::None => None,
    };
    notes.extend(note.map(str::to_owned));
    if matches!(
        cluster.load_balancer,
        LoadBalancer::Hosts {
            kind: Balancer::Nginx,
            ..
        }
    ) {
        notes.push(
            "nginx notices that an API server is gone when a connection fails; haproxy asks each for /readyz"
                .to_owned(),
        );
    }
    notes
}
