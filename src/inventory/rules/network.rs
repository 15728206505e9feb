//! Networks: families, sizes, and what must not lie in them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::document::Inventory;
use super::super::finding::{Finding, Span};
use super::super::interpret;
use super::super::reader::Reader;
use super::SHOWN;
use crate::cluster::{AddressSpec, Cni, EndpointHost, Role};

/// A network with its name and place; a default is reported at `network`.
struct Range {
    what: &'static str,
    net: IpNet,
    span: Option<Span>,
}

impl Range {
    fn shown(&self) -> String {
        let default = if self.span.is_none() {
            ", the default"
        } else {
            ""
        };
        format!("{} ({}{default})", self.what, self.net)
    }
}

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let network = &inventory.network;
    if network.broken {
        return;
    }
    let (Some(pods), Some(services)) = (
        interpret::pod_cidr(network),
        interpret::service_cidr(network),
    ) else {
        return;
    };
    let pods = Range {
        what: "podCIDR",
        net: pods,
        span: network.pod_cidr.as_ref().map(|cidr| cidr.span),
    };
    let services = Range {
        what: "serviceCIDR",
        net: services,
        span: network.service_cidr.as_ref().map(|cidr| cidr.span),
    };
    if is_ipv4(pods.net.addr()) != is_ipv4(services.net.addr()) {
        let span = services.span.or(pods.span).unwrap_or(inventory.start);
        let message = format!(
            "{} and {} are of different IP families",
            pods.shown(),
            services.shown()
        );
        let finding = Finding::error("mixed-families", span, message);
        reader.report(
            finding
                .related(pods.span.unwrap_or(span), "the other")
                .help("write both as IPv4 or both as IPv6; dual-stack is not supported yet"),
        );
    } else if overlap(&pods.net, &services.net) {
        let span = services.span.or(pods.span).unwrap_or(inventory.start);
        let message = format!("{} and {} overlap", pods.shown(), services.shown());
        let finding = Finding::error("overlapping-networks", span, message);
        reader.report(finding.related(pods.span.unwrap_or(span), "the other").help("take two networks that share no address, such as 10.244.0.0/16 and 10.96.0.0/12"));
    }
    service_size(reader, &services);
    pod_size(reader, inventory, &pods);
    let addresses = addresses(inventory);
    for range in [&pods, &services] {
        outside(reader, &addresses, range);
    }
    bridge(reader, inventory);
}

fn is_ipv4(address: IpAddr) -> bool {
    address.is_ipv4()
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// kube-apiserver takes at most 20 host bits; kubeadm wants 10 addresses, as
/// the cluster's DNS has the tenth.
fn service_size(reader: &Reader<'_>, services: &Range) {
    let Some(span) = services.span else { return };
    let bits = services.net.max_prefix_len() - services.net.prefix_len();
    let widest = services.net.max_prefix_len() - 20;
    if bits > 20 {
        let message = format!(
            "{} is larger than a /{widest}, which is the most that the API server takes",
            services.shown()
        );
        reader.report(
            Finding::error("network-size", span, message)
                .help(format!("write `{}/{widest}`", services.net.addr())),
        );
    } else if bits < 4 {
        let narrowest = services.net.max_prefix_len() - 4;
        let message = format!(
            "{} is smaller than a /{narrowest}: the tenth address is the cluster's DNS, and every service needs one",
            services.shown()
        );
        reader.report(Finding::error("network-size", span, message).help(format!(
            "write a /{narrowest} or larger; a /{} leaves room to grow",
            widest + 4
        )));
    }
}

/// Every kubelet gets a network of its own out of the pods'.
fn pod_size(reader: &Reader<'_>, inventory: &Inventory, pods: &Range) {
    let ipv4 = is_ipv4(pods.net.addr());
    let args = &inventory.settings.controller_manager.extra_args;
    let family = if ipv4 {
        "node-cidr-mask-size-ipv4"
    } else {
        "node-cidr-mask-size-ipv6"
    };
    let raw = args.get(family).or(args.get("node-cidr-mask-size"));
    let mask = match raw.map(|mask| mask.last().parse::<u8>()) {
        Some(Ok(mask)) => mask,
        Some(Err(_)) => return,
        None if ipv4 => 24,
        None => 64,
    };
    let kubelets = inventory.nodes.iter().filter(|node| {
        node.role(Role::ControlPlane).is_some() || node.role(Role::Worker).is_some()
    });
    let kubelets = kubelets.count();
    let span = pods.span.unwrap_or(inventory.nodes_span);
    let prefix = pods.net.prefix_len();
    let bits = u32::from(mask.saturating_sub(prefix));
    let room = if mask < prefix {
        0
    } else {
        1u64 << bits.min(32)
    };
    if bits > 16 {
        let message = format!(
            "{} is more than 16 bits wider than the /{mask} of each node, which the controller-manager refuses",
            pods.shown()
        );
        reader.report(
            Finding::error("network-size", span, message)
                .help(format!("write a /{} or smaller", mask - 16)),
        );
    } else if room < kubelets as u64 {
        let message = format!(
            "{} has room for too few nodes: each takes a /{mask}, which makes {room}, and there are {kubelets}",
            pods.shown()
        );
        let mut wanted = mask;
        while wanted > 0 && (1u64 << u32::from(mask - wanted).min(32)) < kubelets as u64 {
            wanted -= 1;
        }
        reader.report(Finding::error("network-size", span, message).help(format!(
            "write a /{} or larger, with room to grow",
            wanted.min(prefix)
        )));
    }
}

fn addresses(inventory: &Inventory) -> Vec<(IpAddr, Span, String)> {
    let nodes = inventory.nodes.iter().filter_map(|node| {
        let address = interpret::address(node)?;
        let AddressSpec::Fixed(fixed) = address.value else {
            return None;
        };
        Some((
            fixed,
            address.span,
            format!("the address of {}", node.called()),
        ))
    });
    let mut all: Vec<_> = nodes.collect();
    if let Some(endpoint) = &inventory.endpoint
        && let EndpointHost::Address(address) = endpoint.value.host
    {
        all.push((address, endpoint.span, "the endpoint".to_owned()));
    }
    let raw = inventory.load_balancer.as_ref();
    if let Some(vip) = raw.and_then(|raw| raw.vip.as_ref()) {
        all.push((vip.value, vip.span, "the virtual IP".to_owned()));
    }
    all
}

/// One finding for all addresses that a network has no right to.
fn outside(reader: &Reader<'_>, addresses: &[(IpAddr, Span, String)], range: &Range) {
    let same_family = |address: &IpAddr| address.is_ipv4() == range.net.addr().is_ipv4();
    let outside = addresses
        .iter()
        .filter(|(address, ..)| !same_family(address));
    among(
        reader,
        outside,
        range,
        ("mixed-families", "is of another IP family than"),
        "write the addresses of nodes, endpoint and virtual IP, podCIDR and serviceCIDR of one family",
    );
    let inside = addresses
        .iter()
        .filter(|(address, ..)| range.net.contains(address));
    among(
        reader,
        inside,
        range,
        ("address-in-network", "holds"),
        &format!(
            "set `network.{}` to a network that the hosts do not use",
            range.what
        ),
    );
}

fn among<'a>(
    reader: &Reader<'_>,
    mut addresses: impl Iterator<Item = &'a (IpAddr, Span, String)>,
    range: &Range,
    (code, relation): (&'static str, &str),
    help: &str,
) {
    let Some((address, span, what)) = addresses.next() else {
        return;
    };
    let rest: Vec<_> = addresses.collect();
    let more = match rest.len() {
        0 => String::new(),
        1 => " (and of one more)".to_owned(),
        more => format!(" (and of {more} more)"),
    };
    let message = format!("{} {relation} {address}, {what}{more}", range.shown());
    let mut finding = Finding::error(code, range.span.unwrap_or(*span), message);
    finding = finding.related(*span, what.as_str());
    for (_, span, what) in rest.iter().take(SHOWN) {
        finding = finding.related(*span, what.as_str());
    }
    reader.report(finding.help(help));
}

/// The bridge's routes lead straight from host to host.
fn bridge(reader: &Reader<'_>, inventory: &Inventory) {
    let Some(cni) = inventory
        .network
        .cni
        .as_ref()
        .filter(|cni| cni.value == Cni::Bridge)
    else {
        return;
    };
    let wide = |address: IpAddr| {
        IpNet::new(address, if is_ipv4(address) { 16 } else { 64 })
            .map(|net| net.trunc())
            .ok()
    };
    let kubelets = inventory.nodes.iter().filter(|node| {
        node.role(Role::ControlPlane).is_some() || node.role(Role::Worker).is_some()
    });
    let mut seen: Option<(IpNet, &str)> = None;
    for node in kubelets {
        let Some(address) = interpret::address(node) else {
            continue;
        };
        let AddressSpec::Fixed(fixed) = address.value else {
            continue;
        };
        let Some(net) = wide(fixed) else { continue };
        match seen {
            None => seen = Some((net, node.called())),
            Some((first, other)) if first != net => {
                let message = format!(
                    "{} and {other} are hardly on one layer-2 network, which `cni: bridge` needs",
                    node.called()
                );
                reader.report(
                    Finding::warning("bridge-too-far", address.span, message)
                        .related(cni.span, "the CNI")
                        .help("take another CNI with `cni: {manifest: ...}` where a router stands between hosts"),
                );
                return;
            }
            Some(_) => {}
        }
    }
}
