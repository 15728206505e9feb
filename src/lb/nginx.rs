//! nginx on the hosts with the load-balancer role, by its stream module: TCP
//! through.
//!
//! nginx asks no API server how it is: active checks are not in its free
//! version. It only counts connections that fail. A dead host costs 2 s for
//! the one connection that finds out, then it is left alone for ten; an API
//! server that refuses costs nothing; one that takes connections and hangs is
//! not noticed. haproxy notices.
//!
//! nginx.conf as packaged has no place for streams, so the whole file is
//! kdiy's own; a package update leaves it as it is, as any edited one. Modules
//! come from `modules-enabled`, which is the packages'.
//!
//! Facts: nginx's documentation of ngx_stream_proxy_module and
//! ngx_stream_upstream_module, and Debian's nginx 1.22.

use serde::Serialize;

use super::{Health, Server, Software, health, listens_on_ipv6, servers};
use crate::cluster::ResolvedCluster;
use crate::resource::Check;
use crate::template::{HostFile, render};

/// Its configuration.
pub const CONFIG: &str = "/etc/nginx/nginx.conf";

#[derive(Serialize)]
struct Config {
    port: u16,
    ipv6: bool,
    health: Option<Health>,
    servers: Vec<Server>,
}

/// nginx on a host with the load-balancer role.
#[must_use]
pub fn on_hosts(resolved: &ResolvedCluster) -> Software {
    Software {
        packages: &["nginx", "libnginx-mod-stream"],
        unit: "nginx.service",
        files: vec![HostFile::public(CONFIG, config(resolved))],
        config: CONFIG,
        check: Check::by(&["nginx", "-t", "-q", "-c"]),
    }
}

fn config(resolved: &ResolvedCluster) -> String {
    let context = Config {
        port: resolved.cluster.endpoint.port,
        ipv6: listens_on_ipv6(resolved),
        health: health(&resolved.cluster),
        servers: servers(resolved),
    };
    render("lb/nginx.conf", &context)
}

#[cfg(test)]
mod tests;
