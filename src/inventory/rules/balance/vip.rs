//! A virtual IP, whoever holds it.

use std::net::IpAddr;

use super::super::super::finding::{Finding, Spanned};
use super::super::super::reader::Reader;
use super::super::super::resolve;
use super::{Scene, fixed, shown};

pub fn check(reader: &Reader<'_>, scene: &Scene<'_>, vip: &Spanned<IpAddr>, held: &str) {
    let address = vip.value;
    if matches!(address, IpAddr::V4(v4) if v4.is_link_local()) {
        let message = format!("{address} is a link-local address, which no router passes on");
        reader.report(
            Finding::error("invalid-address", vip.span, message)
                .help("write a free address of the network that the hosts are in"),
        );
    }
    let owner = scene
        .inventory
        .nodes
        .iter()
        .find(|node| fixed(node) == Some(address));
    if let Some(node) = owner {
        let message = format!(
            "the virtual IP {address} is the address of {}, which keeps it when it should move",
            node.called()
        );
        let place = resolve::address(node).map_or(node.start, |address| address.span);
        reader.report(
            Finding::error("vip-of-a-node", vip.span, message)
                .related(place, "its address")
                .help("take a free address of the same network"),
        );
    }
    if let Some(written) = scene.endpoint_address()
        && written.value != address
    {
        let port = scene
            .endpoint
            .as_ref()
            .map_or(0, |endpoint| endpoint.value.port);
        let message = format!(
            "the endpoint is {}, but what {held} is the virtual IP {address}",
            written.value
        );
        reader.report(
            Finding::error("endpoint-elsewhere", written.span, message)
                .related(vip.span, "the virtual IP")
                .help(format!(
                    "write `endpoint: {}`, or a DNS name that resolves to it",
                    shown(address, port)
                )),
        );
    }
}
