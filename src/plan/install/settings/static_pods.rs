//! The static pods of one control plane, written anew and waited for.

use std::iter;

use super::{Context, Roll, certificates, config, configuration, note_of};
use crate::cluster::{Node, Values};
use crate::etcd::ask;
use crate::etcd::script::HEALTH;
use crate::kubeadm::{PlaneComponent, audit};
use crate::plan::facts::plane::PROCESSES;
use crate::plan::gate::endpoint::READY_FUNCTION;
use crate::resource::{Command, Done, Input, Verb};
use crate::shell::{Script, sh};

/// Static pods of one control plane are written anew, and its processes are
/// waited for. Those that ran before are brought back where the new ones do
/// not come up: a control plane alone could not be fixed through its API.
pub(super) fn command(context: &Context, roll: &Roll) -> Command {
    let address = context.resolved.address(roll.node);
    let loopback = if address.is_ipv6() {
        "[::1]"
    } else {
        "127.0.0.1"
    };
    let mut inputs = vec![configuration(context, roll.node, roll.stage)];
    let mut script = Script::of(PROCESSES)
        .then(&others_serve(context, roll.node))
        .with(WAIT_FOR_ROLLOUT);
    if !roll.certificate.is_empty() {
        script = script.then(&certificates::renew(context, roll.node));
    }
    if roll.differs.etcd {
        script = script.then(&etcd(context, roll.node));
    }
    script = script
        .with(config::PHASE_FUNCTION)
        .then(&config::phase(["control-plane", "all"]));
    for component in PlaneComponent::ALL {
        let name = component.name();
        let arguments = &roll.settings[name].arguments;
        let lines = arguments.iter().flat_map(|(name, values)| {
            values
                .iter()
                .map(move |value| format!("--{name}={value}\n"))
        });
        let wanted: String = lines.collect();
        inputs.push(Input::plain(&format!("want-{name}"), wanted));
        let health = match component.health_port() {
            None => format!("{}/readyz", crate::plan::facts::url(address)),
            Some(port) => {
                let of = |name: &str| arguments.get(name).map(Values::last);
                let host = match of("bind-address") {
                    None | Some("0.0.0.0" | "::") => loopback,
                    Some(address) => address,
                };
                let port = of("secure-port").map_or(port.to_string(), str::to_owned);
                format!("https://{host}:{port}/healthz")
            }
        };
        script = script.call("kdiy_wait_for_rollout", [name, health.as_str()]);
    }
    if let Some(policy) = context.resolved.cluster.control_plane.audit.as_ref() {
        let path = &audit::policy(policy).path;
        script = script
            .with(sh!("kubeadm/policies.sh"))
            .call("kdiy_remove_old_policies", [audit::POLICIES, path]);
    }
    Command {
        name: "static pods".to_owned(),
        verb: Verb::Run,
        details: [&roll.certificate[..], &roll.differs.lines].concat(),
        done: Done::Known(false),
        script: script.then(&note_of(&roll.settings)),
        inputs,
    }
}

/// The other API servers are asked again where it happens: those before have
/// had their turn, and something may have befallen the rest since then.
fn others_serve(context: &Context, node: &Node) -> Script {
    let others = super::running(context).into_iter();
    let others = others.filter(|other| other.name != node.name);
    others.fold(Script::of(READY_FUNCTION), |script, other| {
        let url = crate::plan::facts::url(context.resolved.address(other));
        let what = format!("the API server of {} to be ready", other.name);
        let words = ["60", &what, "kdiy_api_ready", &format!("{url}/readyz")];
        script.call("kdiy_poll", words)
    })
}

/// etcd before all else, as kubeadm has it: API servers of a release want its
/// etcd.
fn etcd(context: &Context, node: &Node) -> Script {
    let client = context.etcd(node);
    let health = format!("{}/health", client.url);
    let words = iter::once(node.name.as_str());
    let words = words.chain(client.options()).chain([health.as_str()]);
    ask::functions(&client)
        .with(HEALTH)
        .with(ROLL_ETCD)
        .set("kdiy_url", &client.url)
        .call("kdiy_roll_etcd", words)
}

/// Defines `kdiy_roll_etcd NAME CURL-WORD…`.
const ROLL_ETCD: &str = sh!("kubeadm/roll-etcd.sh");

/// Keeps the manifests and who runs, and defines `kdiy_wait_for_rollout NAME
/// URL`. Certificates on the loopback address are each component's own; kubelet
/// does not check them either.
const WAIT_FOR_ROLLOUT: &str = sh!("kubeadm/wait-for-rollout.sh");
