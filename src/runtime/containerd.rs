//! containerd, as the distribution packages it or as Docker does.
//!
//! Facts: containerd's docs/cri/config.md, docs/hosts.md; Docker's package
//! containerd.io brings a configuration that turns CRI off, which ours
//! replaces.

use serde::Serialize;

use super::{Profile, Unit, crictl, proxy, rival};
use crate::cluster::{CgroupDriver, Images, Origin, RegistryMirror, Settled};
use crate::kubeadm;
use crate::resource::Rival;
use crate::template::{HostFile, render};

const SOCKET: &str = "unix:///run/containerd/containerd.sock";
const UNIT: &str = "containerd.service";

pub(super) const fn profile(origin: &Origin) -> Profile {
    const DISTRIBUTION: &[Rival] = &[rival("containerd.io", "containerd")];
    const DOCKER: &[Rival] = &[
        rival("containerd", "containerd.io"),
        rival("runc", "containerd.io"),
    ];
    let (packages, rivals): (&[_], _) = match origin {
        Origin::Distribution => (&["containerd"], DISTRIBUTION),
        Origin::Docker(_) => (&["containerd.io"], DOCKER),
    };
    Profile {
        name: "containerd",
        socket: SOCKET,
        packages,
        rivals,
        pull: "crictl pull",
        list: "crictl ps -a",
    }
}

#[derive(Serialize)]
struct Config<'a> {
    sandbox_image: &'a str,
    restrict_oom_score_adj: bool,
    systemd_cgroup: bool,
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

pub(super) fn units(settled: &Settled, restrict_oom_score_adj: bool) -> Vec<Unit> {
    let config = Config {
        sandbox_image: &kubeadm::sandbox_image(settled),
        restrict_oom_score_adj,
        systemd_cgroup: settled.cluster.cgroup_driver == CgroupDriver::Systemd,
    };
    let mut files = vec![
        HostFile::public(
            "/etc/containerd/config.toml",
            render("runtime/containerd/config.toml", &config),
        ),
        crictl(SOCKET),
    ];
    files.extend(registries(&settled.cluster.images));
    files.extend(proxy::files(settled, UNIT, "/etc/containerd"));
    vec![Unit { name: UNIT, files }]
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
