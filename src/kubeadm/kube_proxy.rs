//! KubeProxyConfiguration.

use serde::Serialize;

use super::document::merged;
use crate::cluster::ResolvedCluster;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KubeProxyConfiguration {
    api_version: &'static str,
    kind: &'static str,
    /// Written out: what is taken where nothing is said changes in 1.40.
    mode: &'static str,
    /// Traffic to a service from outside of this is masqueraded.
    #[serde(rename = "clusterCIDR")]
    cluster_cidr: String,
}

/// The document, with the inventory's settings over it.
pub fn configuration(resolved: &ResolvedCluster) -> impl Serialize {
    let ours = KubeProxyConfiguration {
        api_version: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        mode: resolved.cluster.kube_proxy.mode.as_str(),
        cluster_cidr: resolved.cluster.network.pod_cidr.to_string(),
    };
    merged(&ours, &resolved.cluster.kube_proxy.extra_config)
}
