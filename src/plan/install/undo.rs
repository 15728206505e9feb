//! What a join that broke off left on its own host, where it cannot be taken
//! up: a member of stacked etcd that was forgotten must begin anew.

use super::Context;
use crate::cluster::{Node, Role};
use crate::etcd::script::PUT_ASIDE;
use crate::plan::facts::plane::PROCESSES;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::{Script, sh};

/// Makes a host ready to join anew, after the cluster has forgotten it.
pub(super) fn join(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    forgotten: StepId,
) -> Option<StepId> {
    let facts = context.facts.get(&node.name)?;
    let broke_off = facts.unfinished.as_deref() == Some("join");
    // Whoever is not forgotten keeps its data.
    if !broke_off || !context.is_stacked() || !node.roles.has(Role::ControlPlane) {
        return None;
    }
    let undo = Command {
        name: "what a join that broke off has left".to_owned(),
        verb: Verb::Run,
        details: vec![
            "stop its kubelet, etcd and control plane, remove their manifests".to_owned(),
            "put its etcd data aside as /var/lib/etcd/member.removed-1 (or the next number)"
                .to_owned(),
        ],
        done: Done::Known(false),
        script: Script::of(PROCESSES)
            .with(PUT_ASIDE)
            .with(sh!("kubeadm/undo-join.sh"))
            .run("kdiy_undo_join"),
        inputs: Vec::new(),
    };
    let title = "undo the join that broke off";
    let undo = vec![Resource::Command(undo)];
    Some(blueprint.add_needed(&node.name, title, undo, &[forgotten]))
}
