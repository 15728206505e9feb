//! keepalived on the load-balancer hosts, and one of them holds the address.

use std::net::SocketAddr;

use super::super::Context;
use super::{configure, interface};
use crate::cluster::{Failover, Node, Role};
use crate::lb::keepalived;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Resource};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};

/// Steps after which one host holds the address, and only one.
pub(super) fn set_up(
    context: &Context,
    failover: &Failover,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) -> Vec<StepId> {
    let hosts = || context.resolved.with_role(Role::LoadBalancer);
    let mut configured = Vec::new();
    for node in hosts() {
        let interface = interface(context, node, &failover.vip);
        let password = &context.trust.failover_password;
        let software = keepalived::on_host(context.resolved, node, failover, &interface, password);
        configure(&software, node, blueprint, secrets);
        configured.extend(blueprint.last(&node.name));
    }
    hosts()
        .map(|node| held_once(context, node, failover, blueprint, &configured))
        .collect()
}

/// A host that holds the address reaches each other one in its name: one that
/// holds it too would take the answer for itself. A host that does not reaches
/// whoever does.
const HELD: &str = sh!("lb/held.sh");

fn held_once(
    context: &Context,
    node: &Node,
    failover: &Failover,
    blueprint: &mut Blueprint,
    configured: &[StepId],
) -> StepId {
    let vip = failover.vip.address;
    let port = context.resolved.cluster.endpoint.port;
    let url = |address| format!("http://{}/", SocketAddr::new(address, port));
    let others = context
        .resolved
        .with_role(Role::LoadBalancer)
        .filter(|other| other.name != node.name)
        .map(|other| url(context.resolved.address(other)));
    let what = format!("exactly one host to hold {vip}");
    let words = ["30", &what, "kdiy_held"].map(str::to_owned).into_iter();
    let words = words.chain([vip.to_string(), url(vip)]).chain(others);
    let script = Script::of(HELD).call("kdiy_poll", words);
    let wait = Command::wait(format!("one host to hold {vip}"), script);
    blueprint.add_needed(
        &node.name,
        "check the virtual address",
        vec![Resource::Command(wait)],
        configured,
    )
}
