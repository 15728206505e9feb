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
    let script = Script::of(REACHABLE)
        .lit("kdiy_poll 15 ")
        .arg(format!(
            "the load balancer at {endpoint} to be reached from {}; check the inventory's \
             `endpoint`, routes and firewalls",
            node.name
        ))
        .lit(" kdiy_reach ")
        .args([endpoint.host.to_string(), endpoint.port.to_string()]);
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
/// on the first control plane speaks to its own API server through it. A
/// listener with a certificate made for this one question stands in for the
/// API server.
pub(super) fn hairpin(context: &Context, after: &[StepId], blueprint: &mut Blueprint) -> StepId {
    let endpoint = &context.resolved.cluster.endpoint;
    let port = API_PORT.to_string();
    let script = Script::of("if ss -Hltn ")
        .arg(format!("sport = :{port}"))
        .lit(" | grep -q .; then\necho 'the API server runs already'\nelse\n")
        .lit("kdiy_port=")
        .arg(&port)
        .lit("\n")
        .lit(HAIRPIN)
        .lit("kdiy_poll 90 ")
        .arg(format!(
            "the load balancer at {endpoint} to forward to port {port} of {}, also when {} itself \
             calls (hairpin); its health checks have to take a TCP connection or any answer to GET \
             for alive",
            context.lead.name, context.lead.name
        ))
        .lit(" kdiy_hairpin ")
        .arg(endpoint.to_string())
        .lit("\nkdiy_end\nfi");
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

/// The listener ends with the script, and by itself if the script is killed.
/// It does not keep the lock of the run.
const HAIRPIN: &str = sh!("lb/hairpin.sh");

#[cfg(test)]
mod tests;
