//! The nodes of a draft, one a line where that is enough.

use super::comments;
use super::login;
use super::scalar::{list, scalar};
use super::{Draft, DraftLogin, DraftNode};
use crate::cluster::Role;

/// Columns of a node on one line.
const WIDTH: usize = 79;

/// `nodes:` with all of them.
pub fn nodes(draft: &Draft, shared: &DraftLogin) -> String {
    let mut out = String::from("nodes:\n");
    let mut above: Option<&[Role]> = None;
    let mut told = Vec::new();
    for node in &draft.nodes {
        if above != Some(node.roles.as_slice()) {
            if above.is_some() {
                out.push('\n');
            }
            for role in [Role::ControlPlane, Role::Etcd] {
                if node.roles.contains(&role) && !told.contains(&role) {
                    out.push_str(&about(draft, role));
                    told.push(role);
                }
            }
        }
        above = Some(&node.roles);
        out.push_str(&one(node, shared));
    }
    out
}

/// What a newcomer should know of the hosts with a role.
fn about(draft: &Draft, role: Role) -> String {
    let count = draft.with_role(role).count();
    match (role, draft.external_etcd) {
        (Role::Etcd, true) => comments::quorum(count, "etcd host"),
        (Role::ControlPlane, false) => comments::quorum(count, "control plane"),
        _ => String::new(),
    }
}

fn one(node: &DraftNode, shared: &DraftLogin) -> String {
    let rows = rows(node, shared);
    let short = rows
        .iter()
        .all(|(_, value)| matches!(value, Value::Text(_)));
    let pairs: Vec<String> = rows
        .iter()
        .map(|(key, value)| format!("{key}: {}", value.flow()))
        .collect();
    let line = format!("  - {{{}}}\n", pairs.join(", "));
    if short && line.chars().count() <= WIDTH {
        return line;
    }
    let mut out = String::new();
    for (place, (key, value)) in rows.iter().enumerate() {
        let mark = if place == 0 { "  - " } else { "    " };
        match value {
            Value::Text(text) => out.push_str(&format!("{mark}{key}: {text}\n")),
            Value::Mapping(entries) => {
                out.push_str(&format!("{mark}{key}:\n"));
                for (key, value) in entries {
                    out.push_str(&format!("      {key}: {value}\n"));
                }
            }
        }
    }
    out
}

/// A value as YAML.
enum Value {
    Text(String),
    Mapping(Vec<(String, String)>),
}

impl Value {
    fn flow(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Mapping(_) => "",
        }
    }
}

fn rows(node: &DraftNode, shared: &DraftLogin) -> Vec<(&'static str, Value)> {
    let mut rows = vec![("name", Value::Text(scalar(node.name.as_str())))];
    let own = login::own(&node.ssh, shared);
    let simple = DraftLogin {
        host: own.host.clone(),
        port: own.port,
        user: own.user.clone(),
        ..DraftLogin::default()
    };
    let address = node.address.map(|address| address.to_string());
    match (&own.host, own == simple) {
        (Some(host), true) => {
            let text = login::login_text(own.user.as_deref(), host, own.port);
            rows.push(("ssh", Value::Text(scalar(&text))));
        }
        _ => {
            let keys = login::keys(&own);
            let entries: Vec<(String, String)> = keys
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            if !entries.is_empty() {
                rows.push(("ssh", Value::Mapping(entries)));
            }
        }
    }
    match (&address, &node.interface) {
        // The ssh host is the address where nothing else is written.
        (Some(address), _) if own.host.as_ref() == Some(address) => {}
        (Some(address), _) => rows.push(("address", Value::Text(scalar(address)))),
        (None, Some(interface)) => rows.push(("interface", Value::Text(scalar(interface)))),
        (None, None) => {}
    }
    let roles: Vec<&str> = node.roles.iter().map(|role| role.as_str()).collect();
    match roles.as_slice() {
        [one] => rows.push(("role", Value::Text(scalar(one)))),
        many => rows.push(("roles", Value::Text(list(many.iter().copied())))),
    }
    if !node.labels.is_empty() {
        let labels = node.labels.iter();
        let labels = labels.map(|(key, value)| (scalar(key), scalar(value)));
        rows.push(("labels", Value::Mapping(labels.collect())));
    }
    rows
}
