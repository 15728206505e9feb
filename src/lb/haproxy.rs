//! haproxy on the hosts with the load-balancer role: TCP through, health
//! asked of each API server over TLS. [`super::local`] puts the same in front
//! of each node's own kubelet.
//!
//! Facts: haproxy 2.6's configuration manual. `verifyhost` compares DNS names
//! only, so the check names the node, which kubeadm has in every API server's
//! certificate.

use std::net::SocketAddr;

use serde::Serialize;

use super::{Health, Server, Software, health, listens_on_ipv6, servers};
use crate::cluster::ResolvedCluster;
use crate::resource::Check;
use crate::template::{HostFile, render};

/// The systemd unit that runs it.
pub const UNIT: &str = "haproxy.service";

/// Its configuration.
pub const CONFIG: &str = "/etc/haproxy/haproxy.cfg";

/// The cluster's authority, by which API servers are known.
pub const CA_FILE: &str = "/etc/haproxy/kdiy-ca.crt";

#[derive(Serialize)]
struct Config {
    bind: String,
    health: Option<Health>,
    anonymous: bool,
    ca_file: &'static str,
    servers: Vec<Server>,
}

/// haproxy on a host with the load-balancer role.
#[must_use]
pub fn on_hosts(resolved: &ResolvedCluster, ca_certificate: &str) -> Software {
    let port = resolved.cluster.endpoint.port;
    let bind = match listens_on_ipv6(resolved) {
        true => format!(":::{port} v4v6"),
        false => format!("0.0.0.0:{port}"),
    };
    let health = health(&resolved.cluster);
    software(config(resolved, bind, health), ca_certificate)
}

/// haproxy that listens at this one address.
#[must_use]
pub fn at(resolved: &ResolvedCluster, address: SocketAddr, ca_certificate: &str) -> Software {
    software(config(resolved, address.to_string(), None), ca_certificate)
}

fn software(config: String, ca_certificate: &str) -> Software {
    Software {
        packages: &["haproxy"],
        unit: UNIT,
        files: vec![
            HostFile::public(CA_FILE, ca_certificate.to_owned()),
            HostFile::public(CONFIG, config),
        ],
        config: CONFIG,
        check: Check::by(&["haproxy", "-c", "-q", "-f"]),
    }
}

/// The text of [`CONFIG`].
fn config(resolved: &ResolvedCluster, bind: String, health: Option<Health>) -> String {
    let api_server = &resolved.cluster.control_plane.api_server;
    let context = Config {
        bind,
        health,
        anonymous: api_server
            .extra_args
            .get("anonymous-auth")
            .is_none_or(|values| values.last() != "false"),
        ca_file: CA_FILE,
        servers: servers(resolved),
    };
    render("lb/haproxy.cfg", &context)
}

#[cfg(test)]
mod tests;
