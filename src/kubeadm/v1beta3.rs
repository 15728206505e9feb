//! kubeadm.k8s.io/v1beta3: Kubernetes 1.22 to 1.30. Adds skipPhases, patches
//! and imagePullPolicy.

use serde::Serialize;
use zeroize::Zeroizing;

use super::node::{self, BootstrapToken, Discovery, JoinControlPlane, LocalApiEndpoint};
use super::node::{NodeRegistration, Patches, Resolver};
use super::{DISCOVERY_TIMEOUT, document};
use crate::cluster::{KubeadmApi, Node, Settled};

const API: KubeadmApi = KubeadmApi::V1Beta3;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    bootstrap_tokens: [BootstrapToken<'a>; 1],
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
    node_registration: NodeRegistration<'a>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    skip_phases: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    patches: Option<Patches>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    discovery: Discovery<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control_plane: Option<JoinControlPlane>,
    node_registration: NodeRegistration<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patches: Option<Patches>,
}

pub fn init(settled: &Settled, node: &Node, resolver: Resolver, token: &str) -> Zeroizing<String> {
    document::yaml(&InitConfiguration {
        api_version: API.group_version(),
        kind: "InitConfiguration",
        bootstrap_tokens: [node::bootstrap_token(token)],
        local_api_endpoint: node::local_api_endpoint(settled, node),
        node_registration: node::registration(settled, node, resolver, API),
        skip_phases: &settled.cluster.kubeadm.skip_phases,
        patches: node::patches(settled),
    })
}

pub fn join(
    settled: &Settled,
    node: &Node,
    resolver: Resolver,
    token: &str,
    ca_pin: &str,
) -> Zeroizing<String> {
    document::yaml(&JoinConfiguration {
        api_version: API.group_version(),
        kind: "JoinConfiguration",
        discovery: node::discovery(settled, token, ca_pin, Some(DISCOVERY_TIMEOUT)),
        control_plane: node::join_control_plane(settled, node),
        node_registration: node::registration(settled, node, resolver, API),
        patches: node::patches(settled),
    })
}
