//! Nothing in front: the endpoint is the single control plane.

use super::super::super::address::DEFAULT_PORT;
use super::super::super::finding::Finding;
use super::super::super::reader::Reader;
use super::{Context, fixed, role};
use crate::cluster::{Endpoint, Role};

/// Returns whether it was reported why an endpoint cannot be derived.
pub fn check(reader: &Reader<'_>, context: &Context<'_>) -> bool {
    if context.no_hosts(reader, "`loadBalancer: none` is set") {
        return true;
    }
    let plane = match context.planes.as_slice() {
        [] => return true,
        [one] => one,
        [_, second, ..] => {
            let message = format!(
                "{} control planes need something that spreads clients over them and stays when one fails",
                context.planes.len()
            );
            reader.report(
                Finding::error("no-balancer", role(second, Role::ControlPlane), message)
                    .help("give one node, or better two, `role: load-balancer` for haproxy; without hosts for it write `loadBalancer: kube-vip` or `local`, or `external` with the endpoint of a balancer or virtual IP of your own"),
            );
            return true;
        }
    };
    let Some(endpoint) = &context.endpoint else {
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
    if let (Some(raw), Some(address)) = (context.endpoint_address(), fixed(plane))
        && raw.value != address
    {
        let raw = raw.value;
        let message =
            format!("the endpoint is {raw}, but the only control plane has the address {address}");
        reader.report(
            Finding::error("endpoint-elsewhere", endpoint.span, message)
                .related(role(plane, Role::ControlPlane), "the control plane")
                .help(format!("write `endpoint: {address}`, a DNS name, `loadBalancer: kube-vip` for a virtual IP that kdiy sets up, or `external` if {raw} is a balancer or virtual IP of your own")),
        );
    }
    false
}
