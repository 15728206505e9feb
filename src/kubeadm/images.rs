//! Which images kubeadm expects where.

use crate::cluster::{Settled, Version};

/// The repository of the cluster's images: the inventory's, or kubeadm's
/// default for this version.
#[must_use]
pub fn image_repository(settled: &Settled) -> &str {
    let repository = settled.cluster.images.repository.as_deref();
    repository.unwrap_or_else(|| default_repository(settled.version))
}

/// The pause image that containerd makes sandboxes of: the inventory's, or the
/// one that kubeadm of this version pulls.
#[must_use]
pub fn sandbox_image(settled: &Settled) -> String {
    match &settled.cluster.images.sandbox {
        Some(image) => image.clone(),
        None => format!(
            "{}/pause:{}",
            image_repository(settled),
            pause(settled.version)
        ),
    }
}

/// k8s.gcr.io was frozen in 2023. The new name is kubeadm's default from 1.25
/// on and was ported back to 1.22.17, 1.23.15 and 1.24.9 (Kubernetes blog of
/// 2023-02-06, "k8s.gcr.io Image Registry Will Be Frozen").
const fn default_repository(version: Version) -> &'static str {
    match (version.minor, version.patch) {
        (22, 17..) | (23, 15..) | (24, 9..) | (25.., _) => "registry.k8s.io",
        _ => "k8s.gcr.io",
    }
}

/// PauseVersion in cmd/kubeadm/app/constants/constants.go (until 1.20
/// constants_unix.go) of each minor version.
const fn pause(version: Version) -> &'static str {
    match version.minor {
        ..=20 => "3.2",
        21 => "3.4.1",
        22 => "3.5",
        23 => "3.6",
        24 => "3.7",
        25 => "3.8",
        26..=30 => "3.9",
        31..=33 => "3.10",
        34.. => "3.10.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_version() {
        let names: Vec<_> = [
            (20, 2),
            (21, 0),
            (22, 16),
            (22, 17),
            (23, 15),
            (24, 8),
            (24, 9),
            (25, 0),
        ]
        .into_iter()
        .chain([(26, 1), (30, 0), (31, 0), (34, 1)])
        .map(|(minor, patch)| Version::new(1, minor, patch))
        .map(|version| {
            format!(
                "{version} {}/pause:{}",
                default_repository(version),
                pause(version)
            )
        })
        .collect();
        insta::assert_snapshot!(names.join("\n"));
    }
}
