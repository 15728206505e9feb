//! The network manifest, applied through a control plane.

use super::{Bootstrapped, Context, kubectl};
use crate::cluster::ManifestSource;
use crate::cni;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Content, DOWNLOAD, Done, Input, Resource, Verb, sha256_hex};
use crate::shell::Script;

pub(super) fn manifest(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
) -> Option<StepId> {
    let source = &cni::manifest(&context.resolved.cluster.network.cni)?;
    let (shown, hash) = match source {
        ManifestSource::File { path, text } => {
            (path.display().to_string(), sha256_hex(text.as_bytes()))
        }
        ManifestSource::Url(url) => (url.clone(), sha256_hex(url.as_bytes())),
    };
    let (fetch, inputs) = match source {
        ManifestSource::File { text, .. } => {
            let content = Content::Plain(text.clone());
            (
                Script::new(),
                vec![Input {
                    name: "cni.yaml".to_owned(),
                    content,
                }],
            )
        }
        ManifestSource::Url(url) => {
            let fetch = Script::of(DOWNLOAD).arg(url);
            (
                fetch.lit(
                    " \"$kdiy_tmp/cni.yaml\"
",
                ),
                Vec::new(),
            )
        }
    };
    let kubectl = kubectl(context, context.lead);
    // What was applied is kept in the cluster, so that any laptop knows it.
    let note = Script::of(
        " -n kube-system create configmap kdiy --dry-run=client -o yaml --from-literal=cni=",
    )
    .arg(&hash);
    let apply = Command {
        name: "network manifest".to_owned(),
        verb: Verb::Run,
        details: vec![format!("apply {shown}")],
        done: Done::Known(context.cluster_state.manifest.as_ref() == Some(&hash)),
        script: fetch
            .then(&kubectl)
            .lit("apply -f \"$kdiy_tmp/cni.yaml\"\n")
            .then(&kubectl)
            .then(&note)
            .lit(" | ")
            .then(&kubectl)
            .lit("apply -f -"),
        inputs,
    };
    let step = blueprint.add(
        &context.lead.name,
        "apply the network manifest",
        vec![Resource::Command(apply)],
        &[bootstrapped.reachable],
    );
    Some(step)
}
