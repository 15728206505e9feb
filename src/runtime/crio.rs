//! CRI-O, from its project's repository.
//!
//! Facts: crio.conf.d(5), containers-registries.conf.d(5), CRI-O's
//! contrib/systemd; cri-o.spec of its packaging.

use serde::Serialize;

use super::{Profile, Unit, crictl, proxy};
use crate::cluster::{Images, ResolvedCluster};
use crate::kubeadm;
use crate::template::{HostFile, render};

const SOCKET: &str = "unix:///run/crio/crio.sock";
const UNIT: &str = "crio.service";

/// A network that the package brings. With it a node is Ready before its own
/// network is there, and pods get addresses of nobody's.
pub const PACKAGED_NETWORK: &str = "/etc/cni/net.d/11-crio-ipv4-bridge.conflist";

pub(super) const PROFILE: Profile = Profile {
    name: "cri-o",
    socket: SOCKET,
    main: Some("cri-o"),
    packages: &["cri-o"],
    rivals: &[],
};

#[derive(Serialize)]
struct Config<'a> {
    cgroup_manager: &'static str,
    pause_image: &'a str,
}

#[derive(Serialize)]
struct Registries<'a> {
    registries: Vec<Registry<'a>>,
}

#[derive(Serialize)]
struct Registry<'a> {
    location: &'a str,
    insecure: bool,
    mirrors: Vec<Mirror>,
}

#[derive(Serialize)]
struct Mirror {
    location: String,
    insecure: bool,
}

pub(super) fn units(resolved: &ResolvedCluster) -> Vec<Unit> {
    let config = Config {
        // Its monitors' group follows from it, unless it is named.
        cgroup_manager: resolved.cluster.cgroup_driver.as_str(),
        pause_image: &kubeadm::sandbox_image(resolved),
    };
    let mut files = vec![
        HostFile::public(
            "/etc/crio/crio.conf.d/10-kdiy.conf",
            render("runtime/crio/crio.conf", &config),
        ),
        crictl(SOCKET),
    ];
    let registries = registries(&resolved.cluster.images);
    if !registries.is_empty() {
        files.push(HostFile::public(
            "/etc/containers/registries.conf.d/10-kdiy.conf",
            render("runtime/crio/registries.conf", &Registries { registries }),
        ));
    }
    files.extend(proxy::files(resolved, UNIT, "/etc/crio"));
    vec![Unit { name: UNIT, files }]
}

/// Registries with mirrors, then those that speak no TLS.
fn registries(images: &Images) -> Vec<Registry<'_>> {
    let insecure = |registry: &str| images.insecure.iter().any(|host| host == registry);
    let mirrored = images.mirrors.iter().map(|mirror| Registry {
        location: &mirror.registry,
        insecure: insecure(&mirror.registry),
        mirrors: mirror.endpoints.iter().map(|url| Mirror::of(url)).collect(),
    });
    let named = |registry: &str| images.mirrors.iter().any(|m| m.registry == registry);
    let plain = images.insecure.iter().filter(|registry| !named(registry));
    let plain = plain.map(|location| Registry {
        location,
        insecure: true,
        mirrors: Vec::new(),
    });
    mirrored.chain(plain).collect()
}

impl Mirror {
    /// A location is a name as in an image's: no scheme, and not the API's
    /// `/v2`, which is put after the host by CRI-O itself.
    fn of(url: &str) -> Self {
        let insecure = url.starts_with("http://");
        let place = url.split_once("://").map_or(url, |(_, place)| place);
        let (host, path) = place.split_once('/').unwrap_or((place, ""));
        let path = match path.strip_prefix("v2") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            _ => path,
        };
        let path = path.trim_matches('/');
        let location = if path.is_empty() {
            host.to_owned()
        } else {
            format!("{host}/{path}")
        };
        Self { location, insecure }
    }
}
