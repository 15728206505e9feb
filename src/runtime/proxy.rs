//! The proxy through which a runtime pulls images.

use std::net::IpAddr;

use serde::Serialize;

use crate::cluster::{Cluster, HttpProxy, Node, ResolvedCluster};
use crate::kubeadm;
use crate::template::{HostFile, render};

#[derive(Serialize)]
struct Unit<'a> {
    environment_file: &'a str,
}

#[derive(Serialize)]
struct Environment<'a> {
    http: Option<&'a str>,
    https: Option<&'a str>,
    no_proxy: String,
}

/// A drop-in of the unit, and the environment in `folder` that it names;
/// nothing without a proxy.
pub(super) fn files(resolved: &ResolvedCluster, unit: &str, folder: &str) -> Vec<HostFile> {
    let Some(proxy) = &resolved.cluster.http_proxy else {
        return Vec::new();
    };
    let environment_file = format!("{folder}/kdiy-proxy.env");
    let drop_in = Unit {
        environment_file: &environment_file,
    };
    let environment = Environment {
        http: proxy.http.as_deref(),
        https: proxy.https.as_deref(),
        no_proxy: no_proxy(resolved, proxy).join(","),
    };
    vec![
        HostFile::public(
            format!("/etc/systemd/system/{unit}.d/10-kdiy-proxy.conf"),
            render("runtime/proxy.conf", &drop_in),
        ),
        HostFile::secret(
            environment_file.clone(),
            render("runtime/proxy.env", &environment),
        ),
    ]
}

/// What is reached without the proxy: the host itself, the cluster's nodes,
/// endpoint, pods and services, then what the inventory adds.
#[must_use]
pub fn no_proxy(resolved: &ResolvedCluster, proxy: &HttpProxy) -> Vec<String> {
    no_proxy_among(&resolved.cluster, proxy, |node| {
        Some(resolved.address(node))
    })
}

/// The same, where not every address is known yet.
#[must_use]
pub fn no_proxy_among(
    cluster: &Cluster,
    proxy: &HttpProxy,
    address: impl Fn(&Node) -> Option<IpAddr>,
) -> Vec<String> {
    let network = &cluster.network;
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1", ".svc"]
        .map(String::from)
        .into();
    names.push(format!(".{}", network.dns_domain));
    names.push(network.pod_cidr.to_string());
    names.push(network.service_cidr.to_string());
    names.push(cluster.endpoint.host.to_string());
    let mut nodes: Vec<_> = cluster.nodes.iter().collect();
    nodes.sort_by_key(|node| &node.name);
    for node in nodes {
        names.push(node.name.to_string());
        names.extend(address(node).map(|address| address.to_string()));
    }
    names.extend(proxy.no_proxy.iter().cloned());
    kubeadm::without_repetition(names)
}
