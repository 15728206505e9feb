//! kube-vip on the control planes.

use super::super::super::address::DEFAULT_PORT;
use super::super::super::finding::Finding;
use super::super::super::reader::Reader;
use super::{Context, vip};
use crate::cluster::Endpoint;

/// Returns whether it was reported why an endpoint cannot be derived.
pub fn check(reader: &Reader<'_>, context: &Context<'_>) -> bool {
    context.no_hosts(reader, "kube-vip runs on the control planes");
    if let Some(endpoint) = &context.endpoint
        && endpoint.value.port != DEFAULT_PORT
    {
        let message = format!(
            "nothing would listen on port {}: kube-vip moves an address and leads to the API server's own port, {DEFAULT_PORT}",
            endpoint.value.port
        );
        let fixed = Endpoint {
            port: DEFAULT_PORT,
            ..endpoint.value.clone()
        };
        reader.report(
            Finding::error("endpoint-elsewhere", endpoint.span, message)
                .help(format!("write `endpoint: {fixed}`")),
        );
    }
    if let Some(address) = &context.vip {
        vip::check(reader, context, address, "kube-vip holds");
        return false;
    }
    let raw = context.inventory.load_balancer.as_ref();
    let broken = raw.is_some_and(|raw| raw.vip_key.is_some())
        || (context.inventory.endpoint_key.is_some() && context.inventory.endpoint.is_none());
    if !broken {
        let finding = match &context.endpoint {
            Some(endpoint) => {
                let message = "kube-vip needs the address that it is to hold, and the endpoint is a name";
                Finding::error("no-vip", endpoint.span, message)
                    .related(context.key(), "set here")
                    .help("write the address that the name resolves to: `loadBalancer: {kind: kube-vip, vip: 192.0.2.10}`")
            }
            None => Finding::error(
                "no-vip",
                context.key(),
                "kube-vip needs the address that it is to hold",
            )
            .help("write `endpoint: 192.0.2.10:6443` with a free address of the network that the control planes are in"),
        };
        reader.report(finding);
    }
    true
}
