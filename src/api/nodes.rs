//! Nodes: what they are like, labels and taints, cordon, readiness, removal.

mod cordon;
mod ready;
mod settings;

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, Preconditions};

pub use cordon::{Cordoned, Uncordoned, cordon, uncordon};
pub use ready::{wait_until_ready, wait_until_registered};
pub use settings::{Settings, TaintChange, set};

use super::client::During as _;
use super::read::list as list_all;
use super::{Client, Error};
use crate::cluster::{Taint, TaintEffect};

/// The annotation that says who cordoned a node. A node that is cordoned and
/// has none was cordoned by somebody else.
pub const CORDONED_BY: &str = "kdiy/cordoned-by";

/// A node as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its identity: a node that is removed and joins again has another one.
    pub uid: String,
    /// All its labels.
    pub labels: BTreeMap<String, String>,
    /// All its taints.
    pub taints: Vec<Taint>,
    /// Whether it takes no new pods.
    pub unschedulable: bool,
    /// Who cordoned it, if that was kdiy: the value of [`CORDONED_BY`].
    pub cordoned_by: Option<String>,
    /// All its conditions.
    pub conditions: Vec<Condition>,
    /// Its addresses of the type `InternalIP`.
    pub internal_ips: Vec<IpAddr>,
    /// `/etc/machine-id` of its host.
    pub machine_id: String,
    /// Version of its kubelet, such as `v1.37.2`.
    pub kubelet_version: String,
    /// Its container runtime with its version, such as `containerd://1.7.2`.
    pub container_runtime: String,
}

/// A condition of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its type, such as `Ready`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason for programs, such as `KubeletReady`.
    pub reason: String,
    /// The reason for people.
    pub message: String,
}

/// All nodes, in order of their names.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn list(client: &Client) -> Result<Vec<Node>, Error> {
    let nodes = list_all(&api(client), None, || "list the nodes".to_owned()).await?;
    let mut nodes: Vec<_> = nodes.items.into_iter().map(Node::from).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(nodes)
}

/// Removes a Node if it is still the one with this uid. One that is gone is
/// no error; neither the host nor its pods are touched.
///
/// # Errors
/// When it is another one by now, which the API server tells as 409, or the
/// cluster cannot be asked.
pub async fn delete(client: &Client, name: &str, uid: &str) -> Result<(), Error> {
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    let deleted = api(client).delete(name, &params).await;
    match deleted.during(|| format!("delete node {name}")) {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted.map(drop),
    }
}

fn api(client: &Client) -> Api<core::Node> {
    Api::all(client.kube())
}

impl Node {
    /// Whether its condition `Ready` is `True`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.any(|condition| condition.kind == "Ready" && condition.status == "True")
    }
}

impl From<core::Node> for Node {
    fn from(node: core::Node) -> Self {
        let name = node.name_any();
        let uid = node.uid().unwrap_or_default();
        let cordoned_by = node.annotations().get(CORDONED_BY).cloned();
        let spec = node.spec.unwrap_or_default();
        let status = node.status.unwrap_or_default();
        let info = status.node_info.unwrap_or_default();
        let addresses = status.addresses.unwrap_or_default().into_iter();
        let conditions = status.conditions.unwrap_or_default().into_iter();
        Self {
            name,
            uid,
            labels: node.metadata.labels.unwrap_or_default(),
            taints: spec.taints.iter().flatten().filter_map(taint).collect(),
            unschedulable: spec.unschedulable.unwrap_or_default(),
            cordoned_by,
            conditions: conditions.map(Condition::from).collect(),
            internal_ips: addresses
                .filter(|address| address.type_ == "InternalIP")
                .filter_map(|address| address.address.parse().ok())
                .collect(),
            machine_id: info.machine_id,
            kubelet_version: info.kubelet_version,
            container_runtime: info.container_runtime_version,
        }
    }
}

impl From<core::NodeCondition> for Condition {
    fn from(condition: core::NodeCondition) -> Self {
        Self {
            kind: condition.type_,
            status: condition.status,
            reason: condition.reason.unwrap_or_default(),
            message: condition.message.unwrap_or_default(),
        }
    }
}

/// A taint of one of the effects that Kubernetes has.
fn taint(taint: &core::Taint) -> Option<Taint> {
    let effects = [
        TaintEffect::NoSchedule,
        TaintEffect::PreferNoSchedule,
        TaintEffect::NoExecute,
    ];
    let effect = effects
        .into_iter()
        .find(|effect| effect.as_str() == taint.effect)?;
    Some(Taint {
        key: taint.key.clone(),
        value: taint.value.clone().unwrap_or_default(),
        effect,
    })
}
