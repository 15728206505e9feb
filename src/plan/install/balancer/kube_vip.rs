//! kube-vip's manifest: with the founder's init, after the others' joins.

use super::super::{Site, file};
use super::interface;
use crate::cluster::{LoadBalancer, Role};
use crate::lb::kube_vip::{Held, MANIFEST, Phase, manifest};
use crate::plan::Blueprint;
use crate::resource::{Input, Resource};
use crate::shell::Script;
use crate::template::HostFile;
use crate::vault::Vault;

fn manifest_of(site: &Site, node: &crate::cluster::Node, phase: Phase) -> Option<HostFile> {
    let LoadBalancer::KubeVip { vip, image, lease } = &site.resolved.cluster.load_balancer else {
        return None;
    };
    let held = Held {
        vip,
        interface: &interface(site, node, vip),
        image,
        lease: *lease,
    };
    Some(manifest(site.resolved, held, phase))
}

/// Scripts and inputs around the founding on one control plane.
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

/// What is run around the founding on the lead: the endpoint is served while
/// kubeadm waits for it, with the rights that there are by then.
pub(in super::super) fn around_init(site: &Site) -> Around {
    let named = |name: &str, phase| {
        manifest_of(site, site.lead, phase)
            .map(|mut file| Input::plain(name, std::mem::take(&mut file.text)))
    };
    let inputs = [
        named("kube-vip-founding.yaml", Phase::Founding),
        named("kube-vip.yaml", Phase::Founded),
    ];
    let [Some(founding), Some(founded)] = inputs else {
        return Around::default();
    };
    // kubelet reads the folder at any time: a file appears there as a whole.
    let put = |input: &Input| {
        Script::of("install -D -m 0644 \"$kdiy_tmp\"/")
            .arg(&input.name)
            .lit(" /etc/kubernetes/.kube-vip.yaml\ninstall -d -m 0755 /etc/kubernetes/manifests\n")
            .lit("mv -f /etc/kubernetes/.kube-vip.yaml ")
            .lit(MANIFEST)
            .lit("\n")
    };
    Around {
        before: put(&founding),
        after: put(&founded),
        before_inputs: vec![founding],
        after_inputs: vec![founded],
    }
}

/// Every control plane that has joined carries it: kubeadm's preflight wants
/// an empty folder of manifests before.
pub(in super::super) fn place(site: &Site, blueprint: &mut Blueprint, vault: &mut Vault) {
    for node in site.resolved.with_role(Role::ControlPlane) {
        if let Some(rendered) = manifest_of(site, node, Phase::Founded) {
            let manifest = Resource::File(file(rendered, vault));
            blueprint.add(&node.name, "place kube-vip", vec![manifest], &[]);
        }
    }
}
