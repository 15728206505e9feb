//! Where packages come from.

use super::super::runtime::{Kind, RawRuntime, Vendor};
use super::super::sources::RawPackages;
use crate::cluster::{AptSource, Containerd, Origin, PackageKey, Packages, Runtime, VersionSpec};

/// The project's own repository, one for each minor version.
const UPSTREAM: &str = "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/";
const UPSTREAM_KEY: &str = "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/Release.key";
/// Key of the Open Build Service project `isv:kubernetes`, which signs all of
/// pkgs.k8s.io; as the install guides of many projects pin it.
const UPSTREAM_FINGERPRINT: &str = "DE15B14486CD377B9E876E1A234654DA9A296436";

/// Docker's own repository, of engine and containerd alike.
const DOCKER: &str = "https://download.docker.com/linux/{os}";
/// The same for every distribution.
const DOCKER_KEY: &str = "https://download.docker.com/linux/debian/gpg";
/// As Docker's install guides print it.
const DOCKER_FINGERPRINT: &str = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";

/// CRI-O's own repository; its key has to be written.
const CRI_O: &str = "https://download.opensuse.org/repositories/isv:/cri-o:/stable:/v{minor}/deb/";

/// `{minor}` as the version has it.
fn filled(text: &str, version: VersionSpec) -> String {
    let (major, minor) = version.minor();
    text.replace("{minor}", &format!("{major}.{minor}"))
}

fn key(raw: PackageKey, version: VersionSpec) -> PackageKey {
    match raw {
        PackageKey::Pinned { url, fingerprint } => PackageKey::Pinned {
            url: filled(&url, version),
            fingerprint,
        },
        armored @ PackageKey::Armored(_) => armored,
    }
}

/// With a slash at its end, as apt likes it.
fn base(url: &str, version: VersionSpec) -> String {
    let mut url = filled(url, version);
    if !url.ends_with('/') {
        url.push('/');
    }
    url
}

/// Kubernetes' packages.
pub fn packages(raw: RawPackages, version: VersionSpec) -> Option<Packages> {
    let signer = match (raw.key, &raw.repository) {
        (Some(raw), _) => raw,
        (None, Some(_)) => return None,
        (None, None) => PackageKey::Pinned {
            url: UPSTREAM_KEY.to_owned(),
            fingerprint: UPSTREAM_FINGERPRINT.to_owned(),
        },
    };
    Some(Packages {
        url: base(raw.repository.as_deref().unwrap_or(UPSTREAM), version),
        key: key(signer, version),
        hold: raw.hold,
    })
}

/// The runtime; containerd of the distribution, if nothing else is written.
pub fn runtime(raw: RawRuntime, version: VersionSpec) -> Option<Runtime> {
    let kind = raw
        .kind
        .as_ref()
        .map_or(Kind::Containerd, |kind| kind.value);
    let source = |url: &str, suite: &str, signer: PackageKey| AptSource {
        url: base(
            raw.repository
                .as_ref()
                .map_or(url, |repository| &repository.value),
            version,
        ),
        suite: filled(raw.suite.as_deref().unwrap_or(suite), version),
        key: key(raw.key.clone().unwrap_or(signer), version),
    };
    let origin = || match raw.vendor.as_ref().map(|vendor| vendor.value) {
        Some(Vendor::Docker) => Some(Origin::Docker(source(
            DOCKER,
            "{codename} stable",
            PackageKey::Pinned {
                url: DOCKER_KEY.to_owned(),
                fingerprint: DOCKER_FINGERPRINT.to_owned(),
            },
        ))),
        Some(Vendor::Distribution) | None => match &raw.repository {
            Some(repository) => Some(Origin::Repository(AptSource {
                url: base(&repository.value, version),
                suite: filled(raw.suite.as_deref()?, version),
                key: key(raw.key.clone()?, version),
            })),
            None => Some(Origin::Distribution),
        },
    };
    Some(match kind {
        Kind::Containerd => Runtime::Containerd(match raw.archive_key {
            Some(_) => Containerd::Archive(raw.archive?),
            None => Containerd::Packages(origin()?),
        }),
        Kind::Docker => Runtime::Docker {
            origin: origin()?,
            cri_dockerd: raw.cri_dockerd.clone()?,
        },
        Kind::CriO => Runtime::CriO(source(CRI_O, "/", raw.key.clone()?)),
    })
}
