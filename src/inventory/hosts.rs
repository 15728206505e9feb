//! `ssh:` and `nodes:` as written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::document::paths;
use super::finding::{Finding, Span, Spanned, quoted};
use super::labels;
use super::reader::{Fields, Reader, refuse};
use super::syntax;
use super::yaml::{Node, Value};
use crate::cluster::{AddressSpec, Jump, Name, Role, SudoPassword, Taint, TaintEffect};

/// How to log in, as far as it was written.
#[derive(Debug, Clone, Default)]
pub struct Ssh {
    pub host: Option<Spanned<String>>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub identities: Option<Vec<PathBuf>>,
    pub jumps: Option<Spanned<Vec<Spanned<Jump>>>>,
    pub sudo: Option<SudoPassword>,
    pub known_hosts: Option<PathBuf>,
    pub fingerprint: Option<String>,
    /// A host was written but is wrong.
    pub broken: bool,
}

/// One entry of `nodes`.
pub struct WrittenNode {
    /// Its first key.
    pub start: Span,
    pub name: Option<Spanned<Name>>,
    pub ssh: Ssh,
    pub address: Option<Spanned<AddressSpec>>,
    /// `address` or `interface` is there, right or wrong.
    pub address_written: bool,
    /// `None` when one of them is wrong.
    pub roles: Option<Vec<Spanned<Role>>>,
    pub labels: BTreeMap<String, String>,
    pub labels_key: Option<Span>,
    pub taints: Option<Vec<Taint>>,
    pub taints_key: Option<Span>,
}

impl WrittenNode {
    /// Where a role was written, when the node has it.
    pub fn role(&self, role: Role) -> Option<Span> {
        let roles = self.roles.iter().flatten();
        roles
            .into_iter()
            .find(|written| written.value == role)
            .map(|written| written.span)
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

const SSH_EXAMPLE: &str = "`{user: ops, identity: ~/.ssh/id_ed25519}`";

/// `ssh:` at the top.
pub fn defaults(reader: &Reader<'_>, node: &Node) -> Ssh {
    const KEYS: &[&str] = &[
        "user",
        "port",
        "identity",
        "identities",
        "jump",
        "sudo",
        "knownHosts",
    ];
    let fields = reader.fields(node, KEYS, SSH_EXAMPLE);
    fields
        .map(|fields| shared(reader, &fields))
        .unwrap_or_default()
}

fn shared(reader: &Reader<'_>, fields: &Fields<'_, '_>) -> Ssh {
    let user = fields.get("user").and_then(|node| {
        reader.parse(
            node,
            "invalid-login",
            "a login name such as ops",
            syntax::user,
        )
    });
    Ssh {
        port: fields.get("port").and_then(|node| reader.port(node)),
        user: user.map(|user| user.value),
        identities: paths(reader, fields, "identity", "identities"),
        jumps: fields.get("jump").map(|node| jumps(reader, node)),
        sudo: fields.get("sudo").and_then(|node| sudo(reader, node)),
        known_hosts: fields
            .get("knownHosts")
            .and_then(|node| reader.text(node, "a path"))
            .map(super::reader::path),
        ..Ssh::default()
    }
}

fn jumps(reader: &Reader<'_>, node: &Node) -> Spanned<Vec<Spanned<Jump>>> {
    const EXAMPLE: &str = "`[user@]host[:port]`";
    let one = |node: &Node| {
        reader.parse(node, "invalid-login", EXAMPLE, |text| {
            let (user, host, port) = syntax::login(text)?;
            Ok(Jump { host, port, user })
        })
    };
    let value = match &node.value {
        Value::Sequence(items) => items.iter().filter_map(|item| one(item)).collect(),
        _ => one(node).into_iter().collect(),
    };
    Spanned {
        value,
        span: node.span,
    }
}

fn sudo(reader: &Reader<'_>, node: &Node) -> Option<SudoPassword> {
    const HELP: &str = "write none, prompt, `{env: SUDO_PASSWORD}` or `{command: pass show ops/sudo}`; passwords themselves do not belong into the inventory";
    if !matches!(node.value, Value::Mapping(_)) {
        let text = reader.text(node, "none or prompt")?;
        return match text.value.as_str() {
            "none" => Some(SudoPassword::NotNeeded),
            "prompt" => Some(SudoPassword::Prompt),
            // What is written here may be a password: it is not repeated.
            _ => {
                let finding = Finding::error(
                    "unknown-choice",
                    text.span,
                    "this is no way to get sudo's password",
                );
                reader.report(finding.help(HELP));
                None
            }
        };
    }
    let fields = reader.fields(node, &["env", "command"], "`{env: SUDO_PASSWORD}`")?;
    fields.exclusive("env", "command");
    if let Some(node) = fields.get("env") {
        let name = reader.parse(node, "invalid-value", "the name of a variable", |text| {
            let sound = !text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if sound {
                Ok(text.to_owned())
            } else {
                refuse(
                    "this is no name of an environment variable",
                    "write the name, such as SUDO_PASSWORD, not its value",
                )
            }
        });
        return name.map(|name| SudoPassword::Environment(name.value));
    }
    let Some(command) = fields.get("command") else {
        let finding = Finding::error(
            "missing-key",
            fields.start(),
            "`sudo` needs `env` or `command`",
        );
        reader.report(finding.help(HELP));
        return None;
    };
    let words = if matches!(command.value, Value::Sequence(_)) {
        super::document::plain(reader.texts(command, "[pass, show, ops/sudo]"))
    } else {
        let words = reader.parse(
            command,
            "invalid-value",
            "a command",
            |text| match shlex::split(text) {
                Some(words) => Ok(words),
                None => refuse(
                    "a quote in this command is not closed",
                    "close it, or write the command as a list",
                ),
            },
        );
        words?.value
    };
    if words.is_empty() {
        reader.report(
            Finding::error("invalid-value", command.span, "this command is empty")
                .help("write [pass, show, ops/sudo]"),
        );
        return None;
    }
    Some(SudoPassword::Command(words))
}

/// `nodes:`.
pub fn nodes(reader: &Reader<'_>, node: &Node) -> Vec<WrittenNode> {
    let items = reader.list(node, "a list: `- name: cp-1` and so on");
    items.iter().filter_map(|item| one(reader, item)).collect()
}

fn one(reader: &Reader<'_>, node: &Node) -> Option<WrittenNode> {
    const KEYS: &[&str] = &[
        "name",
        "ssh",
        "address",
        "interface",
        "role",
        "roles",
        "labels",
        "taints",
    ];
    let fields = reader.fields(
        node,
        KEYS,
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
                syntax::address,
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
            interface,
        ),
        (None, None) => None,
    };
    Some(WrittenNode {
        start: fields.start(),
        name: name.and_then(|node| {
            reader.parse(node, "invalid-name", "a name such as cp-1", syntax::name)
        }),
        ssh: fields
            .get("ssh")
            .map(|node| ssh(reader, node))
            .unwrap_or_default(),
        address,
        address_written: fields.get("address").or(fields.get("interface")).is_some(),
        roles: roles(reader, &fields),
        labels: fields
            .get("labels")
            .map(|node| labels::labels(reader, node))
            .unwrap_or_default(),
        labels_key: fields.get("labels").and_then(|_| fields.key("labels")),
        taints: fields.get("taints").map(|node| taints(reader, node)),
        taints_key: fields.get("taints").and_then(|_| fields.key("taints")),
    })
}

/// An interface name as Linux allows it.
fn interface(text: &str) -> Result<AddressSpec, super::reader::Refusal> {
    let sound = text.len() < 16
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    if sound {
        Ok(AddressSpec::Interface(text.to_owned()))
    } else {
        refuse(
            format!("{} is no name of a network interface", quoted(text)),
            "write a name such as eth1, at most 15 characters",
        )
    }
}

fn ssh(reader: &Reader<'_>, node: &Node) -> Ssh {
    const KEYS: &[&str] = &[
        "host",
        "hostKey",
        "user",
        "port",
        "identity",
        "identities",
        "jump",
        "sudo",
        "knownHosts",
    ];
    const EXAMPLE: &str = "`[user@]host[:port]`";
    if !matches!(node.value, Value::Mapping(_)) {
        let login = reader.parse(node, "invalid-login", EXAMPLE, syntax::login);
        let Some(Spanned {
            value: (user, host, port),
            span,
        }) = login
        else {
            return Ssh {
                broken: true,
                ..Ssh::default()
            };
        };
        return Ssh {
            host: Some(Spanned { value: host, span }),
            port,
            user,
            ..Ssh::default()
        };
    }
    let Some(fields) = reader.fields(node, KEYS, EXAMPLE) else {
        return Ssh::default();
    };
    let host = fields.get("host").map(|node| {
        reader.parse(
            node,
            "invalid-login",
            "a host",
            |text| match syntax::login(text)? {
                (None, host, None) => Ok(host),
                _ => refuse(
                    format!("{} is more than a host", quoted(text)),
                    "write user and port under their own keys",
                ),
            },
        )
    });
    let fingerprint = fields.get("hostKey").and_then(|node| {
        reader.parse(
            node,
            "invalid-fingerprint",
            "a fingerprint such as SHA256:...",
            syntax::fingerprint,
        )
    });
    Ssh {
        broken: matches!(host, Some(None)),
        host: host.flatten(),
        fingerprint: fingerprint.map(|fingerprint| fingerprint.value),
        ..shared(reader, &fields)
    }
}

const ROLES: [(&str, Role); 4] = [
    (Role::ControlPlane.as_str(), Role::ControlPlane),
    (Role::Worker.as_str(), Role::Worker),
    (Role::LoadBalancer.as_str(), Role::LoadBalancer),
    (Role::Etcd.as_str(), Role::Etcd),
];

fn roles(reader: &Reader<'_>, fields: &Fields<'_, '_>) -> Option<Vec<Spanned<Role>>> {
    fields.exclusive("role", "roles");
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
        reader.report(finding.help("add `role: control-plane`, `role: worker` or `role: load-balancer`; `roles: [...]` takes several"));
        return None;
    }
    let read: Vec<Option<Spanned<Role>>> = items
        .into_iter()
        .map(|item| reader.choice(item, &ROLES, &[]))
        .collect();
    read.into_iter().collect()
}

const EFFECTS: [(&str, TaintEffect); 3] = [
    (TaintEffect::NoSchedule.as_str(), TaintEffect::NoSchedule),
    (
        TaintEffect::PreferNoSchedule.as_str(),
        TaintEffect::PreferNoSchedule,
    ),
    (TaintEffect::NoExecute.as_str(), TaintEffect::NoExecute),
];

fn taints(reader: &Reader<'_>, node: &Node) -> Vec<Taint> {
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
    let fields = reader.fields(node, &["key", "value", "effect"], example)?;
    let key = fields
        .require("key", "`key: dedicated`")
        .and_then(|node| reader.parse(node, "invalid-taint", "a key", labels::key));
    let effect = fields
        .require("effect", "`effect: NoSchedule`")
        .and_then(|node| reader.choice(node, &EFFECTS, &[]));
    let value = match fields.get("value") {
        Some(node) => {
            reader
                .parse(node, "invalid-taint", "a value", labels::value)?
                .value
        }
        None => String::new(),
    };
    Some(Taint {
        key: key?.value,
        value,
        effect: effect?.value,
    })
}

/// `key=value:Effect` or `key:Effect`, as `kubectl taint` takes it.
fn short_taint(text: &str) -> Result<Taint, super::reader::Refusal> {
    let Some((pair, effect)) = text.rsplit_once(':') else {
        return refuse(
            format!("the taint {} has no effect", quoted(text)),
            "write key=value:NoSchedule",
        );
    };
    let Some((_, effect)) = EFFECTS.into_iter().find(|(word, _)| *word == effect) else {
        return refuse(
            format!("{} is no effect of a taint", quoted(effect)),
            "write NoSchedule, PreferNoSchedule or NoExecute",
        );
    };
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Ok(Taint {
        key: labels::key(key)?,
        value: labels::value(value)?,
        effect,
    })
}
