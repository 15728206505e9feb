//! KubeletConfiguration: what all kubelets share. kubeadm keeps it in a
//! ConfigMap that joining nodes read, so nothing of one host may be in it.

use serde::Serialize;

use super::document::merged;
use crate::cluster::{KubeletServing, Settled};

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
pub fn configuration(settled: &Settled) -> impl Serialize {
    let ours = KubeletConfiguration {
        api_version: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        cgroup_driver: settled.cluster.cgroup_driver.as_str(),
        rotate_certificates: true,
        server_tls_bootstrap: settled.cluster.kubelet_serving == KubeletServing::Signed,
    };
    merged(&ours, &settled.cluster.kubelet.extra_config)
}
