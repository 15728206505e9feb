//! Control planes: one bootstraps the cluster, the others join in turn, each
//! behind the health of etcd on those before it.

use super::balancer::{self, Balanced};
use super::{
    Bootstrapped, Context, config, file, has_etcd_key, kubelet_settings, nodes, runtime, settings,
    undo,
};
use crate::cluster::{Node, Role};
use crate::etcd::{self, member};
use crate::kubeadm::{self, Stage};
use crate::plan::gate::Gate;
use crate::plan::gate::endpoint::{self, READY_FUNCTION};
use crate::plan::operation::Operation;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Directory, Done, OnDiffer, Resource, Verb};
use crate::secret_store::SecretStore;
use crate::secret_store::TOKEN;
use crate::shell::{Script, sh};

/// The authorities are on every control plane before init and joins, so no
/// certificate has to be uploaded and no certificate key exists.
pub(super) fn place_cas(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    let directories = ["/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd"].map(|path| {
        Resource::Directory(Directory {
            path: path.to_owned(),
            mode: 0o755,
        })
    });
    let has_etcd_key = has_etcd_key(&context.resolved.cluster, node);
    let wanted = context.trust.files.iter();
    let wanted = wanted.filter(|file| has_etcd_key || !file.path.ends_with("/etcd/ca.key"));
    let files = wanted.map(|rendered| {
        let mut file = file(rendered.clone(), secrets);
        file.on_differ = OnDiffer::Refuse(
            "this host has another authority or key than kdiy's state directory; a cluster lives \
             or lived here. If it is this cluster, restore the state directory or remove its pki \
             folder, so that kdiy reads the authorities back; if it is another, reset the host first"
                .to_owned(),
        );
        Resource::File(file)
    });
    let mut all: Vec<_> = directories.into_iter().chain(files).collect();
    if context.is_stacked() {
        // kubeadm leaves the mode of one that is there, and the kubelet makes
        // one that anybody may read.
        all.push(Resource::Directory(Directory {
            path: member::DATA.to_owned(),
            mode: 0o700,
        }));
    } else {
        let client = member::api_server_client(node, &context.trust.etcd_certificate);
        all.push(Resource::Certificate(client));
    }
    blueprint.add(&node.name, "place the certificate authorities", all, &[]);
    let files = settings::files(context, node, secrets);
    if !files.is_empty() {
        blueprint.add(&node.name, "place what static pods read", files, &[]);
    }
}

/// Bootstraps the cluster where there is none.
pub(super) fn init(
    context: &Context,
    blueprint: &mut Blueprint,
    balanced: Balanced,
    etcd: Vec<StepId>,
) -> Bootstrapped {
    let (lead, host) = (context.lead, &context.lead.name);
    let pulled = pull_images(context, lead, blueprint, context.has_joined(lead));
    let text = kubeadm::init(context.resolved, lead, TOKEN);
    let run = kubeadm_run(context, "init", lead);
    let around = balancer::around_init(context);
    let script = around.before.then(&run).then(&around.after);
    let mut inputs = around.before_inputs;
    inputs.extend(around.after_inputs);
    inputs.push(config::filled(&text));
    let init = Command {
        name: "kubeadm init".to_owned(),
        verb: Verb::Run,
        details: vec![format!(
            "create the cluster; its nodes and clients reach it at {}",
            context.resolved.cluster.endpoint
        )],
        done: Done::Known(context.is_bootstrapped()),
        script: script
            .then(&settings::note(context))
            .then(&kubelet_settings::note(context, lead)),
        inputs,
    };
    let mut needs = vec![
        pulled,
        balancer::try_endpoint(context, &balanced, blueprint),
    ];
    needs.extend(&etcd);
    let init = vec![Resource::Command(init)];
    let step = blueprint.add(host, "initialise the control plane", init, &needs);
    blueprint.waiting(step, Gate::ControlPlane);
    let reachable = reachable(context, blueprint);
    let token = context
        .is_bootstrapped()
        .then(|| renew_token(blueprint, reachable));
    Bootstrapped {
        reachable,
        token,
        balanced,
        etcd,
        parallel: Vec::new(),
    }
}

/// Joins the others: one after the other where each brings a member of etcd,
/// side by side where etcd is external.
pub(super) fn join(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
    rolled_out: &[StepId],
) -> Vec<StepId> {
    let (present, others): (Vec<_>, Vec<_>) = context
        .resolved
        .with_role(Role::ControlPlane)
        .filter(|node| !context.bootstraps(node))
        .partition(|node| context.has_joined(node) || node.name == context.lead.name);
    let mut gates: Vec<_> = present
        .iter()
        .map(|node| gate(context, node, blueprint))
        .collect();
    let mut joined = Vec::new();
    for node in others {
        let pulled = pull_images(context, node, blueprint, context.has_joined(node));
        let mut needs = vec![bootstrapped.reachable, pulled];
        needs.extend(bootstrapped.token);
        needs.extend(rolled_out);
        needs.extend(bootstrapped.balanced.before_join(node));
        needs.extend(&bootstrapped.etcd);
        if context.is_stacked() {
            needs.extend(&gates);
            needs.extend(&bootstrapped.parallel);
        }
        join_node(context, node, blueprint, bootstrapped.reachable, &needs);
        let healthy = gate(context, node, blueprint);
        gates.push(healthy);
        joined.push(healthy);
    }
    joined
}

/// The step in which a node joins; also of workers.
pub(super) fn join_node(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    reachable: StepId,
    needs: &[StepId],
) -> StepId {
    let text = kubeadm::join(context.resolved, node, TOKEN, &context.trust.ca_pin);
    let (role, note) = if node.roles.has(Role::ControlPlane) {
        ("control plane", settings::note(context))
    } else {
        ("worker", Script::new())
    };
    let note = note.then(&kubelet_settings::note(context, node));
    let mut needs = needs.to_vec();
    if let Some(forgotten) = nodes::forget(context, node, blueprint, reachable) {
        needs.push(forgotten);
        needs.extend(undo::join(context, node, blueprint, forgotten));
    }
    let join = Command {
        name: "kubeadm join".to_owned(),
        verb: Verb::Run,
        details: vec![format!("join as {role}, authority pinned")],
        done: Done::Known(context.has_joined(node)),
        script: kubeadm_run(context, "join", node).then(&note),
        inputs: vec![config::filled(&text)],
    };
    let join = vec![Resource::Command(join)];
    let step = blueprint.add(&node.name, "join the cluster", join, &needs);
    let gate = match node.roles.has(Role::ControlPlane) {
        true => Gate::ControlPlane,
        false => Gate::Kubelet,
    };
    blueprint.waiting(step, gate)
}

/// Defines `kdiy_resume WHAT IGNORED` and `kdiy_kubeadm VERB NODE LABEL`.
const RUN: &str = sh!("kubeadm/run.sh");

/// kubeadm, with a mark on the host while it runs. A run that did not come to
/// its end is taken up where kubeadm's own preflight would refuse what the
/// first one left.
fn kubeadm_run(context: &Context, verb: &'static str, node: &Node) -> Script {
    let label = match node.roles.has(Role::ControlPlane) {
        true => "node-role.kubernetes.io/control-plane\"",
        false => "kubernetes.io/hostname",
    };
    taking_up(context, "a run of kubeadm that did not come to its end")
        .call("kdiy_kubeadm", [verb, node.name.as_str(), label])
}

/// Sets `$kdiy_again` where something was begun and did not end: what kubeadm's
/// preflight is to pass over then.
pub(super) fn taking_up(context: &Context, what: &'static str) -> Script {
    let ignored = match context.resolved.cluster.kubeadm.ignores_all() {
        true => "",
        false => LEFTOVERS,
    };
    Script::of(RUN).call("kdiy_resume", [what, ignored])
}

/// What a run of kubeadm that broke off may have left on the host.
const LEFTOVERS: &str = "DirAvailable--etc-kubernetes-manifests,DirAvailable--var-lib-etcd,\
FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml,\
FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml,\
FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml,\
FileAvailable--etc-kubernetes-manifests-etcd.yaml,\
FileAvailable--etc-kubernetes-kubelet.conf,FileAvailable--etc-kubernetes-bootstrap-kubelet.conf,\
FileAvailable--etc-kubernetes-pki-ca.crt,Port-6443,Port-10250,Port-10251,Port-10252,Port-10257,\
Port-10259,Port-2379,Port-2380";

/// Images are pulled ahead, beside what else goes on in the cluster.
/// `done` where the node has them.
pub(super) fn pull_images(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    done: bool,
) -> StepId {
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    let pull = Command {
        name: "images of the control plane".to_owned(),
        verb: Verb::Run,
        details: vec![format!("pull those of v{}", context.resolved.version)],
        done: Done::Known(done),
        script: Script::of(runtime::PULL).run("kdiy_pull_control_plane"),
        inputs: vec![settings::configuration(context, node, stage)],
    };
    blueprint.add_needed(
        &node.name,
        "pull images",
        vec![Resource::Command(pull)],
        &[],
    )
}

/// Waits until the API server at a URL is ready.
fn wait_for_api(what: &str, url: &str) -> Script {
    Script::of(READY_FUNCTION)
        .with(sh!("kubeadm/wait.sh"))
        .call("kdiy_wait_for_api", [what, &format!("{url}/readyz")])
}

/// Waits until the API answers at the endpoint, asked from the lead.
pub(super) fn reachable(context: &Context, blueprint: &mut Blueprint) -> StepId {
    let endpoint = context.resolved.cluster.node_endpoint().to_string();
    let what = format!("the API to be ready at the endpoint {endpoint}");
    let script = wait_for_api(&what, &format!("https://{endpoint}"));
    let wait = Command::wait(format!("the API at {endpoint}"), script);
    let wait = vec![Resource::Command(wait)];
    let step = blueprint.add_needed(&context.lead.name, "wait for the endpoint", wait, &[]);
    let gate = Gate::Endpoint {
        server: crate::plan::facts::url(context.resolved.address(context.lead)),
        balancers: endpoint::balancers(context.resolved, &context.lead.name),
    };
    blueprint.waiting(step, gate)
}

/// A ready API server on one control plane, and healthy etcd where it is
/// stacked: nobody joins before all members are so.
pub(super) fn gate(context: &Context, node: &Node, blueprint: &mut Blueprint) -> StepId {
    let url = crate::plan::facts::url(context.resolved.address(node));
    let (etcd, what) = if context.is_stacked() {
        let wait = etcd::script::wait(node, &context.etcd(node));
        (wait, "etcd and the API server")
    } else {
        (Script::new(), "the API server")
    };
    let ready = format!("the API server of {} to be ready", node.name);
    let script = etcd.then(&wait_for_api(&ready, &url));
    let wait = Command::wait(format!("{what} of {}", node.name), script);
    let title = format!("wait for {what}");
    let wait = vec![Resource::Command(wait)];
    let step = blueprint.add_needed(&node.name, title, wait, &[]);
    blueprint.waiting(step, Gate::ControlPlane)
}

/// A fresh token for late joins, valid for an hour. Init brings its own.
pub(super) fn renew_token(blueprint: &mut Blueprint, reachable: StepId) -> StepId {
    let title = "make a bootstrap token";
    blueprint.operate_needed(title, Operation::BootstrapToken, &[reachable])
}
