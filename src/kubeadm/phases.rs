//! The phases of `kubeadm init` that kdiy runs one by one, without those that
//! the inventory leaves out: kubeadm itself heeds `skipPhases` only where it
//! runs all of them.
//!
//! Facts: cmd/kubeadm/app/cmd/phases/init of kubernetes/kubernetes at v1.20,
//! v1.29 and v1.34.

use super::phase_arguments;
use crate::cluster::{Settled, Version};

/// A phase of `kubeadm init`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// kubeadm's own checks of the host.
    Preflight,
    /// Leaf certificates, by the authorities that are there.
    Certs,
    /// Kubeconfigs of the components, and the administrator's.
    Kubeconfig,
    /// That of the administrator without limits, by which one control plane
    /// gives the other one its rights; before 1.29 there is none.
    SuperAdmin,
    /// The manifest of a stacked member.
    Etcd,
    /// The manifests of the other components.
    ControlPlane,
    /// Configuration and start of the kubelet.
    KubeletStart,
    /// kubeadm's and the kubelets' configuration to the cluster, and what a
    /// node's object says of its runtime.
    UploadConfig,
    /// The token for joins, and the rights that it gives.
    BootstrapToken,
    /// kube-proxy and CoreDNS.
    Addon,
    /// Label and taint of this control plane.
    MarkControlPlane,
    /// The kubelet renews its certificate from now on.
    KubeletFinalize,
}

/// The version that parted the two administrators.
const SUPER_ADMIN: Version = Version::new(1, 29, 0);

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Certs => "certs",
            Self::Kubeconfig | Self::SuperAdmin => "kubeconfig",
            Self::Etcd => "etcd",
            Self::ControlPlane => "control-plane",
            Self::KubeletStart => "kubelet-start",
            Self::UploadConfig => "upload-config",
            Self::BootstrapToken => "bootstrap-token",
            Self::Addon => "addon",
            Self::MarkControlPlane => "mark-control-plane",
            Self::KubeletFinalize => "kubelet-finalize",
        }
    }

    /// Its parts, where it has any.
    const fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Preflight
            | Self::KubeletStart
            | Self::BootstrapToken
            | Self::MarkControlPlane
            // It has one, with a name that changed.
            | Self::KubeletFinalize => &[],
            Self::Certs => &[
                "ca",
                "apiserver",
                "apiserver-kubelet-client",
                "front-proxy-ca",
                "front-proxy-client",
                "etcd-ca",
                "etcd-server",
                "etcd-peer",
                "etcd-healthcheck-client",
                "apiserver-etcd-client",
                "sa",
            ],
            Self::Kubeconfig => &["admin", "kubelet", "controller-manager", "scheduler"],
            Self::SuperAdmin => &["super-admin"],
            Self::Etcd => &["local"],
            Self::ControlPlane => &["apiserver", "controller-manager", "scheduler"],
            Self::UploadConfig => &["kubeadm", "kubelet"],
            Self::Addon => &["coredns", "kube-proxy"],
        }
    }
}

/// The words after `kubeadm init phase`, for each of its runs; the
/// configuration comes after them.
#[must_use]
pub fn runs(settled: &Settled, phase: Phase) -> Vec<Vec<String>> {
    let skipped = &settled.cluster.kubeadm.skip_phases;
    let (name, parts) = (phase.name(), phase.parts());
    let leaves_out = |what: &str| skipped.iter().any(|skipped| skipped == what);
    if leaves_out(name) {
        return Vec::new();
    }
    let below = format!("{name}/");
    let whole = !skipped.iter().any(|skipped| skipped.starts_with(&below));
    let words = |part: &str| vec![name.to_owned(), part.to_owned()];
    let each = || {
        kept(parts, &below, skipped)
            .into_iter()
            .map(words)
            .collect()
    };
    let runs = match phase {
        Phase::KubeletFinalize if whole => vec![words("all")],
        Phase::KubeletFinalize => Vec::new(),
        Phase::SuperAdmin if settled.version < SUPER_ADMIN => Vec::new(),
        Phase::Kubeconfig if settled.version >= SUPER_ADMIN => each(),
        Phase::SuperAdmin | Phase::Etcd => each(),
        _ if parts.is_empty() => vec![vec![name.to_owned()]],
        _ if whole => vec![words("all")],
        _ => each(),
    };
    let arguments = match phase {
        Phase::Etcd | Phase::ControlPlane => phase_arguments(settled),
        Phase::BootstrapToken => vec!["--skip-token-print".to_owned()],
        _ => Vec::new(),
    };
    let with_arguments = |mut run: Vec<String>| {
        run.extend(arguments.iter().cloned());
        run
    };
    runs.into_iter().map(with_arguments).collect()
}

fn kept(parts: &[&'static str], below: &str, skipped: &[String]) -> Vec<&'static str> {
    let kept = |part: &&str| !skipped.iter().any(|one| *one == format!("{below}{part}"));
    parts.iter().copied().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubeadm::tests::few;

    fn said(version: Version, skipped: &[&str], phase: Phase) -> Vec<String> {
        let mut settled = few(version);
        settled.cluster.kubeadm.skip_phases = skipped.iter().map(|s| (*s).to_owned()).collect();
        runs(&settled, phase)
            .iter()
            .map(|words| words.join(" "))
            .collect()
    }

    const OLD: Version = Version::new(1, 20, 2);
    const NEW: Version = Version::new(1, 34, 1);

    #[test]
    fn a_phase_runs_as_a_whole_unless_a_part_is_left_out() {
        assert_eq!(said(OLD, &[], Phase::Addon), ["addon all"]);
        assert_eq!(
            said(OLD, &["addon/coredns"], Phase::Addon),
            ["addon kube-proxy"]
        );
        assert_eq!(said(OLD, &["addon"], Phase::Addon), [""; 0]);
        assert_eq!(said(OLD, &["addon/coredns"], Phase::Certs), ["certs all"]);
        assert_eq!(said(OLD, &["preflight"], Phase::Preflight), [""; 0]);
        assert_eq!(said(OLD, &["etcd/local"], Phase::Etcd), [""; 0]);
        assert_eq!(
            said(OLD, &[], Phase::KubeletFinalize),
            ["kubelet-finalize all"]
        );
        let renamed = ["kubelet-finalize/enable-client-cert-rotation"];
        assert_eq!(said(NEW, &renamed, Phase::KubeletFinalize), [""; 0]);
        assert_eq!(said(NEW, &["certs/sa"], Phase::Certs).len(), 10);
    }

    #[test]
    fn the_administrator_without_limits_is_made_where_it_is_asked_for() {
        assert_eq!(said(OLD, &[], Phase::Kubeconfig), ["kubeconfig all"]);
        assert_eq!(said(OLD, &[], Phase::SuperAdmin), [""; 0]);
        let plain = said(NEW, &[], Phase::Kubeconfig);
        assert_eq!(plain.len(), 4);
        assert!(
            !plain.iter().any(|words| words.contains("super")),
            "{plain:?}"
        );
        assert_eq!(
            said(NEW, &[], Phase::SuperAdmin),
            ["kubeconfig super-admin"]
        );
        assert_eq!(said(NEW, &["kubeconfig"], Phase::SuperAdmin), [""; 0]);
    }

    #[test]
    fn no_token_is_printed() {
        let words = said(NEW, &[], Phase::BootstrapToken);
        assert_eq!(words, ["bootstrap-token --skip-token-print"]);
    }
}
