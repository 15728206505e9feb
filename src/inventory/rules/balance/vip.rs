//! A virtual IP, whoever holds it.

use std::net::IpAddr;

use super::super::super::finding::{Finding, Span, Spanned};
use super::super::super::hosts::RawNode;
use super::super::super::interpret;
use super::super::super::reader::Reader;
use super::{Context, fixed, shown};

pub fn check(reader: &Reader<'_>, context: &Context<'_>, vip: &Spanned<IpAddr>, held: &str) {
    let address = vip.value;
    if matches!(address, IpAddr::V4(v4) if v4.is_link_local()) {
        let message = format!("{address} is a link-local address, which no router passes on");
        reader.report(
            Finding::error("invalid-address", vip.span, message)
                .help("write a free address of the network that the hosts are in"),
        );
    }
    let mut nodes = context.inventory.nodes.iter();
    let owner = nodes.find_map(|node| Some((node, own(node, address)?)));
    if let Some((node, place)) = owner {
        let message = format!(
            "the virtual IP {address} is the address of {}, which keeps it when it should move",
            node.called()
        );
        reader.report(
            Finding::error("vip-of-a-node", vip.span, message)
                .related(place, "its address")
                .help("take a free address of the same network"),
        );
    }
    if let Some(raw) = context.endpoint_address()
        && raw.value != address
    {
        let port = context
            .endpoint
            .as_ref()
            .map_or(0, |endpoint| endpoint.value.port);
        let message = format!(
            "the endpoint is {}, but what {held} is the virtual IP {address}",
            raw.value
        );
        reader.report(
            Finding::error("endpoint-elsewhere", raw.span, message)
                .related(vip.span, "the virtual IP")
                .help(format!(
                    "write `endpoint: {}`, or a DNS name that resolves to it",
                    shown(address, port)
                )),
        );
    }
}

/// Where it is written that a node has this address itself: the other hosts
/// reach it there, or kdiy does.
fn own(node: &RawNode, address: IpAddr) -> Option<Span> {
    if fixed(node) == Some(address) {
        return interpret::address(node).map(|address| address.span);
    }
    let host = node.ssh.host.as_ref()?;
    (host.value.parse() == Ok(address)).then_some(host.span)
}
