//! keepalived on the load-balancer hosts, and one of them holds the address.

use std::net::SocketAddr;

use super::super::Context;
use super::{configure, interface};
use crate::cluster::{Failover, Node, Role};
use crate::lb::keepalived;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Resource};
use crate::secret_store::SecretStore;
use crate::shell::Script;

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
const HELD: &str = r#"kdiy_held() {
kdiy_vip=$1 kdiy_url=$2; shift 2
if ip -o addr show to "$kdiy_vip" | grep -q .; then
  for kdiy_peer; do
    kdiy_connects "$kdiy_peer" --interface "$kdiy_vip" || {
      echo "this host holds $kdiy_vip, and $kdiy_peer does not answer it: it may hold it too. VRRP (IP protocol 112) has to pass between them"
      return 1
    }
  done
else
  kdiy_connects "$kdiy_url" || { echo "nobody answers at $kdiy_vip"; return 1; }
fi
}
kdiy_connects() {
kdiy_code=0
curl -sS -o /dev/null --noproxy '*' --connect-timeout 2 --max-time 4 "$@" || kdiy_code=$?
# Refused or unreachable, no answer, not from this address. All else was an answer.
case $kdiy_code in 7|28|45) return 1 ;; esac
}
"#;

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
    let script = Script::of(HELD)
        .lit("kdiy_poll 30 ")
        .arg(format!("exactly one host to hold {vip}"))
        .lit(" kdiy_held ")
        .args([vip.to_string(), url(vip)])
        .lit(" ")
        .args(others);
    let wait = Command::wait(format!("one host to hold {vip}"), script);
    blueprint.add_needed(
        &node.name,
        "check the virtual address",
        vec![Resource::Command(wait)],
        configured,
    )
}
