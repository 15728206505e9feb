//! The endpoint and what stands behind it.

mod external;
mod hosts;
mod kube_vip;
mod local;
mod none;
mod ports;
mod vip;

use std::net::IpAddr;

use super::super::balancer::Kind;
use super::super::document::Inventory;
use super::super::finding::{Finding, Span, Spanned};
use super::super::hosts::RawNode;
use super::super::interpret;
use super::super::reader::Reader;
use crate::cluster::{AddressSpec, Endpoint, EndpointHost, Role};

/// All that the rules look at.
struct Context<'i> {
    inventory: &'i Inventory,
    kind: Kind,
    planes: Vec<&'i RawNode>,
    balancers: Vec<&'i RawNode>,
    endpoint: Option<Spanned<Endpoint>>,
    vip: Option<Spanned<IpAddr>>,
}

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let broken = inventory.load_balancer_key.is_some() && inventory.load_balancer.is_none();
    if broken
        || inventory.nodes.is_empty()
        || inventory.nodes.iter().any(|node| node.roles.is_none())
    {
        return;
    }
    let context = Context {
        inventory,
        kind: interpret::balancing(inventory),
        planes: interpret::with(inventory, Role::ControlPlane).collect(),
        balancers: interpret::with(inventory, Role::LoadBalancer).collect(),
        endpoint: interpret::endpoint(inventory),
        vip: interpret::vip(inventory),
    };
    let explained = match context.kind {
        Kind::Haproxy | Kind::Nginx => hosts::check(reader, &context),
        Kind::None => none::check(reader, &context),
        Kind::KubeVip => kube_vip::check(reader, &context),
        Kind::Local => local::check(reader, &context),
        Kind::External => external::check(reader, &context),
    };
    if context.endpoint.is_none() && inventory.endpoint_key.is_none() && !explained {
        missing(reader, &context);
    }
}

/// There is no endpoint, and nothing that was reported says why.
fn missing(reader: &Reader<'_>, context: &Context<'_>) {
    let holder = match context.kind {
        Kind::External => None,
        // Of several control planes none is the one to derive it from.
        Kind::Local if context.planes.len() > 1 => None,
        _ => context.balancers.first().or(context.planes.first()),
    };
    let why = match holder {
        // An address that is wrong or missing is reported already.
        Some(node) if interpret::address(node).is_none() => return,
        Some(node) => format!(
            " and cannot be derived, as {} takes its address from an interface",
            node.called()
        ),
        None => String::new(),
    };
    let help = if context.kind == Kind::Local {
        "add `endpoint: api.example.org:6443`, where clients from outside reach the API servers: a DNS name that leads to the control planes, or the address of one"
    } else {
        "add `endpoint: 192.0.2.10:6443`, where clients reach the API servers"
    };
    let message = format!("`endpoint` is missing{why}");
    reader.report(Finding::error("missing-key", context.inventory.start, message).help(help));
}

impl Context<'_> {
    /// Where the way of balancing was chosen.
    fn key(&self) -> Span {
        self.inventory
            .load_balancer
            .as_ref()
            .map_or(self.inventory.nodes_span, |raw| raw.kind.span)
    }

    /// The address of the endpoint, where it is one.
    fn endpoint_address(&self) -> Option<Spanned<IpAddr>> {
        let endpoint = self.endpoint.as_ref()?;
        match endpoint.value.host {
            EndpointHost::Address(value) => Some(Spanned {
                value,
                span: endpoint.span,
            }),
            EndpointHost::Name(_) => None,
        }
    }

    /// Refuses hosts with the role load-balancer; returns whether there are
    /// any.
    fn no_hosts(&self, reader: &Reader<'_>, why: &str) -> bool {
        for balancer in &self.balancers {
            let message = format!("{} is a load-balancer, but {why}", balancer.called());
            reader.report(
                Finding::error(
                    "unused-balancer",
                    role(balancer, Role::LoadBalancer),
                    message,
                )
                .related(self.key(), "set here")
                .help("write `loadBalancer: haproxy` or `nginx`, or take the role out"),
            );
        }
        !self.balancers.is_empty()
    }
}

fn role(node: &RawNode, role: Role) -> Span {
    node.role(role).unwrap_or(node.start)
}

/// The address of a node, when it is written.
fn fixed(node: &RawNode) -> Option<IpAddr> {
    match interpret::address(node)?.value {
        AddressSpec::Fixed(address) => Some(address),
        AddressSpec::Interface(_) => None,
    }
}

/// `host:port` of an address.
fn shown(address: IpAddr, port: u16) -> String {
    let host = EndpointHost::Address(address);
    Endpoint { host, port }.to_string()
}
