//! What kubeadm reads: its configuration and that of kubelet and kube-proxy,
//! as typed documents written as YAML.
//!
//! One file a version of kubeadm's API holds the documents whose shape
//! changed; cluster.rs holds the one that did not. Nothing here runs kubeadm.
//!
//! Facts: the types under cmd/kubeadm/app/apis/kubeadm of kubernetes/kubernetes
//! at v1.20, v1.26 and v1.34.

mod arguments;
pub mod audit;
mod cluster;
pub(crate) mod document;
pub mod encryption;
mod images;
mod kube_proxy;
mod kubelet;
pub mod kubelet_client;
mod node;
pub mod phases;
pub mod settings;
mod v1beta2;
mod v1beta3;
mod v1beta4;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::cluster::{KubeadmApi, Node, Settled, Version};
use crate::template::HostFile;

pub use arguments::{Arguments, same_value};
pub use encryption::Stage;
pub use images::{image_repository, sandbox_image};
pub use node::{Resolver, node_labels};
pub use settings::{PlaneComponent, PlaneSettings, Settings, plane_settings};

/// Port of every API server on its own host.
pub const API_PORT: u16 = 6443;

/// Where kubeadm finds the patches of static pods.
pub const PATCHES: &str = "/etc/kubernetes/patches";

/// How long the bootstrap token of `init` is valid.
const TOKEN_TTL: &str = "1h0m0s";

/// How long kubeadm waits for an API server that it started: its own default,
/// written so that an upgrade of kubeadm does not change it.
const API_SERVER_TIMEOUT: &str = "4m0s";

/// How long a join looks for the cluster: kubeadm's own default.
const DISCOVERY_TIMEOUT: &str = "5m0s";

/// The `--config` of `kubeadm init` on this control plane. `token` is a fresh
/// bootstrap token, valid for an hour; the text holds it.
#[must_use]
pub fn init(settled: &Settled, node: &Node, resolver: Resolver, token: &str) -> Zeroizing<String> {
    let stage = Stage::wanted(settled.cluster.control_plane.encryption);
    init_at(settled, node, resolver, token, stage)
}

/// The `--config` of one phase of `kubeadm init`, such as that which writes
/// the static pods: [`init`]'s at one stage of encryption, and without a token
/// that anybody could use.
#[must_use]
pub fn phase(settled: &Settled, node: &Node, resolver: Resolver, stage: Stage) -> String {
    init_at(settled, node, resolver, "abcdef.0123456789abcdef", stage).to_string()
}

/// The `--config` with which a stacked member of etcd is made that founds a
/// cluster with all others: it alone names them, and is never uploaded.
/// `members` is etcd's list of names and peer URLs.
#[must_use]
pub fn founding_etcd(settled: &Settled, node: &Node, resolver: Resolver, members: &str) -> String {
    let mut founding = settled.clone();
    let arguments = &mut founding.cluster.control_plane.etcd.extra_args;
    arguments.insert("initial-cluster".to_owned(), members.to_owned());
    arguments.insert("initial-cluster-state".to_owned(), "new".to_owned());
    let stage = Stage::wanted(settled.cluster.control_plane.encryption);
    phase(&founding, node, resolver, stage)
}

fn init_at(
    settled: &Settled,
    node: &Node,
    resolver: Resolver,
    token: &str,
    stage: Stage,
) -> Zeroizing<String> {
    let api = settled.version.kubeadm_api();
    let init = match api {
        KubeadmApi::V1Beta2 => v1beta2::init(settled, node, resolver, token),
        KubeadmApi::V1Beta3 => v1beta3::init(settled, node, resolver, token),
        KubeadmApi::V1Beta4 => v1beta4::init(settled, node, resolver, token),
    };
    document::stream(&[
        init,
        document::yaml(&cluster::configuration(settled, api, stage)),
        document::yaml(&kubelet::configuration(settled)),
        document::yaml(&kube_proxy::configuration(settled)),
    ])
}

/// The `--config` of `kubeadm join` on this node, a control plane or not.
/// `ca_pin` is the hash of the authority's public key, `sha256:` and hex; the
/// text holds the token.
#[must_use]
pub fn join(
    settled: &Settled,
    node: &Node,
    resolver: Resolver,
    token: &str,
    ca_pin: &str,
) -> Zeroizing<String> {
    let join = match settled.version.kubeadm_api() {
        KubeadmApi::V1Beta2 => v1beta2::join(settled, node, resolver, token, ca_pin),
        KubeadmApi::V1Beta3 => v1beta3::join(settled, node, resolver, token, ca_pin),
        KubeadmApi::V1Beta4 => v1beta4::join(settled, node, resolver, token, ca_pin),
    };
    document::stream(&[join])
}

/// Arguments of `kubeadm init` that this version's configuration has no field
/// for, besides `--config`.
#[must_use]
pub fn init_arguments(settled: &Settled) -> Vec<String> {
    match settled.version.kubeadm_api() {
        KubeadmApi::V1Beta2 => v1beta2::init_arguments(settled),
        KubeadmApi::V1Beta3 | KubeadmApi::V1Beta4 => Vec::new(),
    }
}

/// Arguments of `kubeadm join` that this version's configuration has no field
/// for, besides `--config`.
#[must_use]
pub fn join_arguments(settled: &Settled) -> Vec<String> {
    match settled.version.kubeadm_api() {
        KubeadmApi::V1Beta2 => v1beta2::join_arguments(settled),
        KubeadmApi::V1Beta3 | KubeadmApi::V1Beta4 => Vec::new(),
    }
}

/// Arguments of `kubeadm init phase control-plane` that this version's
/// configuration has no field for, besides `--config`.
#[must_use]
pub fn phase_arguments(settled: &Settled) -> Vec<String> {
    join_arguments(settled)
}

/// Arguments of `kubeadm upgrade node phase kubelet-config`, which takes
/// patches since it has any for kubelets, and forgets them without.
#[must_use]
pub fn kubelet_phase_arguments(settled: &Settled) -> Vec<String> {
    let patches = node::patches(settled).filter(|_| settled.version >= Version::new(1, 25, 0));
    let arguments = patches.iter().map(|_| format!("--patches={PATCHES}"));
    arguments.collect()
}

/// The inventory's patches, for every host with a kubelet: kubeadm asks for the
/// folder on workers too.
#[must_use]
pub fn patches(settled: &Settled) -> Vec<HostFile> {
    let patches = settled.cluster.kubeadm.patches.iter();
    patches
        .map(|(name, text)| HostFile::secret(format!("{PATCHES}/{name}"), text.clone()))
        .collect()
}

/// The first of each text, in order.
pub(crate) fn without_repetition(texts: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts
        .into_iter()
        .filter(|text| seen.insert(text.clone()))
        .collect()
}
