//! Flags that programs have, and those that are gone, as data. A program that
//! gets one that it does not have does not start.
//!
//! Facts: the names in cmd/PROGRAM/app/options, pkg/kubeapiserver and the
//! staging modules of k8s.io/kubernetes v1.31.14, v1.32.10, v1.33.6, v1.34.4,
//! v1.35.4, v1.36.3 and v1.37.2, compared; what is gone in 1.31 is from the
//! release notes, and not in v1.31.14. flags.txt is what the programs of 1.35.4,
//! 1.36.3 and 1.37.2 name when they are called with --help, and those of the
//! flags marked as deprecated in their sources (which --help leaves out) that
//! they were seen to take.

use std::sync::LazyLock;

use super::Program::{self, ApiServer, ControllerManager, Kubelet, Scheduler};

/// A flag that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Of which programs.
    pub programs: &'static [Program],
    /// Without dashes.
    pub name: &'static str,
    /// The first minor version without it; the oldest that was looked at where
    /// an earlier one was, too.
    pub gone: u64,
    /// What to do instead.
    pub instead: &'static str,
}

/// A flag that a program has in the newest release that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Without dashes.
    pub name: &'static str,
    /// The first minor version that was seen to have it; the oldest that was
    /// looked at ([`LOOKED_AT`]) where an earlier one may, too.
    pub since: u64,
    /// Names of the programs that have it.
    programs: Vec<&'static str>,
}

/// The oldest minor version whose flags were looked at.
pub const LOOKED_AT: u64 = 35;

/// Every flag that is there, by name.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let rows = include_str!("flags.txt").lines();
    let rows = rows.filter(|row| !row.starts_with('#'));
    rows.map(|row| Known::parse(row).unwrap_or_else(|| panic!("flags.txt: {row}")))
        .collect()
});

impl Known {
    fn parse(row: &'static str) -> Option<Self> {
        let mut words = row.split(' ');
        Some(Self {
            name: words.next()?,
            since: words.next()?.parse().ok()?,
            programs: words.collect(),
        })
    }
}

/// The flags that a program has; none of one whose flags were not looked at.
pub fn known(program: Program) -> impl Iterator<Item = &'static Known> {
    let has = move |flag: &&Known| flag.programs.contains(&program.name());
    KNOWN.iter().filter(has)
}

/// A name as pflag's normalization has it.
pub fn normal(name: &str) -> String {
    name.replace('_', "-")
}

/// The flag of a name, if it is gone in some release.
pub fn find(program: Program, name: &str) -> Option<&'static Flag> {
    let name = normal(name);
    let mut of_program = FLAGS.iter().filter(|flag| flag.programs.contains(&program));
    of_program.find(|flag| flag.name == name)
}

const fn flag(
    programs: &'static [Program],
    name: &'static str,
    gone: u64,
    instead: &'static str,
) -> Flag {
    Flag {
        programs,
        name,
        gone,
        instead,
    }
}

const ALL: &[Program] = &[ApiServer, ControllerManager, Scheduler, Kubelet];
const API_SERVER: &[Program] = &[ApiServer];
const MANAGER: &[Program] = &[ControllerManager];
const KUBELET: &[Program] = &[Kubelet];

const CADVISOR: &str = "take it out: it was cAdvisor's, never meant for the kubelet";
const CLOUD: &str = "take it out: cloud providers run outside of Kubernetes";
const CNI: &str = "take it out: the container runtime looks for CNI plugins by itself";
const IPTABLES: &str = "take it out: kubelets make no such rules any more; kube-proxy has \
                        `kubeProxy.extraConfig`";
const LOGS: &str = "take it out: logs go to standard error, where the runtime takes them";
const TAINTS: &str = "take it out: pods go by their tolerations of the node's taints";
const VOLUMES: &str = "take it out: the volume plugins that it was for are gone";

/// Every flag that is gone.
pub const FLAGS: &[Flag] = &[
    flag(ALL, "add-dir-header", 31, LOGS),
    flag(ALL, "alsologtostderr", 31, LOGS),
    flag(ALL, "log-dir", 31, LOGS),
    flag(ALL, "log-file-max-size", 31, LOGS),
    flag(ALL, "logtostderr", 31, LOGS),
    flag(ALL, "one-output", 31, LOGS),
    flag(ALL, "skip-headers", 31, LOGS),
    flag(ALL, "skip-log-headers", 31, LOGS),
    flag(ALL, "stderrthreshold", 31, LOGS),
    flag(API_SERVER, "cloud-config", 33, CLOUD),
    flag(API_SERVER, "cloud-provider", 33, CLOUD),
    flag(
        API_SERVER,
        "experimental-encryption-provider-config",
        31,
        "set `controlPlane.apiServer.encryption`, or the flag `encryption-provider-config`",
    ),
    flag(
        API_SERVER,
        "insecure-port",
        31,
        "take it out: nothing is served without TLS",
    ),
    flag(
        API_SERVER,
        "target-ram-mb",
        31,
        "take it out: the cache sizes itself",
    ),
    flag(
        MANAGER,
        "concurrent-service-syncs",
        37,
        "take it out: load balancers of a cloud are its own controller-manager's",
    ),
    flag(MANAGER, "enable-taint-manager", 31, TAINTS),
    flag(MANAGER, "pod-eviction-timeout", 31, TAINTS),
    flag(
        MANAGER,
        "experimental-cluster-signing-duration",
        31,
        "write `cluster-signing-duration`",
    ),
    flag(
        MANAGER,
        "horizontal-pod-autoscaler-downscale-delay",
        31,
        "write `horizontal-pod-autoscaler-downscale-stabilization`",
    ),
    flag(
        MANAGER,
        "horizontal-pod-autoscaler-upscale-delay",
        31,
        "take it out: `behavior` of each HorizontalPodAutoscaler has it",
    ),
    flag(MANAGER, "volume-host-allow-local-loopback", 31, VOLUMES),
    flag(MANAGER, "volume-host-cidr-denylist", 31, VOLUMES),
    flag(KUBELET, "application-metrics-count-limit", 37, CADVISOR),
    flag(KUBELET, "boot-id-file", 37, CADVISOR),
    flag(KUBELET, "cloud-config", 34, CLOUD),
    flag(KUBELET, "cni-bin-dir", 31, CNI),
    flag(KUBELET, "container-hints", 37, CADVISOR),
    flag(KUBELET, "containerd", 37, CADVISOR),
    flag(KUBELET, "containerd-namespace", 37, CADVISOR),
    flag(
        KUBELET,
        "dynamic-config-dir",
        31,
        "write what it holds under `kubelet.extraConfig`",
    ),
    flag(KUBELET, "enable-load-reader", 37, CADVISOR),
    flag(KUBELET, "event-storage-age-limit", 37, CADVISOR),
    flag(KUBELET, "event-storage-event-limit", 37, CADVISOR),
    flag(KUBELET, "global-housekeeping-interval", 37, CADVISOR),
    flag(KUBELET, "iptables-drop-bit", 31, IPTABLES),
    flag(KUBELET, "iptables-masquerade-bit", 31, IPTABLES),
    flag(
        KUBELET,
        "keep-terminated-pod-volumes",
        31,
        "take it out: volumes of pods that ended are always unmounted",
    ),
    flag(KUBELET, "log-cadvisor-usage", 37, CADVISOR),
    flag(KUBELET, "machine-id-file", 37, CADVISOR),
    flag(KUBELET, "network-plugin", 31, CNI),
    flag(
        KUBELET,
        "register-schedulable",
        34,
        "write `taints` of the node, such as \
         `{key: node.kubernetes.io/unschedulable, effect: NoSchedule}`",
    ),
    flag(KUBELET, "storage-driver-buffer-duration", 37, CADVISOR),
    flag(KUBELET, "storage-driver-db", 37, CADVISOR),
    flag(KUBELET, "storage-driver-host", 37, CADVISOR),
    flag(KUBELET, "storage-driver-password", 37, CADVISOR),
    flag(KUBELET, "storage-driver-secure", 37, CADVISOR),
    flag(KUBELET, "storage-driver-table", 37, CADVISOR),
    flag(KUBELET, "storage-driver-user", 37, CADVISOR),
];
