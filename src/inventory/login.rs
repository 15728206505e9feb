//! `ssh:` as written, at the top and in a node.

use std::path::PathBuf;

use super::address;
use super::document::{paths, plain};
use super::fields;
use super::finding::{Finding, Spanned, quoted};
use super::reader::{Fields, Reader, parse_error};
use super::syntax;
use super::yaml::{Node, Value};
use crate::cluster::{Jump, SudoPassword};

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

const SSH_EXAMPLE: &str = "`{user: ops, identity: ~/.ssh/id_ed25519}`";

/// `ssh:` at the top.
pub fn defaults(reader: &Reader<'_>, node: &Node) -> Ssh {
    let fields = reader.fields(node, fields::LOGIN, SSH_EXAMPLE);
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
            address::user,
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
            let (user, host, port) = address::login(text)?;
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
    const HELP: &str = "write none, prompt, `{env: SUDO_PASSWORD}` or `{command: pass show ops/sudo}`; passwords themselves do not belong in the inventory";
    if !matches!(node.value, Value::Mapping(_)) {
        let text = reader.text(node, "none or prompt")?;
        return match text.value.as_str() {
            "none" => Some(SudoPassword::NotNeeded),
            "prompt" => Some(SudoPassword::Prompt),
            // What is written here may be the password itself.
            _ => {
                let message = "this is no way to get sudo's password";
                let finding = Finding::error("secret-in-inventory", text.span, message).secret();
                reader.report(finding.help(HELP));
                None
            }
        };
    }
    // Not a key that is known, but the one that will be tried.
    if let Value::Mapping(entries) = &node.value
        && let Some((_, password)) = entries.iter().find(|(key, _)| key.text == "password")
    {
        let message = "sudo's password stands in the inventory, where others can read it";
        let finding = Finding::error("secret-in-inventory", password.span, message).secret();
        reader.report(finding.help(HELP));
        return None;
    }
    let fields = reader.fields(node, fields::SUDO, "`{env: SUDO_PASSWORD}`")?;
    fields.exclusive("env", "command");
    if let Some(node) = fields.get("env") {
        let name = reader.parse(node, "invalid-value", "the name of a variable", |text| {
            let sound = !text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if sound {
                Ok(text.to_owned())
            } else {
                parse_error(
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
        plain(reader.texts(command, "[pass, show, ops/sudo]"))
    } else {
        let words = reader.parse(
            command,
            "invalid-value",
            "a command",
            |text| match shlex::split(text) {
                Some(words) => Ok(words),
                None => parse_error(
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

/// `ssh:` of a node: `[user@]host[:port]`, or a mapping.
pub fn ssh(reader: &Reader<'_>, node: &Node) -> Ssh {
    const EXAMPLE: &str = "`[user@]host[:port]`";
    if !matches!(node.value, Value::Mapping(_)) {
        let login = reader.parse(node, "invalid-login", EXAMPLE, address::login);
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
    let Some(fields) = reader.fields(node, fields::NODE_LOGIN, EXAMPLE) else {
        return Ssh::default();
    };
    let host = fields.get("host").map(|node| {
        reader.parse(
            node,
            "invalid-login",
            "a host",
            |text| match address::login(text)? {
                (None, host, None) => Ok(host),
                _ => parse_error(
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
