//! containerd, as the distribution packages it, as Docker does, or of the
//! project's own archive.
//!
//! Facts: containerd's docs/cri/config.md, docs/hosts.md, containerd.service,
//! and RELEASES.md of 2.4; ContainerRuntimeVersionCheck of kubeadm 1.37;
//! Docker's package containerd.io brings a configuration that turns CRI off,
//! which ours replaces.

use serde::Serialize;

use super::{Host, Profile, Unit, crictl, proxy, rival};
use crate::cluster::{
    Archive, CgroupDriver, Containerd, Images, Origin, RegistryMirror, ResolvedCluster, Version,
};
use crate::kubeadm;
use crate::resource::Rival;
use crate::template::{HostFile, render};

const SOCKET: &str = "unix:///run/containerd/containerd.sock";
const UNIT: &str = "containerd.service";

/// The first release whose CRI is of plugins of its own, and which has CRI's
/// RuntimeConfig, by which it tells kubelets its cgroup driver.
pub const SECOND: Version = Version::new(2, 0, 0);

/// The first release whose CRI the kubelets of all supported versions speak.
const OLDEST: Version = Version::new(1, 6, 15);

/// The first version whose kubelet wants RuntimeConfig.
const WITH_RUNTIME_CONFIG: Version = Version::new(1, 38, 0);

/// How a release of containerd goes with a version of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The containerd project names it for that version, or it is newer.
    Named,
    /// The kubelet runs with it, but the project names others.
    Unnamed,
    /// The kubelet does not run with it; the first with which it does.
    TooOld(Version),
}

/// How a release goes with a version of Kubernetes.
#[must_use]
pub fn fit(release: Version, version: Version) -> Fit {
    let oldest = match version >= WITH_RUNTIME_CONFIG {
        true => SECOND,
        false => OLDEST,
    };
    if release < oldest {
        return Fit::TooOld(oldest);
    }
    let named = named(version);
    let line = |release: Version| (release.major, release.minor);
    let newest = named.iter().map(|floor| line(*floor)).max();
    let good = named
        .iter()
        .any(|floor| line(release) == line(*floor) && release >= *floor);
    match good || newest.is_none_or(|newest| line(release) > newest) {
        true => Fit::Named,
        false => Fit::Unnamed,
    }
}

/// The matrix of RELEASES.md: the first release of each line that the project
/// names, the newest one first. Versions after the last row are taken for it.
#[must_use]
pub fn named(version: Version) -> Vec<Version> {
    let floors: &[[u64; 3]] = match version.minor {
        ..=31 => &[[2, 0, 0], [1, 7, 20], [1, 6, 34]],
        32 => &[[2, 1, 0], [2, 0, 1], [1, 7, 24], [1, 6, 36]],
        33 => &[[2, 1, 0], [2, 0, 4], [1, 7, 24], [1, 6, 36]],
        34 => &[[2, 1, 3], [2, 0, 6], [1, 7, 28], [1, 6, 39]],
        35 => &[[2, 2, 0], [2, 1, 5], [1, 7, 28]],
        36 => &[[2, 3, 0], [2, 2, 0]],
        37.. => &[[2, 4, 0], [2, 3, 0]],
    };
    let release = |[major, minor, patch]: &[u64; 3]| Version::new(*major, *minor, *patch);
    floors.iter().map(release).collect()
}

pub(super) const fn profile(source: &Containerd) -> Profile {
    const DISTRIBUTION: &[Rival] = &[rival("containerd.io", "containerd")];
    const DOCKER: &[Rival] = &[
        rival("containerd", "containerd.io"),
        rival("runc", "containerd.io"),
    ];
    // Docker's package holds a runc of its own.
    const RUNC: &[Rival] = &[rival("containerd.io", "runc")];
    let (main, packages, rivals): (_, &[_], &[_]) = match source {
        Containerd::Packages(Origin::Distribution | Origin::Repository(_)) => {
            (Some("containerd"), &["containerd"], DISTRIBUTION)
        }
        Containerd::Packages(Origin::Docker(_)) => {
            (Some("containerd.io"), &["containerd.io"], DOCKER)
        }
        Containerd::Archive(Archive { runc: None, .. }) => (None, &["runc"], RUNC),
        Containerd::Archive(_) => (None, &[], &[]),
    };
    Profile {
        name: "containerd",
        socket: SOCKET,
        main,
        packages,
        rivals,
    }
}

#[derive(Serialize)]
struct Config<'a> {
    /// `version` of the file, not of containerd.
    format: u8,
    sandbox_image: &'a str,
    restrict_oom_score_adj: bool,
    systemd_cgroup: bool,
}

#[derive(Serialize)]
struct Program<'a> {
    /// Names the archive, so that another one restarts the unit.
    sha256: &'a str,
    version: String,
}

#[derive(Serialize)]
struct Hosts {
    server: String,
    mirrors: Vec<Mirror>,
}

#[derive(Serialize)]
struct Mirror {
    url: String,
    override_path: bool,
}

pub(super) fn units(resolved: &ResolvedCluster, source: &Containerd, host: Host) -> Vec<Unit> {
    let release = match source {
        Containerd::Archive(archive) => Some(archive.version),
        Containerd::Packages(_) => host.release,
    };
    let (format, template) = format(release, host.format);
    let config = Config {
        format,
        sandbox_image: &kubeadm::sandbox_image(resolved),
        restrict_oom_score_adj: host.confined,
        systemd_cgroup: resolved.cluster.cgroup_driver == CgroupDriver::Systemd,
    };
    let mut files = vec![
        HostFile::public("/etc/containerd/config.toml", render(template, &config)),
        crictl(SOCKET),
    ];
    if let Containerd::Archive(archive) = source {
        let program = Program {
            sha256: &archive.containerd.sha256,
            version: archive.version.to_string(),
        };
        files.push(HostFile::public(
            format!("/etc/systemd/system/{UNIT}"),
            render("runtime/containerd/containerd.service", &program),
        ));
    }
    files.extend(registries(&resolved.cluster.images));
    files.extend(proxy::files(resolved, UNIT, "/etc/containerd"));
    vec![Unit { name: UNIT, files }]
}

/// The newest format of the configuration that a release knows, and the
/// template of it: it warns at each start of one that it has to migrate. But
/// an older one that is there stays, as does any where no release is known.
/// Every release reads the one that is taken where nothing is known. The third
/// and the fourth differ in what kdiy leaves alone.
fn format(release: Option<Version>, there: Option<u8>) -> (u8, &'static str) {
    const FIRST: &str = "runtime/containerd/config-1.toml";
    const PLUGINS: &str = "runtime/containerd/config-2.toml";
    let newest = match release.map(|release| (release.major, release.minor)) {
        None | Some((..2, _)) => 2,
        Some((2, ..3)) => 3,
        Some(_) => 4,
    };
    let readable = |there: &u8| (2..=4).contains(there) && (release.is_none() || *there <= newest);
    match there.filter(readable).unwrap_or(newest) {
        2 => (2, FIRST),
        format => (format, PLUGINS),
    }
}

/// Where the images of registries are looked for: those with mirrors, then
/// those that speak no TLS.
fn registries(images: &Images) -> impl Iterator<Item = HostFile> {
    let mirrored = images
        .mirrors
        .iter()
        .map(|mirror| hosts(images, &mirror.registry, Some(mirror)));
    let named = |registry: &str| images.mirrors.iter().any(|m| m.registry == registry);
    let plain = images.insecure.iter().filter(move |r| !named(r));
    mirrored.chain(plain.map(|registry| hosts(images, registry, None)))
}

fn hosts(images: &Images, registry: &str, mirror: Option<&RegistryMirror>) -> HostFile {
    let server = server(images, registry);
    let endpoints = match mirror {
        Some(mirror) => mirror.endpoints.clone(),
        // containerd reads no file without a host in it.
        None => vec![server.clone()],
    };
    let mirrors = endpoints.into_iter().map(|url| Mirror {
        override_path: names_its_api(&url),
        url,
    });
    let context = Hosts {
        server,
        mirrors: mirrors.collect(),
    };
    HostFile::public(
        format!("/etc/containerd/certs.d/{registry}/hosts.toml"),
        render("runtime/containerd/hosts.toml", &context),
    )
}

/// The registry itself, asked when no mirror has the image.
fn server(images: &Images, registry: &str) -> String {
    match registry {
        // The name in image references is not the name of the service.
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        _ if images.insecure.iter().any(|host| host == registry) => format!("http://{registry}"),
        _ => format!("https://{registry}"),
    }
}

/// Whether a mirror's URL holds the API's `/v2` itself, as those of proxying
/// registries do (`https://harbor/v2/k8s`); containerd would append another.
fn names_its_api(url: &str) -> bool {
    url.contains("/v2/") || url.ends_with("/v2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_judged_by_what_the_project_names_for_the_version() {
        let judged = |release: &str, minor| {
            let release = Version::of_package(release).unwrap();
            fit(release, Version::new(1, minor, 0))
        };
        // Debian 12, Debian 13, Docker's and the lab's.
        assert_eq!(judged("1.6.20~ds1-1+b1", 34), Fit::Unnamed);
        assert_eq!(judged("1.7.24~ds1-6+b4", 34), Fit::Unnamed);
        assert_eq!(judged("1.7.28", 34), Fit::Named);
        assert_eq!(judged("1.7.28", 35), Fit::Named);
        assert_eq!(judged("1.6.39", 35), Fit::Unnamed);
        assert_eq!(judged("1.7.29", 36), Fit::Unnamed);
        assert_eq!(judged("2.1.9", 36), Fit::Unnamed);
        assert_eq!(judged("2.2.0", 36), Fit::Named);
        assert_eq!(judged("2.2.9", 37), Fit::Unnamed);
        assert_eq!(judged("2.4.2", 37), Fit::Named);
        assert_eq!(
            judged("2.4.2", 34),
            Fit::Named,
            "newer than any that is named"
        );
        // The kubelet's own bounds.
        assert_eq!(judged("1.4.13", 34), Fit::TooOld(OLDEST));
        assert_eq!(judged("1.6.20", 37), Fit::Unnamed);
        assert_eq!(judged("1.7.29", 38), Fit::TooOld(SECOND));
        assert_eq!(judged("2.0.0", 38), Fit::Unnamed);
    }
}
