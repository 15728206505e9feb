//! Labels and taints as the inventory says, and all nodes ready.

use super::{Context, kubectl};
use crate::cluster::{Cni, Node, Role, Taint};
use crate::etcd::ask;
use crate::kubeadm::node_labels;
use crate::plan::gate::Gate;
use crate::plan::operation::{NodeMarks, Operation};
use crate::plan::{Blueprint, StepId, facts};
use crate::resource::{Command, Done, Resource, Verb};

/// Removes what the cluster remembers of a node that is about to join again:
/// its host was wiped, maybe before it was a node, or its join broke off.
/// kubeadm refuses a node that is still known, a dead etcd member would count
/// against the quorum, and kubeadm looks for etcd's members in their pods.
pub(super) fn forget(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    reachable: StepId,
) -> Option<StepId> {
    let begun = context
        .facts
        .get(&node.name)
        .is_some_and(|facts| facts.unfinished.is_some());
    let name = node.name.as_str();
    let known = begun
        || context.cluster_state.nodes.contains_key(name)
        || context.cluster_state.etcd_members.contains(name);
    let stands = context.is_bootstrapped() || !context.cluster_state.answering.is_empty();
    if !known || context.has_joined(node) || !stands {
        return None;
    }
    let title = format!("forget {name}");
    if !context.is_stacked() || !node.roles.has(Role::ControlPlane) {
        let operation = Operation::DeleteNode(name.to_owned());
        return Some(blueprint.operate_needed(title, operation, &[reachable]));
    }
    // A refusal of etcd's comes before anything is gone.
    let script = ask::forget(&context.etcd(context.lead), name)
        .then(&kubectl(context, context.lead))
        .lit("delete node --ignore-not-found ")
        .arg(name)
        .lit("\n")
        .then(&kubectl(context, context.lead))
        .lit("-n kube-system delete pod --ignore-not-found --force --grace-period=0 ")
        .arg(format!("etcd-{name}"));
    let command = Command {
        name: format!("what is left of {name}"),
        verb: Verb::Run,
        details: vec!["remove its Node, its etcd member and pod, to join anew".to_owned()],
        done: Done::Known(false),
        script,
        inputs: Vec::new(),
    };
    Some(blueprint.add_needed(
        &context.lead.name,
        title,
        vec![Resource::Command(command)],
        &[],
    ))
}

/// Labels and taints that the inventory names and the nodes lack. What it
/// does not name belongs to others and stays.
pub(super) fn label(context: &Context, blueprint: &mut Blueprint, joined: &[StepId]) {
    let nodes = context.resolved.cluster.kubelets();
    let nodes = nodes.filter(|node| context.will_have_joined(node));
    let lacking: Vec<_> = nodes.filter_map(|node| lacking(context, node)).collect();
    let pending = !lacking.is_empty();
    let operation = Operation::LabelNodes(lacking);
    blueprint.operate("label the nodes", operation, pending, joined);
}

/// What a node lacks; `None` where it has all.
fn lacking(context: &Context, node: &Node) -> Option<NodeMarks> {
    // What a node had before it joins anew is forgotten.
    let known = context.cluster_state.nodes.get(node.name.as_str());
    let known = known.filter(|_| context.has_joined(node));
    let has_label = |key: &str, value: &str| {
        let label = format!("{key}={value}");
        known.is_some_and(|node| node.labels.contains(&label))
    };
    let has_taint = |taint: &Taint| {
        let taint = taint.to_string();
        known.is_some_and(|node| node.taints.contains(&taint))
    };
    let marks = NodeMarks {
        node: node.name.to_string(),
        labels: { node_labels(node).into_iter() }
            .filter(|(key, value)| !has_label(key, value))
            .collect(),
        taints: { node.taints.iter().flatten() }
            .filter(|taint| !has_taint(taint))
            .cloned()
            .collect(),
    };
    (!marks.labels.is_empty() || !marks.taints.is_empty()).then_some(marks)
}

/// Waits until all nodes are ready, where kdiy knows that something connects
/// the pods.
pub(super) fn ready(context: &Context, blueprint: &mut Blueprint, joined: &[StepId]) {
    if context.resolved.cluster.network.cni == Cni::None {
        return;
    }
    let is_ready = |node: &&Node| {
        let known = context.cluster_state.nodes.get(node.name.as_str());
        context.has_joined(node) && known.is_some_and(|known| known.ready)
    };
    let nodes = context.resolved.cluster.kubelets();
    let waiting: Vec<_> = nodes
        .filter(|node| context.will_have_joined(node) && !is_ready(node))
        .map(|node| node.name.to_string())
        .collect();
    let gate = Gate::Nodes {
        asked: context.lead.name.clone(),
        server: facts::url(context.resolved.address(context.lead)),
        names: waiting.clone(),
    };
    let pending = !waiting.is_empty();
    let operation = Operation::NodesReady(waiting);
    let step = blueprint.operate("wait for the nodes", operation, pending, joined);
    blueprint.waiting(step, gate);
}
