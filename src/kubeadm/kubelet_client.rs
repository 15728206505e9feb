//! What a kubelet logs in to the API server with where kdiy issued it, so that
//! it need not ask for it with a token: the certificate, kept as kubelets keep
//! their own and renew it, and the kubeconfig that names it.
//!
//! Facts: kubelet's `pkg/kubelet/certificate` and client-go's
//! `util/certificate/certificate_store.go` (a regular file in place of the
//! link is refused), kubeadm's `phases/kubeconfig` (the names).

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{API_PORT, Stage, document, phase};
use crate::cluster::{Node, ResolvedCluster, Role, Taint, Version};
use crate::resource::{Certificate, Keeping, Subject};
use crate::runtime;

/// The link to the newest certificate with its key.
pub const CURRENT: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// The kubeconfig of the kubelet.
pub const KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";

/// Until this version a node's object says which socket its runtime has.
const SOCKET_ON_THE_HOST: Version = Version::new(1, 34, 0);

/// The certificate of the kubelet on a node. `authority` is the PEM of the
/// Kubernetes authority.
#[must_use]
pub fn certificate(node: &Node, authority: &str) -> Certificate {
    Certificate {
        path: CURRENT.to_owned(),
        keeping: Keeping::Linked,
        subject: Subject {
            organizations: ["system:nodes".to_owned()].into(),
            ..Subject::client(user(node))
        },
        authority: authority.to_owned(),
        host: node.name.to_string(),
    }
}

/// The kubeconfig of the kubelet on a node; it holds no key. A control plane's
/// kubelet speaks to its own API server, as kubeadm has it since 1.33.
#[must_use]
pub fn kubeconfig(resolved: &ResolvedCluster, node: &Node, authority: &str) -> String {
    let (cluster, user) = (&resolved.cluster.name, user(node));
    let context = format!("{user}@{cluster}");
    let server = match node.roles.has(Role::ControlPlane) {
        true => format!(
            "https://{}",
            SocketAddr::new(resolved.address(node), API_PORT)
        ),
        false => format!("https://{}", resolved.cluster.node_endpoint()),
    };
    let authority = STANDARD.encode(authority);
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": cluster,
            "cluster": {"server": server, "certificate-authority-data": authority},
        }],
        "users": [{
            "name": user,
            "user": {"client-certificate": CURRENT, "client-key": CURRENT},
        }],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
    });
    document::yaml(&document).to_string()
}

/// The `--config` of `kubeadm init phase kubelet-start` on a worker. Its taints
/// are a flag, as in a join: nothing is to run there before the node has them.
#[must_use]
pub fn start(resolved: &ResolvedCluster, node: &Node) -> String {
    let mut starting = resolved.clone();
    let taints = node.taints.iter().flatten().map(Taint::to_string);
    let taints: Vec<_> = taints.collect();
    if !taints.is_empty() {
        let arguments = &mut starting.cluster.kubelet.extra_args;
        arguments
            .entry("register-with-taints".to_owned())
            .or_insert_with(|| taints.join(",").into());
    }
    let stage = Stage::wanted(resolved.cluster.control_plane.encryption);
    phase(&starting, node, stage)
}

/// What a node's object is given as soon as it is there, as JSON to merge.
#[must_use]
pub fn note(resolved: &ResolvedCluster) -> String {
    let socket = runtime::profile(&resolved.cluster.runtime).socket;
    let note = match resolved.version < SOCKET_ON_THE_HOST {
        true => json!({"metadata": {"annotations": {
            "kubeadm.alpha.kubernetes.io/cri-socket": socket,
        }}}),
        false => json!({}),
    };
    note.to_string()
}

/// The URL of a node's object at the endpoint.
#[must_use]
pub fn url(resolved: &ResolvedCluster, node: &Node) -> String {
    let endpoint = resolved.cluster.node_endpoint();
    format!("https://{endpoint}/api/v1/nodes/{}", node.name)
}

fn user(node: &Node) -> String {
    format!("system:node:{}", node.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubeadm::tests::few;

    const OLD: Version = Version::new(1, 33, 6);
    const NEW: Version = Version::new(1, 37, 2);

    fn worker(resolved: &ResolvedCluster) -> &Node {
        resolved.with_role(Role::Worker).next().unwrap()
    }

    #[test]
    fn the_kubeconfig_names_the_link_and_holds_no_key() {
        let resolved = few(NEW);
        let node = worker(&resolved);
        let text = kubeconfig(&resolved, node, "AUTHORITY");
        insta::assert_snapshot!(text);
        let subject = certificate(node, "AUTHORITY").subject;
        assert_eq!(subject.common_name, format!("system:node:{}", node.name));
        assert!(subject.organizations.contains("system:nodes"));
    }

    #[test]
    fn a_worker_is_registered_with_its_taints() {
        for version in [OLD, NEW] {
            let mut resolved = few(version);
            let place = resolved.cluster.nodes.iter().position(|node| {
                node.roles.has(Role::Worker) && !node.roles.has(Role::ControlPlane)
            });
            let node = &mut resolved.cluster.nodes[place.unwrap()];
            node.taints = Some(vec![crate::cluster::Taint {
                key: "dedicated".to_owned(),
                value: "db".to_owned(),
                effect: crate::cluster::TaintEffect::NoSchedule,
            }]);
            let node = node.clone();
            let text = start(&resolved, &node);
            assert!(text.contains("register-with-taints"), "{text}");
            assert!(text.contains("dedicated=db:NoSchedule"), "{text}");
        }
    }

    #[test]
    fn since_1_34_a_host_knows_its_socket_by_itself() {
        assert_eq!(
            note(&few(OLD)),
            r#"{"metadata":{"annotations":{"kubeadm.alpha.kubernetes.io/cri-socket":"unix:///run/containerd/containerd.sock"}}}"#
        );
        assert_eq!(note(&few(NEW)), "{}");
    }
}
