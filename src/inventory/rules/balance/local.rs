//! A balancer on every node.

use super::super::super::address::DEFAULT_PORT;
use super::super::super::finding::{Finding, Span};
use super::super::super::reader::Reader;
use super::{Context, fixed, ports, shown};
use crate::cluster::Role;

/// Returns whether it was reported why an endpoint cannot be derived.
pub fn check(reader: &Reader<'_>, context: &Context<'_>) -> bool {
    context.no_hosts(reader, "with `local` every node has a balancer of its own");
    let raw = context.inventory.load_balancer.as_ref();
    if let Some(port) = raw.and_then(|raw| raw.port.as_ref()) {
        local_port(reader, port.value, port.span);
    }
    endpoint(reader, context);
    context.planes.is_empty()
}

/// The port is asked for on every node, so that it must be free on all.
fn local_port(reader: &Reader<'_>, port: u16, span: Span) {
    let Some((owner, _)) = ports::owner(port) else {
        if (30000..=32767).contains(&port) {
            let message = format!(
                "port {port} may be given to a service as its NodePort, and then no node reaches the API"
            );
            reader.report(
                Finding::warning("port-conflict", span, message)
                    .help("take a port outside of 30000 to 32767, such as 7443"),
            );
        }
        return;
    };
    let message = format!("port {port} is that of {owner} on hosts of this cluster");
    reader.report(
        Finding::error("port-conflict", span, message)
            .help("take a port that is free on all nodes, such as 7443, the default"),
    );
}

/// Clients from outside do not pass by the nodes' balancers.
fn endpoint(reader: &Reader<'_>, context: &Context<'_>) {
    let (Some(endpoint), Some(raw)) = (&context.endpoint, context.endpoint_address()) else {
        return;
    };
    let port = endpoint.value.port;
    let nodes = context.inventory.nodes.iter();
    let Some(node) = nodes
        .into_iter()
        .find(|node| fixed(node) == Some(raw.value))
    else {
        return;
    };
    let Some(plane) = node.role(Role::ControlPlane) else {
        let message = format!(
            "the endpoint is the address of {}, which is no control plane",
            node.called()
        );
        reader.report(
            Finding::error("endpoint-elsewhere", raw.span, message)
                .related(node.start, "this node")
                .help("write a DNS name that leads to the control planes, or the address of one: balancers of nodes serve only the node that they are on"),
        );
        return;
    };
    if port != DEFAULT_PORT {
        let message = format!(
            "nothing would listen on port {port} of {}: API servers listen on {DEFAULT_PORT}",
            node.called()
        );
        reader.report(
            Finding::error("endpoint-elsewhere", raw.span, message).help(format!(
                "write `endpoint: {}`",
                shown(raw.value, DEFAULT_PORT)
            )),
        );
    } else if context.planes.len() > 1 {
        let message = format!(
            "clients from outside lose the API when {} fails; nodes do not",
            node.called()
        );
        reader.report(
            Finding::warning("endpoint-elsewhere", raw.span, message)
                .related(plane, "one of several control planes")
                .help("write a DNS name that leads to all control planes"),
        );
    }
}
