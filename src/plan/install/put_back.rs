//! Kubelets of nodes that have joined, put back into their places: one whose
//! Node somebody deleted, or whose kubeconfig. Pods go on meanwhile, and so
//! does the node's member of etcd.

use super::{Context, worker};
use crate::cluster::Node;
use crate::kubeadm::kubelet_client;
use crate::plan::gate::Gate;
use crate::plan::membership::{Astray, Membership};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Input, Resource, Verb};
use crate::shell::Script;

/// A step for each kubelet that is astray.
pub(super) fn kubelets(
    context: &Context,
    blueprint: &mut Blueprint,
    reachable: StepId,
) -> Vec<StepId> {
    let nodes = context.resolved.cluster.kubelets();
    let astray = nodes.filter_map(|node| match context.membership(node)? {
        Membership::Astray(astray) => Some((node, astray)),
        _ => None,
    });
    let put_back = |(node, astray): (&Node, Astray)| {
        let command = match astray {
            Astray::Unregistered => register(context, node),
            Astray::WithoutKubeconfig => with_kubeconfig(context, node),
        };
        let command = vec![Resource::Command(command)];
        let title = "put the kubelet back";
        let step = blueprint.add(&node.name, title, command, &[reachable]);
        blueprint.waiting(step, Gate::Kubelet)
    };
    astray.map(put_back).collect()
}

/// A kubelet makes its Node when it starts, and then never again.
fn register(context: &Context, node: &Node) -> Command {
    Command {
        name: "the kubelet".to_owned(),
        verb: Verb::Run,
        details: vec!["restart it, so that it registers its Node; its pods go on".to_owned()],
        done: Done::Known(false),
        script: Script::of(worker::KUBELET).then(&worker::register(context, node)),
        inputs: Vec::new(),
    }
}

fn with_kubeconfig(context: &Context, node: &Node) -> Command {
    let text = kubelet_client::kubeconfig(context.resolved, node, &context.trust.ca_certificate);
    let script = Script::of(worker::KUBELET)
        .run("kdiy_place_kubeconfig_again")
        .then(&worker::register(context, node));
    Command {
        details: vec![
            format!("write {} again", kubelet_client::KUBECONFIG),
            "restart it; its pods go on".to_owned(),
        ],
        script,
        inputs: vec![Input::plain("kubelet.conf", text)],
        ..register(context, node)
    }
}
