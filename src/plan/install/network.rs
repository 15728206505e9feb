//! The network manifest.

use super::{Bootstrapped, Context, kubectl};
use crate::cluster::ManifestSource;
use crate::cni;
use crate::plan::operation::{Manifest, Operation};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, FETCH_FUNCTION, Resource, Verb, sha256_hex};
use crate::shell::sh;

/// In the plan and in errors.
const NAME: &str = "network manifest";
/// Of the step.
const TITLE: &str = "apply the network manifest";

pub(super) fn manifest(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
) -> Option<StepId> {
    let source = cni::manifest(&context.resolved.cluster.network.cni)?;
    let hash = match &source {
        ManifestSource::File { text, .. } => sha256_hex(text.as_bytes()),
        ManifestSource::Url(url) => sha256_hex(url.as_bytes()),
    };
    let applied = context.cluster_state.manifest.as_ref() == Some(&hash);
    let needs = [bootstrapped.reachable];
    Some(match source {
        ManifestSource::File { path, text } => {
            let operation = Operation::Apply(Manifest {
                name: NAME.to_owned(),
                detail: format!("apply {}", path.display()),
                text,
                note: Some(("cni".to_owned(), hash)),
            });
            blueprint.operate(TITLE, operation, !applied, &needs)
        }
        ManifestSource::Url(url) => {
            let command = from_url(context, &url, &hash, applied);
            let command = vec![Resource::Command(command)];
            blueprint.add(&context.lead.name, TITLE, command, &needs)
        }
    })
}

/// Fetched by a control plane, by the proxy that hosts have: this machine may
/// not reach it.
fn from_url(context: &Context, url: &str, hash: &str, applied: bool) -> Command {
    Command {
        name: NAME.to_owned(),
        verb: Verb::Run,
        details: vec![format!("apply {url}")],
        done: Done::Known(applied),
        script: kubectl(context, context.lead)
            .with(FETCH_FUNCTION)
            .with(sh!("kubeadm/network.sh"))
            .call("kdiy_apply_network", [url, hash]),
        inputs: Vec::new(),
    }
}
