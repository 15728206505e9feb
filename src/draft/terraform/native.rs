//! An output with the inventory's own keys.

use crate::cluster::Role;
use crate::draft::{Balancing, Draft, DraftLogin, DraftNode};
use crate::inventory::fields::TERRAFORM;
use crate::inventory::finding::Finding;
use crate::inventory::hosts::{self, RawNode};
use crate::inventory::login::{self, Ssh};
use crate::inventory::reader::Reader;
use crate::inventory::yaml::{Node, Value};
use crate::inventory::{address, syntax};

const KINDS: [(&str, Balancing); 5] = [
    (Balancing::Haproxy.as_str(), Balancing::Haproxy),
    (Balancing::Nginx.as_str(), Balancing::Nginx),
    (Balancing::KubeVip.as_str(), Balancing::KubeVip),
    (Balancing::Local.as_str(), Balancing::Local),
    (Balancing::External.as_str(), Balancing::External),
];

/// Reads the value of the output.
pub fn draft(reader: &Reader<'_>, value: &Node) -> Option<Draft> {
    let fields = reader.fields(
        value,
        TERRAFORM,
        "an object with `nodes`, a list of {name, role, ssh, address}",
    )?;
    let get = |key| fields.get(key);
    let name = get("name")
        .and_then(|node| reader.parse(node, "invalid-name", "a name such as demo", syntax::name));
    let mut draft = super::begun(name.map(|name| name.value))?;
    draft.version = get("version")
        .and_then(|node| reader.parse(node, "invalid-version", "\"1.34\"", syntax::version))
        .map(|version| version.value);
    draft.endpoint = get("endpoint")
        .and_then(|node| {
            reader.parse(
                node,
                "invalid-endpoint",
                "an endpoint such as 192.0.2.10:6443",
                address::endpoint,
            )
        })
        .map(|endpoint| endpoint.value);
    draft.vip = get("vip")
        .and_then(|node| reader.parse(node, "invalid-address", "192.0.2.10", address::vip))
        .map(|vip| vip.value);
    draft.balancing = get("loadBalancer")
        .and_then(|node| reader.choice(node, &KINDS, &[]))
        .map(|kind| kind.value);
    if let Some(node) = get("ssh") {
        draft.ssh = login(login::defaults(reader, node));
    }
    let nodes = fields.require("nodes", "`nodes`, a list of {name, role, ssh, address}")?;
    for raw in hosts::nodes(reader, nodes) {
        draft.nodes.extend(node(reader, raw));
    }
    draft.external_etcd = draft.has(Role::Etcd);
    same_hosts(reader, nodes);
    Some(draft)
}

fn login(ssh: Ssh) -> DraftLogin {
    DraftLogin {
        host: ssh.host.map(|host| host.value),
        port: ssh.port,
        user: ssh.user,
        identities: ssh.identities.unwrap_or_default(),
        jumps: ssh.jumps.map_or_else(Vec::new, |jumps| {
            jumps.value.into_iter().map(|jump| jump.value).collect()
        }),
        host_key: ssh.fingerprint,
        known_hosts: ssh.known_hosts,
        sudo: ssh.sudo,
    }
}

fn node(reader: &Reader<'_>, raw: RawNode) -> Option<DraftNode> {
    use crate::cluster::AddressSpec;
    if let Some(key) = raw.taints_key {
        let finding = Finding::warning("not-taken", key, "taints are not taken over");
        reader.report(finding.help("write them into the inventory: `taints: [...]`"));
    }
    if raw.ssh.host.is_none() && !raw.has_address && !raw.ssh.broken {
        let message = format!("{} has neither `ssh` nor `address`", raw.called());
        reader.report(
            Finding::error("no-address", raw.name_span(), message)
                .help("add `address`, by which the other hosts reach it, or `ssh`"),
        );
    }
    let roles = raw.roles.iter().flatten();
    let mut node = DraftNode::new(
        raw.name.clone()?.value,
        roles.map(|role| role.value).collect(),
    );
    match raw.address.map(|address| address.value) {
        Some(AddressSpec::Fixed(address)) => node.address = Some(address),
        Some(AddressSpec::Interface(name)) => node.interface = Some(name),
        None => {}
    }
    node.ssh = login(raw.ssh);
    node.labels = raw.labels;
    Some(node)
}

/// Refuses a host that is listed twice where it is listed, not only where it
/// would be written.
fn same_hosts(reader: &Reader<'_>, nodes: &Node) {
    let Value::Sequence(items) = &nodes.value else {
        return;
    };
    for key in ["name", "ssh", "address"] {
        let mut seen: Vec<(&str, &Node)> = Vec::new();
        for node in items.iter().filter_map(|item| super::field(item, key)) {
            let Some(text) = super::scalar(node) else {
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(other, _)| *other == text) {
                let message = format!("two nodes have the same `{key}`");
                reader.report(
                    Finding::error("duplicate", node.span, message)
                        .related(first.span, "first used here")
                        .help("every node is a host of its own; several roles are `roles`"),
                );
            }
            seen.push((text, node));
        }
    }
}
