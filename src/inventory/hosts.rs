//! `nodes:` as written.

use std::collections::BTreeMap;

use super::address;
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::labels;
use super::login::{self, Ssh};
use super::reader::{Fields, ParseError, Reader, parse_error};
use super::syntax;
use super::yaml::{Node, Value};
use crate::cluster::{AddressSpec, Name, Role, Taint};

/// One entry of `nodes`.
pub struct RawNode {
    /// Its first key.
    pub start: Span,
    pub name: Option<Spanned<Name>>,
    pub ssh: Ssh,
    pub address: Option<Spanned<AddressSpec>>,
    /// `address` or `interface` is there, right or wrong.
    pub has_address: bool,
    /// `None` when one of them is wrong.
    pub roles: Option<Vec<Spanned<Role>>>,
    pub labels: BTreeMap<String, String>,
    pub labels_key: Option<Span>,
    pub taints: Option<Vec<Taint>>,
    pub taints_key: Option<Span>,
}

impl RawNode {
    /// Where a role was written, when the node has it.
    pub fn role(&self, role: Role) -> Option<Span> {
        let roles = self.roles.iter().flatten();
        roles
            .into_iter()
            .find(|raw| raw.value == role)
            .map(|raw| raw.span)
    }

    /// Its name, or the place where a name should be.
    pub fn name_span(&self) -> Span {
        self.name.as_ref().map_or(self.start, |name| name.span)
    }

    /// Its name for messages.
    pub fn called(&self) -> &str {
        self.name
            .as_ref()
            .map_or("this node", |name| name.value.as_str())
    }
}

/// `nodes:`.
pub fn nodes(reader: &Reader<'_>, node: &Node) -> Vec<RawNode> {
    let items = reader.list(node, "a list: `- name: cp-1` and so on");
    if items.is_empty() && matches!(node.value, Value::Sequence(_)) {
        let finding = Finding::error("no-control-plane", node.span, "the list of nodes is empty");
        reader.report(finding.help("add at least one node with `role: control-plane`"));
    }
    items.iter().filter_map(|item| one(reader, item)).collect()
}

fn one(reader: &Reader<'_>, node: &Node) -> Option<RawNode> {
    let fields = reader.fields(
        node,
        fields::NODE,
        "`name: cp-1`, `ssh: 192.0.2.11` and `role: control-plane`",
    )?;
    let name = fields.require("name", "`name: cp-1`; it becomes the host name, too");
    fields.exclusive("address", "interface");
    let address = match (fields.get("address"), fields.get("interface")) {
        (Some(node), _) => {
            let address = reader.parse(
                node,
                "invalid-address",
                "an address such as 192.0.2.11",
                address::address,
            );
            address.map(|address| Spanned {
                value: AddressSpec::Fixed(address.value),
                span: address.span,
            })
        }
        (None, Some(node)) => reader.parse(
            node,
            "invalid-interface",
            "an interface such as eth1",
            |text| interface(text).map(AddressSpec::Interface),
        ),
        (None, None) => None,
    };
    Some(RawNode {
        start: fields.start(),
        name: name.and_then(|node| {
            reader.parse(
                node,
                "invalid-name",
                "a name such as cp-1",
                syntax::node_name,
            )
        }),
        ssh: fields
            .get("ssh")
            .map(|node| login::ssh(reader, node))
            .unwrap_or_default(),
        address,
        has_address: fields.get("address").or(fields.get("interface")).is_some(),
        roles: roles(reader, &fields),
        labels: fields
            .get("labels")
            .map(|node| labels::labels(reader, node))
            .unwrap_or_default(),
        labels_key: fields.get("labels").and_then(|_| fields.key("labels")),
        taints: fields
            .get("taints")
            .map(|node| labels::taints(reader, node)),
        taints_key: fields.get("taints").and_then(|_| fields.key("taints")),
    })
}

/// An interface name as Linux allows it.
pub fn interface(text: &str) -> Result<String, ParseError> {
    let sound = text.len() < 16
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    if sound {
        Ok(text.to_owned())
    } else {
        parse_error(
            format!("{} is no name of a network interface", quoted(text)),
            "write a name such as eth1, at most 15 characters",
        )
    }
}

/// The words for roles.
pub const ROLES: [(&str, Role); 4] = [
    (Role::ControlPlane.as_str(), Role::ControlPlane),
    (Role::Worker.as_str(), Role::Worker),
    (Role::Etcd.as_str(), Role::Etcd),
    (Role::LoadBalancer.as_str(), Role::LoadBalancer),
];

fn roles(reader: &Reader<'_>, fields: &Fields<'_, '_>) -> Option<Vec<Spanned<Role>>> {
    if fields.exclusive("role", "roles") {
        return None;
    }
    let items: Vec<&Node> = match (fields.get("role"), fields.get("roles")) {
        (_, Some(node)) if matches!(node.value, Value::Sequence(_)) => reader
            .list(node, "[control-plane, worker]")
            .iter()
            .map(|item| &**item)
            .collect(),
        (Some(node), _) | (None, Some(node)) => vec![node],
        (None, None) => Vec::new(),
    };
    if items.is_empty() {
        let span = fields
            .key("roles")
            .or(fields.key("role"))
            .or(fields.key("name"))
            .unwrap_or(fields.start());
        let finding = Finding::error("no-role", span, "this node has no role");
        reader.report(finding.help("add `role: control-plane`, `role: worker`, `role: etcd` or `role: load-balancer`; `roles: [...]` takes several"));
        return None;
    }
    let read: Vec<Option<Spanned<Role>>> = items
        .into_iter()
        .map(|item| reader.choice(item, &ROLES, &[]))
        .collect();
    read.into_iter().collect()
}
