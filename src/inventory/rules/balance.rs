//! The endpoint and what stands behind it.

use std::net::IpAddr;

use super::super::address::DEFAULT_PORT;
use super::super::balancer::Kind;
use super::super::document::Inventory;
use super::super::finding::{Finding, Span, Spanned};
use super::super::hosts::WrittenNode;
use super::super::reader::Reader;
use super::super::resolve;
use crate::cluster::{AddressSpec, Endpoint, EndpointHost, Role};

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let broken = inventory.load_balancer_key.is_some() && inventory.load_balancer.is_none();
    if broken
        || inventory.nodes.is_empty()
        || inventory.nodes.iter().any(|node| node.roles.is_none())
    {
        return;
    }
    let with = |role| -> Vec<&WrittenNode> {
        inventory
            .nodes
            .iter()
            .filter(|node| node.role(role).is_some())
            .collect()
    };
    let (planes, balancers) = (with(Role::ControlPlane), with(Role::LoadBalancer));
    let endpoint = resolve::endpoint(inventory);
    let problem = match resolve::balancing(inventory) {
        Kind::Haproxy | Kind::Nginx => {
            haproxy(reader, inventory, &planes, &balancers, endpoint.as_ref())
        }
        Kind::None => none(reader, inventory, &planes, &balancers, endpoint.as_ref()),
        Kind::KubeVip | Kind::Local | Kind::External => {
            external(reader, inventory, &planes, &balancers, endpoint.as_ref())
        }
    };
    if endpoint.is_some() || inventory.endpoint_key.is_some() || problem {
        return;
    }
    let external = resolve::balancing(inventory) == Kind::External;
    let why = match balancers.first().or(planes.first()).filter(|_| !external) {
        // An address that is wrong or missing is reported already.
        Some(node) if resolve::address(node).is_none() => return,
        Some(node) => format!(
            " and cannot be derived, as {} takes its address from an interface",
            node.called()
        ),
        None => String::new(),
    };
    let message = format!("`endpoint` is missing{why}");
    reader.report(
        Finding::error("missing-key", inventory.start, message)
            .help("add `endpoint: 192.0.2.10:6443`, where clients reach the API servers"),
    );
}

fn key(inventory: &Inventory) -> Span {
    inventory
        .load_balancer
        .as_ref()
        .map_or(inventory.nodes_span, |written| written.kind.span)
}

fn role(node: &WrittenNode, role: Role) -> Span {
    node.role(role).unwrap_or(node.start)
}

/// The address of a node, when it is written.
fn fixed(node: &WrittenNode) -> Option<IpAddr> {
    match resolve::address(node)?.value {
        AddressSpec::Fixed(address) => Some(address),
        AddressSpec::Interface(_) => None,
    }
}

/// haproxy on one host; returns whether a cause was reported for which an
/// endpoint cannot be derived.
fn haproxy(
    reader: &Reader<'_>,
    inventory: &Inventory,
    planes: &[&WrittenNode],
    balancers: &[&WrittenNode],
    endpoint: Option<&Spanned<Endpoint>>,
) -> bool {
    let balancer = match balancers {
        [] => {
            reader.report(
                Finding::error("no-balancer", key(inventory), "`loadBalancer: haproxy` is set, but no node is a load-balancer")
                    .help("give a node `role: load-balancer`, or write `loadBalancer: external` for a balancer of your own"),
            );
            return true;
        }
        [one] => one,
        _ if resolve::vip(inventory).is_some() => return false,
        [first, second, ..] => {
            let message = "two load-balancers need a virtual IP that moves between them, which is not supported yet";
            reader.report(
                Finding::error("several-balancers", role(second, Role::LoadBalancer), message)
                    .related(role(first, Role::LoadBalancer), "the first one")
                    .help("keep one, or set up balancers and virtual IP yourself and write `loadBalancer: external`"),
            );
            return true;
        }
    };
    let Some(endpoint) = endpoint else {
        return false;
    };
    if planes.iter().any(|plane| plane.start == balancer.start)
        && endpoint.value.port == DEFAULT_PORT
    {
        let message = format!(
            "haproxy on {} would listen on port {DEFAULT_PORT}, where the API server of the same host listens",
            balancer.called()
        );
        let host = &endpoint.value.host;
        reader.report(
            Finding::error("port-conflict", endpoint.span, message)
                .related(role(balancer, Role::LoadBalancer), "also a control plane")
                .help(format!("take another port, such as `endpoint: {}`, or a host of its own for the load-balancer", Endpoint { host: host.clone(), port: 8443 })),
        );
    }
    if let (EndpointHost::Address(written), Some(address)) = (&endpoint.value.host, fixed(balancer))
        && *written != address
    {
        let message = format!(
            "the endpoint is {written}, but the load-balancer {} has the address {address}",
            balancer.called()
        );
        reader.report(
            Finding::error("endpoint-elsewhere", endpoint.span, message)
                .related(role(balancer, Role::LoadBalancer), "the load-balancer")
                .help(format!(
                    "write `endpoint: {}`, or a DNS name that resolves to it",
                    Endpoint {
                        host: EndpointHost::Address(address),
                        port: endpoint.value.port
                    }
                )),
        );
    }
    false
}

fn none(
    reader: &Reader<'_>,
    inventory: &Inventory,
    planes: &[&WrittenNode],
    balancers: &[&WrittenNode],
    endpoint: Option<&Spanned<Endpoint>>,
) -> bool {
    if let [balancer, ..] = balancers {
        reader.report(
            Finding::error(
                "unused-balancer",
                role(balancer, Role::LoadBalancer),
                format!(
                    "{} is a load-balancer, but `loadBalancer: none` is set",
                    balancer.called()
                ),
            )
            .related(key(inventory), "set here")
            .help("write `loadBalancer: haproxy`, or take the role out"),
        );
        return true;
    }
    let plane = match planes {
        [] => return true,
        [one] => one,
        [_, second, ..] => {
            let message = format!(
                "{} control planes need something that spreads clients over them and stays when one fails",
                planes.len()
            );
            reader.report(
                Finding::error("no-balancer", role(second, Role::ControlPlane), message)
                    .help("give a node `role: load-balancer` for haproxy, or write `loadBalancer: external` with the endpoint of a balancer or virtual IP of your own"),
            );
            return true;
        }
    };
    let Some(endpoint) = endpoint else {
        return false;
    };
    if endpoint.value.port != DEFAULT_PORT {
        let message = format!(
            "nothing would listen on port {}: without a load-balancer the endpoint is the API server's own port, {DEFAULT_PORT}",
            endpoint.value.port
        );
        reader.report(
            Finding::error("endpoint-elsewhere", endpoint.span, message).help(format!(
                "write `endpoint: {}`",
                Endpoint {
                    port: DEFAULT_PORT,
                    ..endpoint.value.clone()
                }
            )),
        );
    }
    if let (EndpointHost::Address(written), Some(address)) = (&endpoint.value.host, fixed(plane))
        && *written != address
    {
        let message = format!(
            "the endpoint is {written}, but the only control plane has the address {address}"
        );
        reader.report(
            Finding::error("endpoint-elsewhere", endpoint.span, message)
                .related(role(plane, Role::ControlPlane), "the control plane")
                .help(format!("write `endpoint: {address}`, a DNS name, or `loadBalancer: external` if {written} is a balancer or virtual IP of your own")),
        );
    }
    false
}

fn external(
    reader: &Reader<'_>,
    inventory: &Inventory,
    planes: &[&WrittenNode],
    balancers: &[&WrittenNode],
    endpoint: Option<&Spanned<Endpoint>>,
) -> bool {
    for balancer in balancers {
        reader.report(
            Finding::error("unused-balancer", role(balancer, Role::LoadBalancer), format!("{} is a load-balancer, but `loadBalancer: external` leaves balancing to somebody else", balancer.called()))
                .related(key(inventory), "set here")
                .help("write `loadBalancer: haproxy`, or take the role out"),
        );
    }
    let Some(Spanned {
        value: Endpoint {
            host: EndpointHost::Address(written),
            ..
        },
        span,
    }) = endpoint
    else {
        return false;
    };
    if planes.len() < 2 {
        return false;
    }
    for plane in planes.iter().filter(|plane| fixed(plane) == Some(*written)) {
        let message = format!(
            "the endpoint is the address of {}, so it fails when that one fails",
            plane.called()
        );
        reader.report(
            Finding::error("endpoint-elsewhere", *span, message)
                .related(
                    role(plane, Role::ControlPlane),
                    "one of several control planes",
                )
                .help("write the address of the balancer, or the virtual IP"),
        );
    }
    false
}
