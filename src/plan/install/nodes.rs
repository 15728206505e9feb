//! Labels and taints as the inventory says, and all nodes ready.

use std::collections::BTreeMap;

use super::{Context, kubectl, kubectl_wait};
use crate::cluster::{Cni, Node, Role, Taint};
use crate::etcd::ask;
use crate::kubeadm::node_labels;
use crate::plan::gate::{self, Gate};
use crate::plan::{Blueprint, StepId, facts};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::Script;

/// Removes what the cluster remembers of a node that is about to join again:
/// its host was wiped, maybe before it was a node, or its join broke off.
/// kubeadm refuses a node that is still known, a dead etcd member would count
/// against the quorum, and kubeadm looks for etcd's members in their pods.
pub(super) fn forget(context: &Context, node: &Node, blueprint: &mut Blueprint) -> Option<StepId> {
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
    let delete = kubectl(context, context.lead)
        .lit("delete node --ignore-not-found ")
        .arg(name);
    let (script, details) = if context.is_stacked() && node.roles.has(Role::ControlPlane) {
        // A refusal of etcd's comes before anything is gone.
        let script = ask::forget(&context.etcd(context.lead), name)
            .then(&delete)
            .lit("\n")
            .then(&kubectl(context, context.lead))
            .lit("-n kube-system delete pod --ignore-not-found --force --grace-period=0 ")
            .arg(format!("etcd-{name}"));
        (
            script,
            "remove its Node, its etcd member and pod, to join anew",
        )
    } else {
        (delete, "remove its Node, to join anew")
    };
    let command = Command {
        name: format!("what is left of {name}"),
        verb: Verb::Run,
        details: vec![details.to_owned()],
        done: Done::Known(false),
        script,
        inputs: Vec::new(),
    };
    let title = format!("forget {name}");
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
    let mut details = Vec::new();
    // Nodes that lack the same are told in one go: each kubectl takes a while.
    let mut alike: BTreeMap<(&str, Vec<String>), Vec<&str>> = BTreeMap::new();
    let nodes = context.resolved.cluster.kubelets();
    for node in nodes.filter(|node| context.will_have_joined(node)) {
        let (labels, taints) = missing(context, node);
        for (what, missing) in [("label", labels), ("taint", taints)] {
            if missing.is_empty() {
                continue;
            }
            details.push(format!("{what} {}: {}", node.name, missing.join(", ")));
            let name = node.name.as_str();
            alike.entry((what, missing)).or_default().push(name);
        }
    }
    let mut script = Script::of("set -e");
    for ((what, missing), nodes) in alike {
        script = script
            .lit("\n")
            .then(&kubectl(context, context.lead))
            .args([what, "node"])
            .lit(" ")
            .args(nodes)
            .lit(" --overwrite ")
            .args(missing);
    }
    let command = Command {
        name: "labels and taints".to_owned(),
        verb: Verb::Run,
        done: Done::Known(details.is_empty()),
        details,
        script,
        inputs: Vec::new(),
    };
    let command = vec![Resource::Command(command)];
    blueprint.add(&context.lead.name, "label the nodes", command, joined);
}

fn missing(context: &Context, node: &Node) -> (Vec<String>, Vec<String>) {
    // What a node had before it joins anew is forgotten.
    let known = context
        .cluster_state
        .nodes
        .get(node.name.as_str())
        .filter(|_| context.has_joined(node));
    let has = |all: fn(&crate::plan::facts::NodeView) -> &Vec<String>, one: &String| {
        known.is_some_and(|node| all(node).contains(one))
    };
    let labels: BTreeMap<_, _> = node_labels(node);
    let labels = labels
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"));
    let taints = node.taints.iter().flatten().map(Taint::to_string);
    (
        labels
            .filter(|label| !has(|node| &node.labels, label))
            .collect(),
        taints
            .filter(|taint| !has(|node| &node.taints, taint))
            .collect(),
    )
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
    let script = waiting_for(context, &waiting);
    let wait = Command {
        details: vec![waiting.join(", ")],
        done: Done::Known(waiting.is_empty()),
        ..Command::wait("all nodes to be ready".to_owned(), script)
    };
    let wait = vec![Resource::Command(wait)];
    let step = blueprint.add(&context.lead.name, "wait for the nodes", wait, joined);
    let gate = Gate::Nodes {
        server: facts::url(context.resolved.address(context.lead)),
        names: waiting,
    };
    blueprint.waiting(step, gate);
}

/// Waits for nodes, and says which ones it waits for whenever that is another
/// thing. kubectl itself judges whether they are ready: what is said is what
/// kubelets report, which may hold anything.
fn waiting_for(context: &Context, names: &[String]) -> Script {
    Script::of("kdiy_ready() { ")
        .then(&kubectl_wait(context, context.lead))
        .lit("wait --for=condition=Ready --timeout=5s ")
        .args(names.iter().map(|name| format!("node/{name}")))
        .lit("; }\nkdiy_unready() { ")
        .then(&kubectl(context, context.lead))
        .lit("get nodes --selector ")
        .arg(gate::nodes::selector(names))
        .lit(" -o ")
        .arg(format!("go-template={}", gate::nodes::UNREADY))
        .lit(" 2>&1 | tr -d '\\n' | cut -c 1-400; }\n")
        .lit(WAIT)
}

const WAIT: &str = r#"kdiy_until=$(( $(date +%s) + 300 ))
kdiy_told=
until kdiy_said=$(kdiy_ready 2>&1); do
if [ "$(date +%s)" -ge "$kdiy_until" ]; then
echo 'waited 300 s in vain for the nodes to be ready' >&2
exit 1
fi
kdiy_now=$(kdiy_unready) || :
[ "$kdiy_now" = "$kdiy_told" ] || echo "waiting for ${kdiy_now:-$kdiy_said}" >&2
kdiy_told=$kdiy_now
sleep 1
done
"#;

#[cfg(test)]
mod tests {
    use super::*;

    /// A kubectl that finds the nodes ready at its third look, or never.
    const KUBECTL: &str = r#"
kdiy_ready() { echo x >> "$looks"; [ "$(wc -l < "$looks")" -ge "$ready_at" ] || { echo timed out; return 1; }; }
kdiy_unready() { if [ "$(wc -l < "$looks")" -eq 1 ]; then echo "cp-1 (A: b) w-1 (C: d)"; else echo "w-1 (C: d)"; fi; }
sleep() { :; }
date() { echo "$((1000 + 100 * $(wc -l < "$looks")))"; }
"#;

    fn waited(ready_at: &str) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().unwrap();
        let looks = folder.path().join("looks");
        std::fs::write(&looks, "").unwrap();
        let out = std::process::Command::new("sh")
            .args(["-c", &format!("set -eu\n{KUBECTL}{WAIT}")])
            .env("looks", &looks)
            .env("ready_at", ready_at)
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    }

    #[test]
    fn what_is_waited_for_is_said_when_it_changes() {
        let told = "waiting for cp-1 (A: b) w-1 (C: d)\nwaiting for w-1 (C: d)\n";
        assert_eq!(waited("3"), (Some(0), told.to_owned()));
        assert_eq!(waited("1"), (Some(0), String::new()));
        let vain = format!("{told}waited 300 s in vain for the nodes to be ready\n");
        assert_eq!(waited("99"), (Some(1), vain));
    }
}
