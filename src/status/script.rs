//! What a host is asked, in one script: all that its roles make it answer for.
//!
//! Questions that may hang run beside each other, so that the whole takes no
//! longer than the slowest; each hands its section out under a lock on its own
//! open file, since what is longer than a pipe's buffer would be mixed up.

use crate::cluster::{
    AddressSpec, Arguments, Balancer, Cluster, Endpoint, LoadBalancer, Node, Role, Runtime,
    Topology, Values,
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
    let mut script = Script::of("export LC_ALL=C\n")
        .lit(SECTION_FUNCTION)
        .lit(BESIDE)
        .lit(API)
        .lit(CERTIFICATES)
        .then(&resolve::local_script(cluster, node))
        .lit("kdiy_section clock \"$(date +%s)\"\n")
        .lit("[ ! -s /etc/kubernetes/kubelet.conf ] || kdiy_section joined yes\n")
        .lit("kdiy_beside certificates kdiy_certificates\n");
    let units = units(cluster, node);
    if !units.is_empty() {
        script = script
            .lit("kdiy_beside units systemctl is-active ")
            .args(units)
            .lit("\n");
    }
    if node.roles.has(Role::ControlPlane) {
        script = script.then(&plane(cluster, node));
    }
    if cluster
        .etcd_members()
        .any(|member| member.name == node.name)
    {
        // Several sections at once, so the last line break has to be kept.
        script = script
            .lit("{ kdiy_out=$(\n")
            .then(&gateway::script(&cluster.topology, &node.address))
            .lit("echo .)\nflock 9; printf %s \"${kdiy_out%.}\"; } 9</bin/sh &\n");
    }
    if node.runs_kubelet() {
        script = script.then(&endpoint("endpoint", &cluster.node_endpoint()));
        if cluster.node_endpoint() != cluster.endpoint {
            script = script.then(&endpoint("clients", &cluster.endpoint));
        }
    }
    if let Some((vip, role)) = carried(cluster)
        && node.roles.has(role)
    {
        script = script
            .lit("kdiy_beside vip ip -o addr show to ")
            .arg(vip.address.to_string())
            .lit("\n");
    }
    script.then(&balancer(cluster, node)).lit("wait\n:\n")
}

fn plane(cluster: &Cluster, node: &Node) -> Script {
    let port = API_PORT.to_string();
    let own = match &node.address {
        AddressSpec::Fixed(address) => Script::of("kdiy_own=")
            .arg(std::net::SocketAddr::new(*address, API_PORT).to_string())
            .lit("\n"),
        AddressSpec::Interface(_) => Script::of(
            "kdiy_own=$kdiy_address\ncase $kdiy_own in *:*) kdiy_own=\"[$kdiy_own]\" ;; esac\nkdiy_own=$kdiy_own:",
        )
        .arg(port)
        .lit("\n"),
    };
    let settings = &cluster.control_plane;
    let port = |arguments: &Arguments, usual: &str| {
        let named = arguments.get("secure-port");
        named.map_or(usual, Values::last).to_owned()
    };
    Script::of("if [ -s /etc/kubernetes/pki/apiserver-kubelet-client.crt ]; then\n")
        .then(&own)
        .lit("kdiy_beside ready kdiy_ready\nkdiy_beside nodes kdiy_nodes\nkdiy_beside leases kdiy_leases\n")
        .lit("kdiy_beside controller-manager kdiy_healthz ")
        .arg(port(&settings.controller_manager.extra_args, "10257"))
        .lit("\nkdiy_beside scheduler kdiy_healthz ")
        .arg(port(&settings.scheduler.extra_args, "10259"))
        .lit("\nfi\n")
}

fn endpoint(section: &'static str, endpoint: &Endpoint) -> Script {
    Script::of("[ ! -s /etc/kubernetes/pki/ca.crt ] || kdiy_beside ")
        .lit(section)
        .lit(" kdiy_endpoint ")
        .arg(endpoint.to_string())
        .lit("\n")
}

fn balancer(cluster: &Cluster, node: &Node) -> Script {
    let haproxy = || Script::of(HAPROXY).lit("kdiy_beside haproxy kdiy_haproxy\n");
    match &cluster.load_balancer {
        LoadBalancer::Hosts { kind, .. } if node.roles.has(Role::LoadBalancer) => match kind {
            Balancer::Haproxy => haproxy(),
            Balancer::Nginx => Script::of(NGINX_BACKENDS)
                .lit("kdiy_beside nginx kdiy_nginx ")
                .arg(nginx::CONFIG)
                .lit("\n"),
        },
        LoadBalancer::Local { .. } if node.runs_kubelet() => haproxy(),
        _ => Script::new(),
    }
}

#[cfg(test)]
mod tests;
