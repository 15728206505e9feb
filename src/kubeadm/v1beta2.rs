//! kubeadm.k8s.io/v1beta2: Kubernetes 1.20 and 1.21. Skipped phases and
//! patches are arguments of the command.

use serde::Serialize;
use zeroize::Zeroizing;

use super::node::{self, BootstrapToken, Discovery, JoinControlPlane, LocalApiEndpoint};
use super::node::{NodeRegistration, Resolver};
use super::{DISCOVERY_TIMEOUT, PATCHES, document};
use crate::cluster::{KubeadmApi, Node, Settled};

const API: KubeadmApi = KubeadmApi::V1Beta2;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    bootstrap_tokens: [BootstrapToken<'a>; 1],
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
    node_registration: NodeRegistration<'a>,
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
}

pub fn init(settled: &Settled, node: &Node, resolver: Resolver, token: &str) -> Zeroizing<String> {
    document::yaml(&InitConfiguration {
        api_version: API.group_version(),
        kind: "InitConfiguration",
        bootstrap_tokens: [node::bootstrap_token(token)],
        local_api_endpoint: node::local_api_endpoint(settled, node),
        node_registration: node::registration(settled, node, resolver, API),
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
    })
}

pub fn init_arguments(settled: &Settled) -> Vec<String> {
    let phases = &settled.cluster.kubeadm.skip_phases;
    let skip = (!phases.is_empty()).then(|| format!("--skip-phases={}", phases.join(",")));
    skip.into_iter().chain(join_arguments(settled)).collect()
}

pub fn join_arguments(settled: &Settled) -> Vec<String> {
    let patches = node::patches(settled);
    // `--patches` came with 1.22.
    patches
        .iter()
        .map(|_| format!("--experimental-patches={PATCHES}"))
        .collect()
}
