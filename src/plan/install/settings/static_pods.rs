//! The static pods of one control plane, written anew and waited for.

use super::{Context, Roll, config, configuration, note_of};
use crate::cluster::Values;
use crate::kubeadm::{PlaneComponent, audit};
use crate::plan::facts::plane::PROCESSES;
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
        .with(WAIT_FOR_ROLLOUT)
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
        details: roll.details.clone(),
        done: Done::Known(false),
        script: script.then(&note_of(&roll.settings)),
        inputs,
    }
}

/// Keeps the manifests and who runs, and defines `kdiy_wait_for_rollout NAME
/// URL`. Certificates on the loopback address are each component's own; kubelet
/// does not check them either.
const WAIT_FOR_ROLLOUT: &str = sh!("kubeadm/wait-for-rollout.sh");
