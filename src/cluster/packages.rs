//! Where software comes from.

use super::Version;

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
    Containerd(Containerd),
    /// Docker Engine, with cri-dockerd between it and the kubelet.
    Docker {
        /// Where the engine comes from: `docker.io` or `docker-ce`.
        origin: Origin,
        /// The Debian package of cri-dockerd.
        cri_dockerd: Download,
    },
    /// CRI-O, from its project's repository.
    CriO(AptSource),
}

/// Where containerd comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Containerd {
    /// A package.
    Packages(Origin),
    /// The project's release archive.
    Archive(Archive),
}

/// containerd's release archive, as the project lays it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The version that its name says.
    pub version: Version,
    /// The archive.
    pub containerd: Download,
    /// The program runc, which the archive does not hold; `None` is the
    /// distribution's package.
    pub runc: Option<Download>,
}

/// Where a runtime's packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The distribution.
    Distribution,
    /// Packages named as the distribution's, from another repository.
    Repository(AptSource),
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
