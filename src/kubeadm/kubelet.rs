//! KubeletConfiguration: what all kubelets share, and what one has of its own.
//! kubeadm keeps the former in a ConfigMap that joining nodes read, and merges
//! a patch of the host over it wherever it writes a kubelet's configuration: at
//! init, at a join and at an upgrade.
//!
//! Facts: cmd/kubeadm/app/phases/kubelet/config.go and util/patches of
//! kubernetes/kubernetes at v1.37.

use serde::Serialize;
use serde_json::{Value, json};

use super::PATCHES;
use super::document::merged;
use crate::cluster::{KubeletServing, ResolvedCluster};
use crate::template::HostFile;

/// The first of all names that a patch of a kubelet can have: kubeadm applies
/// patches in the order of their names, so the inventory's come after it.
pub const OWN_PATCH: &str = "kubeletconfiguration+json.json";

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
struct KubeletConfiguration {
    api_version: &'static str,
    kind: &'static str,
    cgroup_driver: &'static str,
    /// Client certificates renew themselves.
    rotate_certificates: bool,
    /// Requests for serving certificates wait until kdiy has checked them.
    #[serde(rename = "serverTLSBootstrap")]
    server_tls_bootstrap: bool,
}

/// The document, with the inventory's settings over it. kubeadm fills in the
/// cluster's DNS address and domain.
pub fn configuration(resolved: &ResolvedCluster) -> Value {
    let ours = KubeletConfiguration {
        api_version: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        cgroup_driver: resolved.cluster.cgroup_driver.as_str(),
        rotate_certificates: true,
        server_tls_bootstrap: resolved.cluster.kubelet_serving == KubeletServing::Signed,
    };
    merged(&ours, &resolved.cluster.kubelet.extra_config)
}

/// The file that the kubelet gives to pods that use the host's resolver: as the
/// inventory says, or by what the host has.
pub fn resolv_conf(resolved: &ResolvedCluster, resolver: Resolver) -> Value {
    let found = match resolver {
        Resolver::SystemdResolved => "/run/systemd/resolve/resolv.conf",
        Resolver::ResolvConf => "/etc/resolv.conf",
    };
    let theirs = resolved.cluster.kubelet.extra_config.get("resolvConf");
    theirs.cloned().unwrap_or_else(|| found.into())
}

/// What is true of one host alone. Where the inventory says it of all, the
/// patch says the same: one from before would win over the inventory.
pub fn patch(resolved: &ResolvedCluster, resolver: Resolver) -> HostFile {
    let file = resolv_conf(resolved, resolver);
    let patch = json!([{"op": "add", "path": "/resolvConf", "value": file}]);
    HostFile::public(format!("{PATCHES}/{OWN_PATCH}"), format!("{patch}\n"))
}
