//! Where software comes from.

/// Where Kubernetes' packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    /// Base URL of a flat apt repository for the wanted minor version.
    pub url: String,
    /// Key that signs it.
    pub key: PackageKey,
    /// Whether kubeadm, kubelet, kubectl and the runtime are held.
    pub hold: bool,
}

/// The key of a package repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageKey {
    /// Armored text, read from a file beside the inventory.
    Armored(String),
    /// Fetched by the host over https and accepted by its fingerprint only.
    Pinned {
        /// Where it is.
        url: String,
        /// Forty upper-case hex digits.
        fingerprint: String,
    },
}

/// Container runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// containerd.
    Containerd(Origin),
    /// Docker Engine, through the kubelet's dockershim before 1.24, through
    /// cri-dockerd from then on.
    Docker {
        /// Where the engine comes from: `docker.io` or `docker-ce`.
        origin: Origin,
        /// The Debian package of cri-dockerd; there exactly from 1.24 on.
        cri_dockerd: Option<Download>,
    },
    /// CRI-O, from its project's repository.
    CriO(AptSource),
}

/// Where a runtime's packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The distribution.
    Distribution,
    /// Docker's own repository, or a mirror of it.
    Docker(AptSource),
}

/// An apt repository. `{os}` (debian, ubuntu) and `{codename}` (bookworm) in
/// its texts stand for those of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptSource {
    /// Base URL.
    pub url: String,
    /// Suite and components, such as `{codename} stable`; `/` when it is flat.
    pub suite: String,
    /// Key that signs it.
    pub key: PackageKey,
}

/// A file to download, accepted by its hash only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Where it is. `{arch}` stands for the host's architecture (amd64, arm64).
    pub url: String,
    /// SHA-256, 64 lower-case hex digits.
    pub sha256: String,
}
