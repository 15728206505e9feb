//! What a drain does with a pod, by who made it.

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;

/// The kubelet's mark on the mirror of a pod of its own manifests.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What a drain does with a pod, as `kubectl drain` decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is evicted, and its controller makes another one elsewhere.
    Controlled,
    /// No controller would make another one: it is lost when it is evicted.
    Bare,
    /// It has ended, and is evicted.
    Ended,
    /// Its DaemonSet would make it anew on the same node; it stays.
    DaemonSet,
    /// The mirror of a static pod, which only the kubelet can end; it stays.
    Mirror,
}

impl Kind {
    pub(super) fn of(pod: &core::Pod) -> Self {
        let mut owners = pod.owner_references().iter();
        let controller = owners.find(|owner| owner.controller == Some(true));
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        if pod.annotations().contains_key(MIRROR) {
            Self::Mirror
        } else if matches!(phase, Some("Succeeded" | "Failed")) {
            Self::Ended
        } else {
            match controller.map(|owner| owner.kind.as_str()) {
                Some("DaemonSet") => Self::DaemonSet,
                Some(_) => Self::Controlled,
                None => Self::Bare,
            }
        }
    }

    /// Whether a drain leaves it where it is.
    #[must_use]
    pub const fn stays(self) -> bool {
        matches!(self, Self::DaemonSet | Self::Mirror)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn kind(metadata: Value, phase: &str) -> Kind {
        let pod = json!({"metadata": metadata, "status": {"phase": phase}});
        Kind::of(&serde_json::from_value(pod).unwrap())
    }

    fn owner(kind: &str, controller: bool) -> Value {
        let owner = json!({
            "apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "u", "controller": controller,
        });
        json!({"ownerReferences": [owner]})
    }

    #[test]
    fn pods_are_told_apart_as_kubectl_does() {
        let mirror = json!({
            "annotations": {MIRROR: "x"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": true}],
        });
        assert_eq!(kind(mirror, "Running"), Kind::Mirror);
        assert_eq!(kind(owner("DaemonSet", true), "Running"), Kind::DaemonSet);
        assert_eq!(kind(owner("ReplicaSet", true), "Running"), Kind::Controlled);
        assert_eq!(kind(owner("ReplicaSet", false), "Running"), Kind::Bare);
        assert_eq!(kind(json!({}), "Pending"), Kind::Bare);
        assert_eq!(kind(json!({}), "Succeeded"), Kind::Ended);
        assert_eq!(kind(owner("Job", true), "Failed"), Kind::Ended);
    }
}
