//! What is different between the two ways, and why that is so. Everything
//! else is the same, and each of these is there: one that has gone has to be
//! struck from the list.

use glob::Pattern;

use super::dump::{ClusterDump, Difference};

/// A difference that is known.
struct Known {
    /// Where it is, as patterns; each of them has to be found.
    at: &'static [&'static str],
    /// What is there when nodes come up in turn.
    serial: Line,
    /// What is there when they come up at once.
    parallel: Line,
    occurs: Occurs,
    why: &'static str,
}

enum Line {
    Absent,
    /// A pattern of it.
    Is(&'static str),
    /// Nothing, or what is as a pattern.
    Perhaps(&'static str),
}

#[derive(PartialEq)]
enum Occurs {
    Always,
    /// It depends on who was quicker.
    ByChance,
}

use Line::{Absent, Is, Perhaps};
use Occurs::{Always, ByChance};

const KNOWN: &[Known] = &[
    Known {
        at: &[
            "cp-1 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster",
            "v1 Pod kube-system etcd-cp-1: spec.containers.etcd.command.--initial-cluster",
        ],
        serial: Is("cp-1=https://172.29.21.11:2380"),
        parallel: Is(ALL_MEMBERS),
        occurs: Always,
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-1 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster-state",
            "v1 Pod kube-system etcd-cp-1: spec.containers.etcd.command.--initial-cluster-state",
        ],
        serial: Absent,
        parallel: Is("new"),
        occurs: Always,
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster",
            "v1 Pod kube-system etcd-cp-2: spec.containers.etcd.command.--initial-cluster",
            "cp-3 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster",
            "v1 Pod kube-system etcd-cp-3: spec.containers.etcd.command.--initial-cluster",
        ],
        serial: Is("cp-?=https://172.29.21.1?:2380,cp-?=https://172.29.21.1?:2380*"),
        parallel: Is(ALL_MEMBERS),
        occurs: Always,
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster-state",
            "v1 Pod kube-system etcd-cp-2: spec.containers.etcd.command.--initial-cluster-state",
            "cp-3 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster-state",
            "v1 Pod kube-system etcd-cp-3: spec.containers.etcd.command.--initial-cluster-state",
        ],
        serial: Is("existing"),
        parallel: Is("new"),
        occurs: Always,
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: names.cluster",
            "cp-3 /etc/kubernetes/kubelet.conf: names.cluster",
            "w-1 /etc/kubernetes/kubelet.conf: names.cluster",
            "w-2 /etc/kubernetes/kubelet.conf: names.cluster",
        ],
        serial: Is("default-cluster"),
        parallel: Is("equal"),
        occurs: Always,
        why: NAMES,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: names.user",
            "cp-3 /etc/kubernetes/kubelet.conf: names.user",
        ],
        serial: Is("default-auth"),
        parallel: Is("system:node:cp-[23]"),
        occurs: Always,
        why: NAMES,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: names.context",
            "cp-3 /etc/kubernetes/kubelet.conf: names.context",
        ],
        serial: Is("default-context"),
        parallel: Is("system:node:cp-[23]@equal"),
        occurs: Always,
        why: NAMES,
    },
    Known {
        at: &[
            "w-1 /etc/kubernetes/kubelet.conf: names.user",
            "w-2 /etc/kubernetes/kubelet.conf: names.user",
        ],
        serial: Is("default-auth"),
        parallel: Is("system:node:w-[12]"),
        occurs: Always,
        why: NAMES,
    },
    Known {
        at: &[
            "w-1 /etc/kubernetes/kubelet.conf: names.context",
            "w-2 /etc/kubernetes/kubelet.conf: names.context",
        ],
        serial: Is("default-context"),
        parallel: Is("system:node:w-[12]@equal"),
        occurs: Always,
        why: NAMES,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: namespace",
            "cp-3 /etc/kubernetes/kubelet.conf: namespace",
            "w-1 /etc/kubernetes/kubelet.conf: namespace",
            "w-2 /etc/kubernetes/kubelet.conf: namespace",
        ],
        serial: Is("default"),
        parallel: Is("not said"),
        occurs: Always,
        why: NAMES,
    },
    Known {
        at: &[
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2: spec.username",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3: spec.username",
        ],
        serial: Is("system:bootstrap:[*]"),
        parallel: Perhaps("system:node:cp-[23]"),
        occurs: Always,
        why: FIRST,
    },
    Known {
        at: &[
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2: spec.groups",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3: spec.groups",
        ],
        serial: Is("system:bootstrappers, *"),
        parallel: Perhaps("system:nodes, system:authenticated"),
        occurs: Always,
        why: FIRST,
    },
    Known {
        at: &[
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2: metadata",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2: spec.signerName",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2: spec.usages",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3: metadata",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3: spec.signerName",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3: spec.usages",
        ],
        serial: Is("*"),
        parallel: Absent,
        occurs: ByChance,
        why: QUICKER,
    },
    Known {
        at: &[
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-1*",
        ],
        serial: Perhaps("*"),
        parallel: Perhaps("*"),
        occurs: ByChance,
        why: QUICKER,
    },
    Known {
        at: &[
            "cp-[123] /var/lib/kubelet/pki/kubelet-client-current.pem: key",
            "cp-[123] /var/lib/kubelet/pki/kubelet-client-current.pem: blocks",
            "cp-[123] /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.basic constraints",
            "cp-[123] /var/lib/kubelet/pki/kubelet-client-[*] (2)",
        ],
        serial: Perhaps("*"),
        parallel: Perhaps("*"),
        occurs: ByChance,
        why: QUICKER,
    },
    Known {
        at: &[
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:w-1*",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:w-2*",
        ],
        serial: Is("*"),
        parallel: Absent,
        occurs: Always,
        why: ISSUED,
    },
    Known {
        at: &[
            "w-1 /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.key usage",
            "w-2 /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.key usage",
        ],
        serial: Is("Digital Signature, Key Encipherment (critical)"),
        parallel: Is("Digital Signature (critical)"),
        occurs: Always,
        why: USAGE,
    },
    Known {
        at: &[
            "w-1 /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.subject key",
            "w-2 /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.subject key",
        ],
        serial: Absent,
        parallel: Is("there"),
        occurs: Always,
        why: USAGE,
    },
    Known {
        at: &[
            "v1 ConfigMap kube-system kubeadm-config: data.ClusterConfiguration.apiServer.extraArgs.authorization-mode",
        ],
        serial: Is("Node,RBAC"),
        parallel: Absent,
        occurs: Always,
        why: UPLOADED,
    },
];

const ALL_MEMBERS: &str = "cp-1=https://172.29.21.11:2380,cp-2=https://172.29.21.12:2380,\
                           cp-3=https://172.29.21.13:2380";

const INITIAL: &str = "members that found a cluster are told of all others, one that joins of \
                       those before it; etcd reads neither once it has data";

const NAMES: &str = "the names of a kubelet's entries are those that kubeadm init gives them, and \
                     in a join those of the kubelet, as it bootstraps. What they say is the same";

const FIRST: &str = "kubeadm init makes the first certificate of its kubelet itself, and the \
                     others were made as the first is; in a join the kubelet asks for it";

const QUICKER: &str = "a kubelet whose first certificate kubeadm has made asks for another at \
                       once. If kubeadm's last phase restarts it before it was answered, it does \
                       so only when the first one has grown old, and that is kept";

const ISSUED: &str = "kdiy issues the first certificate of a worker's kubelet, which need not ask";

const USAGE: &str = "an elliptic key enciphers no keys, so kdiy does not say that it may, and \
                     neither do kubelets since 1.27; kdiy names the key of every certificate";

const UPLOADED: &str = "kubeadm init up to 1.20 writes its default into the configuration as it \
                        makes the manifest, and uploads that; a phase alone uploads what it was \
                        given. Every later kubeadm adds the default again";

/// Every difference is known, and every known one is there.
pub fn are_known(serial: &ClusterDump, parallel: &ClusterDump) {
    let wrong = unforeseen(KNOWN, &serial.differences(parallel));
    assert!(
        wrong.is_empty(),
        "{} lines:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn unforeseen(known: &[Known], differences: &[Difference<'_>]) -> Vec<String> {
    let unknown = differences.iter().filter(|difference| {
        let mut patterns = known
            .iter()
            .flat_map(|known| known.at.iter().map(move |at| (known, at)));
        !patterns.any(|(known, at)| known.tells_of(at, difference))
    });
    let mut wrong: Vec<_> = unknown
        .map(|(at, serial, parallel)| {
            let say =
                |line: &Option<&str>| line.map_or("nothing".to_owned(), |it| format!("{it:?}"));
            format!(
                "{at}\n  in turn: {}\n  at once: {}",
                say(serial),
                say(parallel)
            )
        })
        .collect();
    let needed = known.iter().filter(|known| known.occurs == Always);
    for (known, at) in needed.flat_map(|known| known.at.iter().map(move |at| (known, at))) {
        let mut found = differences.iter();
        if !found.any(|difference| known.tells_of(at, difference)) {
            wrong.push(format!("{at}\n  is as listed no more: {}", known.why));
        }
    }
    wrong
}

impl Known {
    fn tells_of(&self, at: &str, difference: &Difference<'_>) -> bool {
        let (place, serial, parallel) = difference;
        pattern(at).matches(place) && self.serial.is(*serial) && self.parallel.is(*parallel)
    }
}

impl Line {
    fn is(&self, line: Option<&str>) -> bool {
        match self {
            Absent => line.is_none(),
            Is(text) => line.is_some_and(|line| pattern(text).matches(line)),
            Perhaps(text) => line.is_none_or(|line| pattern(text).matches(line)),
        }
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).expect("a pattern")
}

#[test]
fn one_that_is_unknown_and_one_that_has_gone_are_reported() {
    let known = |occurs| {
        [Known {
            at: &["cp-[23] file: mode", "cp-1 file: mode"],
            serial: Is("6*"),
            parallel: Absent,
            occurs,
            why: "they wanted it so",
        }]
    };
    let dump = |lines: &[(&str, &str)]| {
        let mut dump = ClusterDump::default();
        for (at, what) in lines {
            dump.line(*at, *what);
        }
        dump
    };
    let same = ("cp-1 file: owner", "root");
    let modes = [("cp-1 file: mode", "600"), ("cp-3 file: mode", "600")];
    let serial = dump(&[same, modes[0], modes[1]]);
    let parallel = dump(&[same]);
    let differences = serial.differences(&parallel);
    assert_eq!(unforeseen(&known(Always), &differences), [""; 0]);
    // The other way round, and another text, are other differences.
    let turned = parallel.differences(&serial);
    assert_eq!(unforeseen(&known(Always), &turned).len(), 4);
    assert_eq!(unforeseen(&known(ByChance), &turned).len(), 2);
    let other = dump(&[same, ("cp-1 file: mode", "644")]);
    let wrong = unforeseen(&known(Always), &serial.differences(&other));
    let told = "cp-1 file: mode\n  in turn: \"600\"\n  at once: \"644\"";
    let gone = "cp-1 file: mode\n  is as listed no more: they wanted it so";
    assert_eq!(wrong, [told, gone]);
}
