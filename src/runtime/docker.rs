//! Docker Engine: docker.io of the distribution, or Docker's own docker-ce.
//! cri-dockerd stands between it and the kubelet.
//!
//! Facts: dockerd's reference of daemon.json; image_store_choice.go of moby
//! 29; README, packaging and core/image_linux.go of cri-dockerd; the relations
//! of Debian's docker.io and podman-docker and of Docker's packages.

use serde::Serialize;

use super::{Profile, Unit, crictl, proxy, rival};
use crate::cluster::{Origin, ResolvedCluster, Version};
use crate::kubeadm;
use crate::resource::Rival;
use crate::template::{HostFile, render};

/// The package of cri-dockerd.
pub const CRI_DOCKERD: &str = "cri-dockerd";

const UNIT: &str = "docker.service";
const SHIM_UNIT: &str = "cri-docker.service";

const SOCKET: &str = "unix:///run/cri-dockerd.sock";

/// The first release that speaks the API which cri-dockerd asks for (1.42).
pub const OLDEST: Version = Version::new(23, 0, 0);

pub(super) const fn profile(origin: &Origin) -> Profile {
    const DISTRIBUTION: &[Rival] = &[
        rival("docker-ce", "docker.io"),
        rival("docker-ce-cli", "docker.io"),
        rival("docker-ce-rootless-extras", "docker.io"),
        rival("docker-engine", "docker.io"),
        rival("podman-docker", "docker.io"),
        rival("containerd.io", "containerd"),
    ];
    const DOCKER: &[Rival] = &[
        rival("docker.io", "docker-ce"),
        rival("docker-engine", "docker-ce"),
        // Both have /usr/bin/docker.
        rival("podman-docker", "docker-ce-cli"),
        rival("containerd", "containerd.io"),
        rival("runc", "containerd.io"),
    ];
    let (main, packages, rivals): (_, &[_], _) = match origin {
        Origin::Distribution | Origin::Repository(_) => {
            ("docker.io", &["containerd", "docker.io"], DISTRIBUTION)
        }
        Origin::Docker(_) => (
            "docker-ce",
            &["containerd.io", "docker-ce", "docker-ce-cli"],
            DOCKER,
        ),
    };
    Profile {
        name: "docker",
        socket: SOCKET,
        main: Some(main),
        packages,
        rivals,
    }
}

/// daemon.json.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Daemon {
    exec_opts: [String; 1],
    log_driver: &'static str,
    log_opts: LogOptions,
    /// Named, the engine keeps images in its own store in every release; from
    /// 29 on a fresh one would use containerd's, and cri-dockerd counts what
    /// images take in the engine's (`image` under its root).
    storage_driver: &'static str,
    /// Containers outlive the engine, as they outlive containerd: a change of
    /// this file restarts it, on several hosts side by side, and must not stop
    /// etcd and the API servers. The first restart, after installation, is
    /// still without it.
    live_restore: bool,
    /// Pods get their network from CNI. Docker's own bridge takes a network
    /// that may be somebody's, and its rules drop what is forwarded.
    bridge: &'static str,
    iptables: bool,
    ip6tables: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registry_mirrors: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    insecure_registries: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LogOptions {
    max_size: &'static str,
    max_file: &'static str,
}

#[derive(Serialize)]
struct Shim {
    /// Whole: systemd takes quotes around a word, not within one.
    sandbox_argument: String,
}

pub(super) fn units(resolved: &ResolvedCluster) -> Vec<Unit> {
    let mut files = vec![HostFile::public(
        "/etc/docker/daemon.json",
        daemon(resolved),
    )];
    files.extend(proxy::files(resolved, UNIT, "/etc/docker"));
    let shim = Shim {
        sandbox_argument: format!(
            "--pod-infra-container-image={}",
            kubeadm::sandbox_image(resolved)
        ),
    };
    let drop_in = HostFile::public(
        format!("/etc/systemd/system/{SHIM_UNIT}.d/10-kdiy.conf"),
        render("runtime/docker/cri-docker.conf", &shim),
    );
    vec![
        Unit { name: UNIT, files },
        Unit {
            name: SHIM_UNIT,
            files: vec![drop_in, crictl(SOCKET)],
        },
    ]
}

fn daemon(resolved: &ResolvedCluster) -> String {
    let cluster = &resolved.cluster;
    // The engine knows mirrors of Docker Hub only.
    let hub = cluster.images.mirrors.iter();
    let hub = hub.filter(|mirror| mirror.registry == "docker.io");
    let registry_mirrors: Vec<String> = hub.flat_map(|mirror| mirror.endpoints.clone()).collect();
    let mut insecure = cluster.images.insecure.clone();
    insecure.extend(registry_mirrors.iter().filter_map(|url| {
        let host = url.strip_prefix("http://")?.split('/').next()?;
        Some(host.to_owned())
    }));
    let daemon = Daemon {
        exec_opts: [format!(
            "native.cgroupdriver={}",
            cluster.cgroup_driver.as_str()
        )],
        log_driver: "json-file",
        log_opts: LogOptions {
            max_size: "100m",
            max_file: "3",
        },
        storage_driver: "overlay2",
        live_restore: true,
        bridge: "none",
        iptables: false,
        ip6tables: false,
        registry_mirrors,
        insecure_registries: kubeadm::without_repetition(insecure),
    };
    let mut text = serde_json::to_string_pretty(&daemon).expect("plain values are JSON");
    text.push('\n');
    text
}
