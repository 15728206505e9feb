//! The end of a bootstrap: what needs an API server that answers.

use super::super::{Context, balancer, config, kubelet_settings, settings};
use super::{PROGRESS, run};
use crate::cluster::Node;
use crate::kubeadm::phases::Phase;
use crate::kubeadm::{self, Stage};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};
use crate::secret_store::TOKEN;
use crate::shell::Script;

/// What the cluster itself is to have, by one control plane for all. Until
/// this is done no control plane is, so that it is done whatever happens.
pub(super) fn set_up(context: &Context, blueprint: &mut Blueprint, reachable: StepId) -> StepId {
    let text = kubeadm::init(context.resolved, context.lead, TOKEN);
    let around = balancer::around_init(context);
    let mut inputs = vec![config::filled(&text)];
    inputs.extend(around.after_inputs);
    let endpoint = &context.resolved.cluster.endpoint;
    let addons = ["kube-proxy", "coredns"];
    let addons: Vec<_> = addons
        .into_iter()
        .filter(|addon| !context.skips_addon(addon))
        .collect();
    let mut details = vec![
        format!("create the cluster; its nodes and clients reach it at {endpoint}"),
        "make a bootstrap token that is valid for an hour".to_owned(),
    ];
    if !addons.is_empty() {
        details.push(format!("apply {}", addons.join(" and ")));
    }
    let command = Command {
        name: "kubeadm's configuration, token and addons".to_owned(),
        verb: Verb::Run,
        details,
        done: Done::Known(false),
        script: Script::of(config::PHASE_FUNCTION)
            .then(&run(context, Phase::SuperAdmin))
            .then(&run(context, Phase::UploadConfig))
            .then(&run(context, Phase::BootstrapToken))
            .then(&run(context, Phase::Addon))
            .then(&around.after),
        inputs,
    };
    blueprint.add(
        &context.lead.name,
        "set up the cluster",
        vec![Resource::Command(command)],
        &[reachable],
    )
}

/// Makes one control plane a node like any other of the cluster.
pub(super) fn complete(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    needs: &[StepId],
) -> StepId {
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    // It also notes the runtime's socket: of the lead's, that is done.
    let upload = match node.name == context.lead.name {
        true => Script::new(),
        false => run(context, Phase::UploadConfig),
    };
    let command = Command {
        name: "the control plane's node".to_owned(),
        verb: Verb::Run,
        details: vec!["label it, and have its kubelet renew its certificate".to_owned()],
        done: Done::Known(false),
        script: Script::of(config::PHASE_FUNCTION)
            .then(&upload)
            .then(&run(context, Phase::MarkControlPlane))
            .then(&run(context, Phase::KubeletFinalize))
            .then(&settings::note(context))
            .then(&kubelet_settings::note(context, node))
            .with(PROGRESS)
            .run("kdiy_end_progress"),
        inputs: vec![settings::configuration(context, node, stage)],
    };
    blueprint.add(
        &node.name,
        "complete the control plane",
        vec![Resource::Command(command)],
        needs,
    )
}
