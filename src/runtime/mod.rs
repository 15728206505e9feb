//! Container runtimes: what is installed and configured for each.
//!
//! One file a runtime; a variant of [`crate::cluster::Runtime`] chooses. The
//! CNI plugins of all are in /opt/cni/bin, where the package kubernetes-cni,
//! which kubelet's depends on, puts them.

mod containerd;
mod crio;
mod docker;
mod proxy;

use serde::Serialize;

use crate::cluster::{AptSource, Download, Origin, Runtime, Settled};
use crate::resource::Rival;
use crate::template::{HostFile, render};

pub use proxy::no_proxy;

/// What the rest of kdiy has to know about a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the inventory, and in the status of nodes.
    pub name: &'static str,
    /// Its socket as kubeadm is told of it (`criSocket`). kubeadm makes the
    /// kubelet's flags from it, those of dockershim included.
    pub socket: &'static str,
    /// The packages that hold it.
    pub packages: &'static [&'static str],
    /// Packages that cannot be installed beside those.
    pub rivals: &'static [Rival],
    /// The command that pulls the image whose name is appended; it works
    /// before there is a kubelet.
    pub pull: &'static str,
    /// The command that shows all containers of a host.
    pub list: &'static str,
}

/// A systemd unit of a runtime with the files that it reads. It is restarted
/// when one of them changes, after `systemctl daemon-reload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name.
    pub name: &'static str,
    /// Its files.
    pub files: Vec<HostFile>,
}

/// What is to be known about a runtime.
#[must_use]
pub const fn profile(runtime: &Runtime) -> Profile {
    match runtime {
        Runtime::Containerd(origin) => containerd::profile(origin),
        Runtime::Docker {
            origin,
            cri_dockerd,
        } => docker::profile(origin, cri_dockerd.is_some()),
        Runtime::CriO(_) => crio::PROFILE,
    }
}

/// The apt repository that its packages come from; `None` is the
/// distribution's.
#[must_use]
pub const fn source(runtime: &Runtime) -> Option<&AptSource> {
    match runtime {
        Runtime::Containerd(origin) | Runtime::Docker { origin, .. } => match origin {
            Origin::Distribution => None,
            Origin::Docker(source) => Some(source),
        },
        Runtime::CriO(source) => Some(source),
    }
}

/// The package that is in no repository, with its name.
#[must_use]
pub const fn download(runtime: &Runtime) -> Option<(&'static str, &Download)> {
    match runtime {
        Runtime::Docker {
            cri_dockerd: Some(download),
            ..
        } => Some((docker::CRI_DOCKERD, download)),
        Runtime::Docker { .. } | Runtime::Containerd(_) | Runtime::CriO(_) => None,
    }
}

/// Its units, in the order in which they start.
///
/// `confined` is for hosts that may not lower the OOM score of a process (no
/// CAP_SYS_RESOURCE, as in containers): without it pods of high priority do
/// not start there. Only containerd can be told.
#[must_use]
pub fn units(settled: &Settled, confined: bool) -> Vec<Unit> {
    match &settled.cluster.runtime {
        Runtime::Containerd(_) => containerd::units(settled, confined),
        Runtime::Docker { cri_dockerd, .. } => docker::units(settled, cri_dockerd.is_some()),
        Runtime::CriO(_) => crio::units(settled),
    }
}

#[derive(Serialize)]
struct Crictl {
    socket: &'static str,
}

/// Where crictl finds the runtime, as a URL.
fn crictl(socket: &'static str) -> HostFile {
    HostFile::public(
        "/etc/crictl.yaml",
        render("runtime/crictl.yaml", &Crictl { socket }),
    )
}

/// A package and the wanted one that it conflicts with.
const fn rival(name: &'static str, with: &'static str) -> Rival {
    Rival { name, with }
}

#[cfg(test)]
mod tests;
