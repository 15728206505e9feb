//! kube-vip's manifest: with the bootstrap node's init, after the others'
//! joins.

use super::super::{Context, file};
use super::interface;
use crate::cluster::{LoadBalancer, Role};
use crate::lb::kube_vip::{MANIFEST, Parameters, Phase, manifest};
use crate::plan::Blueprint;
use crate::resource::{Input, Resource};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};
use crate::template::HostFile;

fn manifest_of(context: &Context, node: &crate::cluster::Node, phase: Phase) -> Option<HostFile> {
    let LoadBalancer::KubeVip { vip, image, lease } = &context.resolved.cluster.load_balancer
    else {
        return None;
    };
    let parameters = Parameters {
        vip,
        interface: &interface(context, node, vip),
        image,
        lease: *lease,
    };
    Some(manifest(context.resolved, parameters, phase))
}

/// Scripts and inputs around the bootstrap on one control plane.
#[derive(Default)]
pub(in super::super) struct Around {
    /// Before anything speaks to the endpoint.
    pub before: Script,
    /// What `before` reads.
    pub before_inputs: Vec<Input>,
    /// Once the cluster has the rights that it is to have.
    pub after: Script,
    /// What `after` reads.
    pub after_inputs: Vec<Input>,
}

/// What is run around the bootstrap on the lead: the endpoint is served while
/// kubeadm waits for it, with the rights that there are by then.
pub(in super::super) fn around_init(context: &Context) -> Around {
    let named = |name: &str, phase| {
        manifest_of(context, context.lead, phase)
            .map(|mut file| Input::plain(name, std::mem::take(&mut file.text)))
    };
    let inputs = [
        named("kube-vip-during-init.yaml", Phase::DuringInit),
        named("kube-vip.yaml", Phase::AfterInit),
    ];
    let [Some(during_init), Some(after_init)] = inputs else {
        return Around::default();
    };
    let put = |input: &Input| {
        Script::of(sh!("lb/kube-vip.sh")).call("kdiy_put_kube_vip", [input.name.as_str(), MANIFEST])
    };
    Around {
        before: put(&during_init),
        after: put(&after_init),
        before_inputs: vec![during_init],
        after_inputs: vec![after_init],
    }
}

/// Every control plane that has joined carries it: kubeadm's preflight wants
/// an empty folder of manifests before.
pub(in super::super) fn place(
    context: &Context,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    for node in context.resolved.with_role(Role::ControlPlane) {
        if let Some(rendered) = manifest_of(context, node, Phase::AfterInit) {
            let manifest = Resource::File(file(rendered, secrets));
            blueprint.add(&node.name, "place kube-vip", vec![manifest], &[]);
        }
    }
}
