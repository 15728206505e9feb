//! haproxy on the hosts with the load-balancer role: TCP through, health
//! asked of each API server over TLS.
//!
//! Facts: haproxy 2.6's configuration manual. `verifyhost` compares DNS names
//! only, so the check names the node, which kubeadm has in every API server's
//! certificate.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::cluster::{EndpointHost, Role, Settled};
use crate::kubeadm::API_PORT;
use crate::template::{HostFile, render};

/// The systemd unit that runs it.
pub const UNIT: &str = "haproxy.service";

/// The distribution's packages that hold it.
pub const PACKAGES: &[&str] = &["haproxy"];

/// Its configuration.
pub const CONFIG: &str = "/etc/haproxy/haproxy.cfg";

/// The cluster's authority, by which API servers are known.
pub const CA_FILE: &str = "/etc/haproxy/kdiy-ca.crt";

#[derive(Serialize)]
struct Config {
    bind: String,
    anonymous: bool,
    ca_file: &'static str,
    servers: Vec<Server>,
}

#[derive(Serialize)]
struct Server {
    name: String,
    address: SocketAddr,
}

/// The authority's certificate and the configuration, in the order in which
/// they must be on the host: `haproxy -c` reads both.
#[must_use]
pub fn files(settled: &Settled, ca_certificate: &str) -> [HostFile; 2] {
    [
        HostFile::public(CA_FILE, ca_certificate.to_owned()),
        HostFile::public(CONFIG, config(settled)),
    ]
}

/// The text of [`CONFIG`].
#[must_use]
pub fn config(settled: &Settled) -> String {
    let servers = settled.with_role(Role::ControlPlane).map(|node| Server {
        name: node.name.to_string(),
        address: SocketAddr::new(settled.address(node), API_PORT),
    });
    let api_server = &settled.cluster.control_plane.api_server;
    let context = Config {
        bind: bind(settled),
        anonymous: api_server
            .extra_args
            .get("anonymous-auth")
            .is_none_or(|value| value != "false"),
        ca_file: CA_FILE,
        servers: servers.collect(),
    };
    render("lb/haproxy.cfg", &context)
}

/// Every address of the host. IPv6 only where the cluster has any: binding it
/// fails on hosts that booted with `ipv6.disable=1`.
fn bind(settled: &Settled) -> String {
    let endpoint = &settled.cluster.endpoint;
    let ipv6 = matches!(endpoint.host, EndpointHost::Address(IpAddr::V6(_)))
        || settled
            .with_role(Role::LoadBalancer)
            .any(|node| settled.address(node).is_ipv6());
    match ipv6 {
        true => format!(":::{} v4v6", endpoint.port),
        false => format!("0.0.0.0:{}", endpoint.port),
    }
}

#[cfg(test)]
mod tests;
