//! Workers join as soon as the API answers at the endpoint, side by side and
//! while control planes still join. What they log in with is there before, so
//! that no worker waits for a token or for a certificate to be asked for and
//! signed, unless the inventory wants that.

use super::control_plane::join_node;
use super::{Bootstrapped, Context, config, kubelet_settings, nodes, parallel_bootstrap, runtime};
use crate::cluster::{KubeletClient, Node, Role};
use crate::kubeadm::phases::Phase;
use crate::kubeadm::{self, kubelet_client};
use crate::plan::facts::UNFINISHED;
use crate::plan::gate::Gate;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Input, Resource, Verb};
use crate::shell::Script;

/// The certificate of the Kubernetes authority on every node.
const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";

/// What kubeadm's join keeps a token in while it lasts.
const BOOTSTRAP: &str = "/etc/kubernetes/bootstrap-kubelet.conf";

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

/// kubeadm takes a host with the authority but without its key for a control
/// plane whose certificates somebody else makes, and wants those, so the
/// authority comes after it. It starts the kubelet, which has nothing yet to
/// log in with.
fn settings(context: &Context, node: &Node) -> Command {
    let script = Script::of("[ ! -e ")
        .lit(AUTHORITY)
        .lit(" ] || cmp -s \"$kdiy_tmp/ca.crt\" ")
        .lit(AUTHORITY)
        .lit(" || { echo ")
        .arg(format!(
            "{AUTHORITY} is of another cluster; if this is the right host, reset it first \
             (kubeadm reset)"
        ))
        .lit(" >&2; exit 1; }\nrm -f ")
        .lit(AUTHORITY)
        .lit("\n")
        .then(&parallel_bootstrap::run(context, Phase::KubeletStart));
    let settings = kubelet_client::start(context.resolved, node);
    Command {
        name: "the kubelet's settings".to_owned(),
        verb: Verb::Run,
        details: vec!["write them; it starts when it joins".to_owned()],
        done: Done::Known(context.has_joined(node)),
        script: script
            .lit("systemctl stop kubelet.service\ninstall -D -m 0644 \"$kdiy_tmp/ca.crt\" ")
            .lit(AUTHORITY),
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
    let script = Script::of("echo join > ")
        .lit(UNFINISHED)
        .lit("\nrm -f ")
        .lit(BOOTSTRAP)
        .lit("\ninstall -m 0600 \"$kdiy_tmp/kubelet.conf\" ")
        .lit(kubelet_client::KUBECONFIG)
        .lit("\n")
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

/// Restarts a kubelet, and waits until its Node is there: by then nothing of
/// its join is left to do.
pub(super) fn register(context: &Context, node: &Node) -> Script {
    let resolved = context.resolved;
    Script::of("systemctl restart kubelet.service\n")
        .lit("kdiy_poll 240 ")
        .arg(format!(
            "the kubelet to register {} (its own words: journalctl -u kubelet)",
            node.name
        ))
        .lit(" curl -fsS -o /dev/null --noproxy '*' --max-time 5 --cacert ")
        .lit(AUTHORITY)
        .lit(" --cert ")
        .lit(kubelet_client::CURRENT)
        .lit(" --key ")
        .lit(kubelet_client::CURRENT)
        .lit(" -X PATCH -H 'content-type: application/merge-patch+json' -d ")
        .args([
            kubelet_client::note(resolved),
            kubelet_client::url(resolved, node),
        ])
        .lit("\nrm -f ")
        .lit(UNFINISHED)
        .lit("\n")
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
        script: Script::of("printf '%s\\n' ")
            .args(images)
            .lit(" | ")
            .then(&runtime::pull()),
        inputs: Vec::new(),
    };
    blueprint.add_needed(
        &node.name,
        "pull images",
        vec![Resource::Command(pull)],
        &[],
    )
}
