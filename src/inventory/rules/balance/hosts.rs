//! haproxy or nginx on hosts with the role load-balancer.

use super::super::super::finding::{Finding, Spanned};
use super::super::super::hosts::RawNode;
use super::super::super::reader::Reader;
use super::super::related_nodes;
use super::ports::taken;
use super::{Context, fixed, role, shown, vip};
use crate::cluster::{Endpoint, EndpointHost, Role};
use crate::lb::HEALTH_PORT;

/// Returns whether it was reported why an endpoint cannot be derived.
pub fn check(reader: &Reader<'_>, context: &Context<'_>) -> bool {
    let kind = context.kind.as_str();
    if context.balancers.is_empty() {
        let message = format!("`loadBalancer: {kind}` is set, but no node is a load-balancer");
        reader.report(
            Finding::error("no-balancer", context.key(), message)
                .help("give a node `role: load-balancer`, or write `loadBalancer: external` for a balancer of your own"),
        );
        return true;
    }
    unused_keys(reader, context);
    if let Some(endpoint) = &context.endpoint {
        ports(reader, context, endpoint);
        if context.vip.is_some() && endpoint.value.port == HEALTH_PORT {
            let message = format!(
                "keepalived asks {kind} on port {HEALTH_PORT} of the same host whether it works, so the endpoint cannot be there"
            );
            let host = endpoint.value.host.clone();
            reader.report(
                Finding::error("port-conflict", endpoint.span, message).help(format!(
                    "take another port, such as `endpoint: {}`",
                    Endpoint { host, port: 8443 }
                )),
            );
        }
    }
    match (context.balancers.as_slice(), &context.vip) {
        (_, Some(address)) => {
            vip::check(reader, context, address, "the load-balancers hold");
            false
        }
        ([one], None) => {
            alone(reader, context, one);
            false
        }
        (several, None) => {
            without_vip(reader, context, several);
            true
        }
    }
}

fn without_vip(reader: &Reader<'_>, context: &Context<'_>, balancers: &[&RawNode]) {
    let raw = context.inventory.load_balancer.as_ref();
    let broken = raw.is_some_and(|raw| raw.vip_key.is_some())
        || (context.inventory.endpoint_key.is_some() && context.inventory.endpoint.is_none());
    let [first, second, ..] = balancers else {
        return;
    };
    if broken {
        return;
    }
    let kind = context.kind.as_str();
    let count = balancers.len();
    let place = role(second, Role::LoadBalancer);
    let finding = match &context.endpoint {
        Some(endpoint) => {
            let message = format!(
                "{count} load-balancers need a virtual IP that moves between them, and the endpoint is a name"
            );
            Finding::error("no-vip", endpoint.span, message)
                .related(place, "one of several")
                .help(format!("write the address that the name resolves to: `loadBalancer: {{kind: {kind}, vip: 192.0.2.10}}`"))
        }
        None => {
            let message =
                format!("{count} load-balancers need a virtual IP that moves between them");
            Finding::error("no-vip", place, message)
                .related(role(first, Role::LoadBalancer), "the first one")
                .help("write `endpoint: 192.0.2.10:6443` with a free address of the network that they are in; keepalived moves it")
        }
    };
    reader.report(finding);
}

/// What is for the virtual IP alone.
fn unused_keys(reader: &Reader<'_>, context: &Context<'_>) {
    let Some(raw) = &context.inventory.load_balancer else {
        return;
    };
    if context.vip.is_some() || raw.vip_key.is_some() || context.balancers.len() > 1 {
        return;
    }
    let interface = raw.interface.as_ref().map(|key| ("interface", key.span));
    let router = raw.router_id.as_ref().map(|key| ("routerId", key.span));
    for (key, span) in interface.into_iter().chain(router) {
        let message =
            format!("`{key}` is for a virtual IP, and a single load-balancer has its own address");
        reader.report(
            Finding::error("foreign-key", span, message)
                .help("take it out, or add `vip` with a free address of the same network"),
        );
    }
}

/// The one load-balancer answers at its own address.
fn alone(reader: &Reader<'_>, context: &Context<'_>, balancer: &RawNode) {
    let (Some(endpoint), Some(address)) = (&context.endpoint, fixed(balancer)) else {
        return;
    };
    let raw = match endpoint.value.host {
        EndpointHost::Address(raw) if raw != address => raw,
        _ => return,
    };
    let message = format!(
        "the endpoint is {raw}, but the load-balancer {} has the address {address}",
        balancer.called()
    );
    reader.report(
        Finding::error("endpoint-elsewhere", endpoint.span, message)
            .related(role(balancer, Role::LoadBalancer), "the load-balancer")
            .help(format!(
                "write `endpoint: {}`, or a DNS name that resolves to it; if {raw} is to be a virtual IP, `loadBalancer: {{kind: {}, vip: {raw}}}`",
                shown(address, endpoint.value.port),
                context.kind.as_str(),
            )),
    );
}

fn ports(reader: &Reader<'_>, context: &Context<'_>, endpoint: &Spanned<Endpoint>) {
    let port = endpoint.value.port;
    let clashes: Vec<_> = context
        .balancers
        .iter()
        .filter_map(|node| Some((*node, taken(node, port)?)))
        .collect();
    let [(node, (program, other)), rest @ ..] = clashes.as_slice() else {
        return;
    };
    let message = format!(
        "{} on {} would listen on port {port}, where {program} of the same host listens",
        context.kind.as_str(),
        node.called()
    );
    let host = endpoint.value.host.clone();
    let label = match other {
        Role::ControlPlane => "also a control plane",
        Role::Worker => "also a worker",
        Role::Etcd => "also an etcd host",
        Role::LoadBalancer => "the load-balancer",
    };
    let finding = Finding::error("port-conflict", endpoint.span, message)
        .related(role(node, Role::LoadBalancer), label);
    let rest: Vec<&RawNode> = rest.iter().map(|(node, _)| *node).collect();
    reader.report(
        related_nodes(finding, &rest, Role::LoadBalancer, "this one, too").help(format!(
            "take another port, such as `endpoint: {}`, or a host of its own for the load-balancer",
            Endpoint { host, port: 8443 }
        )),
    );
}
