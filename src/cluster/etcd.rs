//! Where etcd runs, where it comes from, and which version Kubernetes asks for.

use super::Version;

/// Where etcd runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// On the control planes, as static pods that kubeadm makes.
    Stacked,
    /// On the hosts with the role etcd, as a unit of systemd, from here.
    External(EtcdSource),
}

/// Where the program of an external etcd comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtcdSource {
    /// The distribution's packages (`etcd-server`, `etcd-client`).
    Distribution,
    /// A release archive, from upstream or a mirror of it.
    Archive(EtcdArchive),
}

/// A release archive of etcd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdArchive {
    /// What is in it.
    pub version: Version,
    /// Where it is. `{arch}` stands for the host's architecture (amd64, arm64).
    pub url: String,
    /// SHA-256, 64 lower-case hex digits. Where it is `None`, the file
    /// `SHA256SUMS` beside the archive says it.
    pub sha256: Option<String>,
}

/// Upstream's own archives.
pub const ETCD_RELEASES: &str = "https://github.com/etcd-io/etcd/releases/download/v{version}/etcd-v{version}-linux-{arch}.tar.gz";

/// What kubeadm bootstraps stacked clusters with, by the minor version of
/// Kubernetes.
///
/// Source: `SupportedVersion` and `DefaultVersion` in
/// cmd/kubeadm/app/constants/constants.go of kubernetes/kubernetes at v1.34.4
/// (for 1.31 to 1.34), v1.35.4, v1.36.3 and v1.37.2.
const BY_KUBERNETES: [(u64, Version); 7] = [
    (31, Version::new(3, 5, 24)),
    (32, Version::new(3, 5, 24)),
    (33, Version::new(3, 5, 24)),
    (34, Version::new(3, 6, 5)),
    (35, Version::new(3, 6, 6)),
    (36, Version::new(3, 6, 8)),
    (37, Version::new(3, 7, 0)),
];

/// What an external etcd is bootstrapped with, by the minor version of
/// Kubernetes: of the minor version that kubeadm bootstraps with the newest
/// patch that is known. A cluster of an older one could not go on to the next
/// minor version.
///
/// Source: the versions of go.etcd.io/etcd/server/v3, November 2026; of 3.7
/// what kubeadm 1.37 has.
const EXTERNAL: [(u64, Version); 3] = [
    (31, Version::new(3, 5, 35)),
    (34, Version::new(3, 6, 16)),
    (37, Version::new(3, 7, 0)),
];

/// The first patch of a minor version from which a cluster may go on to the
/// next one.
///
/// Source: etcd's upgrade guides for 3.6 and 3.7.
const STEPPING_STONES: [Version; 2] = [Version::new(3, 5, 32), Version::new(3, 6, 11)];

/// The oldest etcd that kubeadm takes: `MinExternalVersion` of the same
/// files, which first releases of 1.31 to 1.33 had lower.
pub const OLDEST_ETCD: Version = Version::new(3, 5, 24);

/// The etcd that kubeadm bootstraps a stacked cluster with, by the `34` of
/// Kubernetes 1.34. Releases that are not known yet ask for what the newest
/// known one does.
#[must_use]
pub fn stacked_etcd_version(kubernetes_minor: u64) -> Version {
    of(&BY_KUBERNETES, kubernetes_minor)
}

/// The etcd that kdiy bootstraps an external cluster with, by the `34` of
/// Kubernetes 1.34.
#[must_use]
pub fn external_etcd_version(kubernetes_minor: u64) -> Version {
    of(&EXTERNAL, kubernetes_minor)
}

/// The version that a member of version `from` has to have before it can
/// become one of version `to`; `None` where it can at once.
#[must_use]
pub fn stepping_stone(to: Version, from: Version) -> Option<Version> {
    let mut stones = STEPPING_STONES.into_iter();
    stones.find(|stone| *stone > from && to.is_later_minor_than(*stone))
}

fn of(table: &[(u64, Version)], minor: u64) -> Version {
    let mut known = table.iter().rev();
    let found = known.find(|(known, _)| *known <= minor);
    found.unwrap_or(&table[0]).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn each_release_of_kubernetes_asks_for_one_that_kubeadm_takes() {
        let of = |minor| stacked_etcd_version(minor).to_string();
        assert_eq!([31, 34, 36].map(of), ["3.5.24", "3.6.5", "3.6.8"]);
        assert_eq!([37, 40].map(of), ["3.7.0", "3.7.0"]);
        assert!(BY_KUBERNETES.iter().all(|(_, etcd)| *etcd >= OLDEST_ETCD));
    }

    #[test]
    fn an_external_etcd_can_go_on_with_kubernetes() {
        for minor in 31..40 {
            let (stacked, apart) = (stacked_etcd_version(minor), external_etcd_version(minor));
            assert_eq!(stacked.major_minor(), apart.major_minor(), "1.{minor}");
            assert!(apart >= stacked, "1.{minor}");
            let next = external_etcd_version(minor + 1);
            assert_eq!(stepping_stone(next, apart), None, "1.{minor}");
        }
    }

    #[test]
    fn a_cluster_goes_from_one_minor_version_to_the_next() {
        let stone = |to: &str, from: &str| stepping_stone(version(to), version(from));
        assert_eq!(stone("3.7.0", "3.6.8"), Some(version("3.6.11")));
        assert_eq!(stone("3.7.0", "3.6.11"), None);
        assert_eq!(stone("3.6.8", "3.5.24"), Some(version("3.5.32")));
        assert_eq!(stone("3.6.8", "3.5.32"), None);
        assert_eq!(stone("3.7.0", "3.5.40"), Some(version("3.6.11")));
        assert_eq!(stone("3.7.1", "3.7.0"), None);
        assert_eq!(stone("3.6.8", "3.7.0"), None);
    }
}
