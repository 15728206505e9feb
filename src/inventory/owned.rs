//! Arguments and settings that kdiy itself sets, and what to write instead.

/// A component and what kdiy sets of it.
pub struct Owner {
    /// Its name for messages.
    pub name: &'static str,
    /// Arguments, each with what to write instead. A trailing `*` stands for
    /// any ending.
    arguments: &'static [(&'static str, &'static str)],
    /// Keys of `extraConfig`, likewise.
    config: &'static [(&'static str, &'static str)],
}

impl Owner {
    /// What to write instead of an argument that kdiy sets.
    pub fn argument(&self, name: &str) -> Option<&'static str> {
        find(self.arguments, name)
    }

    /// What to write instead of a key of `extraConfig` that kdiy sets.
    pub fn config(&self, key: &str) -> Option<&'static str> {
        find(self.config, key)
    }
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let matches = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    table
        .iter()
        .find(|(pattern, _)| matches(pattern))
        .map(|(_, instead)| *instead)
}

const PKI: &str = "leave it out: kdiy makes the certificates and places them";
const KUBECONFIG: &str = "leave it out: kdiy makes the kubeconfigs and places them";
const ADDRESS: &str = "set `address` or `interface` of the node instead";
const SERVICES: &str = "set `network.serviceCIDR` instead";
const PODS: &str = "set `network.podCIDR` instead";
const DNS_DOMAIN: &str = "set `network.dnsDomain` instead";
const ENABLED: &str = "set `leaderElection.enabled` beside `extraArgs` instead";
const LEASE: &str = "set `leaderElection.leaseDuration` beside `extraArgs` instead";
const RENEW: &str = "set `leaderElection.renewDeadline` beside `extraArgs` instead";
const RETRY: &str = "set `leaderElection.retryPeriod` beside `extraArgs` instead";
const MEMBERS: &str = "leave it out: etcd's members follow from the roles of the nodes";
const DATA: &str = "leave it out: etcd's data are in /var/lib/etcd";
const EXTRA_ARGS: &str = "write it under `extraArgs` of the component instead";
const SERVING: &str = "set `kubelet.servingCertificates: signed` instead";
const PORT: &str = "leave it out: API servers listen on 6443; what clients see is `endpoint`";

/// kube-apiserver.
pub const API_SERVER: Owner = Owner {
    name: "the API server",
    arguments: &[
        ("advertise-address", ADDRESS),
        ("secure-port", PORT),
        ("service-cluster-ip-range", SERVICES),
        ("service-account-key-file", PKI),
        ("service-account-signing-key-file", PKI),
        ("etcd-servers", MEMBERS),
        ("etcd-cafile", PKI),
        ("etcd-certfile", PKI),
        ("etcd-keyfile", PKI),
        ("client-ca-file", PKI),
        ("tls-cert-file", PKI),
        ("tls-private-key-file", PKI),
        ("kubelet-client-*", PKI),
        ("proxy-client-*", PKI),
        ("requestheader-client-ca-file", PKI),
    ],
    config: &[
        ("extraArgs", EXTRA_ARGS),
        (
            "certSANs",
            "write it as `certSANs` beside `extraConfig` instead",
        ),
    ],
};

/// kube-controller-manager.
pub const CONTROLLER_MANAGER: Owner = Owner {
    name: "the controller-manager",
    arguments: &[
        ("leader-elect", ENABLED),
        ("leader-elect-lease-duration", LEASE),
        ("leader-elect-renew-deadline", RENEW),
        ("leader-elect-retry-period", RETRY),
        ("cluster-cidr", PODS),
        ("allocate-node-cidrs", PODS),
        ("service-cluster-ip-range", SERVICES),
        ("kubeconfig", KUBECONFIG),
        ("authentication-kubeconfig", KUBECONFIG),
        ("authorization-kubeconfig", KUBECONFIG),
        ("root-ca-file", PKI),
        ("client-ca-file", PKI),
        ("cluster-signing-cert-file", PKI),
        ("cluster-signing-key-file", PKI),
        ("requestheader-client-ca-file", PKI),
        ("service-account-private-key-file", PKI),
    ],
    config: &[("extraArgs", EXTRA_ARGS)],
};

/// kube-scheduler.
pub const SCHEDULER: Owner = Owner {
    name: "the scheduler",
    arguments: &[
        ("leader-elect", ENABLED),
        ("leader-elect-lease-duration", LEASE),
        ("leader-elect-renew-deadline", RENEW),
        ("leader-elect-retry-period", RETRY),
        ("kubeconfig", KUBECONFIG),
        ("authentication-kubeconfig", KUBECONFIG),
        ("authorization-kubeconfig", KUBECONFIG),
    ],
    config: &[("extraArgs", EXTRA_ARGS)],
};

/// etcd.
pub const ETCD: Owner = Owner {
    name: "etcd",
    arguments: &[
        ("name", MEMBERS),
        ("initial-*", MEMBERS),
        ("discovery*", MEMBERS),
        ("listen-client-urls", ADDRESS),
        ("listen-peer-urls", ADDRESS),
        ("advertise-client-urls", ADDRESS),
        ("data-dir", DATA),
        ("wal-dir", DATA),
        ("config-file", "write what it holds as arguments instead"),
        (
            "force-new-cluster",
            "leave it out: it makes a member forget all others, each time it starts",
        ),
        ("auto-tls", PKI),
        ("peer-auto-tls", PKI),
        ("client-transport-security", PKI),
        ("peer-transport-security", PKI),
        ("cert-file", PKI),
        ("key-file", PKI),
        ("trusted-ca-file", PKI),
        ("client-cert-auth", PKI),
        ("peer-cert-file", PKI),
        ("peer-key-file", PKI),
        ("peer-trusted-ca-file", PKI),
        ("peer-client-cert-auth", PKI),
    ],
    config: &[("extraArgs", EXTRA_ARGS), ("dataDir", DATA)],
};

/// kubelet.
pub const KUBELET: Owner = Owner {
    name: "the kubelet",
    arguments: &[
        ("node-ip", ADDRESS),
        ("node-labels", "set `labels` of the node instead"),
        ("register-with-taints", "set `taints` of the node instead"),
        ("hostname-override", "set `name` of the node instead"),
        ("cgroup-driver", "set `cgroupDriver` instead"),
        ("container-runtime*", "set `runtime` instead"),
        ("pod-infra-container-image", "set `images.sandbox` instead"),
        ("cluster-dns", SERVICES),
        ("cluster-domain", DNS_DOMAIN),
        ("config", "write what it holds under `extraConfig` instead"),
        ("kubeconfig", KUBECONFIG),
        ("bootstrap-kubeconfig", KUBECONFIG),
        ("rotate-server-certificates", SERVING),
    ],
    config: &[
        (
            "apiVersion",
            "leave it out: kdiy writes the head of the document",
        ),
        ("kind", "leave it out: kdiy writes the head of the document"),
        ("cgroupDriver", "set `cgroupDriver` at the top instead"),
        ("clusterDNS", SERVICES),
        ("clusterDomain", DNS_DOMAIN),
        (
            "staticPodPath",
            "leave it out: kubeadm keeps its static pods in /etc/kubernetes/manifests",
        ),
        ("registerWithTaints", "set `taints` of the node instead"),
        ("containerRuntimeEndpoint", "set `runtime` instead"),
        ("serverTLSBootstrap", SERVING),
    ],
};

/// kube-proxy.
pub const KUBE_PROXY: Owner = Owner {
    name: "kube-proxy",
    // It has none: with a configuration file most flags mean nothing.
    arguments: &[],
    config: &[
        (
            "apiVersion",
            "leave it out: kdiy writes the head of the document",
        ),
        ("kind", "leave it out: kdiy writes the head of the document"),
        ("clusterCIDR", PODS),
        ("hostnameOverride", "set `name` of the node instead"),
        ("clientConnection", KUBECONFIG),
        ("mode", "set `kubeProxy.mode` instead"),
    ],
};
