//! `controlPlane.apiServer:` as written.

use std::net::IpAddr;

use super::audit;
use super::components;
use super::fields;
use super::finding::{Finding, quoted};
use super::owned;
use super::reader::{Fields, Reader, parse_error};
use super::syntax;
use super::yaml::Node;
use crate::cluster::{Audit, Component, Encryption};

/// The API server as far as it was written.
pub struct RawApiServer {
    pub component: Component,
    pub cert_sans: Vec<String>,
    pub audit: Option<Audit>,
    pub encryption: Encryption,
}

impl Default for RawApiServer {
    fn default() -> Self {
        Self {
            component: Component::default(),
            cert_sans: Vec::new(),
            audit: None,
            encryption: Encryption::None,
        }
    }
}

/// Reads `apiServer`.
pub fn read(reader: &Reader<'_>, node: Option<&Node>) -> RawApiServer {
    let Some(fields) =
        node.and_then(|node| reader.fields(node, fields::API_SERVER, "`{certSANs: [...]}`"))
    else {
        return RawApiServer::default();
    };
    let encryptions = [
        ("none", Encryption::None),
        ("secretbox", Encryption::Secretbox),
    ];
    let encryption = fields
        .get("encryption")
        .and_then(|node| reader.choice(node, &encryptions, &[]));
    let encryption = encryption.map_or(Encryption::None, |encryption| encryption.value);
    if fields.get("audit").is_some() {
        taken(reader, &fields, "audit", |name| {
            name.starts_with("audit-policy-") || name.starts_with("audit-log-")
        });
    }
    if encryption != Encryption::None {
        taken(reader, &fields, "encryption", |name| {
            name.starts_with("encryption-provider-config")
        });
    }
    RawApiServer {
        component: components::component(reader, Some(&fields), &owned::API_SERVER),
        cert_sans: cert_sans(reader, &fields),
        audit: fields
            .get("audit")
            .and_then(|node| audit::read(reader, node)),
        encryption,
    }
}

/// Refuses arguments that a key beside them stands for.
fn taken(reader: &Reader<'_>, fields: &Fields<'_, '_>, key: &str, is: impl Fn(&str) -> bool) {
    let Some(node) = fields.get("extraArgs") else {
        return;
    };
    // What is no mapping is reported where all arguments are read.
    let super::yaml::Value::Mapping(entries) = &node.value else {
        return;
    };
    for (name, _) in entries.iter().filter(|(name, _)| is(&name.text)) {
        let message = format!("`{key}` sets the argument {} already", quoted(&name.text));
        let mut finding = Finding::error("owned-argument", name.span, message);
        if let Some(span) = fields.key(key) {
            finding = finding.related(span, "set here");
        }
        reader.report(finding.help(format!(
            "keep `{key}` and take the argument out, or the other way round"
        )));
    }
}

fn cert_sans(reader: &Reader<'_>, fields: &Fields<'_, '_>) -> Vec<String> {
    let Some(node) = fields.get("certSANs") else {
        return Vec::new();
    };
    const EXAMPLE: &str = "a name or an address such as api.example.org";
    let names = reader
        .list(node, "[api.example.org]")
        .iter()
        .filter_map(|item| {
            reader.parse(item, "invalid-name", EXAMPLE, |text| {
                let name = text.strip_prefix("*.").unwrap_or(text);
                if text.parse::<IpAddr>().is_ok() || syntax::is_dns_name(name) {
                    Ok(text.to_owned())
                } else {
                    parse_error(
                        format!(
                            "{} is neither a lower-case DNS name nor an address",
                            quoted(text)
                        ),
                        format!("write {EXAMPLE}"),
                    )
                }
            })
        });
    names.map(|name| name.value).collect()
}
