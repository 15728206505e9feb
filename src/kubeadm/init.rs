//! InitConfiguration: what is true of one control plane alone.

use serde::Serialize;
use zeroize::Zeroizing;

use super::node::{self, LocalApiEndpoint, NodeRegistration, Patches, TIMEOUTS, Timeouts};
use super::{API_VERSION, TOKEN_TTL, document, phases};
use crate::cluster::{Node, ResolvedCluster};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    bootstrap_tokens: [BootstrapToken<'a>; 1],
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
    node_registration: NodeRegistration<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skip_phases: Vec<&'a str>,
    patches: Patches,
    timeouts: Timeouts,
}

#[derive(Serialize)]
struct BootstrapToken<'a> {
    token: &'a str,
    description: &'static str,
    ttl: &'static str,
    usages: [&'static str; 2],
    groups: [&'static str; 1],
}

/// The document, with a bootstrap token in it.
pub fn configuration(resolved: &ResolvedCluster, node: &Node, token: &str) -> Zeroizing<String> {
    document::yaml(&InitConfiguration {
        api_version: API_VERSION,
        kind: "InitConfiguration",
        bootstrap_tokens: [BootstrapToken {
            token,
            description: "made by kdiy for the joins after kubeadm init",
            ttl: TOKEN_TTL,
            usages: ["signing", "authentication"],
            groups: ["system:bootstrappers:kubeadm:default-node-token"],
        }],
        local_api_endpoint: node::local_api_endpoint(resolved, node),
        node_registration: node::registration(resolved, node),
        skip_phases: phases::of_init(&resolved.cluster.kubeadm.skip_phases),
        patches: node::PATCHES,
        timeouts: TIMEOUTS,
    })
}
