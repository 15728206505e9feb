//! Workers join as soon as the API answers at the endpoint, side by side and
//! while control planes still join. What they log in with is there before, so
//! that no worker waits for a token or for a certificate to be asked for and
//! signed, unless the inventory wants that.

use super::control_plane::join_node;
use super::{Bootstrapped, Context, config, kubelet_settings, nodes, parallel_bootstrap, runtime};
use crate::cluster::{KubeletClient, Node, Role};
use crate::kubeadm::phases::Phase;
use crate::kubeadm::{self, kubelet_client};
use crate::plan::gate::Gate;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Input, Resource, Verb};
use crate::shell::{Script, sh};

/// Defines what places the authority and the kubeconfig, and `kdiy_register
/// NODE PATCH URL`.
pub(super) const KUBELET: &str = sh!("kubeadm/kubelet.sh");

/// Before anything waits: the kubelet's settings, and what it logs in with.
pub(super) fn prepare(context: &Context, blueprint: &mut Blueprint) {
    if context.resolved.cluster.kubelet_client == KubeletClient::Bootstrap {
        return;
    }
    for node in workers(context) {
        let certificate = kubelet_client::certificate(node, &context.trust.ca_certificate);
        let all = vec![
            Resource::Command(settings(context, node)),
            Resource::Certificate(certificate),
        ];
        blueprint.add(&node.name, "prepare the kubelet", all, &[]);
    }
}

/// The authority comes after kubeadm, which would take the host for a control
/// plane.
fn settings(context: &Context, node: &Node) -> Command {
    let script = Script::of(KUBELET)
        .with(config::PHASE_FUNCTION)
        .run("kdiy_take_authority_away")
        .then(&parallel_bootstrap::run(context, Phase::KubeletStart));
    let settings = kubelet_client::start(context.resolved, node);
    Command {
        name: "the kubelet's settings".to_owned(),
        verb: Verb::Run,
        details: vec!["write them; it starts when it joins".to_owned()],
        done: Done::Known(context.has_joined(node)),
        script: script.run("kdiy_place_authority"),
        inputs: vec![
            config::plain(settings),
            Input::plain("ca.crt", &context.trust.ca_certificate),
        ],
    }
}

pub(super) fn join(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
    rolled_out: &[StepId],
) -> Vec<StepId> {
    let mut joined = Vec::new();
    for node in workers(context) {
        let pulled = pull_images(context, node, blueprint);
        let mut needs = vec![bootstrapped.reachable, pulled];
        needs.extend(bootstrapped.balanced.before_join(node));
        joined.push(match context.resolved.cluster.kubelet_client {
            KubeletClient::Issued => start(context, node, blueprint, bootstrapped.reachable, needs),
            KubeletClient::Bootstrap => {
                needs.extend(bootstrapped.token);
                needs.extend(rolled_out);
                join_node(context, node, blueprint, bootstrapped.reachable, &needs)
            }
        });
    }
    joined
}

fn workers<'s>(context: &Context<'s>) -> impl Iterator<Item = &'s Node> {
    let all = context.resolved.cluster.kubelets();
    all.filter(|node| !node.roles.has(Role::ControlPlane))
}

/// Starts the kubelet of a worker that has its certificate: it registers its
/// node by itself. Run again it does the same.
fn start(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    reachable: StepId,
    mut needs: Vec<StepId>,
) -> StepId {
    needs.extend(nodes::forget(context, node, blueprint, reachable));
    let resolved = context.resolved;
    let kubeconfig = kubelet_client::kubeconfig(resolved, node, &context.trust.ca_certificate);
    let script = Script::of(KUBELET)
        .run("kdiy_begin_join")
        .then(&register(context, node))
        .then(&kubelet_settings::note(context, node));
    let command = Command {
        name: "the kubelet".to_owned(),
        verb: Verb::Run,
        details: vec!["start it with its certificate; it registers the worker".to_owned()],
        done: Done::Known(context.has_joined(node)),
        script,
        inputs: vec![Input::plain("kubelet.conf", kubeconfig)],
    };
    let command = vec![Resource::Command(command)];
    let step = blueprint.add(&node.name, "join the cluster", command, &needs);
    blueprint.waiting(step, Gate::Kubelet)
}

/// Restarts a kubelet, and waits until its Node is there; after [`KUBELET`].
pub(super) fn register(context: &Context, node: &Node) -> Script {
    let (patch, url) = (
        kubelet_client::note(context.resolved),
        kubelet_client::url(context.resolved, node),
    );
    Script::new().call("kdiy_register", [node.name.as_str(), &patch, &url])
}

/// What a worker runs from the start: pause and kube-proxy.
fn pull_images(context: &Context, node: &Node, blueprint: &mut Blueprint) -> StepId {
    let proxy = format!(
        "{}/kube-proxy:v{}",
        kubeadm::image_repository(context.resolved),
        context.resolved.version
    );
    let mut images = vec![kubeadm::sandbox_image(context.resolved)];
    if !context.skips_addon("kube-proxy") {
        images.push(proxy);
    }
    let pull = Command {
        name: "images of a worker".to_owned(),
        verb: Verb::Run,
        details: vec![format!("pull those of v{}", context.resolved.version)],
        done: Done::Known(context.has_joined(node)),
        script: Script::of(runtime::PULL).call("kdiy_pull_these", images),
        inputs: Vec::new(),
    };
    blueprint.add_needed(
        &node.name,
        "pull images",
        vec![Resource::Command(pull)],
        &[],
    )
}
