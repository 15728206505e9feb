//! kdiy's own network for hosts on one layer-2 network: the bridge plugin with
//! each node's pod CIDR, and routes to the others, kept by a unit.
//!
//! The script learns the pod CIDRs from the API with the kubelet's identity.
//! Since Kubernetes 1.32 a kubelet may read its own Node only (feature
//! AuthorizeNodeWithSelectors), so [`manifest`] lets the group of all kubelets
//! read them all; older versions let them anyway.

use serde::Serialize;

use crate::cluster::{Node, ResolvedCluster};
use crate::template::{HostFile, render};

/// The unit that runs the script.
pub const UNIT: &str = "kdiy-bridge-cni.service";

/// What [`manifest`] is called in messages.
pub const MANIFEST: &str = "kdiy-bridge-cni.yaml";

const PROGRAM: &str = "/usr/local/libexec/kdiy/bridge-cni";

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Unit<'a> {
    node: &'a str,
    pod_cidr: String,
    program: &'static str,
}

/// The script and its unit. The script writes the CNI configuration itself,
/// once it knows the node's pod CIDR.
#[must_use]
pub fn files(resolved: &ResolvedCluster, node: &Node) -> [HostFile; 2] {
    let unit = Unit {
        node: node.name.as_str(),
        pod_cidr: resolved.cluster.network.pod_cidr.to_string(),
        program: PROGRAM,
    };
    [
        HostFile::program(PROGRAM, script()),
        HostFile::public(
            format!("/etc/systemd/system/{UNIT}"),
            render("cni/kdiy-bridge-cni.service", &unit),
        ),
    ]
}

fn script() -> String {
    render("cni/bridge-cni", &Nothing {})
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<S> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    #[serde(flatten)]
    content: S,
}

#[derive(Serialize)]
struct Metadata {
    name: &'static str,
}

#[derive(Serialize)]
struct Rules {
    rules: [Rule; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: [&'static str; 1],
    resources: [&'static str; 1],
    verbs: [&'static str; 3],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    role_ref: Reference,
    subjects: [Reference; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    api_group: &'static str,
    kind: &'static str,
    name: &'static str,
}

/// The right of every kubelet to read all nodes, as YAML.
#[must_use]
pub fn manifest() -> String {
    const GROUP: &str = "rbac.authorization.k8s.io";
    const NAME: &str = "kdiy:bridge-cni";
    let rule = Rule {
        api_groups: [""],
        resources: ["nodes"],
        verbs: ["get", "list", "watch"],
    };
    let role = object("ClusterRole", NAME, Rules { rules: [rule] });
    let binding = Binding {
        role_ref: Reference {
            api_group: GROUP,
            kind: "ClusterRole",
            name: NAME,
        },
        subjects: [Reference {
            api_group: GROUP,
            kind: "Group",
            name: "system:nodes",
        }],
    };
    let binding = object("ClusterRoleBinding", NAME, binding);
    format!("{role}---\n{binding}")
}

fn object(kind: &'static str, name: &'static str, content: impl Serialize) -> String {
    let object = Object {
        api_version: "rbac.authorization.k8s.io/v1",
        kind,
        metadata: Metadata { name },
        content,
    };
    serde_yaml::to_string(&object).expect("plain structs are YAML")
}

#[cfg(test)]
mod tests;
