//! Load balancers: what stands between clients and API servers.
//!
//! One file a load balancer; a variant of [`crate::cluster::LoadBalancer`]
//! chooses.

pub mod haproxy;
pub mod keepalived;
pub mod kube_vip;
pub mod local;
pub mod nginx;
#[cfg(test)]
pub(crate) mod ports;
#[cfg(test)]
pub(crate) mod tests;

use std::net::SocketAddr;

use serde::Serialize;

use crate::cluster::{Balancer, Cluster, EndpointHost, LoadBalancer, ResolvedCluster, Role, Vip};
use crate::kubeadm::API_PORT;
use crate::resource::Check;
use crate::template::HostFile;

/// Port on the loopback address where a balancer says that it works. Only
/// keepalived asks, so it is there only where keepalived is.
pub const HEALTH_PORT: u16 = 7444;

/// Where it says so.
pub const HEALTH_PATH: &str = "/healthz";

/// A program on a host, and what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// The distribution's packages.
    pub packages: &'static [&'static str],
    /// The systemd unit that runs it.
    pub unit: &'static str,
    /// Its files, each after those that it reads.
    pub files: Vec<HostFile>,
    /// Path of its main file.
    pub config: &'static str,
    /// Accepts a new main file, whose path is appended.
    pub check: Check,
}

/// The balancer on the hosts with the load-balancer role.
#[must_use]
pub fn on_hosts(kind: Balancer, resolved: &ResolvedCluster, ca_certificate: &str) -> Software {
    match kind {
        Balancer::Haproxy => haproxy::on_hosts(resolved, ca_certificate),
        Balancer::Nginx => nginx::on_hosts(resolved),
    }
}

/// The virtual address that kdiy sets up, and the role of the hosts that
/// carry it.
#[must_use]
pub fn carried(cluster: &Cluster) -> Option<(&Vip, Role)> {
    let role = match cluster.load_balancer {
        LoadBalancer::KubeVip { .. } => Role::ControlPlane,
        _ => Role::LoadBalancer,
    };
    Some((cluster.load_balancer.vip()?, role))
}

/// An API server, as the balancers' files name it.
#[derive(Serialize)]
struct Server {
    name: String,
    address: SocketAddr,
}

/// All API servers of the cluster.
fn servers(resolved: &ResolvedCluster) -> Vec<Server> {
    let planes = resolved.cluster.by_name(Role::ControlPlane);
    let planes = planes.into_iter().map(|node| Server {
        name: node.name.to_string(),
        address: SocketAddr::new(resolved.address(node), API_PORT),
    });
    planes.collect()
}

/// Where a balancer on a host says that it works.
#[derive(Serialize)]
struct Health {
    port: u16,
    path: &'static str,
}

/// There where keepalived watches the balancers.
fn health(cluster: &Cluster) -> Option<Health> {
    let watched = matches!(
        cluster.load_balancer,
        LoadBalancer::Hosts {
            failover: Some(_),
            ..
        }
    );
    watched.then_some(Health {
        port: HEALTH_PORT,
        path: HEALTH_PATH,
    })
}

/// Whether balancers on hosts listen on IPv6 too. Not where the cluster has
/// none: binding it fails on hosts that booted with `ipv6.disable=1`.
fn listens_on_ipv6(resolved: &ResolvedCluster) -> bool {
    let cluster = &resolved.cluster;
    let vip = cluster.load_balancer.vip();
    let endpoint = matches!(&cluster.endpoint.host, EndpointHost::Address(host) if host.is_ipv6());
    endpoint
        || vip.is_some_and(|vip| vip.address.is_ipv6())
        || resolved
            .with_role(Role::LoadBalancer)
            .any(|node| resolved.address(node).is_ipv6())
}
