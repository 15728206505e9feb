//! Versions of Kubernetes, etcd and container runtimes, and which of
//! Kubernetes kdiy installs.

use std::fmt;
use std::str::FromStr;

/// What the inventory asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionSpec {
    /// `1.34`: the newest patch of the repository, or the one that runs.
    Minor(u64, u64),
    /// `1.34.1`.
    Exact(Version),
}

/// The version of a release of Kubernetes, etcd or a container runtime:
/// `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The `1` of 1.34.2.
    pub major: u64,
    /// The `34` of 1.34.2.
    pub minor: u64,
    /// The `2` of 1.34.2.
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

    /// Its major and minor number.
    #[must_use]
    pub const fn major_minor(self) -> (u64, u64) {
        (self.major, self.minor)
    }

    /// Whether it is of a later minor version than another one.
    #[must_use]
    pub fn is_later_minor_than(self, other: Self) -> bool {
        self.major_minor() > other.major_minor()
    }

    /// The version of a Debian package's upstream:
    /// `5:28.5.2-1~debian.12~bookworm` is 28.5.2, `1.6.20~ds1-1+b1` is 1.6.20.
    /// `None` when it does not begin with two numbers.
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

impl FromStr for Version {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
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
            assert_eq!(text.parse::<Version>(), Err(()), "{text}");
        }
        assert!(version("3.6.11") > version("3.6.8"));
    }

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
            let found = Version::of_package(text).map(|release| release.to_string());
            assert_eq!(found.as_deref(), release, "{text}");
        }
    }
}
