//! `network:` as written.

use std::path::PathBuf;

use ipnet::IpNet;

use super::address;
use super::fields;
use super::finding::{Finding, Spanned, quoted};
use super::reader::{Fields, Reader, parse_error};
use super::sources;
use super::syntax;
use super::yaml::{Node, Value};
use crate::cluster::{Cni, ManifestSource};

/// Networks as far as they were written.
#[derive(Default)]
pub struct RawNetwork {
    pub pod_cidr: Option<Spanned<IpNet>>,
    pub service_cidr: Option<Spanned<IpNet>>,
    /// One of the two was written but is wrong.
    pub broken: bool,
    pub dns_domain: Option<String>,
    pub cni: Option<Spanned<Cni>>,
}

const CNI: &str = "`cni: bridge` (kdiy's own, for hosts on one layer-2 network), `cni: {manifest: FILE-or-URL}` or `cni: none` (you install one)";

/// Reads `network`; it must at least name the CNI.
pub fn read(reader: &Reader<'_>, root: &Fields<'_, '_>) -> RawNetwork {
    let Some(node) = root.require("network", &format!("`network:` with {CNI}")) else {
        return RawNetwork::default();
    };
    let Some(fields) = reader.fields(node, fields::NETWORK, "`{cni: bridge}`") else {
        return RawNetwork::default();
    };
    let cidr = |key| {
        fields.get(key).map(|node| {
            reader.parse(
                node,
                "invalid-cidr",
                "a network such as 10.244.0.0/16",
                address::cidr,
            )
        })
    };
    let (pods, services) = (cidr("podCIDR"), cidr("serviceCIDR"));
    let dns_domain = fields.get("dnsDomain").and_then(|node| {
        reader.parse(
            node,
            "invalid-name",
            "a domain such as cluster.local",
            |text| {
                if syntax::is_dns_name(text) {
                    Ok(text.to_owned())
                } else {
                    parse_error(
                        format!("{} is no lower-case DNS domain", quoted(text)),
                        "write a domain such as cluster.local, without a dot at its end",
                    )
                }
            },
        )
    });
    RawNetwork {
        broken: matches!(pods, Some(None)) || matches!(services, Some(None)),
        pod_cidr: pods.flatten(),
        service_cidr: services.flatten(),
        dns_domain: dns_domain.map(|domain| domain.value),
        cni: fields
            .require("cni", CNI)
            .and_then(|node| cni(reader, node)),
    }
}

fn cni(reader: &Reader<'_>, node: &Node) -> Option<Spanned<Cni>> {
    if !matches!(node.value, Value::Mapping(_)) {
        let text = reader.text(node, CNI)?;
        let value = match text.value.as_str() {
            "none" => Cni::None,
            "bridge" => Cni::Bridge,
            other => {
                let message = format!("{} is no CNI that kdiy knows", quoted(other));
                let finding = Finding::error("unknown-choice", text.span, message);
                reader.report(finding.help(format!("write {CNI}")));
                return None;
            }
        };
        return Some(Spanned {
            value,
            span: text.span,
        });
    }
    let fields = reader.fields(node, fields::CNI, CNI)?;
    let source = reader.text(
        fields.require("manifest", "`manifest: cni.yaml` or a https:// URL")?,
        "a file or a https:// URL",
    )?;
    let span = source.span;
    let source = if source.value.contains("://") {
        match address::url(&source.value, true) {
            Ok(url) => {
                let url = Spanned { value: url, span };
                sources::visible_password(reader, &url, sources::OPEN_MIRROR);
                ManifestSource::Url(url.value)
            }
            Err(error) => {
                reader.report(Finding::error("invalid-url", span, error.message).help(error.help));
                return None;
            }
        }
    } else {
        let text = reader.file(&source)?;
        if text.trim().is_empty() {
            let message = format!("the manifest {} is empty", quoted(&source.value));
            reader.report(
                Finding::error("invalid-file", span, message)
                    .help("name the file that installs the CNI"),
            );
            return None;
        }
        ManifestSource::File {
            path: PathBuf::from(source.value),
            text,
        }
    };
    Some(Spanned {
        value: Cni::Manifest(source),
        span,
    })
}
