//! `controlPlane.etcd:` as written.

use super::components;
use super::fields;
use super::finding::{Finding, Span, quoted};
use super::owned;
use super::reader::Reader;
use super::runtime::download;
use super::yaml::{Node, Value};
use crate::cluster::{Component, EtcdSource};

/// etcd as far as it was written.
#[derive(Default)]
pub struct WrittenEtcd {
    pub component: Component,
    pub allow_even_members: bool,
    /// Where the key `source` is, right or wrong.
    pub source_key: Option<Span>,
    pub source: Option<EtcdSource>,
    /// Where the key `extraConfig` is, when something stands under it.
    pub config_key: Option<Span>,
}

const ARCHIVE: &str = "`{url: https://.../etcd-v3.5.21-linux-{arch}.tar.gz, sha256: ...}`";

/// Reads `etcd`.
pub fn read(reader: &Reader<'_>, node: Option<&Node>) -> WrittenEtcd {
    let Some(fields) =
        node.and_then(|node| reader.fields(node, fields::ETCD, "`{extraArgs: ...}`"))
    else {
        return WrittenEtcd::default();
    };
    let component = components::component(reader, Some(&fields), &owned::ETCD);
    WrittenEtcd {
        allow_even_members: fields
            .get("allowEvenMembers")
            .and_then(|node| reader.boolean(node))
            .unwrap_or(false),
        source_key: fields.get("source").and_then(|_| fields.key("source")),
        source: fields.get("source").and_then(|node| source(reader, node)),
        config_key: fields
            .key("extraConfig")
            .filter(|_| !component.extra_config.is_empty()),
        component,
    }
}

fn source(reader: &Reader<'_>, node: &Node) -> Option<EtcdSource> {
    if matches!(node.value, Value::Mapping(_)) {
        return download(reader, node, fields::ARCHIVE, ".tar.gz", ARCHIVE)
            .map(EtcdSource::Archive);
    }
    let text = reader.text(node, "`distribution`")?;
    if text.value == "distribution" {
        return Some(EtcdSource::Distribution);
    }
    let message = format!("{} is no choice here", quoted(&text.value));
    reader.report(
        Finding::error("unknown-choice", text.span, message)
            .help(format!("write `distribution`, or {ARCHIVE}")),
    );
    None
}
