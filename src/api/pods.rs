//! Pods of a node, and their eviction.

mod evict;
mod kind;

use std::fmt;

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;
use kube::api::Api;

pub use evict::{Budget, Eviction, evict, would_evict};
pub use kind::Kind;

use super::read::list;
use super::{Client, Error};

/// A pod as far as a drain is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name, which a successor may have too.
    pub name: String,
    /// Its identity.
    pub uid: String,
    /// What a drain does with it.
    pub kind: Kind,
    /// Whether it has a volume of the type `emptyDir`, whose content is lost
    /// with it.
    pub empty_dir: bool,
    /// Whether it is being deleted already.
    pub terminating: bool,
    /// Its labels, by which budgets select it.
    pub labels: std::collections::BTreeMap<String, String>,
}

/// `namespace/name`, as kubectl says it.
impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// All pods that are on a node, in order of namespace and name.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn of_node(client: &Client, node: &str) -> Result<Vec<Pod>, Error> {
    let action = || format!("list the pods of node {node}");
    let pods = list(&all(client), Some(&selector(node)), action).await?;
    let mut pods: Vec<_> = pods.items.iter().map(Pod::of).collect();
    pods.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
    Ok(pods)
}

/// Selects the pods that are on a node.
pub(super) fn selector(node: &str) -> String {
    format!("spec.nodeName={node}")
}

pub(super) fn all(client: &Client) -> Api<core::Pod> {
    Api::all(client.kube())
}

impl Pod {
    pub(super) fn of(pod: &core::Pod) -> Self {
        let volumes = pod
            .spec
            .iter()
            .flat_map(|spec| spec.volumes.iter().flatten());
        Self {
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
            kind: Kind::of(pod),
            empty_dir: { volumes }.any(|volume| volume.empty_dir.is_some()),
            terminating: pod.metadata.deletion_timestamp.is_some(),
            labels: pod.labels().clone(),
        }
    }
}
