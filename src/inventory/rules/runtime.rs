//! The runtime and the version of Kubernetes.

use super::super::document::Inventory;
use super::super::finding::Finding;
use super::super::reader::Reader;
use super::super::runtime::Kind;

/// The first minor version whose kubelet does not know Docker by itself.
const WITHOUT_DOCKERSHIM: (u64, u64) = (1, 24);

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let (Some(kind), Some(version)) = (&inventory.runtime.kind, &inventory.version) else {
        return;
    };
    if kind.value != Kind::Docker {
        return;
    }
    mirrors(reader, inventory);
    let late = version.value.minor() >= WITHOUT_DOCKERSHIM;
    match inventory.runtime.cri_dockerd_key {
        None if late => {
            let message = format!(
                "the kubelet of Kubernetes {} reaches Docker through cri-dockerd only, and `criDockerd` is missing",
                version.value
            );
            reader.report(
                Finding::error("cri-dockerd", kind.span, message)
                    .related(version.span, "the version")
                    .help("add `criDockerd: {url: https://.../cri-dockerd_VERSION.debian-bookworm_{arch}.deb, sha256: ...}`, or take `runtime: containerd`"),
            );
        }
        Some(key) if !late => {
            let message = format!(
                "the kubelet of Kubernetes {} reaches Docker by itself; cri-dockerd is for 1.24 and later",
                version.value
            );
            reader.report(
                Finding::error("cri-dockerd", key, message)
                    .related(version.span, "the version")
                    .help("take `criDockerd` out"),
            );
        }
        _ => {}
    }
}

/// The engine's own setting, `registry-mirrors`, knows no other registry.
fn mirrors(reader: &Reader<'_>, inventory: &Inventory) {
    let other = inventory.images.mirrored.iter();
    for registry in other.filter(|registry| registry.value != "docker.io") {
        let message = format!(
            "Docker Engine asks mirrors for images of docker.io only, not of {}",
            registry.value
        );
        reader.report(
            Finding::error("no-mirror", registry.span, message)
                .help("set `images.repository` to where Kubernetes' images are, or take `runtime: containerd`"),
        );
    }
}
