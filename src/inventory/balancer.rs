//! `loadBalancer:` as written.

use std::net::IpAddr;

use super::address;
use super::components;
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::hosts;
use super::images;
use super::reader::{Reader, parse_error};
use super::yaml::{Node, Value};
use crate::cluster::Lease;

/// The word for a way of balancing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    None,
    Haproxy,
    Nginx,
    KubeVip,
    Local,
    External,
}

/// `loadBalancer` as far as it was written.
pub struct RawBalancer {
    pub kind: Spanned<Kind>,
    /// Where the key `vip` is, right or wrong.
    pub vip_key: Option<Span>,
    pub vip: Option<Spanned<IpAddr>>,
    pub interface: Option<Spanned<String>>,
    pub router_id: Option<Spanned<u8>>,
    pub image: Option<Spanned<String>>,
    pub lease: Option<Lease>,
    pub port: Option<Spanned<u16>>,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::KubeVip => "kube-vip",
            Self::Local => "local",
            Self::External => "external",
        }
    }
}

const KINDS: [(&str, Kind); 6] = [
    (Kind::None.as_str(), Kind::None),
    (Kind::Haproxy.as_str(), Kind::Haproxy),
    (Kind::Nginx.as_str(), Kind::Nginx),
    (Kind::KubeVip.as_str(), Kind::KubeVip),
    (Kind::Local.as_str(), Kind::Local),
    (Kind::External.as_str(), Kind::External),
];

/// Words of other tools, each with what to write here.
const OTHERS: [(&str, &str); 2] = [
    (
        "keepalived",
        "write `haproxy` or `nginx`: with several load-balancer hosts keepalived moves the address between them",
    ),
    (
        "envoy",
        "haproxy and nginx are what kdiy sets up; for an envoy of your own write `external`",
    ),
];

const EXAMPLE: &str = "`loadBalancer: haproxy`, or `{kind: haproxy, vip: 192.0.2.10}`";

/// Reads `loadBalancer`, a word or a mapping.
pub fn read(reader: &Reader<'_>, node: &Node) -> Option<RawBalancer> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Some(RawBalancer {
            kind: reader.choice(node, &KINDS, &OTHERS)?,
            vip_key: None,
            vip: None,
            interface: None,
            router_id: None,
            image: None,
            lease: None,
            port: None,
        });
    }
    let fields = reader.fields(node, fields::BALANCER, EXAMPLE)?;
    let kind = fields
        .require("kind", "`kind: haproxy`")
        .and_then(|node| reader.choice(node, &KINDS, &OTHERS));
    let raw = RawBalancer {
        vip_key: fields.get("vip").and_then(|_| fields.key("vip")),
        vip: fields.get("vip").and_then(|node| {
            reader.parse(
                node,
                "invalid-address",
                "an address such as 192.0.2.10",
                address::vip,
            )
        }),
        interface: fields.get("interface").and_then(|node| {
            reader.parse(
                node,
                "invalid-interface",
                "an interface such as eth1",
                hosts::interface,
            )
        }),
        router_id: fields
            .get("routerId")
            .and_then(|node| router_id(reader, node)),
        image: fields.get("image").and_then(|node| {
            reader.parse(
                node,
                "invalid-image",
                "an image such as ghcr.io/kube-vip/kube-vip:v1.1.2",
                images::image,
            )
        }),
        lease: fields.get("lease").and_then(|node| lease(reader, node)),
        port: fields.get("port").and_then(|node| {
            let port = reader.port(node)?;
            Some(Spanned {
                value: port,
                span: node.span,
            })
        }),
        kind: kind?,
    };
    fields.only_for(raw.kind.value.as_str());
    Some(raw)
}

/// The times of kube-vip's lease, which it takes in seconds.
fn lease(reader: &Reader<'_>, node: &Node) -> Option<Lease> {
    const EXAMPLE: &str = "`{leaseDuration: 5s, renewDeadline: 3s, retryPeriod: 1s}`";
    let fields = reader.fields(node, fields::LEASE, EXAMPLE)?;
    let (duration, renew_deadline, retry_period) = components::times(reader, &fields, node);
    for (key, time) in [
        ("leaseDuration", duration),
        ("renewDeadline", renew_deadline),
        ("retryPeriod", retry_period),
    ] {
        if time.subsec_nanos() > 0 {
            let message = format!("kube-vip takes whole seconds, and {key} is {time:?}");
            let span = fields.key(key).unwrap_or(node.span);
            reader.report(
                Finding::error("invalid-duration", span, message).help(format!("write {EXAMPLE}")),
            );
        }
    }
    Some(Lease {
        duration,
        renew_deadline,
        retry_period,
    })
}

/// VRRP's virtual router id.
fn router_id(reader: &Reader<'_>, node: &Node) -> Option<Spanned<u8>> {
    reader.parse(node, "invalid-router-id", "a number such as 51", |text| {
        match text.parse::<u8>() {
            Ok(id) if id > 0 => Ok(id),
            _ => parse_error(
                format!("{} is no virtual router id", quoted(text)),
                "write a number from 1 to 255 that no other VRRP group on the network of these hosts has",
            ),
        }
    })
}
