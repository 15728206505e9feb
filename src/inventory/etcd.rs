//! `controlPlane.etcd:` as written.

use super::components;
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::owned;
use super::reader::{Reader, parse_error};
use super::runtime::sha256;
use super::sources;
use super::yaml::{Node, Value};
use crate::cluster::{
    Component, ETCD_RELEASES, EtcdArchive, EtcdSource, OLDEST_ETCD, Version, VersionSpec,
    external_etcd_version,
};

/// etcd as far as it was written.
pub struct RawEtcd {
    pub component: Component,
    /// The names of its arguments.
    pub arguments: Vec<Spanned<String>>,
    pub allow_even_members: bool,
    /// Where the key `source` is, right or wrong.
    pub source_key: Option<Span>,
    pub source: EtcdSource,
    /// Where the key `extraConfig` is, when something stands under it.
    pub config_key: Option<Span>,
}

const SOURCE: &str = "`release`, `distribution`, or \
    `{version: 3.6.16, url: \"https://.../etcd-v{version}-linux-{arch}.tar.gz\"}`";

/// Reads `etcd`, for a version of Kubernetes.
pub fn read(
    reader: &Reader<'_>,
    node: Option<&Node>,
    kubernetes: Option<&Spanned<VersionSpec>>,
) -> RawEtcd {
    // Without a version the inventory is wrong anyway.
    let minor = kubernetes.map_or(u64::MAX, |spec| spec.value.minor().1);
    let fields = node.and_then(|node| reader.fields(node, fields::ETCD, "`{extraArgs: ...}`"));
    let Some(fields) = fields else {
        return RawEtcd {
            component: Component::default(),
            arguments: Vec::new(),
            allow_even_members: false,
            source_key: None,
            source: release(minor),
            config_key: None,
        };
    };
    let component = components::component(reader, Some(&fields), &owned::ETCD);
    let source = fields
        .get("source")
        .and_then(|node| source(reader, node, minor));
    RawEtcd {
        allow_even_members: fields
            .get("allowEvenMembers")
            .and_then(|node| reader.boolean(node))
            .unwrap_or(false),
        source_key: fields.get("source").and_then(|_| fields.key("source")),
        source: source.unwrap_or_else(|| release(minor)),
        config_key: fields
            .key("extraConfig")
            .filter(|_| !component.extra_config.is_empty()),
        arguments: arguments(reader, fields.get("extraArgs")),
        component,
    }
}

/// The names of arguments, none of which is taken several times: of a flag
/// that is repeated etcd takes the last, and its file has each key once.
fn arguments(reader: &Reader<'_>, node: Option<&Node>) -> Vec<Spanned<String>> {
    // What is no mapping is reported where all arguments are read.
    let Some(Value::Mapping(entries)) = node.map(|node| &node.value) else {
        return Vec::new();
    };
    for (name, value) in entries {
        if let Value::Sequence(_) = value.value {
            let message = format!("etcd takes {} only once", quoted(&name.text));
            reader.report(
                Finding::error("repeated-argument", name.span, message)
                    .help("write one text, several values with commas between"),
            );
        }
    }
    let names = entries.iter().map(|(name, _)| Spanned {
        value: name.text.clone(),
        span: name.span,
    });
    names.collect()
}

/// Upstream's archive of what a minor version of Kubernetes asks for.
fn release(minor: u64) -> EtcdSource {
    archive(external_etcd_version(minor), ETCD_RELEASES, None)
}

fn archive(version: Version, url: &str, sha256: Option<String>) -> EtcdSource {
    EtcdSource::Archive(EtcdArchive {
        version,
        url: url.replace("{version}", &version.to_string()),
        sha256,
    })
}

fn source(reader: &Reader<'_>, node: &Node, minor: u64) -> Option<EtcdSource> {
    if !matches!(node.value, Value::Mapping(_)) {
        let words = [
            ("release", release(minor)),
            ("distribution", EtcdSource::Distribution),
        ];
        let others = [("upstream", "write `release` for upstream's archives")];
        return Some(reader.choice(node, &words, &others)?.value);
    }
    let fields = reader.fields(node, fields::ETCD_ARCHIVE, SOURCE)?;
    let version = match fields.get("version") {
        Some(node) => Some(version(reader, node, minor)?),
        None => None,
    };
    let url = match fields.get("url") {
        Some(node) => Some(url(reader, node)?),
        None => None,
    };
    let hash = match fields.get("sha256") {
        Some(node) => Some(sha256(reader, node)?),
        None => None,
    };
    if let Some(url) = &url {
        sources::visible_password(reader, url, sources::OPEN_MIRROR);
        if version.is_none() && !url.value.contains("{version}") {
            let message = "this URL does not say which version of etcd it has";
            let finding = Finding::error("missing-key", url.span, message);
            reader.report(finding.help(format!(
                "add `version:`, or put `{{version}}` into the URL, which becomes {}: what this \
                 Kubernetes asks for",
                external_etcd_version(minor)
            )));
            return None;
        }
        if hash.is_none() && url.value.starts_with("http://") {
            let message = "without `sha256` whoever is in the network can put another program there: \
                           the archive and the file SHA256SUMS come over plain http";
            let finding = Finding::warning("forgeable-archive", url.span, message);
            reader.report(finding.help("add `sha256:`, or let the mirror serve https"));
        }
    }
    let version = version.unwrap_or_else(|| external_etcd_version(minor));
    let url = url.as_ref().map_or(ETCD_RELEASES, |url| url.value.as_str());
    Some(archive(version, url, hash))
}

fn url(reader: &Reader<'_>, node: &Node) -> Option<Spanned<String>> {
    reader.parse(node, "invalid-url", "a URL", |text| {
        let url = sources::templated(text, &["version", "arch"], false)?;
        // What is beside it is found by its path alone.
        if url.ends_with(".tar.gz") && !url.contains(['?', '#']) {
            return Ok(url);
        }
        parse_error(
            format!("{} does not end in .tar.gz", quoted(text)),
            "write the URL of an archive that is laid out as upstream's, such as \
             `https://.../etcd-v{version}-linux-{arch}.tar.gz`",
        )
    })
}

/// A version that kubeadm takes.
fn version(reader: &Reader<'_>, node: &Node, minor: u64) -> Option<Version> {
    let asked = external_etcd_version(minor);
    let raw = reader.parse(node, "invalid-value", "`3.6.16`", |text| {
        let bare = text.trim_start_matches('v');
        match text.parse::<Version>() {
            Ok(version) if version.to_string() == bare => Ok(version),
            _ => parse_error(
                format!("{} is no release of etcd", quoted(text)),
                format!("write three numbers, such as `version: {asked}`"),
            ),
        }
    })?;
    let version = raw.value;
    if version < OLDEST_ETCD {
        let message = format!(
            "etcd {version} is too old: kubeadm takes {} and later",
            OLDEST_ETCD
        );
        let finding = Finding::error("old-etcd", raw.span, message);
        reader.report(finding.help(format!(
            "write `version: {asked}`, which this Kubernetes asks for, or leave the key out"
        )));
        return None;
    }
    if version.is_later_minor_than(asked) {
        let message = format!("this Kubernetes was made for etcd {asked}, {version} is newer");
        let finding = Finding::warning("new-etcd", raw.span, message);
        reader.report(finding.help(format!(
            "it is taken, and cannot be taken back: data of a newer minor version are not read by \
             an older one; `version: {asked}` is the safe choice"
        )));
    }
    Some(version)
}
