//! The inventory as written: every value typed, with its place.

use std::path::PathBuf;

use super::address;
use super::balancer::{self, RawBalancer};
use super::components::{self, Settings};
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::hosts::{self, RawNode};
use super::images::{self, RawImages};
use super::login::{self, Ssh};
use super::network::{self, RawNetwork};
use super::reader::{Fields, Reader};
use super::runtime::{self, RawRuntime};
use super::sources::{self, RawPackages};
use super::syntax;
use super::yaml::{Node, Value};
use crate::cluster::version::{NEWEST_MINOR, OLDEST_MINOR, OLDEST_TRIED_MINOR};
use crate::cluster::{Bootstrap, CgroupDriver, Endpoint, HttpProxy, Name, VersionSpec};

/// The `apiVersion` that this release reads.
pub const API_VERSION: &str = "kdiy/v1alpha1";

/// The word for where etcd runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// On the control planes.
    Stacked,
    /// On hosts of its own.
    External,
}

/// What was written. What is `None` was left out, or was wrong and is
/// reported already.
pub struct Inventory {
    /// The first key: where what is missing is reported.
    pub start: Span,
    pub name: Option<Spanned<Name>>,
    pub version: Option<Spanned<VersionSpec>>,
    /// Where the key `topology` is, right or wrong.
    pub topology_key: Option<Span>,
    pub topology: Option<Spanned<Shape>>,
    /// Where the key `endpoint` is, right or wrong.
    pub endpoint_key: Option<Span>,
    pub endpoint: Option<Spanned<Endpoint>>,
    pub load_balancer_key: Option<Span>,
    pub load_balancer: Option<RawBalancer>,
    pub ssh: Ssh,
    /// Where the key `nodes` is.
    pub nodes_span: Span,
    pub nodes: Vec<RawNode>,
    pub network: RawNetwork,
    pub runtime: RawRuntime,
    pub cgroup_driver: CgroupDriver,
    pub bootstrap: Bootstrap,
    pub packages: RawPackages,
    pub images: RawImages,
    pub settings: Settings,
    pub http_proxy: Option<HttpProxy>,
}

/// Reads the whole file.
pub fn read(reader: &Reader<'_>, root: &Node) -> Option<Inventory> {
    let fields = reader.fields(
        root,
        fields::ROOT,
        "`apiVersion: kdiy/v1alpha1`, `name: demo` and so on, each key on a line of its own",
    )?;
    if let Some(node) = fields.require("apiVersion", &format!("`apiVersion: {API_VERSION}`")) {
        api_version(reader, node);
    }
    let shapes = [("stacked", Shape::Stacked), ("external", Shape::External)];
    let topology = fields
        .get("topology")
        .and_then(|node| reader.choice(node, &shapes, &[]));
    let drivers = [
        ("systemd", CgroupDriver::Systemd),
        ("cgroupfs", CgroupDriver::Cgroupfs),
    ];
    let cgroup_driver = fields
        .get("cgroupDriver")
        .and_then(|node| reader.choice(node, &drivers, &[]));
    let bootstraps = [
        ("parallel", Bootstrap::Parallel),
        ("serial", Bootstrap::Serial),
    ];
    let bootstrap = fields
        .get("bootstrap")
        .and_then(|node| reader.choice(node, &bootstraps, &[]));
    let nodes_span = fields.key("nodes").unwrap_or(fields.start());
    let version = fields
        .require("version", "`version: \"1.37\"`")
        .and_then(|node| version(reader, node));
    Some(Inventory {
        start: fields.start(),
        name: fields
            .require("name", "`name: demo`, the name of the cluster")
            .and_then(|node| {
                reader.parse(node, "invalid-name", "a name such as demo", syntax::name)
            }),
        topology_key: fields
            .key("topology")
            .filter(|_| fields.get("topology").is_some()),
        endpoint_key: fields
            .key("endpoint")
            .filter(|_| fields.get("endpoint").is_some()),
        endpoint: fields
            .get("endpoint")
            .and_then(|node| endpoint(reader, node)),
        load_balancer_key: fields
            .key("loadBalancer")
            .filter(|_| fields.get("loadBalancer").is_some()),
        load_balancer: fields
            .get("loadBalancer")
            .and_then(|node| balancer::read(reader, node)),
        ssh: fields
            .get("ssh")
            .map(|node| login::defaults(reader, node))
            .unwrap_or_default(),
        nodes_span,
        nodes: fields
            .require("nodes", "`nodes:` with at least one control plane")
            .map(|node| hosts::nodes(reader, node))
            .unwrap_or_default(),
        network: network::read(reader, &fields),
        runtime: runtime::read(reader, fields.get("runtime")),
        cgroup_driver: cgroup_driver.map_or(CgroupDriver::Systemd, |driver| driver.value),
        bootstrap: bootstrap.map_or(Bootstrap::Parallel, |bootstrap| bootstrap.value),
        packages: fields
            .get("packages")
            .map(|node| sources::packages(reader, node))
            .unwrap_or_default(),
        images: images::read(reader, fields.get("images")),
        topology,
        settings: components::read(reader, &fields, version.as_ref()),
        http_proxy: fields
            .get("httpProxy")
            .and_then(|node| sources::http_proxy(reader, node)),
        version,
    })
}

fn api_version(reader: &Reader<'_>, node: &Node) {
    if let Some(text) = reader.text(node, API_VERSION)
        && text.value != API_VERSION
    {
        let message = format!(
            "this release does not read apiVersion {}",
            quoted(&text.value)
        );
        reader.report(
            Finding::error("unknown-api-version", text.span, message)
                .help(format!("write `apiVersion: {API_VERSION}`")),
        );
    }
}

fn version(reader: &Reader<'_>, node: &Node) -> Option<Spanned<VersionSpec>> {
    let version = reader.parse(
        node,
        "invalid-version",
        "a version such as \"1.37\"",
        syntax::version,
    )?;
    let (major, minor) = version.value.minor();
    if major != 1 || minor < OLDEST_MINOR {
        let message = format!(
            "Kubernetes {} is not supported: its kubeadm does not read v1beta4, which came with \
             1.{OLDEST_MINOR}",
            version.value
        );
        reader.report(
            Finding::error("unsupported-version", version.span, message).help(format!(
                "write 1.{OLDEST_TRIED_MINOR} or later, such as \"1.{NEWEST_MINOR}\""
            )),
        );
        return None;
    }
    if minor < OLDEST_TRIED_MINOR {
        let message = format!(
            "kdiy was not tried with Kubernetes {}, only with 1.{OLDEST_TRIED_MINOR} to \
             1.{NEWEST_MINOR}",
            version.value
        );
        reader.report(
            Finding::warning("old-version", version.span, message).help(format!(
                "it probably works; \"1.{NEWEST_MINOR}\" did, and has fixes for longer"
            )),
        );
    }
    if minor > NEWEST_MINOR {
        let message = format!(
            "Kubernetes {} is newer than 1.{NEWEST_MINOR}, the newest that this release knows",
            version.value
        );
        reader.report(
            Finding::warning("untried-version", version.span, message)
                .help("it probably works; try it on a cluster that may break"),
        );
    }
    Some(version)
}

fn endpoint(reader: &Reader<'_>, node: &Node) -> Option<Spanned<Endpoint>> {
    const EXAMPLE: &str = "an endpoint such as 192.0.2.10:6443";
    if !matches!(node.value, Value::Mapping(_)) {
        return reader.parse(node, "invalid-endpoint", EXAMPLE, address::endpoint);
    }
    let fields = reader.fields(node, fields::ENDPOINT, EXAMPLE)?;
    let port = fields.get("port").map(|node| reader.port(node));
    let host = fields.require("host", "`host: 192.0.2.10`")?;
    let host = reader.parse(
        host,
        "invalid-endpoint",
        "an address or a name",
        address::endpoint_host,
    )?;
    Some(Spanned {
        value: Endpoint {
            host: host.value,
            port: port.unwrap_or(Some(address::DEFAULT_PORT))?,
        },
        span: host.span,
    })
}

/// Free keys with texts as values, such as labels.
pub fn text_map(
    reader: &Reader<'_>,
    node: &Node,
    example: &str,
) -> Vec<(Spanned<String>, Spanned<String>)> {
    let entries = reader.entries(node, example);
    let pairs = entries.iter().filter_map(|(key, value)| {
        let key = Spanned {
            value: key.text.clone(),
            span: key.span,
        };
        let text = free_text(reader, &key, value)?;
        Some((key, text))
    });
    pairs.collect()
}

/// The text under a free key, or one of several.
pub fn free_text(
    reader: &Reader<'_>,
    key: &Spanned<String>,
    value: &Node,
) -> Option<Spanned<String>> {
    // `key: ""` is a value; `key:` is a slip.
    if let Value::Scalar { text, plain: false } = &value.value {
        return Some(Spanned {
            value: text.clone(),
            span: value.span,
        });
    }
    if value.is_null() {
        let message = format!("{} has no value", quoted(&key.value));
        reader.report(
            Finding::error("missing-value", key.span, message)
                .help("write a value, or `\"\"` for an empty one"),
        );
        return None;
    }
    reader.text(value, "a text")
}

/// Texts without their places.
pub fn plain(texts: Vec<Spanned<String>>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}

/// One path, or several under the plural of the key.
pub fn paths(
    reader: &Reader<'_>,
    fields: &Fields<'_, '_>,
    one: &str,
    many: &str,
) -> Option<Vec<PathBuf>> {
    fields.exclusive(one, many);
    let example = "a path such as ~/.ssh/id_ed25519";
    if let Some(node) = fields.get(many) {
        return Some(
            plain(reader.texts(node, example))
                .into_iter()
                .map(PathBuf::from)
                .collect(),
        );
    }
    let text = reader.text(fields.get(one)?, example)?;
    Some(vec![PathBuf::from(text.value)])
}
