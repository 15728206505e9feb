//! Labels and taints as the inventory says, and all nodes ready.

use super::{Context, kubectl};
use crate::cluster::{Cni, Node, Role, Taint, TaintEffect};
use crate::etcd::ask;
use crate::kubeadm::{CONTROL_PLANE_LABEL, NO_EXTERNAL_BALANCERS_LABEL, node_labels};
use crate::plan::facts::NodeView;
use crate::plan::gate::Gate;
use crate::plan::membership::Membership;
use crate::plan::operation::{NodeIdentity, NodeMarks, Operation};
use crate::plan::{Blueprint, StepId, facts};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::sh;

/// Removes what the cluster remembers of a node that is about to join again:
/// its host was made anew, maybe before it was a node, or its join broke off.
/// kubeadm refuses a node that is still known, a dead etcd member would count
/// against the quorum, and kubeadm looks for etcd's members in their pods. A
/// member that has a vote and answers is never removed: its join is taken up
/// as it is.
pub(super) fn forget(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    reachable: StepId,
) -> Option<StepId> {
    let state = context.cluster_state;
    let is_to_join_again = matches!(
        context.membership(node),
        Some(Membership::Wiped | Membership::Unfinished)
    );
    let stands = context.is_bootstrapped() || !state.answering.is_empty();
    if !is_to_join_again || !stands || state.living_voters.contains(&node.name) {
        return None;
    }
    let name = node.name.as_str();
    let title = format!("forget {name}");
    if !context.is_stacked() || !node.roles.has(Role::ControlPlane) {
        let operation = Operation::DeleteNode(NodeIdentity {
            node: name.to_owned(),
            uid: state.nodes.get(name)?.uid.clone(),
        });
        return Some(blueprint.operate_needed(title, operation, &[reachable]));
    }
    // A refusal of etcd's comes before anything is gone.
    let script = ask::forget(&context.etcd(context.lead), name)
        .then(&kubectl(context, context.lead))
        .with(sh!("kubeadm/forget-node.sh"))
        .call("kdiy_forget_node", [name]);
    let command = Command {
        name: format!("what is left of {name}"),
        verb: Verb::Run,
        details: vec![
            "remove its Node, its etcd member and pod, to join anew; not if that member answers"
                .to_owned(),
        ],
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
    let mut marks = NodeMarks {
        node: node.name.to_string(),
        uid: known.map(|known| known.uid.clone()),
        labels: { node_labels(node).into_iter() }
            .filter(|(key, value)| !has_label(key, value))
            .collect(),
        taints: { node.taints.iter().flatten() }
            .filter(|taint| !has_taint(taint))
            .cloned()
            .collect(),
    };
    if context.has_joined(node) && node.roles.has(Role::ControlPlane) {
        restore_role(node, known, &mut marks);
    }
    (!marks.labels.is_empty() || !marks.taints.is_empty()).then_some(marks)
}

/// What kubeadm marks a control plane with when it joins, where that is gone:
/// the label of its role, and all of it where its Node is another one.
fn restore_role(node: &Node, known: Option<&NodeView>, marks: &mut NodeMarks) {
    if known.is_some_and(NodeView::is_control_plane) {
        return;
    }
    let mut label = |key: &str| _ = marks.labels.entry(key.to_owned()).or_default();
    label(CONTROL_PLANE_LABEL);
    if known.is_some() {
        return;
    }
    label(NO_EXTERNAL_BALANCERS_LABEL);
    if node.taints.is_none() && !node.roles.has(Role::Worker) {
        marks.taints.push(Taint {
            key: CONTROL_PLANE_LABEL.to_owned(),
            value: String::new(),
            effect: TaintEffect::NoSchedule,
        });
    }
}

/// Where to look why nodes are not ready.
pub(super) fn gate(context: &Context, names: impl Into<Vec<String>>) -> Gate {
    Gate::Nodes {
        asked: context.lead.name.clone(),
        server: facts::url(context.resolved.address(context.lead)),
        names: names.into(),
    }
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
    let gate = gate(context, waiting.clone());
    let pending = !waiting.is_empty();
    let operation = Operation::NodesReady(waiting);
    let step = blueprint.operate("wait for the nodes", operation, pending, joined);
    blueprint.waiting(step, gate);
}
