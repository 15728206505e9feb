//! Operations: what is done to the cluster as a whole, through whichever API
//! server answers. As pure in a plan as changes of hosts are: what and why.
//! An operation checks its own precondition when it runs.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::cluster::Taint;
use crate::resource::Verb;

/// What a step does. `T` is a resource in a blueprint, a change in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Action<T> {
    /// Brings resources of a host about, in order.
    #[serde(rename = "changes")]
    Converge(Vec<T>),
    /// Does one operation on the cluster.
    #[serde(rename = "operation", serialize_with = "with_words")]
    Do(Operation),
}

/// An operation with what a reader is told of it.
fn with_words<S: Serializer>(operation: &Operation, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        verb: Verb,
        name: String,
        details: Vec<String>,
        #[serde(flatten)]
        operation: &'a Operation,
    }
    let shown = Shown {
        verb: operation.verb(),
        name: operation.name(),
        details: operation.details(),
        operation,
    };
    shown.serialize(to)
}

/// Something that is done to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
pub enum Operation {
    /// Sets labels and taints that nodes lack; others stay as they are.
    LabelNodes(Vec<NodeMarks>),
    /// Makes the token by which nodes join, valid for an hour from when it
    /// runs. One that is there gets that hour, too.
    BootstrapToken,
    /// Applies objects server-side, with kdiy as the field manager.
    Apply(Manifest),
    /// Deletes the Node of a host that is to join anew, if it is still the one
    /// that was seen.
    DeleteNode {
        /// Its name.
        node: String,
        /// Its identity when it was seen.
        uid: String,
    },
    /// Has the cluster remember settings of its inventory, by path, as JSON
    /// each.
    Remember(BTreeMap<String, String>),
    /// Restarts the pods of a DaemonSet at its own pace, and waits for them.
    RestartDaemonSet {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Waits until these nodes are ready.
    NodesReady(Vec<String>),
}

/// Objects of the cluster that kdiy applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// What it is, such as `network manifest`.
    pub name: String,
    /// A line for the plan, such as `apply cni.yaml`.
    pub detail: String,
    /// YAML, one document or more.
    pub text: String,
    /// Key and value that kdiy's own ConfigMap gets once all is applied, so
    /// that any machine knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<(String, String)>,
}

/// Labels and taints that one node lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeMarks {
    /// The node's name.
    pub node: String,
    /// Its identity when it was seen; none of a node that is yet to register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Labels by their keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Taints; in JSON as `key=value:effect`.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_words")]
    pub taints: Vec<Taint>,
}

fn as_words<S: Serializer>(taints: &[Taint], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(taints.iter().map(Taint::to_string))
}

impl<T> Action<T> {
    /// The resources or changes; none of an operation.
    #[must_use]
    pub fn resources(&self) -> &[T] {
        match self {
            Self::Converge(all) => all,
            Self::Do(_) => &[],
        }
    }
}

impl Operation {
    /// Whether it does something or only waits.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::NodesReady(_) => Verb::Wait,
            _ => Verb::Run,
        }
    }

    /// The nodes that it is about; none where it is about the cluster as a
    /// whole.
    #[must_use]
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::LabelNodes(nodes) => nodes.iter().map(|node| node.node.as_str()).collect(),
            Self::DeleteNode { node, .. } => vec![node],
            Self::NodesReady(nodes) => nodes.iter().map(String::as_str).collect(),
            Self::BootstrapToken
            | Self::Apply(_)
            | Self::RestartDaemonSet { .. }
            | Self::Remember(_) => Vec::new(),
        }
    }

    /// What it is about, such as `labels and taints`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::LabelNodes(_) => "labels and taints".to_owned(),
            Self::BootstrapToken => "bootstrap token".to_owned(),
            Self::Apply(manifest) => manifest.name.clone(),
            Self::DeleteNode { node, .. } => format!("what is left of {node}"),
            Self::Remember(_) => "settings".to_owned(),
            Self::RestartDaemonSet { name, .. } => format!("the pods of {name}"),
            Self::NodesReady(nodes) => match nodes.as_slice() {
                [one] => format!("{one} to be ready"),
                _ => "all nodes to be ready".to_owned(),
            },
        }
    }

    /// What it is about, where the name of its only node stands above.
    #[must_use]
    pub fn name_of_one(&self) -> String {
        match self {
            Self::NodesReady(nodes) if nodes.len() == 1 => "its Node to be ready".to_owned(),
            _ => self.name(),
        }
    }

    /// A line for each particular, for the plan.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::LabelNodes(nodes) => nodes.iter().flat_map(NodeMarks::details).collect(),
            Self::BootstrapToken => vec!["make one that is valid for an hour".to_owned()],
            Self::Apply(manifest) => vec![manifest.detail.clone()],
            Self::DeleteNode { .. } => vec!["remove its Node, to join anew".to_owned()],
            Self::Remember(_) => {
                vec!["note in the cluster which settings it has, to see changes".to_owned()]
            }
            Self::RestartDaemonSet { .. } => {
                vec!["restart them at the DaemonSet's pace, and wait for them".to_owned()]
            }
            Self::NodesReady(nodes) => match nodes.len() {
                1 => Vec::new(),
                _ => vec![nodes.join(", ")],
            },
        }
    }
}

impl NodeMarks {
    fn details(&self) -> Vec<String> {
        let labels = self
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let taints = self.taints.iter().map(Taint::to_string);
        let line = |what: &str, all: Vec<String>| {
            (!all.is_empty()).then(|| format!("{what} {}: {}", self.node, all.join(", ")))
        };
        let lines = [
            line("label", labels.collect()),
            line("taint", taints.collect()),
        ];
        lines.into_iter().flatten().collect()
    }
}
