//! ClusterConfiguration: what is true of the whole cluster.

use serde::Serialize;
use serde_json::Value;

use super::arguments::shaped;
use super::document::merged;
use super::encryption::Stage;
use super::settings::{self, PlaneComponent};
use super::{API_VERSION, without_repetition};
use crate::cluster::{Arguments, Kubeadm, ResolvedCluster, Role, Topology};
use crate::etcd::member;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    cluster_name: &'a str,
    kubernetes_version: String,
    control_plane_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_repository: Option<&'a str>,
    networking: Networking<'a>,
    api_server: Value,
    controller_manager: Value,
    scheduler: Value,
    etcd: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Disabled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<Disabled>,
}

/// An addon of kubeadm's that is left out. Unless it says so here, preflight
/// pulls its image and an upgrade deploys it, whatever init was told to skip.
#[derive(Serialize)]
struct Disabled {
    disabled: bool,
}

impl Disabled {
    fn of(kubeadm: &Kubeadm, addon: &str) -> Option<Self> {
        let disabled = kubeadm.skips_addon(addon);
        disabled.then_some(Self { disabled })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Networking<'a> {
    pod_subnet: String,
    service_subnet: String,
    dns_domain: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiServer {
    #[serde(rename = "certSANs")]
    cert_sans: Vec<String>,
    #[serde(flatten)]
    section: Section,
}

/// What the sections of all components have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Section {
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_args: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Etcd {
    Local(Value),
    External(External),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct External {
    endpoints: Vec<String>,
    ca_file: &'static str,
    cert_file: &'static str,
    key_file: &'static str,
}

/// The document for the whole cluster.
pub fn configuration(resolved: &ResolvedCluster, stage: Stage) -> impl Serialize {
    let cluster = &resolved.cluster;
    let plane = &cluster.control_plane;
    let ours = |component| section(&settings::arguments(plane, component, stage));
    let theirs = |component| settings::section(plane, component);
    let api_server = ApiServer {
        cert_sans: cert_sans(resolved),
        section: ours(PlaneComponent::ApiServer),
    };
    let etcd = match cluster.topology {
        Topology::Stacked => {
            let etcd = section(&plane.etcd.extra_args);
            Etcd::Local(merged(&etcd, &plane.etcd.extra_config))
        }
        Topology::External(_) => Etcd::External(External {
            endpoints: member::endpoints(resolved),
            ca_file: "/etc/kubernetes/pki/etcd/ca.crt",
            cert_file: member::API_SERVER_CLIENT[0],
            key_file: member::API_SERVER_CLIENT[1],
        }),
    };
    ClusterConfiguration {
        api_version: API_VERSION,
        kind: "ClusterConfiguration",
        cluster_name: cluster.name.as_str(),
        kubernetes_version: format!("v{}", resolved.version),
        control_plane_endpoint: cluster.node_endpoint().to_string(),
        image_repository: cluster.images.repository.as_deref(),
        networking: Networking {
            pod_subnet: cluster.network.pod_cidr.to_string(),
            service_subnet: cluster.network.service_cidr.to_string(),
            dns_domain: &cluster.network.dns_domain,
        },
        api_server: merged(&api_server, &theirs(PlaneComponent::ApiServer)),
        controller_manager: merged(
            &ours(PlaneComponent::ControllerManager),
            &theirs(PlaneComponent::ControllerManager),
        ),
        scheduler: merged(
            &ours(PlaneComponent::Scheduler),
            &theirs(PlaneComponent::Scheduler),
        ),
        // Through JSON: YAML would tag the variant.
        etcd: serde_json::to_value(etcd).expect("plain structs are JSON"),
        dns: Disabled::of(&cluster.kubeadm, "coredns"),
        proxy: Disabled::of(&cluster.kubeadm, "kube-proxy"),
    }
}

/// Every name and address by which the API servers are reached: the endpoints
/// of clients and of nodes, each control plane, what the inventory adds.
/// kubeadm adds the joining node's own, so control planes that come later are
/// covered too.
fn cert_sans(resolved: &ResolvedCluster) -> Vec<String> {
    let mut names = vec![
        resolved.cluster.endpoint.host.to_string(),
        resolved.cluster.node_endpoint().host.to_string(),
    ];
    for node in resolved.cluster.by_name(Role::ControlPlane) {
        names.push(node.name.to_string());
        names.push(resolved.address(node).to_string());
    }
    names.extend(resolved.cluster.control_plane.cert_sans.iter().cloned());
    without_repetition(names)
}

fn section(arguments: &Arguments) -> Section {
    let extra_args = (!arguments.is_empty()).then(|| shaped(arguments));
    Section { extra_args }
}
