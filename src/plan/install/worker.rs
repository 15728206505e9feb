//! Workers join as soon as the API answers at the endpoint, side by side and
//! while control planes still join.

use super::control_plane::join_node;
use super::{Founded, Site, runtime};
use crate::cluster::{Node, Role};
use crate::kubeadm;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::Script;

pub(super) fn join(site: &Site, blueprint: &mut Blueprint, founded: &Founded) -> Vec<StepId> {
    let workers = site.settled.cluster.kubelets();
    let workers = workers.filter(|node| !node.roles.has(Role::ControlPlane));
    let mut joined = Vec::new();
    for node in workers {
        let pulled = pull_images(site, node, blueprint);
        let mut needs = vec![founded.reachable, pulled];
        needs.extend(founded.token);
        needs.extend(founded.balanced.joining(node));
        joined.push(join_node(site, node, blueprint, &needs));
    }
    joined
}

/// What a worker runs from the start: pause and kube-proxy.
fn pull_images(site: &Site, node: &Node, blueprint: &mut Blueprint) -> StepId {
    let proxy = format!(
        "{}/kube-proxy:v{}",
        kubeadm::image_repository(site.settled),
        site.settled.version
    );
    let mut images = vec![kubeadm::sandbox_image(site.settled)];
    if !site.skips_addon("kube-proxy") {
        images.push(proxy);
    }
    let pull = Command {
        name: "images of a worker".to_owned(),
        verb: Verb::Run,
        details: vec![format!("pull those of v{}", site.settled.version)],
        done: Done::Known(site.is_member(node)),
        script: Script::of("printf '%s\\n' ")
            .args(images)
            .lit(" | ")
            .then(&runtime::pull(site)),
        inputs: Vec::new(),
    };
    blueprint.add_needed(
        &node.name,
        "pull images",
        vec![Resource::Command(pull)],
        &[],
    )
}
