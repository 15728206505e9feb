//! Any outputs, by a mapping: `control-plane=OUTPUT` and so on.

use std::rc::Rc;
use std::str::FromStr;

use serde_json_path::{JsonPath, PathElement};

use super::{Outputs, field, is_empty, scalar};
use crate::cluster::Role;
use crate::draft::imported::Names;
use crate::draft::{Draft, DraftNode};
use crate::inventory::finding::{Finding, Span, quoted};
use crate::inventory::hosts::ROLES;
use crate::inventory::yaml::{Node, Value};
use crate::inventory::{address, syntax};

/// What part of the outputs means what.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    target: Target,
    /// As written.
    source: String,
    /// The output that it begins with.
    output: String,
    path: JsonPath,
}

/// What a part of the outputs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Hosts with a role.
    Hosts(Role),
    /// What is logged in to on these hosts.
    Ssh(Role),
    /// Names of these hosts.
    Names(Role),
    /// The endpoint.
    Endpoint,
    /// The virtual IP.
    Vip,
    /// The name of the cluster.
    Name,
}

/// Why a text is no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAMapping {
    /// It has no `=`.
    #[error("write WHAT=OUTPUT, such as control-plane=control_plane_ips")]
    NoSource,
    /// The left side is unknown.
    #[error(
        "`{0}` cannot be mapped; write a role (control-plane, worker, etcd, load-balancer), ROLE.ssh, ROLE.name, endpoint, vip or name"
    )]
    Target(String),
    /// The right side is no path.
    #[error("`{0}` is no path: {1}; write OUTPUT, OUTPUT.key or OUTPUT[*].key, as JSONPath has it")]
    Path(String, String),
}

/// Where an object of a provider has the address by which hosts reach each
/// other, the best first.
const ADDRESSES: &[&str] = &[
    "address",
    "private_ip",
    "private_ip_address",
    "private_address",
    "ipv4_address_private",
    "network_ip",
    "access_ip_v4",
    "default_ip_address",
    "ip",
];

/// Where it has what is logged in to.
const LOGINS: &[&str] = &[
    "ssh",
    "ssh_host",
    "host",
    "public_ip",
    "public_ip_address",
    "public_address",
    "nat_ip",
    "ipv4_address",
];

const NAMES: &[&str] = &["name", "hostname"];

impl FromStr for Mapping {
    type Err = NotAMapping;

    fn from_str(text: &str) -> Result<Self, NotAMapping> {
        let (target, source) = text.split_once('=').ok_or(NotAMapping::NoSource)?;
        let role = |word: &str| {
            ROLES
                .iter()
                .find(|(own, _)| *own == word)
                .map(|(_, role)| *role)
        };
        let target = match target.split_once('.') {
            None => match target {
                "endpoint" => Some(Target::Endpoint),
                "vip" => Some(Target::Vip),
                "name" => Some(Target::Name),
                word => role(word).map(Target::Hosts),
            },
            Some((word, "ssh")) => role(word).map(Target::Ssh),
            Some((word, "name")) => role(word).map(Target::Names),
            Some(_) => None,
        }
        .ok_or_else(|| NotAMapping::Target(target.to_owned()))?;
        let end = source.find(['.', '[']).unwrap_or(source.len());
        let (output, rest) = source.split_at(end);
        let wrong = |why: &str| NotAMapping::Path(source.to_owned(), why.to_owned());
        if output.is_empty() || output.contains(['\'', '\\']) {
            return Err(wrong("it begins with no output"));
        }
        let path = JsonPath::parse(&format!("$['{output}'].value{rest}"))
            .map_err(|error| wrong(error.message()))?;
        Ok(Self {
            target,
            source: source.to_owned(),
            output: output.to_owned(),
            path,
        })
    }
}

/// One value that a mapping leads to.
struct Item {
    /// Its key, where it is of a mapping.
    key: Option<String>,
    node: Rc<Node>,
}

/// Reads hosts as the mappings say.
pub fn draft(outputs: &Outputs<'_>, mappings: &[Mapping]) -> Option<Draft> {
    let reader = outputs.reader;
    let of = |target| mappings.iter().find(|mapping| mapping.target == target);
    let one = |target| -> Option<Item> { items(outputs, of(target)?)?.into_iter().next() };
    let name = one(Target::Name).and_then(|item| {
        reader.parse(
            &item.node,
            "invalid-name",
            "a name such as demo",
            syntax::name,
        )
    });
    let mut draft = super::begun(name.map(|name| name.value))?;
    draft.endpoint = one(Target::Endpoint)
        .and_then(|item| {
            let example = "an endpoint such as 192.0.2.10:6443";
            reader.parse(&item.node, "invalid-endpoint", example, address::endpoint)
        })
        .map(|endpoint| endpoint.value);
    draft.vip = one(Target::Vip)
        .and_then(|item| reader.parse(&item.node, "invalid-address", "192.0.2.10", address::vip))
        .map(|vip| vip.value);
    let order = [
        (Role::LoadBalancer, "lb"),
        (Role::ControlPlane, "cp"),
        (Role::Etcd, "etcd"),
        (Role::Worker, "w"),
    ];
    let mut names = Names::default();
    let mut seen: Vec<(String, Span)> = Vec::new();
    for (role, prefix) in order {
        let Some(mapping) = of(Target::Hosts(role)) else {
            for half in [Target::Ssh(role), Target::Names(role)] {
                if let Some(half) = of(half) {
                    lonely(outputs, half, role);
                }
            }
            continue;
        };
        let Some(hosts) = items(outputs, mapping) else {
            continue;
        };
        let beside = |target| match of(target) {
            Some(mapping) => items(outputs, mapping).map(|items| (mapping, items)),
            None => None,
        };
        let (ssh, named) = (beside(Target::Ssh(role)), beside(Target::Names(role)));
        for (mapping, items) in ssh.iter().chain(&named) {
            paired(outputs, mapping, &hosts, items);
        }
        for (place, host) in hosts.iter().enumerate() {
            let partner = |list: &Option<(&Mapping, Vec<Item>)>| {
                let (_, list) = list.as_ref()?;
                let same = |item: &&Item| item.key.is_some() && item.key == host.key;
                let found = list.iter().find(same).or_else(|| list.get(place))?;
                scalar(&found.node).map(str::to_owned)
            };
            let given = partner(&named)
                .or_else(|| text(&host.node, NAMES))
                .or(host.key.clone());
            let name = given
                .and_then(|given| names.like(&given))
                .or_else(|| names.next(prefix));
            let mut node = DraftNode::new(name?, vec![role]);
            node.ssh.host = partner(&ssh);
            fill(outputs, &mut node, host);
            let key = node
                .address
                .map(|address| address.to_string())
                .or(node.ssh.host.clone());
            if let Some(key) = key {
                if let Some((_, first)) = seen.iter().find(|(other, _)| *other == key) {
                    let message = format!("the host {} is mapped twice", quoted(&key));
                    reader.report(
                        Finding::error("duplicate", host.node.span, message)
                            .related(*first, "first here")
                            .help("every node is a host of its own; map each host to one role"),
                    );
                }
                seen.push((key, host.node.span));
            }
            draft.nodes.push(node);
        }
    }
    draft.external_etcd = draft.has(Role::Etcd);
    if !draft.has(Role::ControlPlane) {
        reader.report(
            Finding::error(
                "no-control-plane",
                outputs.root.span,
                "no control plane is mapped",
            )
            .help("say which output has them: --map control-plane=OUTPUT"),
        );
    }
    // Without workers the control planes take workloads.
    if !draft.has(Role::Worker) {
        let planes = draft.nodes.iter_mut();
        for node in planes.filter(|node| node.roles == [Role::ControlPlane]) {
            node.roles.push(Role::Worker);
        }
    }
    Some(draft)
}

/// Address and login of a host, out of a text or an object.
fn fill(outputs: &Outputs<'_>, node: &mut DraftNode, host: &Item) {
    let said = scalar(&host.node).map(str::to_owned);
    let said = said.or_else(|| text(&host.node, ADDRESSES));
    if node.ssh.host.is_none() {
        node.ssh.host = text(&host.node, LOGINS);
    }
    match said.as_deref().map(str::parse) {
        Some(Ok(address)) => node.address = Some(address),
        Some(Err(_)) if node.ssh.host.is_none() => node.ssh.host = said,
        _ => {}
    }
    if node.address.is_none() && node.ssh.host.is_none() {
        let message = format!("{} has no address", node.name);
        outputs.reader.report(
            Finding::error("no-address", first_token(&host.node), message).help(format!(
                "an address is a text, or one of {} of an object; lead to it: OUTPUT[*].key",
                ADDRESSES.join(", ")
            )),
        );
    }
}

fn first_token(node: &Node) -> Span {
    match &node.value {
        Value::Mapping(entries) => entries.first().map_or(node.span, |(key, _)| key.span),
        _ => node.span,
    }
}

fn text(node: &Node, keys: &[&str]) -> Option<String> {
    keys.iter()
        .find_map(|key| scalar(field(node, key)?).map(str::to_owned))
}

/// Refuses logins and names of hosts that are not mapped themselves.
fn lonely(outputs: &Outputs<'_>, mapping: &Mapping, role: Role) {
    let message = format!(
        "{} is mapped, but the hosts themselves are not",
        mapping.source
    );
    outputs.reader.report(
        Finding::error("missing-output", outputs.root.span, message)
            .help(format!("add --map {}=OUTPUT", role.as_str())),
    );
}

/// Refuses lists that do not fit each other.
fn paired(outputs: &Outputs<'_>, mapping: &Mapping, hosts: &[Item], items: &[Item]) {
    if hosts.len() != items.len() {
        let message = format!(
            "{} has {} values for {} hosts",
            quoted(&mapping.source),
            items.len(),
            hosts.len()
        );
        let span = items
            .first()
            .map_or(outputs.root.span, |item| item.node.span);
        outputs.reader.report(
            Finding::error("unpaired", span, message)
                .help("the lists must be of one length, in one order"),
        );
    }
}

/// What a mapping leads to; a list or an object stands for what is in it.
/// `None` when it leads nowhere, which is reported.
fn items(outputs: &Outputs<'_>, mapping: &Mapping) -> Option<Vec<Item>> {
    let Some(output) = outputs.find(&mapping.output) else {
        let names: Vec<&str> = outputs.list.iter().map(|output| output.name).collect();
        let message = format!("no output is named {}", quoted(&mapping.output));
        outputs.reader.report(
            Finding::error("missing-output", outputs.root.span, message)
                .help(format!("there are {}", names.join(", "))),
        );
        return None;
    };
    outputs.open(output)?;
    let mut found: Vec<Item> = mapping
        .path
        .query_located(outputs.json)
        .iter()
        .filter_map(|located| {
            let node = walk(outputs.root, located.location().iter())?;
            Some(Item { key: None, node })
        })
        .collect();
    if let [only] = found.as_slice() {
        match &only.node.value {
            Value::Sequence(list) => {
                let list = list.iter().map(Rc::clone);
                found = list.map(|node| Item { key: None, node }).collect();
            }
            // An object of texts or objects by name; one host is none.
            Value::Mapping(entries)
                if text(&only.node, ADDRESSES)
                    .or(text(&only.node, LOGINS))
                    .is_none() =>
            {
                let entries = entries.iter().map(|(key, node)| Item {
                    key: Some(key.text.clone()),
                    node: Rc::clone(node),
                });
                found = entries.collect();
            }
            _ => {}
        }
    }
    let message = if found.is_empty() {
        format!("{} leads to nothing", quoted(&mapping.source))
    } else if let Some(empty) = found.iter().find(|item| is_empty(&item.node)) {
        let message = format!("{} leads to an empty value", quoted(&mapping.source));
        outputs.reader.report(
            Finding::error("no-address", empty.node.span, message)
                .help("does the host exist yet, and has it such an address?"),
        );
        return None;
    } else {
        return Some(found);
    };
    outputs.reader.report(
        Finding::error("missing-output", output.span, message)
            .help("compare the path with what `terraform output -json` prints"),
    );
    None
}

/// The same value, with its place in the text.
fn walk<'p>(root: &Node, mut steps: impl Iterator<Item = &'p PathElement<'p>>) -> Option<Rc<Node>> {
    let mut node = step(root, steps.next()?)?;
    for next in steps {
        node = step(&node, next)?;
    }
    Some(node)
}

fn step(node: &Node, step: &PathElement<'_>) -> Option<Rc<Node>> {
    match (&node.value, step) {
        (Value::Mapping(entries), PathElement::Name(name)) => {
            let found = entries.iter().find(|(key, _)| key.text == *name);
            found.map(|(_, value)| Rc::clone(value))
        }
        (Value::Sequence(list), PathElement::Index(index)) => list.get(*index).map(Rc::clone),
        _ => None,
    }
}
