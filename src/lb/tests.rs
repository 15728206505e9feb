//! Clusters with balancers, and the real programs that take their files.

use std::process::Command;

use crate::cluster::{Balancer, Failover, LoadBalancer, ResolvedCluster, Version, Vip};
use crate::kubeadm::tests::few;

/// [`few`] with a second load-balancer host and an address that moves.
pub(crate) fn pair(version: Version, kind: Balancer) -> ResolvedCluster {
    let one = few(version);
    let mut cluster = one.cluster.clone();
    let address = "192.0.2.100".parse().unwrap();
    let mut other = cluster.nodes[5].clone();
    other.name = "lb2".to_owned().try_into().unwrap();
    cluster.nodes.push(other.clone());
    cluster.endpoint.host = crate::cluster::EndpointHost::Address(address);
    cluster.load_balancer = LoadBalancer::Hosts {
        kind,
        failover: Some(Failover {
            vip: Vip {
                address,
                interface: None,
            },
            router_id: 100,
        }),
    };
    let nodes = one.cluster.nodes.iter();
    let addresses = nodes
        .map(|node| (node.name.clone(), one.address(node)))
        .chain([(other.name, "192.0.2.17".parse().unwrap())]);
    ResolvedCluster::new(cluster, version, addresses.collect()).unwrap()
}

/// A program of the system's administrator: a user's PATH on Debian does not
/// hold /usr/sbin.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{path}:/usr/sbin"));
    command
}
