//! Container runtimes: what is installed and configured for each.
//!
//! One file a runtime; a variant of [`crate::cluster::Runtime`] chooses.

pub mod containerd;

use crate::cluster::{Runtime, Settled};
use crate::template::HostFile;

/// The socket that kubelet, kubeadm and crictl talk to, as a URL.
#[must_use]
pub const fn socket(runtime: &Runtime) -> &'static str {
    match runtime {
        Runtime::Containerd(_) => containerd::SOCKET,
        Runtime::Docker { .. } | Runtime::CriO(_) => unreachable!(),
    }
}

/// The systemd unit that runs it.
#[must_use]
pub const fn unit(runtime: &Runtime) -> &'static str {
    match runtime {
        Runtime::Containerd(_) => "containerd.service",
        Runtime::Docker { .. } | Runtime::CriO(_) => unreachable!(),
    }
}

/// The distribution's packages that hold it.
#[must_use]
pub const fn packages(runtime: &Runtime) -> &'static [&'static str] {
    match runtime {
        Runtime::Containerd(_) => &["containerd"],
        Runtime::Docker { .. } | Runtime::CriO(_) => unreachable!(),
    }
}

/// Its configuration; the unit is restarted when one of these files changes,
/// after `systemctl daemon-reload`.
///
/// `restrict_oom_score_adj` is for hosts that may not lower the OOM score of
/// a process (no CAP_SYS_RESOURCE, as in containers): without it pods of high
/// priority do not start there.
#[must_use]
pub fn files(settled: &Settled, restrict_oom_score_adj: bool) -> Vec<HostFile> {
    match &settled.cluster.runtime {
        Runtime::Containerd(_) => containerd::files(settled, restrict_oom_score_adj),
        Runtime::Docker { .. } | Runtime::CriO(_) => unreachable!(),
    }
}
