//! Syntax of labels and taints, and the labels that a kubelet may set.
//!
//! Rules: "Labels and Selectors" of the Kubernetes documentation; the allowed
//! names under kubernetes.io: the kubelet's flag `--node-labels` and the
//! admission plugin NodeRestriction.

use std::collections::BTreeMap;

use super::document::text_map;
use super::fields;
use super::finding::{Finding, quoted};
use super::reader::{ParseError, Reader, parse_error};
use super::syntax::is_dns_name;
use super::yaml::{Node, Value};
use crate::cluster::{Taint, TaintEffect};

fn is_word(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|c| edge(c) || "-_.".contains(c))
}

/// `name` or `prefix/name`.
pub fn key(text: &str) -> Result<String, ParseError> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if prefix.is_some_and(|prefix| !is_dns_name(prefix)) {
        return parse_error(
            format!(
                "the part of {} before the / is no lower-case DNS name",
                quoted(text)
            ),
            "write a key such as example.org/zone",
        );
    }
    if !is_word(name) {
        return parse_error(
            format!("{} is no key of a label or taint", quoted(text)),
            "use letters, digits, - _ and ., at most 63, first and last a letter or digit; before it perhaps a DNS name and a /",
        );
    }
    Ok(text.to_owned())
}

/// A value, perhaps empty.
pub fn value(text: &str) -> Result<String, ParseError> {
    if text.is_empty() || is_word(text) {
        Ok(text.to_owned())
    } else {
        parse_error(
            format!("{} is no value of a label or taint", quoted(text)),
            "use letters, digits, - _ and ., at most 63, first and last a letter or digit",
        )
    }
}

/// Labels of a node.
pub fn labels(reader: &Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (raw, text) in text_map(reader, node, "`{zone: a}`") {
        let checks = [(raw.span, key(&raw.value)), (text.span, value(&text.value))];
        for (span, check) in checks {
            if let Err(ParseError { message, help }) = check {
                reader.report(Finding::error("invalid-label", span, message).help(help));
            }
        }
        if !kubelet_may_set(&raw.value) {
            let message = format!(
                "a kubelet may not give its own node the label {}",
                quoted(&raw.value)
            );
            let help = if raw.value.starts_with("node-role.kubernetes.io/") {
                "roles come from `roles:`; for another one run `kubectl label node` when the cluster is up"
            } else {
                "use a name outside kubernetes.io and k8s.io, or one under node.kubernetes.io/"
            };
            reader.report(Finding::error("reserved-label", raw.span, message).help(help));
        }
        labels.insert(raw.value, text.value);
    }
    labels
}

fn kubelet_may_set(key: &str) -> bool {
    const ALLOWED: [&str; 6] = [
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "beta.kubernetes.io/instance-type",
    ];
    let Some((prefix, _)) = key.split_once('/') else {
        return true;
    };
    let within = |domain: &str| prefix == domain || prefix.ends_with(&format!(".{domain}"));
    let reserved = within("kubernetes.io") || within("k8s.io");
    let own = within("node.kubernetes.io") || within("kubelet.kubernetes.io");
    !reserved || own || ALLOWED.contains(&key)
}

const EFFECTS: [(&str, TaintEffect); 3] = [
    (TaintEffect::NoSchedule.as_str(), TaintEffect::NoSchedule),
    (
        TaintEffect::PreferNoSchedule.as_str(),
        TaintEffect::PreferNoSchedule,
    ),
    (TaintEffect::NoExecute.as_str(), TaintEffect::NoExecute),
];

/// Taints of a node.
pub fn taints(reader: &Reader<'_>, node: &Node) -> Vec<Taint> {
    const EXAMPLE: &str = "`- {key: dedicated, value: db, effect: NoSchedule}`";
    let items = reader.list(node, EXAMPLE);
    items
        .iter()
        .filter_map(|item| taint(reader, item, EXAMPLE))
        .collect()
}

fn taint(reader: &Reader<'_>, node: &Node, example: &str) -> Option<Taint> {
    if let Value::Scalar { .. } = node.value {
        return reader
            .parse(node, "invalid-taint", example, short_taint)
            .map(|taint| taint.value);
    }
    let fields = reader.fields(node, fields::TAINT, example)?;
    let key = fields
        .require("key", "`key: dedicated`")
        .and_then(|node| reader.parse(node, "invalid-taint", "a key", key));
    let effect = fields
        .require("effect", "`effect: NoSchedule`")
        .and_then(|node| reader.choice(node, &EFFECTS, &[]));
    let value = match fields.get("value") {
        Some(node) => reader.parse(node, "invalid-taint", "a value", value)?.value,
        None => String::new(),
    };
    Some(Taint {
        key: key?.value,
        value,
        effect: effect?.value,
    })
}

/// `key=value:Effect` or `key:Effect`, as `kubectl taint` takes it.
fn short_taint(text: &str) -> Result<Taint, ParseError> {
    let Some((pair, effect)) = text.rsplit_once(':') else {
        return parse_error(
            format!("the taint {} has no effect", quoted(text)),
            "write key=value:NoSchedule",
        );
    };
    let Some((_, effect)) = EFFECTS.into_iter().find(|(word, _)| *word == effect) else {
        return parse_error(
            format!("{} is no effect of a taint", quoted(effect)),
            "write NoSchedule, PreferNoSchedule or NoExecute",
        );
    };
    let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
    Ok(Taint {
        key: key(name)?,
        value: value(text)?,
        effect,
    })
}
