//! What is different between the two ways, and why that is so. Everything
//! else is the same, and each of these is there: one that has gone has to be
//! struck from the list.

use glob::Pattern;

use super::portrait::{Difference, Portrait};

/// A difference that is known.
struct Known {
    /// Where it is, as patterns; each of them has to be found.
    at: &'static [&'static str],
    /// What is there when control planes come up in turn.
    serial: Line,
    /// What is there when they come up at once.
    parallel: Line,
    why: &'static str,
}

enum Line {
    Absent,
    /// A pattern of it.
    Is(&'static str),
}

use Line::{Absent, Is};

const KNOWN: &[Known] = &[
    Known {
        at: &[
            "cp-1 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster",
            "v1 Pod kube-system etcd-cp-1: spec.containers.etcd.command.--initial-cluster",
        ],
        serial: Is("cp-1=https://172.29.21.11:2380"),
        parallel: Is(ALL_MEMBERS),
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-1 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster-state",
            "v1 Pod kube-system etcd-cp-1: spec.containers.etcd.command.--initial-cluster-state",
        ],
        serial: Absent,
        parallel: Is("new"),
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster",
            "cp-3 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster",
            "v1 Pod kube-system etcd-cp-2: spec.containers.etcd.command.--initial-cluster",
            "v1 Pod kube-system etcd-cp-3: spec.containers.etcd.command.--initial-cluster",
        ],
        serial: Is("cp-?=https://172.29.21.1?:2380,cp-?=https://172.29.21.1?:2380*"),
        parallel: Is(ALL_MEMBERS),
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster-state",
            "cp-3 /etc/kubernetes/manifests/etcd.yaml: spec.containers.etcd.command.--initial-cluster-state",
            "v1 Pod kube-system etcd-cp-2: spec.containers.etcd.command.--initial-cluster-state",
            "v1 Pod kube-system etcd-cp-3: spec.containers.etcd.command.--initial-cluster-state",
        ],
        serial: Is("existing"),
        parallel: Is("new"),
        why: INITIAL,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: names.cluster",
            "cp-3 /etc/kubernetes/kubelet.conf: names.cluster",
        ],
        serial: Is("default-cluster"),
        parallel: Is("equal"),
        why: NAMES,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: names.user",
            "cp-3 /etc/kubernetes/kubelet.conf: names.user",
        ],
        serial: Is("default-auth"),
        parallel: Is("system:node:cp-[23]"),
        why: NAMES,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: names.context",
            "cp-3 /etc/kubernetes/kubelet.conf: names.context",
        ],
        serial: Is("default-context"),
        parallel: Is("system:node:cp-[23]@equal"),
        why: NAMES,
    },
    Known {
        at: &[
            "cp-2 /etc/kubernetes/kubelet.conf: namespace",
            "cp-3 /etc/kubernetes/kubelet.conf: namespace",
        ],
        serial: Is("default"),
        parallel: Is("not said"),
        why: NAMES,
    },
    Known {
        at: &[
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-2*",
            "certificates.k8s.io/v1 CertificateSigningRequest - for O=system:nodes, CN=system:node:cp-3*",
        ],
        serial: Is("*"),
        parallel: Absent,
        why: FIRST,
    },
    Known {
        at: &[
            "cp-2 /var/lib/kubelet/pki/kubelet-client-current.pem: key",
            "cp-3 /var/lib/kubelet/pki/kubelet-client-current.pem: key",
        ],
        serial: Is("EC 256"),
        parallel: Is("RSA 2048"),
        why: FIRST,
    },
    Known {
        at: &[
            "cp-2 /var/lib/kubelet/pki/kubelet-client-current.pem: blocks",
            "cp-3 /var/lib/kubelet/pki/kubelet-client-current.pem: blocks",
        ],
        serial: Is("CERTIFICATE, EC PRIVATE KEY"),
        parallel: Is("CERTIFICATE, RSA PRIVATE KEY"),
        why: FIRST,
    },
    Known {
        at: &[
            "cp-2 /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.basic constraints",
            "cp-3 /var/lib/kubelet/pki/kubelet-client-current.pem: extensions.basic constraints",
        ],
        serial: Is("CA false, path None (critical)"),
        parallel: Absent,
        why: FIRST,
    },
    Known {
        at: &[
            "v1 ConfigMap kube-system kubeadm-config: data.ClusterConfiguration.apiServer.extraArgs.authorization-mode",
        ],
        serial: Is("Node,RBAC"),
        parallel: Absent,
        why: "kubeadm init up to 1.20 writes its default into the configuration \
              as it makes the manifest, and uploads that; a phase alone uploads what \
              it was given. Every later kubeadm adds the default again",
    },
];

const ALL_MEMBERS: &str = "cp-1=https://172.29.21.11:2380,cp-2=https://172.29.21.12:2380,\
                           cp-3=https://172.29.21.13:2380";

const INITIAL: &str = "members that found a cluster are told of all others, one that joins of \
                       those before it; etcd reads neither once it has data";

const NAMES: &str = "kubeadm init names the entries of its kubelet's kubeconfig so, and all were \
                     made as the first is; those of a join are named by the kubelet, as it \
                     bootstraps. What they say is the same";

const FIRST: &str = "kubeadm init makes the first certificate of its kubelet itself, and all were \
                     made as the first is; that of a join is asked for by the kubelet. From the \
                     next one on, the kubelet asks for all of them";

/// Every difference is known, and every known one is there.
pub fn are_known(serial: &Portrait, parallel: &Portrait) {
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
    for known in known {
        for at in known.at {
            if !differences
                .iter()
                .any(|difference| known.tells_of(at, difference))
            {
                wrong.push(format!("{at}\n  is as listed no more: {}", known.why));
            }
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
        }
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).expect("a pattern")
}

#[test]
fn one_that_nobody_knows_and_one_that_has_gone_are_told() {
    let known = [Known {
        at: &["cp-[23] file: mode", "cp-1 file: mode"],
        serial: Is("6*"),
        parallel: Absent,
        why: "chance",
    }];
    let portrait = |lines: &[(&str, &str)]| {
        let mut portrait = Portrait::default();
        for (at, what) in lines {
            portrait.line(*at, *what);
        }
        portrait
    };
    let same = ("cp-1 file: owner", "root");
    let serial = portrait(&[same, ("cp-1 file: mode", "600"), ("cp-3 file: mode", "600")]);
    let parallel = portrait(&[same]);
    assert_eq!(unforeseen(&known, &serial.differences(&parallel)), [""; 0]);
    // The other way round, and another text, are other differences.
    assert_eq!(unforeseen(&known, &parallel.differences(&serial)).len(), 4);
    let other = portrait(&[same, ("cp-1 file: mode", "644")]);
    let wrong = unforeseen(&known, &serial.differences(&other));
    assert_eq!(
        wrong,
        [
            "cp-1 file: mode\n  in turn: \"600\"\n  at once: \"644\"",
            "cp-1 file: mode\n  is as listed no more: chance",
        ]
    );
}
