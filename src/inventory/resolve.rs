//! From what was written to what is meant: every default, once.

use std::net::IpAddr;
use std::str::FromStr as _;

use super::address::{DEFAULT_PORT, usable};
use super::document::{HAPROXY, Inventory};
use super::finding::Spanned;
use super::hosts::WrittenNode;
use super::login::Ssh;
use super::network::WrittenNetwork;
use super::sources::WrittenPackages;
use crate::cluster::{
    AddressSpec, Cluster, Cni, Endpoint, EndpointHost, Jump, KubeletServing, LoadBalancer, Login,
    Network, Node, PackageKey, Packages, Role, Roles, SudoPassword, Topology, VersionSpec,
};
use ipnet::IpNet;

/// The project's own repository. It has 1.24 and later.
const UPSTREAM: &str = "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/";
const UPSTREAM_KEY: &str = "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/Release.key";
/// Key of the Open Build Service project `isv:kubernetes`, which signs all of
/// pkgs.k8s.io; as the install guides of many projects pin it.
const UPSTREAM_FINGERPRINT: &str = "DE15B14486CD377B9E876E1A234654DA9A296436";

/// What an inventory without errors means. `None` when a needed part is
/// missing, which is reported where it was read.
pub fn cluster(inventory: Inventory) -> Option<Cluster> {
    let version = inventory.version.as_ref()?.value;
    let endpoint = endpoint(&inventory)?.value;
    let load_balancer = load_balancer(&inventory);
    let nodes = inventory
        .nodes
        .iter()
        .map(|written| node(written, &inventory.ssh));
    let nodes = nodes.collect::<Option<Vec<_>>>()?;
    Some(Cluster {
        name: inventory.name?.value,
        version,
        topology: inventory
            .topology
            .map_or(Topology::Stacked, |topology| topology.value),
        endpoint,
        load_balancer,
        nodes,
        network: network(inventory.network)?,
        runtime: inventory.runtime,
        cgroup_driver: inventory.cgroup_driver,
        packages: packages(inventory.packages, version)?,
        images: inventory.images,
        control_plane: inventory.settings.control_plane,
        kubelet: inventory.settings.kubelet,
        kubelet_serving: KubeletServing::SelfSigned,
        kube_proxy: inventory.settings.kube_proxy,
        kubeadm: inventory.settings.kubeadm,
        http_proxy: inventory.http_proxy,
    })
}

/// haproxy where a node balances, nothing otherwise.
pub fn load_balancer(inventory: &Inventory) -> LoadBalancer {
    let balances = inventory
        .nodes
        .iter()
        .any(|node| node.role(Role::LoadBalancer).is_some());
    match &inventory.load_balancer {
        Some(written) => written.value.clone(),
        None if balances => HAPROXY,
        None => LoadBalancer::None,
    }
}

/// The endpoint; by default the fixed address of the one host that must have
/// it: the load balancer, or the single control plane.
pub fn endpoint(inventory: &Inventory) -> Option<Spanned<Endpoint>> {
    if inventory.endpoint_key.is_some() {
        return inventory.endpoint.clone();
    }
    let role = match load_balancer(inventory) {
        LoadBalancer::Hosts { .. } => Role::LoadBalancer,
        LoadBalancer::None => Role::ControlPlane,
        LoadBalancer::External | LoadBalancer::KubeVip { .. } | LoadBalancer::Local { .. } => {
            return None;
        }
    };
    let mut holders = inventory
        .nodes
        .iter()
        .filter(|node| node.role(role).is_some());
    let (Some(holder), None) = (holders.next(), holders.next()) else {
        return None;
    };
    let Some(Spanned {
        value: AddressSpec::Fixed(address),
        span,
    }) = address(holder)
    else {
        return None;
    };
    let value = Endpoint {
        host: EndpointHost::Address(address),
        port: DEFAULT_PORT,
    };
    Some(Spanned { value, span })
}

/// The address of a node: as written, or the ssh host where that is one.
pub fn address(node: &WrittenNode) -> Option<Spanned<AddressSpec>> {
    if node.address_written {
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
pub fn ssh_host(node: &WrittenNode) -> Option<Spanned<String>> {
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
pub fn jumps<'i>(
    node: &'i WrittenNode,
    defaults: &'i Ssh,
) -> Option<&'i Spanned<Vec<Spanned<Jump>>>> {
    node.ssh.jumps.as_ref().or(defaults.jumps.as_ref())
}

fn node(written: &WrittenNode, defaults: &Ssh) -> Option<Node> {
    let roles: Vec<Role> = written
        .roles
        .iter()
        .flatten()
        .map(|role| role.value)
        .collect();
    // A control plane that is also a worker takes workloads.
    let untainted = roles.contains(&Role::ControlPlane) && roles.contains(&Role::Worker);
    let jumps = jumps(written, defaults);
    let own = &written.ssh;
    Some(Node {
        name: written.name.as_ref()?.value.clone(),
        login: Login {
            host: ssh_host(written)?.value,
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
        address: address(written)?.value,
        roles: Roles::new(roles)?,
        labels: written.labels.clone(),
        taints: written.taints.clone().or(untainted.then(Vec::new)),
    })
}

/// Pods' network where none is written: 10.244.0.0/16, as most CNIs' manifests have it.
pub fn pod_cidr(network: &WrittenNetwork) -> Option<IpNet> {
    network.pod_cidr.as_ref().map_or_else(
        || IpNet::from_str("10.244.0.0/16").ok(),
        |cidr| Some(cidr.value),
    )
}

/// Services' network where none is written: 10.96.0.0/12, kubeadm's default.
pub fn service_cidr(network: &WrittenNetwork) -> Option<IpNet> {
    network.service_cidr.as_ref().map_or_else(
        || IpNet::from_str("10.96.0.0/12").ok(),
        |cidr| Some(cidr.value),
    )
}

fn network(written: WrittenNetwork) -> Option<Network> {
    Some(Network {
        pod_cidr: pod_cidr(&written)?,
        service_cidr: service_cidr(&written)?,
        dns_domain: written
            .dns_domain
            .unwrap_or_else(|| "cluster.local".to_owned()),
        cni: written.cni.map(|cni: Spanned<Cni>| cni.value)?,
    })
}

fn packages(written: WrittenPackages, version: VersionSpec) -> Option<Packages> {
    let (major, minor) = version.minor();
    let fill = |url: &str| url.replace("{minor}", &format!("{major}.{minor}"));
    let key = match (written.key, &written.repository) {
        (Some(PackageKey::Pinned { url, fingerprint }), _) => PackageKey::Pinned {
            url: fill(&url),
            fingerprint,
        },
        (Some(key), _) => key,
        (None, Some(_)) => return None,
        (None, None) => PackageKey::Pinned {
            url: fill(UPSTREAM_KEY),
            fingerprint: UPSTREAM_FINGERPRINT.to_owned(),
        },
    };
    let mut url = fill(written.repository.as_deref().unwrap_or(UPSTREAM));
    if !url.ends_with('/') {
        url.push('/');
    }
    Some(Packages {
        url,
        key,
        hold: written.hold,
    })
}
