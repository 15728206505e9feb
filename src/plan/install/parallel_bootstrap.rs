//! A new cluster whose control planes come up all at once, by the phases of
//! `kubeadm init`: their members of etcd form one cluster. Each step can be
//! run again, on whichever hosts are left.

mod end;

use super::balancer::{self, Balanced};
use super::control_plane::{self, gate, pull_images, renew_token, taking_up};
use super::{Bootstrapped, Context, config, settings};
use crate::cluster::{Node, Role};
use crate::kubeadm::phases::{self, Phase};
use crate::kubeadm::{self, Stage};
use crate::plan::bootstrap::{self, BOOTSTRAP, BootstrapProgress};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Input, Resource, Verb, sha256_hex};
use crate::shell::{Script, sh};

/// The configuration of the phase that makes etcd's manifest.
const ETCD_CONFIG: &str = "etcd.yaml";

/// Defines `kdiy_begin NOTE`, `kdiy_progress WORD HASH` and
/// `kdiy_end_progress`.
const PROGRESS: &str = sh!("kubeadm/progress.sh");

/// What bootstraps the cluster on one control plane, before the API is asked.
struct BootstrapNode<'a> {
    node: &'a Node,
    config: Input,
    prepare: Script,
    start: Script,
    /// What else than the configuration the start reads.
    inputs: Vec<Input>,
    /// Of all the above: with another one it is done again.
    hash: String,
    progress: BootstrapProgress,
}

/// Bootstraps the cluster, or brings what is left of it to its end.
pub(super) fn bootstrap(
    context: &Context,
    blueprint: &mut Blueprint,
    balanced: Balanced,
    etcd: Vec<StepId>,
) -> Bootstrapped {
    let bootstrap_nodes: Vec<_> = context
        .bootstrap_nodes
        .iter()
        .map(|node| bootstrap_node(context, node))
        .collect();
    let mut ready = Vec::new();
    for bootstrap_node in &bootstrap_nodes {
        ready.push(prepare(context, bootstrap_node, blueprint, &etcd));
    }
    ready.push(balancer::try_endpoint(context, &balanced, blueprint));
    for bootstrap_node in &bootstrap_nodes {
        let mut needs = ready.clone();
        needs.extend(balanced.before_join(bootstrap_node.node));
        start(context, bootstrap_node, blueprint, &needs);
    }
    let gates: Vec<_> = bootstrap_nodes
        .iter()
        .map(|bootstrap_node| gate(context, bootstrap_node.node, blueprint))
        .collect();
    let reachable = control_plane::reachable(context, blueprint);
    let mut before = vec![reachable];
    let token = match context.is_bootstrapped() {
        true => renew_token(blueprint, reachable),
        false => {
            let set_up = end::set_up(context, blueprint, reachable);
            before.push(set_up);
            set_up
        }
    };
    let mut parallel = Vec::new();
    for (bootstrap_node, gate) in bootstrap_nodes.iter().zip(gates) {
        let needs = [&before[..], &[gate]].concat();
        parallel.push(end::complete(
            context,
            bootstrap_node.node,
            blueprint,
            &needs,
        ));
    }
    Bootstrapped {
        reachable,
        token: Some(token),
        balanced,
        etcd,
        parallel,
    }
}

fn bootstrap_node<'a>(context: &Context<'a>, node: &'a Node) -> BootstrapNode<'a> {
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    let initial_cluster = bootstrap::initial_cluster(context.resolved);
    let config = settings::configuration(context, node, stage);
    let mut inputs = Vec::new();
    // The kubelet takes its time to start, and waits for manifests then.
    let prepare = run(context, Phase::Certs)
        .then(&run(context, Phase::Kubeconfig))
        .then(&run(context, Phase::KubeletStart));
    let mut start = Script::new();
    let around = balancer::around_init(context);
    if node.name == context.lead.name && !around.before_inputs.is_empty() {
        inputs.extend(around.before_inputs);
        start = run(context, Phase::SuperAdmin).then(&around.before);
    }
    if context.is_stacked() {
        let text = kubeadm::bootstrap_etcd(context.resolved, node, &initial_cluster);
        inputs.push(Input::plain(ETCD_CONFIG, text));
        start = start.then(&run_with(context, Phase::Etcd, ETCD_CONFIG));
    }
    let start = start.then(&run(context, Phase::ControlPlane));
    let all = (&config, &prepare, &start, &inputs);
    let all = serde_json::to_string(&all).expect("plain structs are JSON");
    BootstrapNode {
        node,
        config,
        prepare,
        start,
        inputs,
        hash: sha256_hex(all.as_bytes())[..16].to_owned(),
        progress: BootstrapProgress {
            initial_cluster,
            ..context
                .cluster_state
                .bootstrapping
                .get(&node.name)
                .cloned()
                .unwrap_or_default()
        },
    }
}

/// All that can be done before the others are there. Kubeadm's checks wait
/// five seconds for an etcd elsewhere that does not answer yet.
fn prepare(
    context: &Context,
    bootstrap_node: &BootstrapNode,
    blueprint: &mut Blueprint,
    etcd: &[StepId],
) -> StepId {
    let node = bootstrap_node.node;
    let pulled = pull_images(context, node, blueprint, context.has_joined(node));
    let note = format!("{BOOTSTRAP} {}", bootstrap_node.progress.initial_cluster);
    let script = taking_up(context, "a bootstrap that did not come to its end")
        .with(config::PHASE_FUNCTION)
        .then(&preflight(context))
        .with(PROGRESS)
        .call("kdiy_begin", [note])
        .then(&bootstrap_node.prepare)
        .then(&noted("prepared", &bootstrap_node.hash));
    let command = Command {
        name: "certificates, kubeconfigs and kubelet".to_owned(),
        verb: Verb::Run,
        details: vec!["make and start them, after kubeadm's checks of the host".to_owned()],
        done: Done::Known(bootstrap_node.progress.prepared.as_ref() == Some(&bootstrap_node.hash)),
        script,
        inputs: vec![bootstrap_node.config.clone()],
    };
    blueprint.add(
        &bootstrap_node.node.name,
        "prepare the control plane",
        vec![Resource::Command(command)],
        &[&[pulled], etcd].concat(),
    )
}

/// Starts etcd, API server and the rest; does not wait, since members of etcd
/// wait for each other.
fn start(
    context: &Context,
    bootstrap_node: &BootstrapNode,
    blueprint: &mut Blueprint,
    needs: &[StepId],
) -> StepId {
    let planes = context.resolved.with_role(Role::ControlPlane);
    let names: Vec<_> = planes.map(|plane| plane.name.as_str()).collect();
    let details = match (context.is_stacked(), names.len()) {
        (true, 2..) => format!("start it; its etcd is one of {}", names.join(", ")),
        (true, _) => "start it and its etcd".to_owned(),
        (false, _) => "start it".to_owned(),
    };
    let mut inputs = vec![bootstrap_node.config.clone()];
    inputs.extend(bootstrap_node.inputs.iter().cloned());
    let command = Command {
        name: "the control plane".to_owned(),
        verb: Verb::Run,
        details: vec![details],
        done: Done::Known(bootstrap_node.progress.started.as_ref() == Some(&bootstrap_node.hash)),
        script: Script::of(PROGRESS)
            .with(config::PHASE_FUNCTION)
            .then(&noted("starting", &bootstrap_node.hash))
            .then(&bootstrap_node.start)
            .then(&noted("started", &bootstrap_node.hash)),
        inputs,
    };
    blueprint.add(
        &bootstrap_node.node.name,
        "start the control plane",
        vec![Resource::Command(command)],
        needs,
    )
}

/// How far a host has come; after [`PROGRESS`].
fn noted(what: &str, hash: &str) -> Script {
    Script::new().call("kdiy_progress", [what, hash])
}

fn preflight(context: &Context) -> Script {
    let mut runs = phases::runs(context.resolved, Phase::Preflight);
    match runs.pop() {
        None => Script::new(),
        Some(words) => config::phase_again(words),
    }
}

/// Runs a phase of `kubeadm init` with the command's own kubeadm.yaml.
pub(super) fn run(context: &Context, phase: Phase) -> Script {
    let runs = phases::runs(context.resolved, phase);
    runs.iter().fold(Script::new(), |script, words| {
        script.then(&config::phase(words))
    })
}

fn run_with(context: &Context, phase: Phase, input: &str) -> Script {
    let runs = phases::runs(context.resolved, phase);
    runs.iter().fold(Script::new(), |script, words| {
        script.then(&config::phase_with(input, words))
    })
}
