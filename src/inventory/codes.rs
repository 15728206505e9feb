//! The codes of findings. They are stable: a script may look for them.

/// Every code and what it stands for, sorted.
pub const CODES: &[(&str, &str)] = &[
    (
        "address-in-network",
        "a node or the endpoint has an address of the pods or services",
    ),
    (
        "argument-order",
        "several values of an argument, in an order that kubeadm does not keep",
    ),
    (
        "bridge-too-far",
        "`cni: bridge`, but the hosts are hardly on one layer-2 network",
    ),
    ("conflicting-keys", "two keys that say the same"),
    (
        "coupled-failures",
        "one host that is a control plane and an etcd host",
    ),
    ("cri-dockerd", "Docker without cri-dockerd"),
    (
        "dashed-argument",
        "an extra argument written with its dashes",
    ),
    (
        "deprecated-proxy-mode",
        "a mode of kube-proxy that is going to be gone",
    ),
    (
        "duplicate",
        "a name, address, login or patch that is used twice",
    ),
    ("duplicate-key", "a key that is used twice in one mapping"),
    (
        "early-feature-gate",
        "a feature gate of a later version, which a patch may have",
    ),
    (
        "election-off",
        "several control planes without leader election",
    ),
    (
        "election-times",
        "lease, deadline and period of leader election do not fit together",
    ),
    ("empty", "nothing is written"),
    (
        "endpoint-elsewhere",
        "nothing that the inventory names serves the endpoint",
    ),
    ("even-members", "an even number of etcd members"),
    (
        "feature-gate",
        "a feature gate that the version does not have, or not with this value",
    ),
    (
        "foreign-key",
        "a key that means nothing to the kind that was chosen",
    ),
    (
        "forgeable-archive",
        "a program whose hash comes over plain http with it",
    ),
    (
        "ignores-all",
        "all of kubeadm's preflight errors are ignored",
    ),
    (
        "invalid-address",
        "not an address by which other hosts reach a node",
    ),
    ("invalid-argument", "not the name of an argument"),
    ("invalid-cidr", "not a network"),
    ("invalid-duration", "not a duration"),
    ("invalid-endpoint", "not a host and port"),
    ("invalid-file", "a named file does not hold what it should"),
    ("invalid-fingerprint", "not the fingerprint of a key"),
    ("invalid-hash", "not a SHA-256"),
    ("invalid-image", "not the name of an image or registry"),
    ("invalid-interface", "not the name of a network interface"),
    ("invalid-label", "a label that Kubernetes refuses"),
    ("invalid-login", "not a host or user to log in to or as"),
    (
        "invalid-name",
        "not a name as RFC 1123 and Kubernetes want it",
    ),
    ("invalid-number", "not a number that fits its place"),
    (
        "invalid-patch",
        "a patch whose file name kubeadm does not understand",
    ),
    ("invalid-port", "not a TCP port"),
    ("invalid-router-id", "not a virtual router id of VRRP"),
    ("invalid-taint", "a taint that Kubernetes refuses"),
    ("invalid-url", "not a URL, or one of the wrong kind"),
    ("invalid-value", "a text that does not fit its place"),
    ("invalid-version", "not a release of Kubernetes"),
    ("jump-loop", "a jump chain that comes back to where it was"),
    ("many-members", "more etcd members than are good for it"),
    ("missing-key", "a key that must be there"),
    ("missing-value", "a key without its value"),
    ("mixed-families", "IPv4 and IPv6 side by side"),
    (
        "network-size",
        "a network too large or too small for its purpose",
    ),
    ("new-etcd", "an etcd newer than Kubernetes asks for"),
    ("no-address", "a node whose address is not known"),
    (
        "no-balancer",
        "several control planes with nothing in front, or a balancer without a host",
    ),
    ("no-control-plane", "no node is a control plane"),
    ("no-etcd", "etcd on hosts of its own, and no such host"),
    (
        "no-kubelet",
        "labels or taints of a host that is no node of Kubernetes",
    ),
    ("no-login", "a node that cannot be logged in to"),
    ("no-mirror", "mirrors that the runtime does not ask"),
    ("no-role", "a node without a role"),
    (
        "no-vip",
        "several hosts that share an address which is not said",
    ),
    ("no-worker", "no node takes workloads"),
    ("not-ha", "a single control plane"),
    ("old-etcd", "an etcd that kubeadm does not take"),
    (
        "old-version",
        "a version of Kubernetes older than those that were tried",
    ),
    ("overlapping-networks", "pods and services share addresses"),
    ("owned-argument", "an argument that kdiy sets itself"),
    ("owned-config", "a setting that kdiy sets itself"),
    (
        "port-conflict",
        "load balancer and API server on one port of one host",
    ),
    ("removed-flag", "a flag that the version does not have"),
    (
        "repeated-argument",
        "an argument of etcd with several values",
    ),
    (
        "reserved-label",
        "a label that a kubelet may not give its own node",
    ),
    (
        "secret-in-inventory",
        "a password where everybody can read it",
    ),
    ("several-documents", "more than one YAML document"),
    ("too-large", "too long, too deep or too many values"),
    ("unknown-anchor", "an alias without its anchor"),
    (
        "unknown-api-version",
        "an apiVersion that this release does not read",
    ),
    ("unknown-choice", "none of the words that may stand here"),
    (
        "unknown-feature-gate",
        "a feature gate that no known version has",
    ),
    (
        "unknown-flag",
        "a flag that no known version has, or only a later one",
    ),
    ("unknown-key", "a key that is not known"),
    ("unknown-phase", "a phase that kubeadm does not have"),
    ("unpinned-key", "a key by URL without its fingerprint"),
    ("unreadable-file", "a named file cannot be read"),
    (
        "unsupported-version",
        "a version of Kubernetes that kdiy does not install",
    ),
    (
        "untried-version",
        "a version of Kubernetes newer than this release",
    ),
    (
        "unused-balancer",
        "a load-balancer that the inventory leaves no work for",
    ),
    (
        "unused-etcd",
        "an etcd host that the topology leaves no work for",
    ),
    ("unused-patch", "a patch of what is not there"),
    ("vip-of-a-node", "a virtual IP that is a node's own address"),
    ("visible-password", "a password in a URL"),
    ("wrong-type", "a text, list or mapping in another's place"),
    ("yaml-syntax", "not YAML"),
    ("yaml-tag", "a YAML tag"),
];
