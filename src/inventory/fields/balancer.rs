//! `loadBalancer`.

use super::{ADDRESS, Field, IMAGE, INTERFACE, Kind, LEASE, Mapping, PORT, Word, word};

/// The words of `loadBalancer.kind`, and of `loadBalancer` itself.
pub(super) const KINDS: &[Word] = &[
    word("none", "nothing: the endpoint is the single control plane"),
    word(
        "haproxy",
        "haproxy on the nodes with the role load-balancer; asks each API server whether it is \
         ready. With two or more such nodes keepalived moves a virtual IP between them",
    ),
    word(
        "nginx",
        "nginx on the nodes with the role load-balancer, likewise; it only notices a failure by \
         connections that fail",
    ),
    word(
        "kube-vip",
        "kube-vip on the control planes, one of which holds the virtual IP; port 6443 only",
    ),
    word(
        "local",
        "haproxy on every node, on its loopback address; `endpoint` is then for clients from \
         outside",
    ),
    word(
        "external",
        "somebody else's, which must stand before `kdiy apply`",
    ),
];

/// `loadBalancer` as a mapping.
pub const BALANCER: &Mapping = &Mapping::of(&[
    Field::new(
        "kind",
        Kind::Words(KINDS),
        "Which balancer it is, and where it runs.",
    )
    .required()
    .example("haproxy"),
    Field::new(
        "vip",
        ADDRESS,
        "The virtual IP: a free address of the network that the hosts are in. One host has it at \
         a time, and another takes it over when that host or its balancer fails.",
    )
    .derived("the endpoint, where that is an address")
    .example("192.0.2.10")
    .kinds(&["haproxy", "nginx", "kube-vip"]),
    Field::new(
        "interface",
        INTERFACE,
        "The network interface that the virtual IP is put on, by its name on the hosts.",
    )
    .derived("the one that has the node's address")
    .example("eth0")
    .kinds(&["haproxy", "nginx", "kube-vip"]),
    Field::new(
        "routerId",
        Kind::Number(1, 255),
        "VRRP's virtual router id. It must differ from that of every other VRRP group on the \
         network of these hosts.",
    )
    .derived("the last octet of the virtual IP")
    .example("51")
    .kinds(&["haproxy", "nginx"]),
    Field::new(
        "image",
        IMAGE,
        "kube-vip's image. Name your own registry where hosts cannot reach the project's.",
    )
    .default("ghcr.io/kube-vip/kube-vip:v1.1.2")
    .example("registry.example.org/kube-vip/kube-vip:v1.1.2")
    .kinds(&["kube-vip"]),
    Field::new(
        "lease",
        Kind::Mapping(LEASE),
        "How long kube-vip's virtual IP stays with a host that is silent, in whole seconds: after \
         the lease and a retry another has it, with the defaults after 17 s. Shorter times move it \
         sooner and put more load on etcd. `leaseDuration` must be longer than `renewDeadline`, \
         and that longer than 1.2 times `retryPeriod`.",
    )
    .example("{leaseDuration: 5s, renewDeadline: 3s, retryPeriod: 1s}")
    .kinds(&["kube-vip"]),
    Field::new(
        "port",
        PORT,
        "The port on the loopback address of every node on which haproxy listens.",
    )
    .default("7443")
    .example("8443")
    .kinds(&["local"]),
]);
