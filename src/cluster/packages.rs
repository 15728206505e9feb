//! Where software comes from.

use std::fmt;

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
    pub version: Release,
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

/// A release of a container runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// The `2` of 2.4.1.
    pub major: u64,
    /// The `4` of 2.4.1.
    pub minor: u64,
    /// The `1` of 2.4.1.
    pub patch: u64,
}

impl Release {
    /// Builds a release from its three numbers.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The release of a Debian package's version: `5:28.5.2-1~debian.12~bookworm`
    /// is 28.5.2, `1.6.20~ds1-1+b1` is 1.6.20. `None` when it does not begin
    /// with two numbers.
    #[must_use]
    pub fn of_package(version: &str) -> Option<Self> {
        let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
        let end = upstream.find(|c: char| !c.is_ascii_digit() && c != '.');
        let mut numbers = upstream[..end.unwrap_or(upstream.len())].split('.');
        let mut number = || numbers.next()?.parse().ok();
        Some(Self {
            major: number()?,
            minor: number()?,
            patch: number().unwrap_or(0),
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packages_version_tells_the_release() {
        for (text, release) in [
            ("1.6.20~ds1-1+deb12u1", Some("1.6.20")),
            ("1.7.24~ds1-6+b4", Some("1.7.24")),
            ("2.4.2-1", Some("2.4.2")),
            ("2.1.5-1~debian.12~bookworm", Some("2.1.5")),
            ("5:28.5.2-1~debian.12~bookworm", Some("28.5.2")),
            ("5:20.10.24~3-0~debian-bullseye", Some("20.10.24")),
            ("26.1.5+dfsg1-9+b4", Some("26.1.5")),
            ("2.0", Some("2.0.0")),
            ("2", None),
            ("unknown", None),
        ] {
            let found = Release::of_package(text).map(|release| release.to_string());
            assert_eq!(found.as_deref(), release, "{text}");
        }
    }
}
