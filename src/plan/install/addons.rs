//! kubeadm's addons, where a setting of theirs is another one than the cluster
//! remembers.

use super::{Bootstrapped, Context, config, parallel_bootstrap, settings};
use crate::cluster::change;
use crate::kubeadm::Stage;
use crate::kubeadm::phases::{self, Phase};
use crate::plan::operation::Operation;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::Script;

/// The section of the inventory about it.
const KUBE_PROXY: &str = "kubeProxy";

/// Settings of addons by their paths.
const SETTINGS: [&str; 3] = [KUBE_PROXY, "images.repository", change::VERSION];

/// Has kubeadm write the addons anew, once all control planes have their new
/// settings, and kube-proxy's pods restart: they read their settings when they
/// start.
pub(super) fn bring(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
    rolled_out: &[StepId],
) -> Vec<StepId> {
    let details = details(context);
    let runs = phases::runs(context.resolved, Phase::Addon);
    if details.is_empty() || runs.is_empty() || !context.is_bootstrapped() {
        return Vec::new();
    }
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    let command = Command {
        name: "kubeadm's addons".to_owned(),
        verb: Verb::Run,
        details,
        done: Done::Known(false),
        script: Script::of(config::PHASE_FUNCTION)
            .then(&parallel_bootstrap::run(context, Phase::Addon)),
        inputs: vec![settings::configuration(context, context.lead, stage)],
    };
    let needs = [rolled_out, &[bootstrapped.reachable]].concat();
    let command = vec![Resource::Command(command)];
    let step = blueprint.add(
        &context.lead.name,
        "bring the addons up to date",
        command,
        &needs,
    );
    // Another image has them start anew by itself.
    if context.skips_addon("kube-proxy") || !differs(context, KUBE_PROXY) {
        return vec![step];
    }
    let restart = Operation::RestartDaemonSet {
        namespace: "kube-system".to_owned(),
        name: "kube-proxy".to_owned(),
    };
    let restarted = blueprint.operate("restart kube-proxy", restart, true, &[step]);
    vec![step, restarted]
}

/// What has changed, line by line.
fn details(context: &Context) -> Vec<String> {
    let changed = SETTINGS.into_iter().filter_map(|path| {
        let (was, is) = change(context, path)?;
        Some(format!("{path}: {was} -> {is}"))
    });
    changed.collect()
}

fn differs(context: &Context, path: &str) -> bool {
    change(context, path).is_some()
}

/// What the cluster remembers of a setting, and what it is now, where that is
/// another thing.
fn change(context: &Context, path: &str) -> Option<(String, String)> {
    let was = context.cluster_state.settings.as_ref()?.get(path)?;
    let is = change::remembered(context.resolved).remove(path)?;
    (*was != is).then(|| (was.clone(), is))
}
