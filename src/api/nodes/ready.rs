//! Waiting for nodes to be ready.

use std::ops::ControlFlow;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;

use super::{Node, api};
use crate::api::watch::{Objects, Wait, until};
use crate::api::{Client, Error};
use crate::transport::sanitise::sanitise_short;

/// Waits until all these nodes are there and ready. `tell` hears which are
/// not and why, whenever that is another thing.
///
/// # Errors
/// When one is not in time, with the reason that its kubelet gives; when the
/// cluster refuses to be asked. Servers that fail for the moment are waited
/// for.
pub async fn wait_until_ready(
    client: &Client,
    names: &[String],
    limit: Duration,
    tell: &(dyn Fn(String) + Sync),
) -> Result<(), Error> {
    let wait = Wait {
        fields: None,
        limit,
        action: "wait for the nodes to be ready",
    };
    wait_for_all(client, names, &wait, tell, unready).await?;
    Ok(())
}

/// Waits until all these nodes are there: a kubelet that has just got its
/// certificate takes a moment to register. What the cluster's nodes are then.
///
/// # Errors
/// As [`wait_until_ready`].
pub async fn wait_until_registered(
    client: &Client,
    names: &[String],
    limit: Duration,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Vec<Node>, Error> {
    let wait = Wait {
        fields: None,
        limit,
        action: "wait for the nodes to register",
    };
    wait_for_all(client, names, &wait, tell, |nodes, name| {
        let there = nodes.values().any(|node| node.name_any() == name);
        (!there).then(|| format!("{name} is not in the cluster"))
    })
    .await
}

/// Waits until `missing` says of no name what it lacks.
async fn wait_for_all(
    client: &Client,
    names: &[String],
    wait: &Wait<'_>,
    tell: &(dyn Fn(String) + Sync),
    missing: impl Fn(&Objects<core::Node>, &str) -> Option<String>,
) -> Result<Vec<Node>, Error> {
    let mut told = Vec::new();
    until(&api(client), wait, |nodes| {
        let all: Vec<_> = names
            .iter()
            .filter_map(|name| missing(nodes, name))
            .collect();
        if all.is_empty() {
            return ControlFlow::Break(nodes.values().cloned().map(Node::from).collect());
        }
        if all != told {
            tell(format!("waiting for {}", all.join(", ")));
            told.clone_from(&all);
        }
        ControlFlow::Continue(all)
    })
    .await
}

/// Why a node is not ready; none if it is.
fn unready(nodes: &Objects<core::Node>, name: &str) -> Option<String> {
    let Some(node) = nodes.values().find(|node| node.name_any() == name) else {
        return Some(format!("{name} is not in the cluster"));
    };
    let node = Node::from(node.clone());
    if node.is_ready() {
        return None;
    }
    let ready = node.conditions.iter().find(|one| one.kind == "Ready");
    let why = ready.map_or_else(
        || "its kubelet has not reported yet".to_owned(),
        // A kubelet may report anything.
        |ready| sanitise_short(&format!("{}: {}", ready.reason, ready.message)),
    );
    Some(format!("{name} ({why})"))
}
