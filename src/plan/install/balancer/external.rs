//! Somebody else's balancer: not set up, but tried before it is relied upon.

use super::super::Context;
use crate::cluster::Node;
use crate::kubeadm::API_PORT;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Resource};
use crate::shell::Script;

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

const REACHABLE: &str = r#"kdiy_reach() {
kdiy_said=$(LC_ALL=C timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$@" 2>&1) && return 0
case $kdiy_said in *refused*) return 0 ;; esac
echo "${kdiy_said:-no answer within 3 s}"
return 1
}
"#;

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
const HAIRPIN: &str = r#"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=kdiy \
  -keyout "$kdiy_tmp/hairpin.key" -out "$kdiy_tmp/hairpin.crt" 2>/dev/null
kdiy_own=$(openssl x509 -in "$kdiy_tmp/hairpin.crt" -noout -fingerprint -sha256)
kdiy_end() { kill "$kdiy_server" 2>/dev/null || true; wait "$kdiy_server" 2>/dev/null || true; }
timeout 180 openssl s_server -quiet -www -accept "$kdiy_port" -cert "$kdiy_tmp/hairpin.crt" \
  -key "$kdiy_tmp/hairpin.key" </dev/null >/dev/null 2>&1 9>&- &
kdiy_server=$!
trap 'kdiy_end; rm -rf -- "$kdiy_tmp"' EXIT
kdiy_hairpin() {
kdiy_found=$(timeout 5 openssl s_client -connect "$1" -servername kubernetes </dev/null 2>/dev/null |
  openssl x509 -noout -fingerprint -sha256 -subject 2>/dev/null) || { echo 'no TLS server answered'; return 1; }
case $kdiy_found in "$kdiy_own"*) ;; *) echo "another server answered: $kdiy_found"; return 1 ;; esac
}
"#;

#[cfg(test)]
mod tests;
