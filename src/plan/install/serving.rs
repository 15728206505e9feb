//! Requests of kubelets for serving certificates, approved by kdiy.

use super::{Context, kubectl};
use crate::cluster::{KubeletServing, Node};
use crate::plan::serving::{requestor, serving_function};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};

/// Port of every kubelet.
const PORT: u16 = 10250;

/// A host that was not looked at is left as it is.
fn is_configured(context: &Context, node: &Node) -> bool {
    let signed = context.resolved.cluster.kubelet_serving == KubeletServing::Signed;
    let facts = context.facts.get(&node.name);
    facts.is_none_or(|facts| facts.signed_serving == signed)
}

/// Approves what nodes that join or learn to ask do ask for, and what waited
/// when kdiy looked.
pub(super) fn approve(context: &Context, blueprint: &mut Blueprint, joined: &[StepId]) {
    if context.resolved.cluster.kubelet_serving != KubeletServing::Signed {
        return;
    }
    let kubectl = kubectl(context, context.lead);
    let mut script = kubectl.then(&serving_function(context.resolved));
    let mut details = Vec::new();
    for node in context.resolved.cluster.kubelets() {
        let waits = waiting(context, node);
        if context.has_joined(node) && is_configured(context, node) && waits.is_empty() {
            continue;
        }
        let address = context.resolved.address(node);
        let asked = match waits.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        details.push(format!(
            "approve the serving certificate of {}: DNS {}, IP {address}{asked}",
            node.name, node.name
        ));
        let url = format!("https://{}/", std::net::SocketAddr::new(address, PORT));
        script = script.call("kdiy_wait_for_serving", [node.name.as_str(), &url]);
    }
    let command = Command {
        name: "serving certificates".to_owned(),
        verb: Verb::Run,
        done: Done::Known(details.is_empty()),
        details,
        script,
        inputs: Vec::new(),
    };
    let command = vec![Resource::Command(command)];
    blueprint.add(
        &context.lead.name,
        "approve serving certificates",
        command,
        joined,
    );
}

/// Names of a node's good requests that wait.
fn waiting<'a>(context: &'a Context, node: &Node) -> Vec<&'a str> {
    let who = requestor(node.name.as_str());
    let mut names: Vec<_> = context
        .facts
        .values()
        .flat_map(|facts| &facts.plane.requests)
        .filter(|request| request.objection.is_none() && request.requestor == who)
        .map(|request| request.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
