//! `nodes`.

use super::{
    ADDRESS, Field, Form, INTERFACE, Kind, LOGIN_TEXT, Mapping, NAME, NODE_LOGIN, Rule, Word, like,
    word,
};

const ROLES: &[Word] = &[
    word(
        "control-plane",
        "API server, controller-manager and scheduler; with `topology: stacked` a member of etcd, \
         too",
    ),
    word(
        "worker",
        "runs workloads; together with control-plane it takes the taint from the control plane",
    ),
    word(
        "etcd",
        "a member of etcd on a host of its own, with `topology: external`",
    ),
    word(
        "load-balancer",
        "haproxy or nginx before the API servers, as `loadBalancer` says",
    ),
];

const KEY: &str = "^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$";
const VALUE: &str = "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$";

const EFFECTS: &[Word] = &[
    word("NoSchedule", "no new pods that do not tolerate it"),
    word("PreferNoSchedule", "none if there is room elsewhere"),
    word("NoExecute", "none, and those that are there have to leave"),
];

/// An entry of `nodes`.
pub const NODE: &Mapping = &Mapping::with(
    &[
        Field::new(
            "name",
            NAME,
            "The name of the node in Kubernetes. It becomes the host's own name, too.",
        )
        .required()
        .example("cp-1"),
        Field::new(
            "ssh",
            Kind::Either(&[LOGIN_TEXT, Kind::Mapping(NODE_LOGIN)]),
            "Where to log in: `[user@]host[:port]`, or a mapping in which everything of `ssh` at \
             the top may be said for this node alone. An IP address is the node's address, too; \
             of a name or an alias, `address` or `interface` says it.",
        )
        .derived("its `address`, with what `ssh` at the top says")
        .example("ops@192.0.2.11:2200"),
        Field::new(
            "address",
            ADDRESS,
            "The address by which the other hosts reach this one. API server, etcd and kubelet are \
             bound to it. On machines with several networks it is the one that the hosts share, \
             not the one that leads to the outside.",
        )
        .derived("the host of `ssh`, where that is an IP address")
        .example("192.0.2.11"),
        Field::new(
            "interface",
            INTERFACE,
            "The network interface whose first global address is the node's address; in place of \
             `address`, where that is not fixed.",
        )
        .example("eth1"),
        Field::new(
            "role",
            Kind::Words(ROLES),
            "What the host does, if it is one thing.",
        )
        .example("control-plane"),
        Field::new(
            "roles",
            Kind::Either(&[Kind::List(&Kind::Words(ROLES)), Kind::Words(ROLES)]),
            "What the host does, if it is several things.",
        )
        .example("[control-plane, worker]"),
        Field::new(
            "labels",
            Kind::Free(
                Form::like("label", KEY),
                &Kind::Text(Form::like("value", VALUE).bare()),
            ),
            "Labels that the kubelet gives its node. Kubernetes refuses most under `kubernetes.io` \
             and `k8s.io`; those under `node.kubernetes.io`, `kubelet.kubernetes.io`, and \
             `topology.kubernetes.io/zone` and `region` are fine.",
        )
        .example("{disk: ssd, topology.kubernetes.io/zone: a}"),
        Field::new(
            "taints",
            Kind::List(&Kind::Either(&[
                like(
                    "key=value:Effect",
                    "^[^\\s:=]+(=[^\\s:=]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$",
                ),
                Kind::Mapping(TAINT),
            ])),
            "Taints that the kubelet gives its node when it joins: `key=value:Effect` or \
             `key:Effect`, as `kubectl taint` takes them, or mappings. An empty list, `[]`, leaves \
             a control plane without its usual taint.",
        )
        .derived("kubeadm's, `node-role.kubernetes.io/control-plane:NoSchedule` on control planes that are no workers; none on others")
        .example("[\"dedicated=db:NoSchedule\"]"),
    ],
    &[
        Rule::NotBoth("role", "roles"),
        Rule::OneOf(&["role", "roles"]),
        Rule::NotBoth("address", "interface"),
        Rule::OneOf(&["ssh", "address"]),
    ],
);

/// An entry of `taints` as a mapping.
pub const TAINT: &Mapping = &Mapping::of(&[
    Field::new("key", like("key", KEY), "What the taint is called.")
        .required()
        .example("dedicated"),
    Field::new(
        "value",
        Kind::Text(Form::like("value", VALUE).bare()),
        "The value of the taint.",
    )
    .derived("empty")
    .example("db"),
    Field::new(
        "effect",
        Kind::Words(EFFECTS),
        "What it does to pods that do not tolerate it.",
    )
    .required()
    .example("NoSchedule"),
]);
