//! The static pods of one control plane, written anew and waited for.

use std::iter;

use super::{Context, Roll, certificates, config, configuration, note_of};
use crate::cluster::{Node, Values};
use crate::etcd::ask;
use crate::etcd::script::HEALTH;
use crate::kubeadm::{PlaneComponent, audit};
use crate::plan::facts::plane::PROCESSES;
use crate::plan::gate::endpoint;
use crate::plan::install::control_plane::READY;
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
        .lit(WAIT_FOR_ROLLOUT);
    if roll.certificate() {
        script = script.then(&certificates::renew(context, roll.node));
    }
    if roll.etcd() {
        script = script.then(&etcd(context, roll.node));
    }
    script = script
        .lit("kubeadm init phase control-plane all")
        .lit(config::OPTION)
        .lit("\n");
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
        script = script
            .lit("kdiy_wait_for_rollout ")
            .args([name, health.as_str()])
            .lit("\n");
    }
    if let Some(policy) = context.resolved.cluster.control_plane.audit.as_ref() {
        // Policies of before, which kdiy wrote and no process reads any more.
        script = script
            .lit("find ")
            .arg(audit::POLICIES)
            .lit(" -maxdepth 1 -type f -name 'policy-????????????????.yaml' ! -path ")
            .arg(&audit::policy(policy).path)
            .lit(" -delete\n");
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

/// The other API servers are asked again where it happens: those before have
/// had their turn, and something may have befallen the rest since then.
fn others_serve(context: &Context, node: &Node) -> Script {
    let others = super::running(context).into_iter();
    let others = others.filter(|other| other.name != node.name);
    others.fold(Script::new(), |script, other| {
        let url = crate::plan::facts::url(context.resolved.address(other));
        script
            .lit("kdiy_poll 60 ")
            .arg(format!("the API server of {} to be ready", other.name))
            .lit(READY)
            .lit(endpoint::OWN_CERTIFICATE)
            .arg(format!("{url}/readyz"))
            .lit("\n")
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
        .lit(HEALTH)
        .lit(ROLL_ETCD)
        .lit("kdiy_url=")
        .arg(&client.url)
        .lit("\n")
        .call("kdiy_roll_etcd", words)
}

/// Defines `kdiy_roll_etcd NAME CURL-WORD…`.
const ROLL_ETCD: &str = sh!("kubeadm/roll-etcd.sh");

/// Keeps the manifests and who runs, and defines `kdiy_wait_for_rollout NAME
/// URL`: waits until the component runs with all that it should, after its
/// manifest changed as a new process, and is healthy. Certificates on the
/// loopback address are each component's own; kubelet does not check them
/// either.
const WAIT_FOR_ROLLOUT: &str = sh!("kubeadm/wait-for-rollout.sh");
