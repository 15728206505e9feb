//! The keys at the top.

use super::{
    BALANCER, CONTROL_PLANE, Field, HTTP_PROXY, IMAGES, KUBE_PROXY, KUBEADM, KUBELET, Kind, LOGIN,
    Mapping, NAME, NETWORK, NODE, PACKAGES, PORT, RUNTIME, Word, balancer, like, runtime, word,
};

/// The whole file.
pub const ROOT: &Mapping = &Mapping::of(&[
    Field::new(
        "apiVersion",
        Kind::Words(&[word("kdiy/v1alpha1", "the form that this release reads")]),
        "The form of the inventory. A release refuses forms that it does not know.",
    )
    .required()
    .example("kdiy/v1alpha1"),
    Field::new(
        "name",
        NAME,
        "The name of the cluster. It is in the kubeconfig, in certificates and in the name of the \
         folder beside the inventory in which kdiy keeps the cluster's authorities and logs, \
         `.kdiy/NAME`.",
    )
    .required()
    .example("prod"),
    Field::new(
        "version",
        Kind::Text(
            super::Form::like("version", "^v?1\\.(0|[1-9][0-9]*)(\\.(0|[1-9][0-9]*))?$").bare(),
        ),
        "The version of Kubernetes: 1.34 to 1.37 were tried, 1.31 and later are taken. With two \
         numbers, `\"1.37\"`, it is the newest patch that the package repository has, or the one \
         that runs; with three, `\"1.37.2\"`, exactly this one.\n\n\
         Quote it: to other programs `1.30` without quotes is the number 1.3. kdiy reads what is \
         written.",
    )
    .required()
    .example("\"1.37\""),
    Field::new(
        "topology",
        Kind::Words(TOPOLOGIES),
        "Where etcd runs. It is chosen once: kdiy refuses to change it on a cluster that runs.",
    )
    .default("stacked")
    .example("external"),
    Field::new(
        "endpoint",
        Kind::Either(&[
            like("host[:port]", "^\\S+$"),
            Kind::Mapping(ENDPOINT),
        ]),
        "Where clients and nodes reach the API servers: an address or a DNS name, and a port, \
         6443 if none is written. An IPv6 address is in brackets, `\"[fd00::10]:6443\"`. \
         Every kubeconfig names it, never one control plane, and it is chosen once: kdiy refuses \
         to change it on a cluster that runs.",
    )
    .derived("the virtual IP, or the address of the one load balancer or single control plane")
    .example("192.0.2.10:6443"),
    Field::new(
        "loadBalancer",
        Kind::Either(&[Kind::Words(balancer::KINDS), Kind::Mapping(BALANCER)]),
        "What spreads the endpoint over the API servers. It is a word where its kind is all there \
         is to say, `loadBalancer: haproxy`, and a mapping otherwise.",
    )
    .derived("`haproxy` where a node has the role load-balancer, else `none`")
    .example("{kind: haproxy, vip: 192.0.2.10}"),
    Field::new(
        "ssh",
        Kind::Mapping(LOGIN),
        "How to log in to all nodes. A node's own `ssh` comes before it; what neither says comes \
         from `~/.ssh/config`, then from OpenSSH's defaults. The agent is asked, too.",
    )
    .derived("what `~/.ssh/config` says")
    .example("{user: ops, identity: ~/.ssh/id_ed25519}"),
    Field::new(
        "nodes",
        Kind::List(&Kind::Mapping(NODE)),
        "The hosts of the cluster and what each does. At least one is a control plane; three are \
         the least that lose one without harm.",
    )
    .required()
    .example("[{name: cp-1, ssh: 192.0.2.11, role: control-plane}]"),
    Field::new(
        "network",
        Kind::Mapping(NETWORK),
        "The networks of pods and services, and the plug-in that connects pods.",
    )
    .required()
    .example("{cni: bridge}"),
    Field::new(
        "runtime",
        Kind::Either(&[Kind::Words(runtime::KINDS), Kind::Mapping(RUNTIME)]),
        "What runs containers, on every node of Kubernetes. It is a word where its kind is all \
         there is to say, `runtime: containerd`, and a mapping otherwise.",
    )
    .default("containerd")
    .example("{kind: containerd, packages: docker}"),
    Field::new(
        "cgroupDriver",
        Kind::Words(&[
            word("systemd", "systemd makes the groups; right where systemd is process 1"),
            word("cgroupfs", "kubelet and runtime make them, beside systemd"),
        ]),
        "Who makes the control groups of containers. Kubelet and runtime are given the same.",
    )
    .default("systemd")
    .example("systemd"),
    Field::new(
        "packages",
        Kind::Mapping(PACKAGES),
        "Where Kubernetes' packages come from, and whether apt may upgrade them.",
    )
    .derived("pkgs.k8s.io with its key pinned")
    .example("{repository: \"https://mirror.example.org/kubernetes/v{minor}/deb/\", key: files/mirror.asc}"),
    Field::new(
        "images",
        Kind::Mapping(IMAGES),
        "Where container images come from.",
    )
    .derived("the registries that their names say")
    .example("{repository: registry.example.org/k8s}"),
    Field::new(
        "bootstrap",
        Kind::Words(&[
            word(
                "parallel",
                "all control planes start together, their members of etcd as one new cluster; a \
                 run that broke off is run again",
            ),
            word(
                "serial",
                "`kubeadm init` on one control plane, `kubeadm join` on the others, with stacked \
                 etcd one after the other",
            ),
        ]),
        "How the control planes of a new cluster come up. It means nothing to a cluster that \
         runs: a control plane that is added to it, or made anew, always joins.",
    )
    .default("parallel")
    .example("serial"),
    Field::new(
        "controlPlane",
        Kind::Mapping(CONTROL_PLANE),
        "Settings of the control plane's components and of etcd. What differs from them on a \
         cluster that runs is in the plan, and is brought about on one control plane after the \
         other. etcd on hosts of its own is changed one member after the other; the arguments of \
         stacked etcd are not compared.",
    )
    .example("{apiServer: {audit: metadata, encryption: secretbox}}"),
    Field::new(
        "kubelet",
        Kind::Mapping(KUBELET),
        "Settings of the kubelet on all nodes of Kubernetes.",
    )
    .example("{servingCertificates: signed, extraConfig: {maxPods: 200}}"),
    Field::new(
        "kubeProxy",
        Kind::Mapping(KUBE_PROXY),
        "Settings of kube-proxy.",
    )
    .example("{extraConfig: {mode: ipvs}}"),
    Field::new(
        "kubeadm",
        Kind::Mapping(KUBEADM),
        "How kubeadm is run, where its own way does not fit.",
    )
    .example("{ignorePreflightErrors: [NumCPU]}"),
    Field::new(
        "httpProxy",
        Kind::Mapping(HTTP_PROXY),
        "The proxy through which hosts reach the outside. kdiy itself does not use it.",
    )
    .example("{http: \"http://proxy.example.org:3128\", noProxy: [.example.org]}"),
]);

/// The words of `topology`.
const TOPOLOGIES: &[Word] = &[
    word(
        "stacked",
        "a member of etcd on each control plane, as kubeadm's static pod; losing a control plane \
         loses a member, so their number is odd",
    ),
    word(
        "external",
        "etcd on hosts with the role etcd, as a systemd unit; control planes come and go without \
         etcd noticing",
    ),
];

/// `endpoint` as a mapping.
pub const ENDPOINT: &Mapping = &Mapping::of(&[
    Field::new(
        "host",
        like("address or DNS name", "^[^\\s/]+$"),
        "The address or the DNS name of the endpoint, without a port and without brackets.",
    )
    .required()
    .example("api.example.org"),
    Field::new(
        "port",
        PORT,
        "The port on which clients reach the API. With `kube-vip` it is 6443, the API server's \
         own; on a host that is both load balancer and control plane it is another.",
    )
    .default("6443")
    .example("443"),
]);
