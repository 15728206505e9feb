//! Kubernetes versions, and which of them kdiy installs.

use std::fmt;

/// What the inventory asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionSpec {
    /// `1.34`: the newest patch of the repository, or the one that runs.
    Minor(u64, u64),
    /// `1.34.1`.
    Exact(Version),
}

/// An exact release of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Always 1 so far.
    pub major: u64,
    /// The `34` of 1.34.1.
    pub minor: u64,
    /// The `1` of 1.34.1.
    pub patch: u64,
}

/// The oldest minor version that kdiy installs: the first one whose kubeadm
/// reads kubeadm.k8s.io/v1beta4.
pub const OLDEST_MINOR: u64 = 31;

/// The oldest minor version that kdiy was tried with.
pub const OLDEST_TRIED_MINOR: u64 = 34;

/// The newest minor version that kdiy was tried with.
pub const NEWEST_MINOR: u64 = 37;

impl Version {
    /// Builds a version from its three numbers.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl VersionSpec {
    /// The minor version that was asked for, as (major, minor).
    #[must_use]
    pub const fn minor(self) -> (u64, u64) {
        match self {
            Self::Minor(major, minor) => (major, minor),
            Self::Exact(version) => (version.major, version.minor),
        }
    }

    /// Whether an exact release is what was asked for.
    #[must_use]
    pub fn admits(self, version: Version) -> bool {
        match self {
            Self::Minor(major, minor) => (version.major, version.minor) == (major, minor),
            Self::Exact(exact) => exact == version,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for VersionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minor(major, minor) => write!(f, "{major}.{minor}"),
            Self::Exact(version) => version.fmt(f),
        }
    }
}
