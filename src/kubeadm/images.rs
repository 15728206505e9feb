//! Which images kubeadm expects where.

use crate::cluster::version::OLDEST_MINOR;
use crate::cluster::{ResolvedCluster, Version};

/// The repository of the cluster's images: the inventory's, or kubeadm's
/// default.
#[must_use]
pub fn image_repository(resolved: &ResolvedCluster) -> &str {
    let repository = resolved.cluster.images.repository.as_deref();
    repository.unwrap_or(DEFAULT_REPOSITORY)
}

/// The pause image that containerd makes sandboxes of: the inventory's, or the
/// one that kubeadm of this version pulls.
#[must_use]
pub fn sandbox_image(resolved: &ResolvedCluster) -> String {
    match &resolved.cluster.images.sandbox {
        Some(image) => image.clone(),
        None => format!(
            "{}/pause:{}",
            image_repository(resolved),
            pause(resolved.version)
        ),
    }
}

/// The repository that kubeadm pulls from by itself.
const DEFAULT_REPOSITORY: &str = "registry.k8s.io";

/// The pause images of kubeadm, each with the first minor version that wants
/// it, newest first: PauseVersion in cmd/kubeadm/app/constants/constants.go of
/// kubernetes/kubernetes at v1.31.14, v1.32.10, v1.33.6, v1.34.4, v1.35.4,
/// v1.36.3 and v1.37.2.
const PAUSE: &[(u64, &str)] = &[(36, "3.10.2"), (34, "3.10.1"), (OLDEST_MINOR, "3.10")];

/// A version newer than the table is taken to want what the newest does.
fn pause(version: Version) -> &'static str {
    let wanted = PAUSE.iter().find(|(since, _)| version.minor >= *since);
    wanted.map_or(PAUSE[PAUSE.len() - 1].1, |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubeadm::tests::few;

    #[test]
    fn sandboxes_are_of_the_image_that_the_version_wants() {
        let wanted = [
            ((31, 14), "3.10"),
            ((32, 10), "3.10"),
            ((33, 6), "3.10"),
            ((34, 4), "3.10.1"),
            ((35, 4), "3.10.1"),
            ((36, 3), "3.10.2"),
            ((37, 2), "3.10.2"),
        ];
        for ((minor, patch), tag) in wanted {
            let resolved = few(Version::new(1, minor, patch));
            assert_eq!(
                sandbox_image(&resolved),
                format!("registry.k8s.io/pause:{tag}")
            );
        }
    }
}
