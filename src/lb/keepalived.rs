//! keepalived beside the balancers: one of the hosts holds the endpoint's
//! address.
//!
//! No host is preferred: all begin as backups of the same priority, and who
//! holds the address keeps it until its balancer or its host fails. Whether
//! the balancer works is asked of the balancer alone; were the API servers
//! asked, the address would wander while they are down. Peers are named one by
//! one, since networks of virtual machines seldom carry multicast.
//!
//! The password goes over the network as it is: it keeps two clusters with
//! one router id apart, and no attacker out. VRRP for IPv6 has none, and a host
//! without peers says none: it has nobody to say it to but the whole network.
//!
//! Facts: keepalived.conf(5) of keepalived 2.2, RFC 5798.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{HEALTH_PATH, HEALTH_PORT, Software};
use crate::cluster::{Failover, Node, ResolvedCluster, Role};
use crate::resource::Check;
use crate::shell::sh;
use crate::template::{HostFile, NOTICE, render};

/// The distribution's packages of it and of its checks.
pub const PACKAGES: &[&str] = &["keepalived", "curl"];

/// Its configuration.
pub const CONFIG: &str = "/etc/keepalived/keepalived.conf";

/// The part of it that is secret.
pub const SECRET: &str = "/etc/keepalived/kdiy-authentication.conf";

/// VRRP takes no longer password.
pub const PASSWORD_LENGTH: usize = 8;

/// Takes a file with scripts for another user than keepalived's own.
const CHECK: Check = Check {
    functions: sh!("lb/keepalived.sh"),
    command: &["kdiy_keepalived"],
};

#[derive(Serialize)]
struct Config<'a> {
    host: &'a str,
    interface: &'a str,
    router_id: u8,
    own: IpAddr,
    peers: Vec<IpAddr>,
    vip: IpAddr,
    prefix: u8,
    authentication: Option<&'static str>,
    health_port: u16,
    health_path: &'static str,
}

/// keepalived on one of the hosts. `interface` is the one that carries the
/// address there.
#[must_use]
pub fn on_host(
    resolved: &ResolvedCluster,
    node: &Node,
    failover: &Failover,
    interface: &str,
    password: &SecretString,
) -> Software {
    let vip = failover.vip.address;
    let balancers = resolved.cluster.by_name(Role::LoadBalancer).into_iter();
    let peers: Vec<_> = balancers
        .filter(|other| other.name != node.name)
        .map(|other| resolved.address(other))
        .collect();
    let authenticated = vip.is_ipv4() && !peers.is_empty();
    let context = Config {
        host: node.name.as_str(),
        interface,
        router_id: failover.router_id,
        own: resolved.address(node),
        peers,
        vip,
        prefix: if vip.is_ipv6() { 128 } else { 32 },
        authentication: authenticated.then_some(SECRET),
        health_port: HEALTH_PORT,
        health_path: HEALTH_PATH,
    };
    let config = HostFile::public(CONFIG, render("lb/keepalived.conf", &context));
    let secret = authenticated.then(|| {
        let password = password.expose_secret();
        let text =
            format!("{NOTICE}authentication {{\n  auth_type PASS\n  auth_pass {password}\n}}\n");
        HostFile::secret(SECRET, text)
    });
    Software {
        // curl asks the balancer.
        packages: PACKAGES,
        unit: "keepalived.service",
        files: secret.into_iter().chain([config]).collect(),
        config: CONFIG,
        check: CHECK,
    }
}

#[cfg(test)]
mod tests;
