//! kube-vip as a static pod on each control plane: the one that holds a lease
//! answers ARP for the endpoint's address.
//!
//! It speaks to the API server of its own host, as `kubernetes`, a name that
//! is in that server's certificate. admin.conf gets its rights only at the end
//! of init, so the one that bootstraps the cluster uses super-admin.conf until
//! then.
//!
//! Facts: kube-vip's manual on static pods and its issue 684 on
//! super-admin.conf.

use serde::Serialize;

use crate::cluster::{Lease, ResolvedCluster, Vip};
use crate::kubeadm::document;
use crate::template::{HostFile, NOTICE};

/// Its manifest.
pub const MANIFEST: &str = "/etc/kubernetes/manifests/kube-vip.yaml";

const ADMIN: &str = "/etc/kubernetes/admin.conf";
const SUPER_ADMIN: &str = "/etc/kubernetes/super-admin.conf";

/// With which kubeconfig it speaks to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// While `kubeadm init` runs on its host.
    DuringInit,
    /// Ever after.
    AfterInit,
}

/// What it is to hold, and how.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a> {
    /// The address.
    pub vip: &'a Vip,
    /// The interface that carries it.
    pub interface: &'a str,
    /// Its image.
    pub image: &'a str,
    /// How long it stays with a host that is silent.
    pub lease: Lease,
}

/// The manifest for control planes.
#[must_use]
pub fn manifest(resolved: &ResolvedCluster, parameters: Parameters<'_>, phase: Phase) -> HostFile {
    let kubeconfig = match phase {
        Phase::DuringInit => SUPER_ADMIN,
        Phase::AfterInit => ADMIN,
    };
    let pod = pod(resolved, parameters, kubeconfig);
    let text = document::yaml(&pod);
    HostFile::public(MANIFEST, format!("{NOTICE}{}", *text))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pod<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Metadata {
    name: &'static str,
    namespace: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    containers: [Container<'a>; 1],
    host_aliases: [HostAlias; 1],
    host_network: bool,
    priority_class_name: &'static str,
    volumes: [Volume; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    name: &'static str,
    image: &'a str,
    image_pull_policy: &'static str,
    args: [&'static str; 1],
    env: Vec<Variable>,
    security_context: SecurityContext,
    volume_mounts: [VolumeMount; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variable {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_from: Option<ValueFrom>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueFrom {
    field_ref: FieldRef,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldRef {
    field_path: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecurityContext {
    allow_privilege_escalation: bool,
    capabilities: Capabilities,
}

#[derive(Serialize)]
struct Capabilities {
    add: [&'static str; 2],
    drop: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VolumeMount {
    name: &'static str,
    mount_path: &'static str,
    read_only: bool,
}

#[derive(Serialize)]
struct HostAlias {
    ip: &'static str,
    hostnames: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    name: &'static str,
    host_path: HostPath,
}

#[derive(Serialize)]
struct HostPath {
    path: &'static str,
    /// `File`: one that is missing is waited for. Were it made, kubeadm would
    /// find an empty kubeconfig.
    r#type: &'static str,
}

fn pod<'a>(
    resolved: &ResolvedCluster,
    parameters: Parameters<'a>,
    kubeconfig: &'static str,
) -> Pod<'a> {
    let container = Container {
        name: "kube-vip",
        image: parameters.image,
        image_pull_policy: "IfNotPresent",
        args: ["manager"],
        env: variables(resolved, parameters),
        security_context: SecurityContext {
            allow_privilege_escalation: false,
            capabilities: Capabilities {
                add: ["NET_ADMIN", "NET_RAW"],
                drop: ["ALL"],
            },
        },
        volume_mounts: [VolumeMount {
            name: "kubeconfig",
            // Where kube-vip looks.
            mount_path: ADMIN,
            read_only: true,
        }],
    };
    Pod {
        api_version: "v1",
        kind: "Pod",
        metadata: Metadata {
            name: "kube-vip",
            namespace: "kube-system",
        },
        spec: Spec {
            containers: [container],
            host_aliases: [HostAlias {
                ip: "127.0.0.1",
                hostnames: ["kubernetes"],
            }],
            host_network: true,
            priority_class_name: "system-node-critical",
            volumes: [Volume {
                name: "kubeconfig",
                host_path: HostPath {
                    path: kubeconfig,
                    r#type: "File",
                },
            }],
        },
    }
}

fn variables(resolved: &ResolvedCluster, parameters: Parameters<'_>) -> Vec<Variable> {
    let Parameters {
        vip,
        interface,
        lease,
        ..
    } = parameters;
    let prefix = if vip.address.is_ipv6() { "128" } else { "32" };
    let fixed = [
        ("address", vip.address.to_string()),
        ("port", resolved.cluster.endpoint.port.to_string()),
        ("vip_interface", interface.to_owned()),
        // One for versions up to 0.7, one for those after.
        ("vip_cidr", prefix.to_owned()),
        ("vip_subnet", prefix.to_owned()),
        ("vip_arp", "true".to_owned()),
        ("cp_enable", "true".to_owned()),
        ("cp_namespace", "kube-system".to_owned()),
        ("vip_leaderelection", "true".to_owned()),
        ("vip_leasename", "plndr-cp-lock".to_owned()),
        ("vip_leaseduration", lease.duration.as_secs().to_string()),
        (
            "vip_renewdeadline",
            lease.renew_deadline.as_secs().to_string(),
        ),
        ("vip_retryperiod", lease.retry_period.as_secs().to_string()),
    ];
    let node = Variable {
        name: "vip_nodename",
        value: None,
        value_from: Some(ValueFrom {
            field_ref: FieldRef {
                field_path: "spec.nodeName",
            },
        }),
    };
    let fixed = fixed.map(|(name, value)| Variable {
        name,
        value: Some(value),
        value_from: None,
    });
    fixed.into_iter().chain([node]).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::Version;
    use crate::kubeadm::tests::few;

    fn shown(phase: Phase, lease: Lease) -> String {
        let vip = Vip {
            address: "192.0.2.100".parse().unwrap(),
            interface: None,
        };
        let parameters = Parameters {
            vip: &vip,
            interface: "eth1",
            image: "ghcr.io/kube-vip/kube-vip:v0.8.9",
            lease,
        };
        let file = manifest(&few(Version::new(1, 34, 1)), parameters, phase);
        format!("{} {:04o}\n{}", file.path, file.mode, file.text)
    }

    #[test]
    fn the_manifest() {
        insta::assert_snapshot!(shown(Phase::AfterInit, Lease::default()));
    }

    #[test]
    fn the_bootstrap_node_needs_more_rights() {
        let with = |phase| shown(phase, Lease::default()).matches(SUPER_ADMIN).count();
        assert_eq!(with(Phase::DuringInit), 1);
        assert_eq!(with(Phase::AfterInit), 0);
    }

    #[test]
    fn a_shorter_lease_moves_the_address_sooner() {
        let lease = Lease {
            duration: Duration::from_secs(5),
            renew_deadline: Duration::from_secs(3),
            retry_period: Duration::from_secs(1),
        };
        let text = shown(Phase::AfterInit, lease);
        for (name, value) in [
            ("vip_leaseduration", "5"),
            ("vip_renewdeadline", "3"),
            ("vip_retryperiod", "1"),
        ] {
            let wanted = format!("- name: {name}\n      value: '{value}'\n");
            assert!(text.contains(&wanted), "{name}: {text}");
        }
    }
}
