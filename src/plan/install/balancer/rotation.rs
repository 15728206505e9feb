//! A control plane leaves the rotation of haproxy before its API server stops:
//! requests under way come to their end, and new ones go to the others.

use crate::cluster::{Balancer, LoadBalancer, Name, Node, Role};
use crate::plan::install::Context;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::{Script, sh};

/// Defines `kdiy_take_out NAME` and `kdiy_put_in NAME`.
const ROTATION: &str = sh!("lb/rotation.sh");

/// Hosts whose haproxy is told.
fn hosts<'a>(context: &Context<'a>) -> Vec<&'a Node> {
    let haproxy = match context.resolved.cluster.load_balancer {
        LoadBalancer::Hosts { kind, .. } => kind == Balancer::Haproxy,
        _ => false,
    };
    let all = context.resolved.with_role(Role::LoadBalancer);
    all.filter(|_| haproxy).collect()
}

/// Takes a control plane out, where others serve meanwhile.
pub(in crate::plan::install) fn take_out(
    context: &Context,
    blueprint: &mut Blueprint,
    plane: &Name,
    needs: &[StepId],
) -> Vec<StepId> {
    let others = context.cluster_state.answering.iter();
    if others.filter(|other| *other != plane).count() == 0 {
        return Vec::new();
    }
    let title = "take the control plane out of rotation";
    let tell = |host: &&Node| {
        let detail = "no new connections to it; those that are there come to their end";
        let command = in_haproxy(&host.name, plane, "kdiy_take_out", detail);
        blueprint.add_needed(&host.name, title, vec![command], needs)
    };
    hosts(context).iter().map(tell).collect()
}

/// Puts it back, once the step is done for which it was taken out.
pub(in crate::plan::install) fn put_in(
    context: &Context,
    blueprint: &mut Blueprint,
    plane: &Name,
    taken_out: &[StepId],
    step: StepId,
) -> Vec<StepId> {
    if taken_out.is_empty() {
        return Vec::new();
    }
    let title = "put the control plane into rotation";
    let tell = |host: &&Node| {
        let command = in_haproxy(
            &host.name,
            plane,
            "kdiy_put_in",
            "connections go to it again",
        );
        blueprint.add_with(&host.name, title, vec![command], step, &[])
    };
    hosts(context).iter().map(tell).collect()
}

/// Puts back what a run that broke off has left out.
pub(in crate::plan::install) fn restore(context: &Context, blueprint: &mut Blueprint) {
    for host in hosts(context) {
        let Some(facts) = context.facts.get(&host.name) else {
            continue;
        };
        let left_out: Vec<_> = { facts.out_of_rotation.iter() }
            .map(|plane| {
                in_haproxy(
                    &host.name,
                    plane,
                    "kdiy_put_in",
                    &format!("{plane}, which an earlier run has left out"),
                )
            })
            .collect();
        if !left_out.is_empty() {
            let title = "put control planes into rotation";
            blueprint.add(&host.name, title, left_out, &[]);
        }
    }
}

fn in_haproxy(host: &Name, plane: &Name, function: &'static str, detail: &str) -> Resource {
    Resource::Command(Command {
        name: format!("haproxy of {host}"),
        verb: Verb::Run,
        details: vec![detail.to_owned()],
        done: Done::Known(false),
        script: Script::of(ROTATION).call(function, [plane.as_str()]),
        inputs: Vec::new(),
    })
}
