//! What a host is asked, in one script: all that its roles make it answer for.
//!
//! Questions that may hang run beside each other, so that the whole takes no
//! longer than the slowest; each hands its section out under a lock on its own
//! open file, since what is longer than a pipe's buffer would be mixed up.

use crate::cluster::{
    AddressSpec, Arguments, Balancer, Cluster, LoadBalancer, Node, Role, Runtime, Topology, Values,
};
use crate::etcd::{gateway, member};
use crate::kubeadm::API_PORT;
use crate::lb::{carried, haproxy, nginx};
use crate::plan::resolve;
use crate::resource::SECTION_FUNCTION;
use crate::shell::{Script, sh};

/// `kdiy_beside SECTION COMMAND…` asks in the background.
const BESIDE: &str = sh!("status/beside.sh");

/// The API server on this host, asked with the certificate that it has for
/// kubelets, which may read nodes. Leases are not for it, since it is in no
/// group of administrators any more (1.33.12, 1.34.8, 1.35.5, 1.36.1). Of nodes
/// all is left out that nobody reads here: answers that are written for people
/// have one thing a line.
const API: &str = sh!("status/api.sh");

/// perl is a part of every Debian; what speaks to sockets by name is not.
const HAPROXY: &str = sh!("status/haproxy.sh");

/// nginx keeps to itself what it thinks of its servers: whether they take
/// connections is asked as it would ask.
const NGINX_BACKENDS: &str = sh!("status/nginx.sh");

/// Certificates alone leave the host: of a file that has a key beside them,
/// too, and of kubeconfigs the client's.
const CERTIFICATES: &str = sh!("status/certificates.sh");

/// Units that balance, or move the address between those that do.
pub(super) const BALANCING: [&str; 3] = [haproxy::UNIT, NGINX, KEEPALIVED];
const NGINX: &str = "nginx.service";
const KEEPALIVED: &str = "keepalived.service";

/// Names of systemd's units that a host has to have running.
#[must_use]
pub fn units(cluster: &Cluster, node: &Node) -> Vec<&'static str> {
    let mut units = Vec::new();
    if node.runs_kubelet() {
        units.push("kubelet.service");
        units.push(match cluster.runtime {
            Runtime::Containerd(_) => "containerd.service",
            Runtime::Docker { .. } => "docker.service",
            Runtime::CriO(_) => "crio.service",
        });
    }
    if node.roles.has(Role::Etcd) && matches!(cluster.topology, Topology::External(_)) {
        units.push(member::UNIT);
    }
    match &cluster.load_balancer {
        LoadBalancer::Hosts { kind, failover } if node.roles.has(Role::LoadBalancer) => {
            units.push(match kind {
                Balancer::Haproxy => haproxy::UNIT,
                Balancer::Nginx => NGINX,
            });
            units.extend(failover.as_ref().map(|_| KEEPALIVED));
        }
        LoadBalancer::Local { .. } if node.runs_kubelet() => units.push(haproxy::UNIT),
        _ => {}
    }
    units
}

/// The script that asks one host.
#[must_use]
pub fn script(cluster: &Cluster, node: &Node) -> Script {
    let mut script = Script::of(SECTION_FUNCTION)
        .with(BESIDE)
        .with(API)
        .with(CERTIFICATES)
        .with(sh!("status/host.sh"))
        .with(sh!("status/plane.sh"))
        .then(&resolve::local_script(cluster, node))
        .run("kdiy_tell_host")
        .call("kdiy_beside", ["certificates", "kdiy_certificates"]);
    let units = units(cluster, node);
    if !units.is_empty() {
        let ask = ["units", "systemctl", "is-active"].into_iter();
        script = script.call("kdiy_beside", ask.chain(units));
    }
    if node.roles.has(Role::ControlPlane) {
        script = script.call("kdiy_plane", plane(cluster, node));
    }
    if cluster
        .etcd_members()
        .any(|member| member.name == node.name)
    {
        script = script
            .then(&gateway::functions(&cluster.topology, &node.address))
            .run("kdiy_etcd_beside");
    }
    if node.runs_kubelet() {
        let (own, clients) = (cluster.node_endpoint(), &cluster.endpoint);
        script = script.call("kdiy_tell_endpoint", ["endpoint", &own.to_string()]);
        if own != *clients {
            script = script.call("kdiy_tell_endpoint", ["clients", &clients.to_string()]);
        }
    }
    if let Some((vip, role)) = carried(cluster)
        && node.roles.has(role)
    {
        let address = vip.address.to_string();
        let ask = ["vip", "ip", "-o", "addr", "show", "to", &address];
        script = script.call("kdiy_beside", ask);
    }
    script.then(&balancer(cluster, node)).run("wait").run(":")
}

/// What `kdiy_plane` is called with.
fn plane(cluster: &Cluster, node: &Node) -> [String; 3] {
    let own = match &node.address {
        AddressSpec::Fixed(address) => std::net::SocketAddr::new(*address, API_PORT).to_string(),
        AddressSpec::Interface(_) => format!(":{API_PORT}"),
    };
    let settings = &cluster.control_plane;
    let port = |arguments: &Arguments, usual: &str| {
        let named = arguments.get("secure-port");
        named.map_or(usual, Values::last).to_owned()
    };
    [
        own,
        port(&settings.controller_manager.extra_args, "10257"),
        port(&settings.scheduler.extra_args, "10259"),
    ]
}

fn balancer(cluster: &Cluster, node: &Node) -> Script {
    let haproxy = || Script::of(HAPROXY).call("kdiy_beside", ["haproxy", "kdiy_haproxy"]);
    match &cluster.load_balancer {
        LoadBalancer::Hosts { kind, .. } if node.roles.has(Role::LoadBalancer) => match kind {
            Balancer::Haproxy => haproxy(),
            Balancer::Nginx => {
                let words = ["nginx", "kdiy_nginx", nginx::CONFIG];
                Script::of(NGINX_BACKENDS).call("kdiy_beside", words)
            }
        },
        LoadBalancer::Local { .. } if node.runs_kubelet() => haproxy(),
        _ => Script::new(),
    }
}

#[cfg(test)]
mod tests;
