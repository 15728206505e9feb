//! The runtime and what it needs.

use super::super::document::Inventory;
use super::super::finding::{Finding, Spanned};
use super::super::reader::Reader;
use super::super::runtime::Kind;

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let docker = |kind: &&Spanned<Kind>| kind.value == Kind::Docker;
    let Some(kind) = inventory.runtime.kind.as_ref().filter(docker) else {
        return;
    };
    mirrors(reader, inventory);
    if inventory.runtime.cri_dockerd_key.is_none() {
        reader.report(
            Finding::error(
                "cri-dockerd",
                kind.span,
                "kubelets reach Docker through cri-dockerd only, and `criDockerd` is missing",
            )
            .help("add `criDockerd: {url: https://.../cri-dockerd_VERSION.debian-bookworm_{arch}.deb, sha256: ...}`, or take `runtime: containerd`"),
        );
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
