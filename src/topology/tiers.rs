//! The rows of the diagram.

use super::{Block, Fact, Member, Place, Program, Tier, Tolerates};
use crate::cluster::{
    AddressSpec, Cluster, Endpoint, EndpointHost, LoadBalancer, Node, Role, Roles, Topology,
};
use crate::etcd::{CLIENT_PORT, member::PEER_PORT};
use crate::kubeadm::API_PORT;

/// Workers of which each has a box of its own; more are one box.
const FEW: usize = 8;

/// Where a kubelet listens.
pub const KUBELET_PORT: u16 = 10250;

pub fn of(cluster: &Cluster) -> Vec<Tier> {
    let at = |place| -> Vec<&Node> {
        let nodes = cluster.nodes.iter();
        nodes.filter(|node| home(&node.roles) == place).collect()
    };
    let tiers = [
        Some(clients()),
        Some(endpoint(cluster)),
        balancers(cluster, &at(Place::LoadBalancers)),
        Some(control_planes(cluster, &at(Place::ControlPlanes))),
        etcd(cluster, &at(Place::Etcd)),
        workers(cluster, &at(Place::Workers)),
    ];
    tiers.into_iter().flatten().collect()
}

/// The one tier in which a node is drawn, whatever else it does.
fn home(roles: &Roles) -> Place {
    let places = [
        (Role::ControlPlane, Place::ControlPlanes),
        (Role::Etcd, Place::Etcd),
        (Role::LoadBalancer, Place::LoadBalancers),
    ];
    let first = places.into_iter().find(|(role, _)| roles.has(*role));
    first.map_or(Place::Workers, |(_, place)| place)
}

fn tier(place: Place, title: impl Into<String>) -> Tier {
    Tier {
        place,
        title: title.into(),
        tolerates: None,
        facts: Vec::new(),
        boxes: Vec::new(),
        peers: None,
    }
}

fn fact(text: impl Into<String>) -> Fact {
    Fact {
        text: text.into(),
        survives: None,
    }
}

fn clients() -> Tier {
    tier(Place::Clients, "clients: kubectl, CI, users")
}

fn endpoint(cluster: &Cluster) -> Tier {
    let named = matches!(cluster.endpoint.host, EndpointHost::Name(_));
    let names = |role| listed(&cluster.with_role(role).collect::<Vec<_>>());
    let at = |vip| match named {
        true => format!("a name of the virtual IP {vip}, held by "),
        false => "a virtual IP, held by ".to_owned(),
    };
    let text = match &cluster.load_balancer {
        LoadBalancer::None => format!("answered by {}", names(Role::ControlPlane)),
        LoadBalancer::Hosts { failover, .. } => match failover {
            Some(failover) => at(failover.vip.address) + &names(Role::LoadBalancer),
            None => format!("answered by {}", names(Role::LoadBalancer)),
        },
        LoadBalancer::KubeVip { vip, .. } => at(vip.address) + &names(Role::ControlPlane),
        LoadBalancer::Local { .. } => "for clients from outside; nodes do not use it".to_owned(),
        LoadBalancer::External => "somebody else's, not in this inventory".to_owned(),
    };
    Tier {
        facts: vec![fact(text)],
        ..tier(Place::Endpoint, format!("endpoint {}", cluster.endpoint))
    }
}

/// `lb-1 or lb-2`; many only by number.
fn listed(nodes: &[&Node]) -> String {
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    match names.as_slice() {
        [one] => (*one).to_owned(),
        [rest @ .., last] if names.len() <= 5 => format!("{} or {last}", rest.join(", ")),
        _ => format!("one of {} hosts", names.len()),
    }
}

fn balancers(cluster: &Cluster, nodes: &[&Node]) -> Option<Tier> {
    if cluster.load_balancer == LoadBalancer::External {
        let text = format!("must lead to port {API_PORT} of every control plane");
        return Some(Tier {
            facts: vec![fact(text)],
            ..tier(Place::LoadBalancers, "load balancer outside of kdiy")
        });
    }
    if nodes.is_empty() {
        return None;
    }
    let failover = match &cluster.load_balancer {
        LoadBalancer::Hosts { failover, .. } => failover.as_ref(),
        _ => None,
    };
    let all = cluster.with_role(Role::LoadBalancer).count();
    let peers = failover.filter(|_| nodes.len() > 1);
    Some(Tier {
        tolerates: cluster
            .tolerance()
            .balancers
            .map(|failures| Tolerates { failures, of: all }),
        boxes: blocks(cluster, nodes),
        peers: peers.map(|failover| format!("keepalived: VRRP, router {}", failover.router_id)),
        ..tier(Place::LoadBalancers, plural(nodes.len(), "load balancer"))
    })
}

fn control_planes(cluster: &Cluster, nodes: &[&Node]) -> Tier {
    let mut facts = Vec::new();
    if nodes.len() > 1 {
        facts.push(fact("API servers: active-active, all of them serve"));
        facts.push(fact(
            "controller-manager, scheduler: active-standby, one leads by lease",
        ));
    }
    if let LoadBalancer::Local { .. } = cluster.load_balancer {
        let at = cluster.node_endpoint();
        facts.push(fact(format!(
            "each node's haproxy at {at} leads to all of them"
        )));
    }
    let members = members_among(cluster, nodes);
    if members > 0 {
        facts.push(quorum(cluster));
    }
    Tier {
        tolerates: Some(Tolerates {
            failures: cluster.tolerance().control_planes,
            of: nodes.len(),
        }),
        facts,
        boxes: blocks(cluster, nodes),
        // Where only some hold a member, a line between all would be wrong.
        peers: (members > 1 && members == nodes.len()).then(peers),
        ..tier(Place::ControlPlanes, plural(nodes.len(), "control plane"))
    }
}

fn etcd(cluster: &Cluster, nodes: &[&Node]) -> Option<Tier> {
    let members = members_among(cluster, nodes);
    let elsewhere = cluster
        .etcd_members()
        .filter(|node| home(&node.roles) != Place::Etcd)
        .map(|node| node.name.as_str());
    let elsewhere: Vec<_> = elsewhere.collect();
    let mut facts = vec![quorum(cluster)];
    if !elsewhere.is_empty() {
        facts.push(fact(format!("members too: {}", elsewhere.join(", "))));
    }
    (!nodes.is_empty()).then(|| Tier {
        tolerates: cluster.tolerance().etcd_hosts.map(|failures| Tolerates {
            failures,
            of: cluster.quorum().members,
        }),
        facts,
        boxes: blocks(cluster, nodes),
        peers: (members > 1).then(peers),
        ..tier(Place::Etcd, plural(nodes.len(), "etcd host"))
    })
}

fn peers() -> String {
    format!("etcd peers: TLS {PEER_PORT}")
}

/// `etcd: quorum 2 of 3, 1 member may fail`.
fn quorum(cluster: &Cluster) -> Fact {
    let quorum = cluster.quorum();
    let may = match quorum.tolerated() {
        0 => "no member may fail".to_owned(),
        1 => "1 member may fail".to_owned(),
        some => format!("{some} members may fail"),
    };
    let (needed, members) = (quorum.needed(), quorum.members);
    Fact {
        text: format!("etcd: quorum {needed} of {members}, {may}"),
        survives: Some(quorum.tolerated() > 0),
    }
}

fn members_among(cluster: &Cluster, nodes: &[&Node]) -> usize {
    nodes
        .iter()
        .filter(|node| is_etcd_member(cluster, node))
        .count()
}

fn is_etcd_member(cluster: &Cluster, node: &Node) -> bool {
    match cluster.topology {
        Topology::Stacked => node.roles.has(Role::ControlPlane),
        Topology::External(_) => node.roles.has(Role::Etcd),
    }
}

fn workers(cluster: &Cluster, nodes: &[&Node]) -> Option<Tier> {
    let boxes = match nodes {
        [] => return None,
        [first, ..] if nodes.len() > FEW => vec![Block {
            nodes: nodes.iter().map(|node| node.name.clone()).collect(),
            address: None,
            ..block(cluster, first)
        }],
        _ => blocks(cluster, nodes),
    };
    Some(Tier {
        boxes,
        ..tier(Place::Workers, plural(nodes.len(), "worker"))
    })
}

fn blocks(cluster: &Cluster, nodes: &[&Node]) -> Vec<Block> {
    nodes.iter().map(|node| block(cluster, node)).collect()
}

fn block(cluster: &Cluster, node: &Node) -> Block {
    let member = is_etcd_member(cluster, node).then_some(Member {
        client_port: CLIENT_PORT,
        peer_port: PEER_PORT,
    });
    Block {
        nodes: vec![node.name.clone()],
        address: Some(match &node.address {
            AddressSpec::Fixed(address) => address.to_string(),
            AddressSpec::Interface(interface) => format!("address of {interface}"),
        }),
        roles: node.roles.all().iter().map(|role| role.as_str()).collect(),
        runs: programs(cluster, node),
        member,
    }
}

fn programs(cluster: &Cluster, node: &Node) -> Vec<Program> {
    let mut runs = Vec::new();
    let mut add = |name, listens: Option<String>| runs.push(Program { name, listens });
    let port = |port: u16| Some(format!(":{port}"));
    if node.roles.has(Role::ControlPlane) {
        add("API server", port(API_PORT));
        add("controller-manager", None);
        add("scheduler", None);
        if matches!(cluster.load_balancer, LoadBalancer::KubeVip { .. }) {
            add("kube-vip", None);
        }
    }
    if let LoadBalancer::Hosts { kind, failover } = &cluster.load_balancer
        && node.roles.has(Role::LoadBalancer)
    {
        add(kind.as_str(), port(cluster.endpoint.port));
        if failover.is_some() {
            add("keepalived", None);
        }
    }
    if node.roles.has(Role::Worker) {
        add("kubelet", port(KUBELET_PORT));
        if node.roles.all().len() > 1 {
            add("workloads too", None);
        }
    }
    if let (LoadBalancer::Local { .. }, true) = (&cluster.load_balancer, node.runs_kubelet()) {
        let Endpoint { host, port } = cluster.node_endpoint();
        add("haproxy", Some(Endpoint { host, port }.to_string()));
    }
    runs
}

fn plural(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
