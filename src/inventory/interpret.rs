//! From what was written to what is meant: every default, once.

mod balancer;
mod sources;

use std::net::IpAddr;
use std::str::FromStr as _;

pub use balancer::{balancing, endpoint, vip};

use super::address::usable;
use super::document::{Inventory, Shape};
use super::finding::Spanned;
use super::hosts::RawNode;
use super::login::Ssh;
use super::network::RawNetwork;
use crate::cluster::{
    AddressSpec, Cluster, Cni, ControlPlane, Jump, KubeProxy, KubeletClient, KubeletServing, Login,
    Network, Node, ProxyMode, Role, Roles, SudoPassword, Topology,
};
use ipnet::IpNet;

/// What an inventory without errors means. `None` when a needed part is
/// missing, which is reported where it was read.
pub fn cluster(inventory: Inventory) -> Option<Cluster> {
    let version = inventory.version.as_ref()?.value;
    let endpoint = endpoint(&inventory)?.value;
    let load_balancer = balancer::load_balancer(&inventory)?;
    let nodes = inventory.nodes.iter().map(|raw| node(raw, &inventory.ssh));
    let nodes = nodes.collect::<Option<Vec<_>>>()?;
    let shape = shape(&inventory);
    let settings = inventory.settings;
    let (api_server, etcd) = (settings.api_server, settings.etcd);
    let topology = match shape {
        Shape::Stacked => Topology::Stacked,
        Shape::External => Topology::External(etcd.source),
    };
    Some(Cluster {
        name: inventory.name?.value,
        version,
        topology,
        endpoint,
        load_balancer,
        nodes,
        network: network(inventory.network)?,
        runtime: sources::runtime(inventory.runtime, version)?,
        cgroup_driver: inventory.cgroup_driver,
        bootstrap: inventory.bootstrap,
        packages: sources::packages(inventory.packages, version)?,
        images: inventory.images.images,
        control_plane: ControlPlane {
            api_server: api_server.component,
            cert_sans: api_server.cert_sans,
            controller_manager: settings.controller_manager,
            controller_manager_election: settings.controller_manager_election,
            scheduler: settings.scheduler,
            scheduler_election: settings.scheduler_election,
            etcd: etcd.component,
            audit: api_server.audit,
            encryption: api_server.encryption,
        },
        kubelet: settings.kubelet,
        kubelet_serving: settings
            .kubelet_serving
            .unwrap_or(KubeletServing::SelfSigned),
        kubelet_client: settings.kubelet_client.unwrap_or(KubeletClient::Issued),
        kube_proxy: KubeProxy {
            mode: settings.kube_proxy.mode.unwrap_or(ProxyMode::Iptables),
            extra_config: settings.kube_proxy.extra_config,
        },
        kubeadm: settings.kubeadm,
        http_proxy: inventory.http_proxy,
    })
}

/// Stacked, if nothing else is written.
pub fn shape(inventory: &Inventory) -> Shape {
    inventory
        .topology
        .as_ref()
        .map_or(Shape::Stacked, |topology| topology.value)
}

/// Nodes that have a role.
pub fn with(inventory: &Inventory, role: Role) -> impl Iterator<Item = &RawNode> {
    inventory
        .nodes
        .iter()
        .filter(move |node| node.role(role).is_some())
}

/// The address of a node: as written, or the ssh host where that is one.
pub fn address(node: &RawNode) -> Option<Spanned<AddressSpec>> {
    if node.has_address {
        return node.address.clone();
    }
    let host = node.ssh.host.as_ref()?;
    let address = host.value.parse::<IpAddr>().ok()?;
    usable(address).ok()?;
    Some(Spanned {
        value: AddressSpec::Fixed(address),
        span: host.span,
    })
}

/// The ssh host of a node: as written, or its address.
pub fn ssh_host(node: &RawNode) -> Option<Spanned<String>> {
    if node.ssh.host.is_some() || node.ssh.broken {
        return node.ssh.host.clone();
    }
    match &node.address {
        Some(Spanned {
            value: AddressSpec::Fixed(address),
            span,
        }) => Some(Spanned {
            value: address.to_string(),
            span: *span,
        }),
        _ => None,
    }
}

/// The jump chain of a node, its own before the default one.
pub fn jumps<'i>(node: &'i RawNode, defaults: &'i Ssh) -> Option<&'i Spanned<Vec<Spanned<Jump>>>> {
    node.ssh.jumps.as_ref().or(defaults.jumps.as_ref())
}

fn node(raw: &RawNode, defaults: &Ssh) -> Option<Node> {
    let roles: Vec<Role> = raw.roles.iter().flatten().map(|role| role.value).collect();
    // A control plane that is also a worker takes workloads.
    let untainted = roles.contains(&Role::ControlPlane) && roles.contains(&Role::Worker);
    let jumps = jumps(raw, defaults);
    let own = &raw.ssh;
    Some(Node {
        name: raw.name.as_ref()?.value.clone(),
        login: Login {
            host: ssh_host(raw)?.value,
            port: own.port.or(defaults.port),
            user: own.user.clone().or_else(|| defaults.user.clone()),
            identities: own
                .identities
                .clone()
                .or_else(|| defaults.identities.clone())
                .unwrap_or_default(),
            jumps: jumps.map(|jumps| jumps.value.iter().map(|jump| jump.value.clone()).collect()),
            fingerprint: own.fingerprint.clone(),
            known_hosts: own
                .known_hosts
                .clone()
                .or_else(|| defaults.known_hosts.clone()),
            sudo: own
                .sudo
                .clone()
                .or_else(|| defaults.sudo.clone())
                .unwrap_or(SudoPassword::NotNeeded),
        },
        address: address(raw)?.value,
        roles: Roles::new(roles)?,
        labels: raw.labels.clone(),
        taints: raw.taints.clone().or(untainted.then(Vec::new)),
    })
}

/// Pods' network where none is written: 10.244.0.0/16, as most CNIs' manifests
/// have it.
pub fn pod_cidr(network: &RawNetwork) -> Option<IpNet> {
    network.pod_cidr.as_ref().map_or_else(
        || IpNet::from_str("10.244.0.0/16").ok(),
        |cidr| Some(cidr.value),
    )
}

/// Services' network where none is written: 10.96.0.0/12, kubeadm's default.
pub fn service_cidr(network: &RawNetwork) -> Option<IpNet> {
    network.service_cidr.as_ref().map_or_else(
        || IpNet::from_str("10.96.0.0/12").ok(),
        |cidr| Some(cidr.value),
    )
}

fn network(raw: RawNetwork) -> Option<Network> {
    Some(Network {
        pod_cidr: pod_cidr(&raw)?,
        service_cidr: service_cidr(&raw)?,
        dns_domain: raw.dns_domain.unwrap_or_else(|| "cluster.local".to_owned()),
        cni: raw.cni.map(|cni: Spanned<Cni>| cni.value)?,
    })
}
