//! What a change of a setting does on a cluster that runs, and the settings
//! that a cluster remembers since a change of them would go unseen otherwise.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Cluster, Cni, LoadBalancer};

/// What a change of a field does on a cluster that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The next apply carries it out: how.
    Applied(&'static str),
    /// It holds for nodes that join from then on, which the plan says: why.
    New(&'static str),
    /// The plan is refused with `setting-fixed`: why, and what to do instead.
    Refused(&'static str),
    /// The plan is refused with this code of its own: why, and what to do
    /// instead.
    Checked(&'static str, &'static str),
    /// It changes nothing on hosts: what it is.
    Kdiy(&'static str),
}

use Change::{Applied, New, Refused};

/// `network.podCIDR`.
pub const POD_CIDR: Change = Refused(
    "nodes have their parts of it, and pods their addresses. Make a new cluster with another one",
);
/// `network.serviceCIDR`.
pub const SERVICE_CIDR: Change = Refused(
    "services and the API server's certificate have addresses of it. Make a new cluster with \
     another one",
);
/// `network.dnsDomain`.
pub const DNS_DOMAIN: Change =
    Refused("pods and the API server's certificate name it. Make a new cluster with another one");
/// `network.cni`.
pub const CNI: Change = Refused(
    "pods would lose their network. Make a new cluster, or exchange the plug-in by hand, node \
     after node",
);
/// `cgroupDriver`.
pub const CGROUP_DRIVER: Change = Refused(
    "runtime and kubelet have to change together, on a drained node, which is not built yet. Put \
     it back",
);
/// `images.repository`.
pub const IMAGE_REPOSITORY: Change = Applied(
    "images are pulled ahead; then static pods, etcd's among them, are made anew, one control \
     plane after the other, and then the addons",
);
/// `controlPlane.apiServer.certSANs`.
pub const CERT_SANS: Change = Refused(
    "making the API servers' certificates anew is not built yet. By hand, on one control plane \
     after the other: add the name to `apiServer.certSANs` of the ConfigMap \
     kube-system/kubeadm-config, move apiserver.crt and apiserver.key aside, run `kubeadm init \
     phase certs apiserver` with that configuration and restart the API server; then put the \
     setting into `data.settings` of the ConfigMap kube-system/kdiy-settings",
);
/// `kubelet.clientCertificates`.
pub const KUBELET_CLIENT: Change =
    New("it is how a worker joins; kubelets renew their certificates by themselves");
/// `kubeProxy`.
pub const KUBE_PROXY: Change = Applied(
    "its ConfigMap and DaemonSet are written anew, and its pods restart at the DaemonSet's pace",
);
/// `kubeadm.patches`.
pub const KUBEADM_PATCHES: Change =
    New("static pods that are there keep what they were made with until they are made anew");
/// `kubeadm.skipPhases`.
pub const SKIP_PHASES: Change = New("only a cluster that is made anew runs these phases");
/// `bootstrap`.
pub const BOOTSTRAP: Change = New("it is how a new cluster comes up");
/// `loadBalancer`.
pub const LOAD_BALANCER: Change = Refused(
    "the endpoint would be served twice or not at all for a while, and moving it is not built \
     yet. Put it back",
);

/// The answer to a change of a setting that a cluster remembers.
#[must_use]
pub fn of(path: &str) -> Option<Change> {
    Some(match path {
        "network.podCIDR" => POD_CIDR,
        "network.serviceCIDR" => SERVICE_CIDR,
        "network.dnsDomain" => DNS_DOMAIN,
        "network.cni" => CNI,
        "cgroupDriver" => CGROUP_DRIVER,
        "images.repository" => IMAGE_REPOSITORY,
        "controlPlane.apiServer.certSANs" => CERT_SANS,
        "kubelet.clientCertificates" => KUBELET_CLIENT,
        "kubeProxy" => KUBE_PROXY,
        "kubeadm.patches" => KUBEADM_PATCHES,
        "kubeadm.skipPhases" => SKIP_PHASES,
        "bootstrap" => BOOTSTRAP,
        "loadBalancer" => LOAD_BALANCER,
        _ => return None,
    })
}

/// Settings that a cluster remembers, by path, as JSON each. Lists whose order
/// means nothing are sorted.
#[must_use]
pub fn settings(cluster: &Cluster) -> BTreeMap<String, String> {
    let Cluster {
        network,
        control_plane,
        kube_proxy,
        kubeadm,
        ..
    } = cluster;
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    let all: Vec<(&str, String)> = vec![
        ("network.podCIDR", json(&network.pod_cidr.to_string())),
        (
            "network.serviceCIDR",
            json(&network.service_cidr.to_string()),
        ),
        ("network.dnsDomain", json(&network.dns_domain)),
        ("network.cni", json(plug_in(&network.cni))),
        ("cgroupDriver", json(cluster.cgroup_driver.as_str())),
        ("images.repository", json(&cluster.images.repository)),
        (
            "controlPlane.apiServer.certSANs",
            json(&sorted(&control_plane.cert_sans)),
        ),
        (
            "kubelet.clientCertificates",
            json(&format!("{:?}", cluster.kubelet_client).to_lowercase()),
        ),
        (
            "kubeProxy",
            json(&(kube_proxy.mode.as_str(), &kube_proxy.extra_config)),
        ),
        ("kubeadm.patches", json(&kubeadm.patches)),
        ("kubeadm.skipPhases", json(&sorted(&kubeadm.skip_phases))),
        (
            "bootstrap",
            json(&format!("{:?}", cluster.bootstrap).to_lowercase()),
        ),
        ("loadBalancer", json(&balancer(&cluster.load_balancer))),
    ];
    let all = all.into_iter();
    all.map(|(path, value)| (path.to_owned(), value)).collect()
}

fn plug_in(cni: &Cni) -> &'static str {
    match cni {
        Cni::None => "none",
        Cni::Manifest(_) => "manifest",
        Cni::Bridge => "bridge",
    }
}

/// What balances; the port of what each node has of its own.
fn balancer(balancer: &LoadBalancer) -> String {
    match balancer {
        LoadBalancer::None => "none".to_owned(),
        LoadBalancer::External => "external".to_owned(),
        LoadBalancer::Local { port } => format!("local {port}"),
        LoadBalancer::KubeVip { .. } => "kube-vip".to_owned(),
        LoadBalancer::Hosts { kind, .. } => kind.as_str().to_owned(),
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
