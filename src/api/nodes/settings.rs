//! Labels and taints of a node. What is not named belongs to others and stays.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::{Node, api};
use crate::api::read::change;
use crate::api::{Client, Error};
use crate::cluster::{Taint, TaintEffect};

/// Labels and taints that a node shall have or shall not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Labels by key; none removes one.
    pub labels: BTreeMap<String, Option<String>>,
    /// Taints, which a key and an effect identify.
    pub taints: Vec<TaintChange>,
}

/// What becomes of one taint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaintChange {
    /// It is there, with this value.
    Present(Taint),
    /// It is not there, whatever its value.
    Absent {
        /// Its key.
        key: String,
        /// Its effect.
        effect: TaintEffect,
    },
}

/// Sets labels and taints of a node, which must be the one with this uid.
/// Nothing is written if all is so already. What the node is after that.
///
/// # Errors
/// When there is no such node, it is another one by now, or the cluster
/// cannot be asked.
pub async fn set(
    client: &Client,
    name: &str,
    uid: &str,
    settings: &Settings,
) -> Result<Node, Error> {
    let action = || format!("set labels and taints of node {name}");
    let patch = |node: &core::Node| Ok(patch(node, settings));
    let changed = change(&api(client), name, Some(uid), action, patch).await;
    changed.map(Node::from)
}

/// A JSON merge patch: labels one by one, taints as a whole.
fn patch(node: &core::Node, settings: &Settings) -> Option<Value> {
    let mut patch = json!({});
    let has = node.labels();
    for (key, value) in &settings.labels {
        if has.get(key) != value.as_ref() {
            patch["metadata"]["labels"][key] = json!(value);
        }
    }
    let before = node.spec.as_ref().and_then(|spec| spec.taints.clone());
    let before = before.unwrap_or_default();
    let after = settings.taints.iter().fold(before.clone(), tainted);
    if after != before {
        patch["spec"]["taints"] = json!(after);
    }
    (patch != json!({})).then_some(patch)
}

fn tainted(mut taints: Vec<core::Taint>, change: &TaintChange) -> Vec<core::Taint> {
    let (key, effect, value) = match change {
        TaintChange::Present(taint) => (&taint.key, taint.effect, Some(&taint.value)),
        TaintChange::Absent { key, effect } => (key, *effect, None),
    };
    let same = |taint: &core::Taint| taint.key == *key && taint.effect == effect.as_str();
    let Some(value) = value else {
        taints.retain(|taint| !same(taint));
        return taints;
    };
    match taints.iter_mut().find(|taint| same(taint)) {
        Some(taint) if taint.value.as_deref().unwrap_or_default() == value => {}
        Some(taint) => taint.value = Some(value.clone()),
        None => taints.push(core::Taint {
            key: key.clone(),
            effect: effect.as_str().to_owned(),
            value: Some(value.clone()).filter(|value| !value.is_empty()),
            time_added: None,
        }),
    }
    taints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> core::Node {
        let node = json!({
            "metadata": {"name": "w-1", "labels": {"a": "1", "others": "x"}},
            "spec": {"taints": [
                {"key": "others", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
                {"key": "t", "value": "old", "effect": "NoSchedule"},
            ]},
        });
        serde_json::from_value(node).unwrap()
    }

    fn present(value: &str) -> TaintChange {
        TaintChange::Present(Taint {
            key: "t".to_owned(),
            value: value.to_owned(),
            effect: TaintEffect::NoSchedule,
        })
    }

    #[test]
    fn only_what_differs_is_written_and_what_is_not_named_stays() {
        let label = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        let settings = Settings {
            labels: [
                label("a", Some("2")),
                label("b", None),
                label("others", None),
            ]
            .into(),
            taints: vec![present("new")],
        };
        let expected = json!({
            "metadata": {"labels": {"a": "2", "others": null}},
            "spec": {"taints": [
                {"key": "others", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
                {"key": "t", "value": "new", "effect": "NoSchedule"},
            ]},
        });
        assert_eq!(patch(&node(), &settings), Some(expected));
    }

    #[test]
    fn what_is_so_already_is_not_written() {
        let absent = TaintChange::Absent {
            key: "t".to_owned(),
            effect: TaintEffect::NoExecute,
        };
        let settings = Settings {
            labels: [("a".to_owned(), Some("1".to_owned()))].into(),
            taints: vec![present("old"), absent],
        };
        assert_eq!(patch(&node(), &settings), None);
    }

    #[test]
    fn a_taint_is_removed_by_key_and_effect() {
        let settings = Settings {
            taints: vec![TaintChange::Absent {
                key: "t".to_owned(),
                effect: TaintEffect::NoSchedule,
            }],
            ..Settings::default()
        };
        let patch = patch(&node(), &settings).unwrap();
        assert_eq!(patch["spec"]["taints"].as_array().unwrap().len(), 1);
    }
}
