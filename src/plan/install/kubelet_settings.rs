//! Settings of kubelets that run: applied one node after the other. Pods go on
//! while their kubelet restarts.

use std::num::NonZeroUsize;

use super::settings::configuration;
use super::{Bootstrapped, Context, config, kubelet_package, nodes};
use crate::cluster::{Node, Role};
use crate::kubeadm::{KubeletSettings, Stage, kubelet_client, kubelet_settings};
use crate::plan::facts::NodeView;
use crate::plan::facts::kubelet::NOTE_KUBELET;
use crate::plan::gate::Gate;
use crate::plan::operation::{NodeIdentity, Operation};
use crate::plan::{Blueprint, StepId, version_step};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::{Script, sh};

/// Kubelets that restart at a time: where the settings are wrong, one node
/// shows it.
const ONE: NonZeroUsize = NonZeroUsize::MIN;

const TITLE: &str = "restart the kubelet with new settings";

/// Defines `kdiy_restart_kubelet URL COMMAND…`.
const RESTART_KUBELET: &str = sh!("kubeadm/restart-kubelet.sh");

/// What the kubelet of a node shall run with.
fn wanted(context: &Context, node: &Node) -> KubeletSettings {
    kubelet_settings(context.resolved, node, context.resolver(node))
}

/// The script that notes what the kubelet of a node was given.
pub(super) fn note(context: &Context, node: &Node) -> Script {
    let settings = wanted(context, node).note();
    Script::of(NOTE_KUBELET).call("kdiy_note_kubelet", [settings])
}

/// What is different on a node that has joined, line by line. A host that was
/// not looked at is left as it is.
fn differences(context: &Context, node: &Node) -> Vec<String> {
    let Some(facts) = context.facts.get(&node.name) else {
        return Vec::new();
    };
    let view = &facts.kubelet;
    let upgraded = context.upgraded_from(node);
    let to = context.resolved.version;
    let mut all: Vec<_> = upgraded
        .iter()
        .map(|from| format!("kubelet {from} -> {to}"))
        .collect();
    let Some(last) = &view.last_applied else {
        all.push("kdiy has not noted yet what it runs with".to_owned());
        return all;
    };
    all.extend(last.differences(&wanted(context, node)));
    let by_hand = view.changed_files.iter();
    all.extend(by_hand.map(|file| format!("{file} was changed by somebody else")));
    all
}

/// What is different, node by node, those of control planes first.
fn rolls<'a>(context: &Context<'a>) -> Vec<(&'a Node, Vec<String>)> {
    let nodes = context.resolved.cluster.kubelets();
    let nodes = nodes.filter(|node| context.has_joined(node));
    let mut rolls: Vec<_> = nodes
        .map(|node| (node, differences(context, node)))
        .filter(|(_, details)| !details.is_empty())
        .collect();
    rolls.sort_by_key(|(node, _)| !node.roles.has(Role::ControlPlane));
    rolls
}

/// Brings all kubelets to their settings.
pub(super) fn roll_out(
    context: &Context,
    blueprint: &mut Blueprint,
    needs: &[StepId],
) -> Vec<StepId> {
    let rolls = rolls(context);
    if rolls.is_empty() {
        return Vec::new();
    }
    let drained = version_step::drained(context.resolved, context.cluster_state);
    let members = rolls.into_iter().map(|roll| (roll.0.name.clone(), roll));
    blueprint.rolling(TITLE, ONE, members, |blueprint, host, (node, details)| {
        let known = context.cluster_state.nodes.get(host.as_str());
        let drained = known.filter(|_| drained.contains(&node.name));
        let of = |known: &NodeView| NodeIdentity {
            node: known.name.clone(),
            uid: known.uid.clone(),
        };
        let mut steps = Vec::new();
        if let Some(known) = drained {
            let drain = Operation::Drain(of(known));
            steps.push(blueprint.operate("drain the node", drain, true, needs));
        }
        let command = vec![Resource::Command(restart(context, node, details))];
        let title = match context.upgraded_from(node) {
            Some(_) => "upgrade the kubelet",
            None => TITLE,
        };
        let step = blueprint.add(host, title, command, &[needs, &steps].concat());
        let step = blueprint.waiting(step, Gate::Kubelet);
        steps.push(step);
        // One that was not ready before need not become so by this.
        if known.is_some_and(|known| known.ready) {
            let ready = Operation::NodesReady(vec![host.to_string()]);
            let ready = blueprint.operate("wait for the node", ready, true, &[step]);
            steps.push(blueprint.waiting(ready, nodes::gate(context, [host.to_string()])));
        }
        if let Some(known) = drained {
            let uncordon = Operation::Uncordon(of(known));
            let last = steps.last().copied();
            steps.push(blueprint.operate("uncordon the node", uncordon, true, last.as_slice()));
        }
        steps
    })
}

fn restart(context: &Context, node: &Node, details: Vec<String>) -> Command {
    let settings = wanted(context, node);
    let health = settings.health().unwrap_or_default();
    let start = match node.roles.has(Role::ControlPlane) {
        true => "kdiy_start_kubelet",
        false => "kdiy_start_worker",
    };
    let script = kubelet_package::upgrade(context, node)
        .with(RESTART_KUBELET)
        .call("kdiy_restart_kubelet", [health.as_str(), start])
        .then(&note(context, node));
    let text = kubelet_client::start(context.resolved, node);
    Command {
        name: "the kubelet's settings".to_owned(),
        verb: Verb::Run,
        details,
        done: Done::Known(false),
        script,
        inputs: vec![config::plain(text)],
    }
}

/// What joining kubelets read, once for all, before any of them joins.
pub(super) fn upload(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
) -> Option<StepId> {
    if rolls(context).is_empty() {
        return None;
    }
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    let upload = Command {
        name: "kubelets' configuration in the cluster".to_owned(),
        verb: Verb::Run,
        details: vec!["upload, for nodes that join".to_owned()],
        done: Done::Known(false),
        script: Script::of(config::PHASE_FUNCTION)
            .then(&config::phase(["upload-config", "kubelet"])),
        inputs: vec![configuration(context, context.lead, stage)],
    };
    Some(blueprint.add_needed(
        &context.lead.name,
        "upload the kubelets' configuration",
        vec![Resource::Command(upload)],
        &[bootstrapped.reachable],
    ))
}
