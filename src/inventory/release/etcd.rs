//! Flags of etcd that are gone, as data, by etcd's own version. A member that
//! is a static pod does not start with one; one that reads a file takes no
//! notice of what it does not know there.
//!
//! Facts: the flags and `experimentalFlagMigrationMap` in embed/config.go,
//! those in etcdmain/config.go and `ExperimentalFlagToFeatureMap` in
//! features/etcd_features.go of go.etcd.io/etcd/server/v3 at v3.5.24, v3.6.4,
//! v3.6.8, v3.6.16, v3.7.0 and v3.7.2, compared; what is gone in 3.5 is from
//! its list of changes, and not in v3.5.24. What `owned` refuses is not here.

use crate::cluster::Version;

/// A flag of etcd that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Without dashes.
    pub name: &'static str,
    /// The first version 3.x without it, of which this is the x.
    pub gone: u64,
    /// What to do instead.
    pub instead: &'static str,
}

/// The flag of a name, if a version of etcd no longer has it.
pub fn find(version: Version, name: &str) -> Option<&'static Flag> {
    let gone = |flag: &&Flag| version.major_minor() >= (3, flag.gone);
    FLAGS.iter().find(|flag| flag.name == name).filter(gone)
}

const fn flag(name: &'static str, gone: u64, instead: &'static str) -> Flag {
    Flag {
        name,
        gone,
        instead,
    }
}

const PROXY: &str = "take it out: a proxy is a program of its own, `etcd grpc-proxy`";
const V2: &str = "take it out: API and data of version 2 are gone, and Kubernetes uses neither";

/// Every flag that is gone.
pub const FLAGS: &[Flag] = &[
    flag("debug", 5, "write `log-level: debug`"),
    flag("enable-v2", 6, V2),
    flag(
        "experimental-bootstrap-defrag-threshold-megabytes",
        7,
        "write `bootstrap-defrag-threshold-megabytes`",
    ),
    // The first is kubeadm's own, which a flag takes the place of.
    flag(
        "experimental-compact-hash-check-enabled",
        7,
        "write `feature-gates: \"InitialCorruptCheck=true,CompactHashCheck=true\"`",
    ),
    flag(
        "experimental-compact-hash-check-time",
        7,
        "write `compact-hash-check-time`",
    ),
    flag(
        "experimental-compaction-batch-limit",
        7,
        "write `compaction-batch-limit`",
    ),
    flag(
        "experimental-compaction-sleep-interval",
        7,
        "write `compaction-sleep-interval`",
    ),
    flag(
        "experimental-corrupt-check-time",
        7,
        "write `corrupt-check-time`",
    ),
    flag(
        "experimental-distributed-tracing-address",
        7,
        "write `distributed-tracing-address`",
    ),
    flag(
        "experimental-distributed-tracing-instance-id",
        7,
        "write `distributed-tracing-instance-id`",
    ),
    flag(
        "experimental-distributed-tracing-sampling-rate",
        7,
        "write `distributed-tracing-sampling-rate`",
    ),
    flag(
        "experimental-distributed-tracing-service-name",
        7,
        "write `distributed-tracing-service-name`",
    ),
    flag(
        "experimental-downgrade-check-time",
        7,
        "write `downgrade-check-time`",
    ),
    flag(
        "experimental-enable-distributed-tracing",
        7,
        "write `enable-distributed-tracing`",
    ),
    flag(
        "experimental-enable-lease-checkpoint",
        7,
        "write `feature-gates: \"InitialCorruptCheck=true,LeaseCheckpoint=true\"`",
    ),
    flag(
        "experimental-enable-lease-checkpoint-persist",
        7,
        "write `feature-gates: \"InitialCorruptCheck=true,LeaseCheckpoint=true,LeaseCheckpointPersist=true\"`",
    ),
    flag("experimental-enable-v2v3", 6, V2),
    flag(
        "experimental-initial-corrupt-check",
        7,
        "write `feature-gates: InitialCorruptCheck=true`",
    ),
    flag("experimental-memory-mlock", 7, "write `memory-mlock`"),
    flag(
        "experimental-peer-skip-client-san-verification",
        7,
        "write `peer-skip-client-san-verification`",
    ),
    // The file's name of it; the flag's is the next.
    flag(
        "experimental-snapshot-catch-up-entries",
        7,
        "write `snapshot-catchup-entries`",
    ),
    flag(
        "experimental-snapshot-catchup-entries",
        7,
        "write `snapshot-catchup-entries`",
    ),
    flag(
        "experimental-stop-grpc-service-on-defrag",
        7,
        "write `feature-gates: \"InitialCorruptCheck=true,StopGRPCServiceOnDefrag=true\"`",
    ),
    flag(
        "experimental-txn-mode-write-with-shared-buffer",
        7,
        "take it out, it is on by itself; \
         `feature-gates: \"InitialCorruptCheck=true,TxnModeWriteWithSharedBuffer=false\"` is off",
    ),
    flag(
        "experimental-warning-apply-duration",
        7,
        "write `warning-apply-duration`",
    ),
    flag(
        "experimental-warning-unary-request-duration",
        7,
        "write `warning-unary-request-duration`",
    ),
    flag(
        "experimental-watch-progress-notify-interval",
        7,
        "write `watch-progress-notify-interval`",
    ),
    flag("log-output", 5, "write `log-outputs`"),
    flag("log-package-levels", 5, "write `log-level`"),
    flag("proxy", 6, PROXY),
    flag("proxy-dial-timeout", 6, PROXY),
    flag("proxy-failure-wait", 6, PROXY),
    flag("proxy-read-timeout", 6, PROXY),
    flag("proxy-refresh-interval", 6, PROXY),
    flag("proxy-write-timeout", 6, PROXY),
];
