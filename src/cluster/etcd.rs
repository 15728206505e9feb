//! Where etcd runs, where it comes from, and which version Kubernetes asks for.

use std::fmt;
use std::str::FromStr;

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
    pub version: EtcdVersion,
    /// Where it is. `{arch}` stands for the host's architecture (amd64, arm64).
    pub url: String,
    /// SHA-256, 64 lower-case hex digits. Where it is `None`, the file
    /// `SHA256SUMS` beside the archive says it.
    pub sha256: Option<String>,
}

/// Upstream's own archives.
pub const ETCD_RELEASES: &str = "https://github.com/etcd-io/etcd/releases/download/v{version}/etcd-v{version}-linux-{arch}.tar.gz";

/// A release of etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EtcdVersion {
    major: u64,
    minor: u64,
    patch: u64,
}

/// What kubeadm founds stacked clusters with, by the minor version of
/// Kubernetes.
///
/// Source: `SupportedEtcdVersion` and `DefaultEtcdVersion` in
/// cmd/kubeadm/app/constants/constants.go of kubernetes/kubernetes at v1.34.4
/// (for 1.31 to 1.34), v1.35.4, v1.36.3 and v1.37.2.
const BY_KUBERNETES: [(u64, EtcdVersion); 7] = [
    (31, EtcdVersion::new(3, 5, 24)),
    (32, EtcdVersion::new(3, 5, 24)),
    (33, EtcdVersion::new(3, 5, 24)),
    (34, EtcdVersion::new(3, 6, 5)),
    (35, EtcdVersion::new(3, 6, 6)),
    (36, EtcdVersion::new(3, 6, 8)),
    (37, EtcdVersion::new(3, 7, 0)),
];

/// What an external etcd is founded with, by the minor version of Kubernetes: of
/// the minor version that kubeadm founds with the newest patch that is known. A
/// cluster of an older one could not go on to the next minor version.
///
/// Source: the versions of go.etcd.io/etcd/server/v3, November 2026; of 3.7 what
/// kubeadm 1.37 has.
const APART: [(u64, EtcdVersion); 3] = [
    (31, EtcdVersion::new(3, 5, 35)),
    (34, EtcdVersion::new(3, 6, 16)),
    (37, EtcdVersion::new(3, 7, 0)),
];

/// The first patch of a minor version from which a cluster may go on to the
/// next one.
///
/// Source: etcd's upgrade guides for 3.6 and 3.7.
const STEPPING_STONES: [EtcdVersion; 2] = [EtcdVersion::new(3, 5, 32), EtcdVersion::new(3, 6, 11)];

impl EtcdVersion {
    /// The oldest that kubeadm takes: `MinExternalEtcdVersion` of the same
    /// files, which first releases of 1.31 to 1.33 had lower.
    pub const OLDEST: Self = Self::new(3, 5, 24);

    /// Builds a version from its three numbers.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// What kubeadm founds a stacked cluster with, by the `34` of 1.34. Releases
    /// that are not known yet ask for what the newest known one does.
    #[must_use]
    pub fn of_kubernetes(minor: u64) -> Self {
        of(&BY_KUBERNETES, minor)
    }

    /// What kdiy founds an external cluster with, by the `34` of 1.34.
    #[must_use]
    pub fn apart(minor: u64) -> Self {
        of(&APART, minor)
    }

    /// Its major and minor version.
    #[must_use]
    pub const fn minor(self) -> (u64, u64) {
        (self.major, self.minor)
    }

    /// Whether it is of a later minor version than another one.
    #[must_use]
    pub fn outgrows(self, other: Self) -> bool {
        self.minor() > other.minor()
    }

    /// The version that a member has to have before it can become this one;
    /// `None` where a member of version `from` can.
    #[must_use]
    pub fn stepping_stone(self, from: Self) -> Option<Self> {
        let mut stones = STEPPING_STONES.into_iter();
        stones.find(|stone| *stone > from && self.outgrows(*stone))
    }
}

fn of(table: &[(u64, EtcdVersion)], minor: u64) -> EtcdVersion {
    let mut known = table.iter().rev();
    let found = known.find(|(known, _)| *known <= minor);
    found.unwrap_or(&table[0]).1
}

impl FromStr for EtcdVersion {
    type Err = ();

    /// Reads `3.6.8` and `v3.6.8`; of a package's version (`3.5.16-4+b1`,
    /// `3.6.8~rc1`) what stands before the first other sign.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().trim_start_matches('v');
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let mut numbers = text[..end.unwrap_or(text.len())].split('.');
        let mut number = || numbers.next().and_then(|n| n.parse().ok()).ok_or(());
        let version = Self::new(number()?, number()?, number()?);
        match numbers.next() {
            None => Ok(version),
            Some(_) => Err(()),
        }
    }
}

impl fmt::Display for EtcdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> EtcdVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_read_as_upstream_and_packages_write_them() {
        for (text, expected) in [
            ("3.6.8", "3.6.8"),
            ("v3.7.0", "3.7.0"),
            ("3.5.16-4+b1", "3.5.16"),
            ("3.4.30-1ubuntu0.24.04.2", "3.4.30"),
            ("3.4.23+dfsg-4", "3.4.23"),
        ] {
            assert_eq!(version(text).to_string(), expected);
        }
        for text in ["", "3.6", "3.6.8.1", "latest", "3.x.1", "-1"] {
            assert_eq!(text.parse::<EtcdVersion>(), Err(()), "{text}");
        }
        assert!(version("3.6.11") > version("3.6.8"));
    }

    #[test]
    fn each_release_of_kubernetes_asks_for_one_that_kubeadm_takes() {
        let of = |minor| EtcdVersion::of_kubernetes(minor).to_string();
        assert_eq!([31, 34, 36].map(of), ["3.5.24", "3.6.5", "3.6.8"]);
        assert_eq!([37, 40].map(of), ["3.7.0", "3.7.0"]);
        assert!(
            BY_KUBERNETES
                .iter()
                .all(|(_, etcd)| *etcd >= EtcdVersion::OLDEST)
        );
    }

    #[test]
    fn an_external_etcd_can_go_on_with_kubernetes() {
        for minor in 31..40 {
            let (stacked, apart) = (EtcdVersion::of_kubernetes(minor), EtcdVersion::apart(minor));
            assert_eq!(stacked.minor(), apart.minor(), "1.{minor}");
            assert!(apart >= stacked, "1.{minor}");
            let next = EtcdVersion::apart(minor + 1);
            assert_eq!(next.stepping_stone(apart), None, "1.{minor}");
        }
    }

    #[test]
    fn a_cluster_goes_from_one_minor_version_to_the_next() {
        let stone = |to: &str, from: &str| version(to).stepping_stone(version(from));
        assert_eq!(stone("3.7.0", "3.6.8"), Some(version("3.6.11")));
        assert_eq!(stone("3.7.0", "3.6.11"), None);
        assert_eq!(stone("3.6.8", "3.5.24"), Some(version("3.5.32")));
        assert_eq!(stone("3.6.8", "3.5.32"), None);
        assert_eq!(stone("3.7.0", "3.5.40"), Some(version("3.6.11")));
        assert_eq!(stone("3.7.1", "3.7.0"), None);
        assert_eq!(stone("3.6.8", "3.7.0"), None);
    }
}
