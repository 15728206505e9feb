//! JoinConfiguration: where the cluster is, and what is true of one node alone.

use serde::Serialize;
use zeroize::Zeroizing;

use super::node::{self, LocalApiEndpoint, NodeRegistration, Patches, TIMEOUTS, Timeouts};
use super::{API_VERSION, document, phases};
use crate::cluster::{Node, ResolvedCluster, Role};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    discovery: Discovery<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control_plane: Option<JoinControlPlane>,
    node_registration: NodeRegistration<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skip_phases: Vec<&'a str>,
    patches: Patches,
    timeouts: Timeouts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Discovery<'a> {
    bootstrap_token: TokenDiscovery<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenDiscovery<'a> {
    token: &'a str,
    api_server_endpoint: String,
    ca_cert_hashes: [&'a str; 1],
}

#[derive(Serialize)]
struct JoinControlPlane {
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
}

/// The document, with a bootstrap token in it. A node that is to be a worker
/// only gets no section of a control plane.
pub fn configuration(
    resolved: &ResolvedCluster,
    node: &Node,
    token: &str,
    ca_pin: &str,
) -> Zeroizing<String> {
    let joins = node.roles.has(Role::ControlPlane);
    document::yaml(&JoinConfiguration {
        api_version: API_VERSION,
        kind: "JoinConfiguration",
        discovery: Discovery {
            bootstrap_token: TokenDiscovery {
                token,
                api_server_endpoint: resolved.cluster.node_endpoint().to_string(),
                ca_cert_hashes: [ca_pin],
            },
        },
        control_plane: joins.then(|| JoinControlPlane {
            local_api_endpoint: node::local_api_endpoint(resolved, node),
        }),
        node_registration: node::registration(resolved, node),
        skip_phases: phases::of_join(&resolved.cluster.kubeadm.skip_phases),
        patches: node::PATCHES,
        timeouts: TIMEOUTS,
    })
}
