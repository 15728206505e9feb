//! Cordon and uncordon, without taking over what others have cordoned.

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;
use serde_json::json;

use super::{CORDONED_BY, api};
use crate::api::read::change;
use crate::api::{Client, Error};

/// What cordoning a node came to. It takes no new pods in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cordoned {
    /// kdiy has cordoned it, now or before.
    ByKdiy,
    /// Somebody else had cordoned it, and [`uncordon`] will leave it so.
    ByOthers,
}

/// What uncordoning a node came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncordoned {
    /// It takes pods.
    Schedulable,
    /// Somebody else has cordoned it; it stays so.
    ByOthers,
}

/// Has a node, which must be the one with this uid, take no new pods, and
/// notes in [`CORDONED_BY`] who wanted that, such as a run's name. The note
/// of an earlier run stays.
///
/// # Errors
/// When there is no such node, it is another one by now, or the cluster
/// cannot be asked.
pub async fn cordon(client: &Client, name: &str, uid: &str, by: &str) -> Result<Cordoned, Error> {
    let action = || format!("cordon node {name}");
    let patch = |node: &core::Node| {
        // Written in one go: a node that has one has the other.
        Ok((!is_cordoned(node)).then(|| {
            json!({
                "metadata": {"annotations": {CORDONED_BY: by}},
                "spec": {"unschedulable": true},
            })
        }))
    };
    let node = change(&api(client), name, Some(uid), action, patch).await?;
    Ok(if node.annotations().contains_key(CORDONED_BY) {
        Cordoned::ByKdiy
    } else {
        Cordoned::ByOthers
    })
}

/// Has a node, which must be the one with this uid, take pods again if kdiy
/// had cordoned it.
///
/// # Errors
/// As [`cordon`].
pub async fn uncordon(client: &Client, name: &str, uid: &str) -> Result<Uncordoned, Error> {
    let action = || format!("uncordon node {name}");
    let patch = |node: &core::Node| {
        // A note without a cordon is left of one that somebody has undone.
        Ok(node.annotations().contains_key(CORDONED_BY).then(|| {
            json!({
                "metadata": {"annotations": {CORDONED_BY: null}},
                "spec": {"unschedulable": null},
            })
        }))
    };
    let node = change(&api(client), name, Some(uid), action, patch).await?;
    Ok(if is_cordoned(&node) {
        Uncordoned::ByOthers
    } else {
        Uncordoned::Schedulable
    })
}

fn is_cordoned(node: &core::Node) -> bool {
    let spec = node.spec.as_ref();
    spec.and_then(|spec| spec.unschedulable).unwrap_or_default()
}
