//! What kubeadm reads: its configuration and that of kubelet and kube-proxy,
//! as typed documents written as YAML.
//!
//! They are of kubeadm.k8s.io/v1beta4, which all versions speak that kdiy
//! installs. Nothing here runs kubeadm.
//!
//! Facts: cmd/kubeadm/app/apis/kubeadm/v1beta4 of kubernetes/kubernetes at
//! v1.31, v1.34, v1.36 and v1.37.

mod arguments;
pub mod audit;
mod cluster;
pub(crate) mod document;
pub mod encryption;
mod images;
mod init;
mod join;
mod kube_proxy;
mod kubelet;
pub mod kubelet_client;
mod kubelet_settings;
mod node;
pub mod phases;
pub mod settings;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::cluster::{Node, ResolvedCluster};
use crate::template::HostFile;

pub use arguments::{keeps_order, nanoseconds, same_values};
pub use encryption::Stage;
pub use images::{image_repository, sandbox_image};
pub use kubelet::{OWN_PATCH, Resolver};
pub use kubelet_settings::{KubeletSettings, kubelet_settings};
pub use node::{CONTROL_PLANE_LABEL, NO_EXTERNAL_BALANCERS_LABEL, node_labels};
pub use settings::{ETCD, PlaneComponent, PlaneSettings, Settings, plane_settings};

/// Port of every API server on its own host.
pub const API_PORT: u16 = 6443;

/// The `apiVersion` of kubeadm's own documents.
const API_VERSION: &str = "kubeadm.k8s.io/v1beta4";

/// Where kubeadm finds the patches of static pods and kubelets.
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
pub fn init(resolved: &ResolvedCluster, node: &Node, token: &str) -> Zeroizing<String> {
    let stage = Stage::wanted(resolved.cluster.control_plane.encryption);
    init_at(resolved, node, token, stage)
}

/// The `--config` of one phase of `kubeadm init`, such as that which writes the
/// static pods: [`init()`]'s at one stage of encryption, and without a token
/// that anybody could use.
#[must_use]
pub fn phase(resolved: &ResolvedCluster, node: &Node, stage: Stage) -> String {
    init_at(resolved, node, "abcdef.0123456789abcdef", stage).to_string()
}

/// The `--config` with which a stacked member of etcd is made that bootstraps a
/// cluster with all others: it alone names them, and is never uploaded.
/// `members` is etcd's list of names and peer URLs.
#[must_use]
pub fn bootstrap_etcd(resolved: &ResolvedCluster, node: &Node, members: &str) -> String {
    let mut bootstrapping = resolved.clone();
    let arguments = &mut bootstrapping.cluster.control_plane.etcd.extra_args;
    arguments.insert("initial-cluster".to_owned(), members.into());
    arguments.insert("initial-cluster-state".to_owned(), "new".into());
    let stage = Stage::wanted(resolved.cluster.control_plane.encryption);
    phase(&bootstrapping, node, stage)
}

fn init_at(
    resolved: &ResolvedCluster,
    node: &Node,
    token: &str,
    stage: Stage,
) -> Zeroizing<String> {
    document::stream(&[
        init::configuration(resolved, node, token),
        document::yaml(&cluster::configuration(resolved, stage)),
        document::yaml(&kubelet::configuration(resolved)),
        document::yaml(&kube_proxy::configuration(resolved)),
    ])
}

/// The `--config` of `kubeadm join` on this node, a control plane or not.
/// `ca_pin` is the hash of the authority's public key, `sha256:` and hex; the
/// text holds the token.
#[must_use]
pub fn join(
    resolved: &ResolvedCluster,
    node: &Node,
    token: &str,
    ca_pin: &str,
) -> Zeroizing<String> {
    document::stream(&[join::configuration(resolved, node, token, ca_pin)])
}

/// The patches of one host with a kubelet: the inventory's, which kubeadm asks
/// for on workers too, and what its kubelet has of its own.
#[must_use]
pub fn patches(resolved: &ResolvedCluster, resolver: Resolver) -> Vec<HostFile> {
    let own = kubelet::patch(resolved, resolver);
    let patches = resolved.cluster.kubeadm.patches.iter();
    let patches =
        patches.map(|(name, text)| HostFile::secret(format!("{PATCHES}/{name}"), text.clone()));
    std::iter::once(own).chain(patches).collect()
}

/// The first of each text, in order.
pub(crate) fn without_repetition(texts: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts
        .into_iter()
        .filter(|text| seen.insert(text.clone()))
        .collect()
}
