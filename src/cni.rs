//! What connects the pods.
//!
//! One file a network of kdiy's own; a variant of [`crate::cluster::Cni`]
//! chooses. Each gives files for the hosts, units to run there, and a manifest
//! to apply through a control plane.

pub mod bridge;

use crate::cluster::{Cni, ManifestSource, Node, ResolvedCluster};
use crate::template::HostFile;

/// Files of a host with a kubelet.
#[must_use]
pub fn files(resolved: &ResolvedCluster, node: &Node) -> Vec<HostFile> {
    match resolved.cluster.network.cni {
        Cni::Bridge => bridge::files(resolved, node).into(),
        Cni::None | Cni::Manifest(_) => Vec::new(),
    }
}

/// The systemd unit that is to run on every host with a kubelet, restarted
/// when one of [`files`] changes.
#[must_use]
pub const fn unit(cni: &Cni) -> Option<&'static str> {
    match cni {
        Cni::Bridge => Some(bridge::UNIT),
        Cni::None | Cni::Manifest(_) => None,
    }
}

/// What is to be applied through a control plane after `kubeadm init`.
#[must_use]
pub fn manifest(cni: &Cni) -> Option<ManifestSource> {
    match cni {
        Cni::None => None,
        Cni::Manifest(source) => Some(source.clone()),
        Cni::Bridge => Some(ManifestSource::File {
            path: bridge::MANIFEST.into(),
            text: bridge::manifest(),
        }),
    }
}
