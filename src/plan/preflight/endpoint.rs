//! Problems with the endpoint: another cluster behind it, a virtual address
//! that is somebody else's or out of place, ports that balancers need.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{HostProblem, Observation};
use crate::cluster::{Balancer, Cluster, LoadBalancer, Name, Node, ResolvedCluster, Role};
use crate::lb::{self, HEALTH_PORT};
use crate::plan::Facts;

/// Ports of a host that its balancer listens on, with the balancer's process.
pub(super) fn ports(cluster: &Cluster, node: &Node) -> Vec<(u16, &'static str)> {
    match &cluster.load_balancer {
        LoadBalancer::Hosts { kind, failover } if node.roles.has(Role::LoadBalancer) => {
            let process = match kind {
                Balancer::Haproxy => "haproxy",
                Balancer::Nginx => "nginx",
            };
            let health = failover.as_ref().map(|_| (HEALTH_PORT, process));
            [(cluster.endpoint.port, process)]
                .into_iter()
                .chain(health)
                .collect()
        }
        LoadBalancer::Local { port } if node.runs_kubelet() => vec![(*port, "haproxy")],
        _ => Vec::new(),
    }
}

/// Another cluster's API server answers at the endpoint.
pub(super) fn other_cluster(
    resolved: &ResolvedCluster,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    let Some(why) = &facts.endpoint.other_cluster else {
        return;
    };
    let endpoint = &resolved.cluster.endpoint;
    problems.push(HostProblem {
        code: "foreign-endpoint",
        kubeadm: "",
        what: format!(
            "at the endpoint {endpoint} a server answers whose certificate is not of this \
             cluster's authority: {why}"
        ),
        fix: "another cluster or service lives there: choose another `endpoint`, or stop it. If \
              it is this cluster, restore the state directory, or have a control plane in the \
              inventory from which kdiy reads the authorities back"
            .to_owned(),
    });
}

/// What an address is of its network when it is no single host's.
fn role_in(network: &IpNet, address: IpAddr) -> Option<&'static str> {
    // Networks of two addresses and of one have none to spare.
    if network.max_prefix_len() - network.prefix_len() < 2 {
        return None;
    }
    match address {
        _ if address == network.network() => Some("the network's own address"),
        IpAddr::V4(_) if address == network.broadcast() => Some("the address for broadcasts"),
        _ => None,
    }
}

/// The virtual address that this host is to carry.
pub(super) fn virtual_address(
    resolved: &ResolvedCluster,
    node: &Node,
    seen: &BTreeMap<Name, Observation>,
    problems: &mut Vec<HostProblem>,
) {
    let cluster = &resolved.cluster;
    let Some((vip, role)) = lb::carried(cluster).filter(|(_, role)| node.roles.has(*role)) else {
        return;
    };
    let facts = &seen[&node.name].facts;
    let address = vip.address;
    let own = facts.interface_with(resolved.address(node));
    // A missing node address is a problem of its own.
    let Some(interface) = vip.interface.as_deref().or(own) else {
        return;
    };
    let networks: Vec<_> = facts
        .addresses
        .iter()
        .filter(|(name, network)| name == interface && network.addr() != address)
        .map(|(_, network)| network.trunc())
        .collect();
    if networks.is_empty() {
        let others: std::collections::BTreeSet<_> = facts
            .addresses
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        problems.push(HostProblem {
            code: "vip-interface",
            kubeadm: "",
            what: format!(
                "the interface {interface}, which is to carry {address}, is missing or has no address"
            ),
            fix: format!(
                "set `loadBalancer.interface` to one that it has: {}",
                others.into_iter().collect::<Vec<_>>().join(", ")
            ),
        });
        return;
    }
    if !networks.iter().any(|network| network.contains(&address)) {
        let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
        problems.push(HostProblem {
            code: "vip-subnet",
            kubeadm: "",
            what: format!(
                "the virtual address {address} is in no subnet of its interface {interface}: {}",
                networks.join(", ")
            ),
            fix: "choose a free address of that subnet for `loadBalancer.vip`, or name the \
                  interface that has its subnet in `loadBalancer.interface`"
                .to_owned(),
        });
        return;
    }
    if let Some((network, role)) = networks
        .iter()
        .find_map(|net| Some((net, role_in(net, address)?)))
    {
        problems.push(HostProblem {
            code: "vip-subnet",
            kubeadm: "",
            what: format!("the virtual address {address} is {role} of {network}, and no host's"),
            fix: "choose a free address of that subnet for `loadBalancer.vip`".to_owned(),
        });
        return;
    }
    let held = |node: &Node| {
        let seen = seen.get(&node.name)?;
        Some(seen.facts.interface_with(address).is_some())
    };
    // One that was not looked at may well be the one that holds it.
    let ours = resolved
        .with_role(role)
        .any(|carrier| held(carrier) != Some(false));
    if let Some(holder) = facts.endpoint.vip_holder.as_ref().filter(|_| !ours) {
        problems.push(HostProblem {
            code: "vip-taken",
            kubeadm: "",
            what: format!("the virtual address {address} is in use: {holder} answers for it"),
            fix: "choose an address for `loadBalancer.vip` that nobody has, or take it from the \
                  host that has it; neighbours remember one that is gone for up to a minute"
                .to_owned(),
        });
    }
}
