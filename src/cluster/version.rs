//! Kubernetes versions, and the kubeadm API that each one speaks.

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

/// Versions of kubeadm's configuration API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubeadmApi {
    /// 1.20 and 1.21.
    V1Beta2,
    /// 1.22 to 1.30.
    V1Beta3,
    /// 1.31 and later.
    V1Beta4,
}

/// The oldest minor version that kdiy installs.
pub const OLDEST_MINOR: u64 = 20;

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

    /// The kubeadm API that this release is configured with.
    #[must_use]
    pub const fn kubeadm_api(self) -> KubeadmApi {
        match self.minor {
            ..=21 => KubeadmApi::V1Beta2,
            22..=30 => KubeadmApi::V1Beta3,
            _ => KubeadmApi::V1Beta4,
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

impl KubeadmApi {
    /// The `apiVersion` of its documents.
    #[must_use]
    pub const fn group_version(self) -> &'static str {
        match self {
            Self::V1Beta2 => "kubeadm.k8s.io/v1beta2",
            Self::V1Beta3 => "kubeadm.k8s.io/v1beta3",
            Self::V1Beta4 => "kubeadm.k8s.io/v1beta4",
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
