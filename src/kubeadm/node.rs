//! What kubeadm is told about one node, in parts that every version of its
//! API has.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use super::arguments::{Arguments, shaped};
use super::{API_PORT, TOKEN_TTL};
use crate::cluster::{KubeadmApi, Node, Role, Settled};
use crate::runtime;

/// Where a host's kubelet finds the DNS servers for its pods.
///
/// kubeadm looks once, on the host of `init`, and puts what it finds into the
/// configuration of all kubelets (kubernetes/kubeadm#3034); hosts differ, so
/// kdiy tells each kubelet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// systemd-resolved runs: /etc/resolv.conf names its stub on the loopback
    /// address, which pods cannot reach.
    SystemdResolved,
    /// It does not run: /etc/resolv.conf names the servers.
    ResolvConf,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRegistration<'a> {
    name: &'a str,
    cri_socket: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    taints: Option<Vec<Taint<'a>>>,
    kubelet_extra_args: Value,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ignore_preflight_errors: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    image_pull_policy: Option<&'static str>,
}

#[derive(Serialize)]
struct Taint<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: &'a str,
    effect: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalApiEndpoint {
    advertise_address: IpAddr,
    bind_port: u16,
}

#[derive(Serialize)]
pub struct BootstrapToken<'a> {
    token: &'a str,
    description: &'static str,
    ttl: &'static str,
    usages: [&'static str; 2],
    groups: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery<'a> {
    bootstrap_token: TokenDiscovery<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenDiscovery<'a> {
    token: &'a str,
    api_server_endpoint: String,
    ca_cert_hashes: [&'a str; 1],
}

#[derive(Serialize)]
pub struct JoinControlPlane {
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
}

#[derive(Serialize)]
pub struct Patches {
    directory: &'static str,
}

/// Labels that the node is to have: the inventory's, and the role that
/// `kubectl get nodes` shows for workers. Set through the API by an
/// administrator: a kubelet may not give itself labels of kubernetes.io.
#[must_use]
pub fn node_labels(node: &Node) -> BTreeMap<String, String> {
    let mut labels = node.labels.clone();
    if node.roles.has(Role::Worker) {
        labels
            .entry("node-role.kubernetes.io/worker".to_owned())
            .or_default();
    }
    labels
}

pub fn registration<'a>(
    settled: &'a Settled,
    node: &'a Node,
    resolver: Resolver,
    api: KubeadmApi,
) -> NodeRegistration<'a> {
    NodeRegistration {
        name: node.name.as_str(),
        cri_socket: runtime::profile(&settled.cluster.runtime).socket,
        taints: taints(node),
        kubelet_extra_args: shaped(kubelet_arguments(settled, node, resolver), api),
        ignore_preflight_errors: &settled.cluster.kubeadm.ignore_preflight_errors,
        image_pull_policy: match api {
            KubeadmApi::V1Beta2 => None,
            KubeadmApi::V1Beta3 | KubeadmApi::V1Beta4 => Some("IfNotPresent"),
        },
    }
}

/// The inventory's taints, none for a control plane that is a worker too, and
/// otherwise kubeadm's default.
fn taints(node: &Node) -> Option<Vec<Taint<'_>>> {
    match &node.taints {
        Some(taints) => Some(taints.iter().map(Taint::of).collect()),
        None => {
            let both = node.roles.has(Role::ControlPlane) && node.roles.has(Role::Worker);
            both.then(Vec::new)
        }
    }
}

impl<'a> Taint<'a> {
    fn of(taint: &'a crate::cluster::Taint) -> Self {
        Self {
            key: &taint.key,
            value: &taint.value,
            effect: taint.effect.as_str(),
        }
    }
}

/// What differs from host to host, and the inventory's arguments over it.
fn kubelet_arguments(settled: &Settled, node: &Node, resolver: Resolver) -> Arguments {
    let kubelet = &settled.cluster.kubelet;
    let mut arguments = Arguments::new();
    arguments.insert("node-ip".to_owned(), settled.address(node).to_string());
    // A flag wins over the configuration, so the inventory's goes without it.
    if !kubelet.extra_config.contains_key("resolvConf") {
        let file = match resolver {
            Resolver::SystemdResolved => "/run/systemd/resolve/resolv.conf",
            Resolver::ResolvConf => "/etc/resolv.conf",
        };
        arguments.insert("resolv-conf".to_owned(), file.to_owned());
    }
    // Else kubelet's garbage collection takes it for unused. The flag is gone
    // in 1.35: containerd pins the image itself.
    if let Some(image) = &settled.cluster.images.sandbox
        && settled.version.minor < 35
    {
        arguments.insert("pod-infra-container-image".to_owned(), image.clone());
    }
    arguments.extend(kubelet.extra_args.clone());
    arguments
}

pub fn local_api_endpoint(settled: &Settled, node: &Node) -> LocalApiEndpoint {
    LocalApiEndpoint {
        advertise_address: settled.address(node),
        bind_port: API_PORT,
    }
}

/// `None` on a node that is to be a worker only.
pub fn join_control_plane(settled: &Settled, node: &Node) -> Option<JoinControlPlane> {
    let joins = node.roles.has(Role::ControlPlane);
    joins.then(|| JoinControlPlane {
        local_api_endpoint: local_api_endpoint(settled, node),
    })
}

pub fn bootstrap_token(token: &str) -> BootstrapToken<'_> {
    BootstrapToken {
        token,
        description: "made by kdiy for the joins after kubeadm init",
        ttl: TOKEN_TTL,
        usages: ["signing", "authentication"],
        groups: ["system:bootstrappers:kubeadm:default-node-token"],
    }
}

pub fn discovery<'a>(
    settled: &Settled,
    token: &'a str,
    ca_pin: &'a str,
    timeout: Option<&'static str>,
) -> Discovery<'a> {
    let bootstrap_token = TokenDiscovery {
        token,
        api_server_endpoint: settled.cluster.node_endpoint().to_string(),
        ca_cert_hashes: [ca_pin],
    };
    Discovery {
        bootstrap_token,
        timeout,
    }
}

/// `None` when the inventory has no patches.
pub fn patches(settled: &Settled) -> Option<Patches> {
    let none = settled.cluster.kubeadm.patches.is_empty();
    (!none).then_some(Patches {
        directory: super::PATCHES,
    })
}
