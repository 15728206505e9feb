//! `controlPlane`, `kubelet`, `kubeProxy`, `kubeadm`.

use super::{DURATION, Field, Form, Kind, Mapping, PATH, URL, like, text, word};

const FLAG: Form = Form::like("flag", "^[A-Za-z0-9_.][A-Za-z0-9_.-]*$");

const VALUE: Kind = Kind::Text(Form::of("text").bare());

/// Extra arguments of a component, which may be given several times.
const fn arguments(text: &'static str, example: &'static str) -> Field {
    const VALUES: Kind = Kind::Either(&[VALUE, Kind::List(&VALUE)]);
    Field::new("extraArgs", Kind::Free(FLAG, &VALUES), text).example(example)
}

/// Extra configuration of a component.
const fn configuration(text: &'static str, example: &'static str) -> Field {
    Field::new("extraConfig", Kind::Any, text).example(example)
}

/// `controlPlane`.
pub const CONTROL_PLANE: &Mapping = &Mapping::of(&[
    Field::new(
        "apiServer",
        Kind::Mapping(API_SERVER),
        "Settings of all API servers.",
    )
    .example("{certSANs: [api.internal.example.org]}"),
    Field::new(
        "controllerManager",
        Kind::Mapping(ELECTED),
        "Settings of all controller-managers. One leads, the others wait.",
    )
    .example("{extraArgs: {node-cidr-mask-size: 24}}"),
    Field::new(
        "scheduler",
        Kind::Mapping(ELECTED),
        "Settings of all schedulers. One leads, the others wait.",
    )
    .example("{leaderElection: {leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 5s}}"),
    Field::new(
        "etcd",
        Kind::Mapping(ETCD),
        "Settings of etcd, wherever it runs.",
    )
    .example("{extraArgs: {quota-backend-bytes: 8589934592}}"),
]);

/// `controlPlane.apiServer`.
pub const API_SERVER: &Mapping = &Mapping::of(&[
    Field::new(
        "certSANs",
        Kind::List(&like("DNS name or IP address", "^[^\\s/]+$")),
        "Names and addresses that the API servers' certificates are also valid for. The endpoint, \
         the nodes and the names inside the cluster always are.",
    )
    .example("[api.internal.example.org, 198.51.100.10]"),
    Field::new(
        "audit",
        Kind::Either(&[
            Kind::Words(&[word(
                "metadata",
                "who did what when, without contents, so that no secret gets into the log",
            )]),
            Kind::Mapping(AUDIT),
        ]),
        "What is written to `/var/log/kubernetes/audit/audit.log` on each control plane: a word, \
         or a mapping with a policy of your own and how long logs are kept.",
    )
    .derived("nothing is written")
    .example("metadata"),
    Field::new(
        "encryption",
        Kind::Words(&[
            word("none", "secrets are in etcd as they are"),
            word(
                "secretbox",
                "secrets are encrypted with a key that kdiy makes and keeps with the authorities",
            ),
        ]),
        "How secrets are encrypted in etcd. On a cluster that runs, all API servers learn to read \
         before the first one writes, then all secrets are rewritten once. It is not taken back \
         by leaving the key out: kdiy refuses and says how.",
    )
    .default("none")
    .example("secretbox"),
    arguments(
        "More flags of kube-apiserver, without dashes, in place of what kubeadm gives it by itself. \
         Of a list each entry is the flag once more, in this order. What kdiy sets itself is refused, with the key to use instead.",
        "{event-ttl: 4h, service-account-issuer: [https://new.example.org, https://old.example.org]}",
    ),
    configuration(
        "Merged over `apiServer` of kubeadm's ClusterConfiguration, such as `extraVolumes`: static \
         pods see only what is mounted.",
        "{extraVolumes: [{name: admission, hostPath: /etc/kubernetes/admission, mountPath: /etc/kubernetes/admission, readOnly: true}]}",
    ),
]);

/// `controlPlane.apiServer.audit` as a mapping.
pub const AUDIT: &Mapping = &Mapping::of(&[
    Field::new(
        "policy",
        text("`metadata` or path"),
        "The file of an audit policy (`audit.k8s.io/v1`), its path from the inventory's folder; or \
         `metadata`, for who did what when.",
    )
    .default("metadata")
    .example("files/audit.yaml"),
    Field::new(
        "maxAge",
        Kind::Number(1, 65535),
        "Days for which old logs are kept.",
    )
    .default("30")
    .example("90"),
    Field::new(
        "maxBackups",
        Kind::Number(1, 65535),
        "How many old logs are kept.",
    )
    .default("10")
    .example("20"),
    Field::new(
        "maxSize",
        Kind::Number(1, 65535),
        "Megabytes at which a log is closed and the next one begun.",
    )
    .default("100")
    .example("200"),
]);

/// A component of which one instance leads.
pub const ELECTED: &Mapping = &Mapping::of(&[
    Field::new(
        "leaderElection",
        Kind::Mapping(ELECTION),
        "How the instances agree on the one that leads. `leaseDuration` must be longer than \
         `renewDeadline`, and that longer than 1.2 times `retryPeriod`.",
    )
    .example("{leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 5s}"),
    arguments(
        "More flags of the component, without dashes. Of a list each entry is the flag once more, in \
         this order. What kdiy sets itself is refused, with the key to use instead.",
        "{v: 2}",
    ),
    configuration(
        "Merged over the component's section of kubeadm's ClusterConfiguration, such as \
         `extraVolumes`.",
        "{extraVolumes: [{name: extra, hostPath: /etc/kubernetes/extra, mountPath: /etc/kubernetes/extra, readOnly: true}]}",
    ),
]);

/// `leaderElection`.
pub const ELECTION: &Mapping = &Mapping::of(&[
    Field::new(
        "enabled",
        Kind::Boolean,
        "Whether one leads and the others wait. With several control planes it has to be.",
    )
    .default("true")
    .example("true"),
    LEASE_DURATION,
    RENEW_DEADLINE,
    RETRY_PERIOD,
]);

/// `loadBalancer.lease`.
pub const LEASE: &Mapping = &Mapping::of(&[LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD]);

const LEASE_DURATION: Field = Field::new(
    "leaseDuration",
    DURATION,
    "How long the others wait for a leader that is silent before one of them takes over.",
)
.default("15s")
.example("30s");

const RENEW_DEADLINE: Field = Field::new(
    "renewDeadline",
    DURATION,
    "How long a leader tries to renew its lease before it gives up leading.",
)
.default("10s")
.example("20s");

const RETRY_PERIOD: Field = Field::new(
    "retryPeriod",
    DURATION,
    "How long each waits between two tries.",
)
.default("2s")
.example("5s");

/// `controlPlane.etcd`.
pub const ETCD: &Mapping = &Mapping::of(&[
    Field::new(
        "source",
        Kind::Either(&[
            Kind::Words(&[
                word(
                    "release",
                    "upstream's release archive of the version that Kubernetes asks for",
                ),
                word(
                    "distribution",
                    "the distribution's packages, where they are new enough for Kubernetes",
                ),
            ]),
            Kind::Mapping(ETCD_ARCHIVE),
        ]),
        "Where etcd comes from: a word, or a release archive by version, URL and hash. Only with \
         `topology: external`; on control planes it is an image that kubeadm chooses. Kubernetes \
         1.31 to 1.33 asks for etcd 3.5.35, 1.34 to 1.36 for 3.6.16, 1.37 for 3.7.0: the newest \
         patches that are known; kubeadm takes 3.5.24 and later.",
    )
    .default("release")
    .example("{version: 3.6.16, url: \"https://mirror.example.org/etcd/v{version}/etcd-v{version}-linux-{arch}.tar.gz\"}"),
    Field::new(
        "allowEvenMembers",
        Kind::Boolean,
        "Whether an even number of members is taken, with a warning: it tolerates no more failures \
         than one member less.",
    )
    .default("false")
    .example("true"),
    Field::new(
        "extraArgs",
        Kind::Free(FLAG, &VALUE),
        "More settings of etcd: flags of the static pod, without dashes; with `topology: external` \
         keys of etcd's configuration file, which have the same names. They are written as for the \
         flags: durations as `10m`, several values with commas between. What kdiy sets itself is \
         refused, and what the etcd that is going to run does not have.",
    )
    .example("{quota-backend-bytes: 8589934592}"),
    configuration(
        "Merged over `etcd.local` of kubeadm's ClusterConfiguration. Only with \
         `topology: stacked`.",
        "{imageTag: 3.6.8-0}",
    ),
]);

/// `controlPlane.etcd.source` as a mapping.
pub const ETCD_ARCHIVE: &Mapping = &Mapping::of(&[
    Field::new(
        "version",
        Kind::Text(Form::like("version", "^v?3\\.[0-9]+\\.[0-9]+$").bare()),
        "The version of etcd, 3.5.24 or later. A later minor version than the one that Kubernetes \
         asks for is taken with a warning.",
    )
    .derived("what Kubernetes asks for")
    .example("3.6.16"),
    Field::new(
        "url",
        URL,
        "Where the archive is, laid out as upstream's. `{version}` becomes the version, `{arch}` \
         the host's architecture, amd64 or arm64. A URL without `{version}` needs the key \
         `version`.",
    )
    .derived("upstream's archives on github.com")
    .example("https://mirror.example.org/etcd/v{version}/etcd-v{version}-linux-{arch}.tar.gz"),
    Field::new(
        "sha256",
        Kind::Text(Form::like("SHA-256", "^(sha256:)?[0-9A-Fa-f]{64}$").bare()),
        "The hash of the archive, as `sha256sum` prints it; as there is one, the hosts must then be \
         of one architecture. Over plain http it cannot be left out without a warning, since the \
         archive and the hashes beside it could be forged together.",
    )
    .derived("what the file `SHA256SUMS` beside the archive says")
    .example("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
]);

/// `kubelet`.
pub const KUBELET: &Mapping = &Mapping::of(&[
    Field::new(
        "servingCertificates",
        Kind::Words(&[
            word(
                "self-signed",
                "each kubelet signs its own, which nobody can verify",
            ),
            word(
                "signed",
                "the cluster's authority signs them; kdiy approves what a node asks for its own \
                 name and address",
            ),
        ]),
        "Who signs the certificates with which kubelets serve logs, exec and metrics.",
    )
    .default("self-signed")
    .example("signed"),
    Field::new(
        "clientCertificates",
        Kind::Words(&[
            word(
                "issued",
                "kdiy issues them and puts them there before the cluster is up, so that workers \
                 register at once; kubelets renew them by themselves",
            ),
            word(
                "bootstrap",
                "each kubelet asks for its own with a bootstrap token, by `kubeadm join`",
            ),
        ]),
        "How kubelets of workers come by the certificates that they log in to the API server with. \
         Control planes make theirs by `kubeadm`.",
    )
    .default("issued")
    .example("bootstrap"),
    arguments(
        "More flags of the kubelet, without dashes. Of a list each entry is the flag once more, in \
         this order. What kdiy sets itself is refused, with the key to use instead.",
        "{v: 2}",
    ),
    configuration("Merged over the KubeletConfiguration.", "{maxPods: 200}"),
]);

/// `kubeProxy`.
pub const KUBE_PROXY: &Mapping = &Mapping::of(&[
    Field::new(
        "mode",
        Kind::Words(&[
            word(
                "iptables",
                "rules of iptables, as kube-proxy does by itself",
            ),
            word(
                "nftables",
                "one table of nftables, which stays fast with many services; needs Linux 5.13",
            ),
            word(
                "ipvs",
                "the kernel's balancer, deprecated since Kubernetes 1.35",
            ),
        ]),
        "What kube-proxy makes services of. It is written into its configuration, so that no later \
         version of Kubernetes changes it.",
    )
    .default("iptables")
    .example("nftables"),
    configuration(
        "Merged over the KubeProxyConfiguration.",
        "{metricsBindAddress: \"0.0.0.0:10249\"}",
    ),
]);

/// `kubeadm`.
pub const KUBEADM: &Mapping = &Mapping::of(&[
    Field::new(
        "ignorePreflightErrors",
        Kind::List(&text("name of a check")),
        "Checks whose errors are ignored, by kubeadm's name or by the code that kdiy shows. `all` \
         ignores every one but those that guard data.",
    )
    .example("[NumCPU, Mem]"),
    Field::new(
        "skipPhases",
        Kind::List(&text("name of a phase")),
        "Phases of `kubeadm init` and `kubeadm join` that are left out, each told of its own. An \
         addon that is left out is marked as disabled in kubeadm's configuration, so that no \
         upgrade brings it back.",
    )
    .example("[addon/kube-proxy]"),
    Field::new(
        "patches",
        Kind::List(&PATH),
        "Patches of static pods and of the kubelet's configuration: files named \
         `TARGET[SUFFIX][+TYPE].yaml`, their paths from the inventory's folder. TARGET is \
         kube-apiserver, kube-controller-manager, kube-scheduler, etcd, kubeletconfiguration, \
         corednsdeployment or, from Kubernetes 1.37 on, kubeproxydaemonset; TYPE is strategic, \
         merge or json. Probes of static pods name their port, `probe-port`.",
    )
    .example("[files/kube-apiserver0+strategic.yaml]"),
]);
