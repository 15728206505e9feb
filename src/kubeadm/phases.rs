//! The phases of `kubeadm init` that kdiy runs one by one, without those that
//! the inventory leaves out: kubeadm itself heeds `skipPhases` only where it
//! runs all of them.
//!
//! Facts: cmd/kubeadm/app/cmd/phases of kubernetes/kubernetes at v1.31 to
//! v1.37; `kubeadm init --help` and `kubeadm join --help` of 1.37.2.

use crate::cluster::ResolvedCluster;

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
    /// gives the other one its rights.
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
            | Self::MarkControlPlane => &[],
            Self::KubeletFinalize => &["enable-client-cert-rotation"],
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
pub fn runs(resolved: &ResolvedCluster, phase: Phase) -> Vec<Vec<String>> {
    let skipped = &resolved.cluster.kubeadm.skip_phases;
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
        Phase::Kubeconfig | Phase::SuperAdmin | Phase::Etcd => each(),
        _ if parts.is_empty() => vec![vec![name.to_owned()]],
        _ if whole => vec![words("all")],
        _ => each(),
    };
    let argument = (phase == Phase::BootstrapToken).then(|| "--skip-token-print".to_owned());
    let with_argument = |mut run: Vec<String>| {
        run.extend(argument.clone());
        run
    };
    runs.into_iter().map(with_argument).collect()
}

/// The names in `skipPhases` that `kubeadm join` knows: it refuses others.
pub fn of_join(skipped: &[String]) -> Vec<&str> {
    known(skipped, JOIN)
}

/// The names in `skipPhases` that `kubeadm init` knows: it refuses others.
pub fn of_init(skipped: &[String]) -> Vec<&str> {
    known(skipped, INIT)
}

fn known<'s>(skipped: &'s [String], names: &[&str]) -> Vec<&'s str> {
    let known = skipped.iter().map(String::as_str);
    known.filter(|name| names.contains(name)).collect()
}

/// All phases of `kubeadm init`, as `skipPhases` names them: the same in all
/// versions that kdiy installs.
pub const INIT: &[&str] = &[
    "preflight",
    "certs",
    "certs/ca",
    "certs/apiserver",
    "certs/apiserver-kubelet-client",
    "certs/front-proxy-ca",
    "certs/front-proxy-client",
    "certs/etcd-ca",
    "certs/etcd-server",
    "certs/etcd-peer",
    "certs/etcd-healthcheck-client",
    "certs/apiserver-etcd-client",
    "certs/sa",
    "kubeconfig",
    "kubeconfig/admin",
    "kubeconfig/super-admin",
    "kubeconfig/kubelet",
    "kubeconfig/controller-manager",
    "kubeconfig/scheduler",
    "etcd",
    "etcd/local",
    "control-plane",
    "control-plane/apiserver",
    "control-plane/controller-manager",
    "control-plane/scheduler",
    "kubelet-start",
    "wait-control-plane",
    "upload-config",
    "upload-config/kubeadm",
    "upload-config/kubelet",
    "upload-certs",
    "mark-control-plane",
    "bootstrap-token",
    "kubelet-finalize",
    "kubelet-finalize/enable-client-cert-rotation",
    "addon",
    "addon/coredns",
    "addon/kube-proxy",
    "show-join-command",
];

/// All phases of `kubeadm join`, likewise; `control-plane-join/etcd`, which was
/// empty, is gone in 1.36.
pub const JOIN: &[&str] = &[
    "preflight",
    "control-plane-prepare",
    "control-plane-prepare/download-certs",
    "control-plane-prepare/certs",
    "control-plane-prepare/kubeconfig",
    "control-plane-prepare/control-plane",
    "check-etcd",
    "kubelet-start",
    "etcd-join",
    "kubelet-wait-bootstrap",
    "control-plane-join",
    "control-plane-join/mark-control-plane",
    "wait-control-plane",
];

fn kept(parts: &[&'static str], below: &str, skipped: &[String]) -> Vec<&'static str> {
    let kept = |part: &&str| !skipped.iter().any(|one| *one == format!("{below}{part}"));
    parts.iter().copied().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Version;
    use crate::kubeadm::tests::few;

    fn said(skipped: &[&str], phase: Phase) -> Vec<String> {
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.kubeadm.skip_phases = skipped.iter().map(|s| (*s).to_owned()).collect();
        runs(&resolved, phase)
            .iter()
            .map(|words| words.join(" "))
            .collect()
    }

    #[test]
    fn a_phase_runs_as_a_whole_unless_a_part_is_left_out() {
        assert_eq!(said(&[], Phase::Addon), ["addon all"]);
        assert_eq!(said(&["addon/coredns"], Phase::Addon), ["addon kube-proxy"]);
        assert_eq!(said(&["addon"], Phase::Addon), [""; 0]);
        assert_eq!(said(&["addon/coredns"], Phase::Certs), ["certs all"]);
        assert_eq!(said(&["preflight"], Phase::Preflight), [""; 0]);
        assert_eq!(said(&["etcd/local"], Phase::Etcd), [""; 0]);
        assert_eq!(said(&[], Phase::KubeletFinalize), ["kubelet-finalize all"]);
        let its_one = ["kubelet-finalize/enable-client-cert-rotation"];
        assert_eq!(said(&its_one, Phase::KubeletFinalize), [""; 0]);
        assert_eq!(said(&["certs/sa"], Phase::Certs).len(), 10);
    }

    #[test]
    fn the_administrator_without_limits_is_made_where_it_is_asked_for() {
        let plain = said(&[], Phase::Kubeconfig);
        assert_eq!(plain.len(), 4);
        assert!(
            !plain.iter().any(|words| words.contains("super")),
            "{plain:?}"
        );
        assert_eq!(said(&[], Phase::SuperAdmin), ["kubeconfig super-admin"]);
        assert_eq!(said(&["kubeconfig"], Phase::SuperAdmin), [""; 0]);
    }

    #[test]
    fn no_token_is_printed() {
        let words = said(&[], Phase::BootstrapToken);
        assert_eq!(words, ["bootstrap-token --skip-token-print"]);
    }

    #[test]
    fn the_parts_that_run_are_known_to_kubeadm() {
        for phase in [
            Phase::Preflight,
            Phase::Certs,
            Phase::Kubeconfig,
            Phase::SuperAdmin,
            Phase::Etcd,
            Phase::ControlPlane,
            Phase::KubeletStart,
            Phase::UploadConfig,
            Phase::BootstrapToken,
            Phase::Addon,
            Phase::MarkControlPlane,
            Phase::KubeletFinalize,
        ] {
            let name = phase.name();
            assert!(INIT.contains(&name), "{name}");
            for part in phase.parts() {
                let part = format!("{name}/{part}");
                assert!(INIT.contains(&part.as_str()), "{part}");
            }
        }
    }

    #[test]
    fn init_and_join_are_given_their_own_phases_alone() {
        let skipped = ["preflight", "addon/coredns", "etcd-join"].map(str::to_owned);
        assert_eq!(of_init(&skipped), ["preflight", "addon/coredns"]);
        assert_eq!(of_join(&skipped), ["preflight", "etcd-join"]);
    }
}
