//! Somebody else's balancer: not set up, but tried before it is relied upon.

use super::super::Context;
use crate::cluster::Node;
use crate::kubeadm::API_PORT;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Resource};
use crate::shell::{Script, sh};

/// A host with a kubelet comes to the balancer. It may refuse, since nothing
/// stands behind it yet; it may not be out of reach.
pub(super) fn reachable(context: &Context, node: &Node, blueprint: &mut Blueprint) -> StepId {
    let endpoint = &context.resolved.cluster.endpoint;
    let what = format!(
        "the load balancer at {endpoint} to be reached from {}; check the inventory's `endpoint`, \
         routes and firewalls",
        node.name
    );
    let (host, port) = (endpoint.host.to_string(), endpoint.port.to_string());
    let words = ["15", &what, "kdiy_reach", &host, &port];
    let script = Script::of(REACHABLE).call("kdiy_poll", words);
    let wait = Command::wait(format!("{endpoint} to be reached"), script);
    blueprint.add_needed(
        &node.name,
        "reach the endpoint",
        vec![Resource::Command(wait)],
        &[],
    )
}

const REACHABLE: &str = sh!("lb/reach.sh");

/// The balancer brings a host that calls the endpoint back to itself: kubeadm
/// on the first control plane speaks to its own API server through it.
pub(super) fn hairpin(context: &Context, after: &[StepId], blueprint: &mut Blueprint) -> StepId {
    let endpoint = &context.resolved.cluster.endpoint;
    let port = API_PORT.to_string();
    let what = format!(
        "the load balancer at {endpoint} to forward to port {port} of {}, also when {} itself \
         calls (hairpin); its health checks have to take a TCP connection or any answer to GET \
         for alive",
        context.lead.name, context.lead.name
    );
    let words = [&port, &what, &endpoint.to_string()];
    let script = Script::of(HAIRPIN).call("kdiy_try_hairpin", words);
    let wait = Command::wait(
        format!("{endpoint} to lead back to port {port} of this host"),
        script,
    );
    blueprint.add_needed(
        &context.lead.name,
        "try the load balancer",
        vec![Resource::Command(wait)],
        after,
    )
}

/// Defines `kdiy_try_hairpin PORT WHAT HOST:PORT`.
const HAIRPIN: &str = sh!("lb/hairpin.sh");

#[cfg(test)]
mod tests;
