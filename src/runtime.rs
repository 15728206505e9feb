//! Container runtimes: what is installed and configured for each.
//!
//! One file a runtime; a variant of [`crate::cluster::Runtime`] chooses. The
//! CNI plugins of all are in /opt/cni/bin, where the package kubernetes-cni,
//! which kubelet's depends on, puts them. All are spoken to by crictl, of the
//! package cri-tools.

pub mod containerd;
pub mod crio;
pub mod docker;
mod proxy;

use serde::Serialize;

use crate::cluster::{AptSource, Containerd, Origin, ResolvedCluster, Runtime, Version};
use crate::resource::Rival;
use crate::template::{HostFile, render};

pub use proxy::{no_proxy, no_proxy_among};

/// The command that shows all containers of a host.
pub const LIST: &str = "crictl ps -a";

/// What the rest of kdiy has to know about a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the inventory, and in the status of nodes.
    pub name: &'static str,
    /// Its socket as kubeadm is told of it (`criSocket`), a URL.
    pub socket: &'static str,
    /// The package whose version is the runtime's; `None` where the runtime is
    /// not in a package.
    pub main: Option<&'static str>,
    /// All packages that hold it.
    pub packages: &'static [&'static str],
    /// Packages that cannot be installed beside those.
    pub rivals: &'static [Rival],
}

/// A systemd unit of a runtime with the files that it reads. It is restarted
/// when one of them changes, after `systemctl daemon-reload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Name of the runtime, such as `containerd`.
    pub name: &'static str,
    /// Its files.
    pub files: Vec<HostFile>,
}

/// What of a host makes a difference to its runtime's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Host {
    /// Whether it may not lower the OOM score of a process (no
    /// CAP_SYS_RESOURCE, as in containers): without being told so, pods of
    /// high priority do not start there. Only containerd can be told.
    pub confined: bool,
    /// The release that is or will be installed, where that is known.
    pub release: Option<Version>,
    /// `version` of containerd's configuration that stays: a newer format
    /// alone is no reason to restart what runs pods.
    pub format: Option<u8>,
}

/// What is to be known about a runtime.
#[must_use]
pub const fn profile(runtime: &Runtime) -> Profile {
    match runtime {
        Runtime::Containerd(source) => containerd::profile(source),
        Runtime::Docker { origin, .. } => docker::profile(origin),
        Runtime::CriO(_) => crio::PROFILE,
    }
}

/// The apt repository that its packages come from; `None` is the
/// distribution's.
#[must_use]
pub const fn source(runtime: &Runtime) -> Option<&AptSource> {
    match runtime {
        Runtime::Containerd(Containerd::Packages(origin)) | Runtime::Docker { origin, .. } => {
            match origin {
                Origin::Distribution => None,
                Origin::Repository(source) | Origin::Docker(source) => Some(source),
            }
        }
        Runtime::Containerd(Containerd::Archive(_)) => None,
        Runtime::CriO(source) => Some(source),
    }
}

/// The repository whose packages are preferred to the distribution's of the
/// same name.
#[must_use]
pub const fn preferred(runtime: &Runtime) -> Option<&AptSource> {
    match runtime {
        Runtime::Containerd(Containerd::Packages(Origin::Repository(source)))
        | Runtime::Docker {
            origin: Origin::Repository(source),
            ..
        } => Some(source),
        _ => None,
    }
}

/// Its units, in the order in which they start.
#[must_use]
pub fn units(resolved: &ResolvedCluster, host: Host) -> Vec<Unit> {
    match &resolved.cluster.runtime {
        Runtime::Containerd(source) => containerd::units(resolved, source, host),
        Runtime::Docker { .. } => docker::units(resolved),
        Runtime::CriO(_) => crio::units(resolved),
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
