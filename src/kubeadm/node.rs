//! What kubeadm is told about one node, whether it bootstraps the cluster or
//! joins.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use super::arguments::shaped;
use super::{API_PORT, API_SERVER_TIMEOUT, DISCOVERY_TIMEOUT};
use crate::cluster::{Arguments, Kubeadm, Node, ResolvedCluster, Role};
use crate::runtime;

/// How long kubeadm waits, where its own default shall hold.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeouts {
    control_plane_component_health_check: &'static str,
    discovery: &'static str,
}

/// kubeadm's own.
pub const TIMEOUTS: Timeouts = Timeouts {
    control_plane_component_health_check: API_SERVER_TIMEOUT,
    discovery: DISCOVERY_TIMEOUT,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRegistration<'a> {
    name: &'a str,
    cri_socket: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    taints: Option<Vec<Taint<'a>>>,
    kubelet_extra_args: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignore_preflight_errors: Vec<&'a str>,
    image_pull_policy: &'static str,
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
pub struct Patches {
    directory: &'static str,
}

/// kubeadm's label and taint of control planes; see its `constants.go`.
pub const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";

/// kubeadm's label that keeps external load balancers off a control plane.
pub const NO_EXTERNAL_BALANCERS_LABEL: &str =
    "node.kubernetes.io/exclude-from-external-load-balancers";

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

pub fn registration<'a>(resolved: &'a ResolvedCluster, node: &'a Node) -> NodeRegistration<'a> {
    NodeRegistration {
        name: node.name.as_str(),
        cri_socket: runtime::profile(&resolved.cluster.runtime).socket,
        taints: taints(node),
        kubelet_extra_args: shaped(&kubelet_arguments(resolved, node)),
        ignore_preflight_errors: ignored(&resolved.cluster.kubeadm),
        image_pull_policy: "IfNotPresent",
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

/// What kubeadm passes over: it refuses `all` beside other names.
fn ignored(kubeadm: &Kubeadm) -> Vec<&str> {
    match kubeadm.ignores_all() {
        true => vec!["all"],
        false => {
            let names = kubeadm.ignore_preflight_errors.iter();
            names.map(String::as_str).collect()
        }
    }
}

/// What differs from host to host, and the inventory's arguments over it.
pub fn kubelet_arguments(resolved: &ResolvedCluster, node: &Node) -> Arguments {
    let mut arguments = Arguments::new();
    arguments.insert(
        "node-ip".to_owned(),
        resolved.address(node).to_string().into(),
    );
    // Else kubelet's garbage collection takes it for unused. The flag is gone
    // in 1.35: containerd pins the image itself.
    if let Some(image) = &resolved.cluster.images.sandbox
        && resolved.version.minor < 35
    {
        arguments.insert(
            "pod-infra-container-image".to_owned(),
            image.as_str().into(),
        );
    }
    arguments.extend(resolved.cluster.kubelet.extra_args.clone());
    arguments
}

pub fn local_api_endpoint(resolved: &ResolvedCluster, node: &Node) -> LocalApiEndpoint {
    LocalApiEndpoint {
        advertise_address: resolved.address(node),
        bind_port: API_PORT,
    }
}

/// Every host has one of its own.
pub const PATCHES: Patches = Patches {
    directory: super::PATCHES,
};
