//! What a change of each field does on a cluster that runs: the one table. No
//! field is ignored silently; `docs/changes.md` is made from it.

use std::fmt::Write as _;

use super::fields::{Kind, Place, places};
use crate::cluster::Change::{self, Applied, Checked, Kdiy, New, Refused};
use crate::cluster::change::{
    BOOTSTRAP, CERT_SANS, CGROUP_DRIVER, CNI, DNS_DOMAIN, IMAGE_REPOSITORY, KUBE_PROXY,
    KUBEADM_PATCHES, KUBELET_CLIENT, LOAD_BALANCER, POD_CIDR, SERVICE_CIDR, SKIP_PHASES,
};

/// By path; an entry holds for all below it that have none of their own.
const CHANGES: &[(&str, Change)] = &[
    ("apiVersion", Kdiy("it is the form of this file")),
    (
        "name",
        Kdiy(
            "it names the folder `.kdiy/NAME`, which is filled from the cluster again, and the \
             kubeconfig's context; kubeadm's own records keep the first name",
        ),
    ),
    (
        "version",
        Applied(
            "an upgrade, to a later patch or the next minor version: static pods, one control \
             plane after the other, then addons, then kubelets, one drained node after the other. \
             Bigger steps and earlier versions are refused (`upgrade`)",
        ),
    ),
    (
        "topology",
        Checked(
            "topology-changed",
            "make a new cluster and restore a snapshot there",
        ),
    ),
    (
        "endpoint",
        Checked(
            "endpoint-moved",
            "certificates and kubeconfigs name it. Let the new name lead to the old address",
        ),
    ),
    ("loadBalancer", LOAD_BALANCER),
    (
        "loadBalancer.image",
        Applied("the static pod of kube-vip is written anew"),
    ),
    (
        "loadBalancer.lease",
        Applied("the static pod of kube-vip is written anew"),
    ),
    (
        "loadBalancer.vip",
        Applied("the balancers' files are written anew, and the address moves"),
    ),
    (
        "loadBalancer.interface",
        Applied("the balancers' files are written anew"),
    ),
    (
        "loadBalancer.routerId",
        Applied("the balancers' files are written anew"),
    ),
    ("ssh", Kdiy("it is how kdiy reaches hosts")),
    (
        "nodes[].name",
        Checked("renamed-node", "a node's name cannot change"),
    ),
    ("nodes[].ssh", Kdiy("it is how kdiy reaches the host")),
    (
        "nodes[].address",
        Checked("moved-node", "certificates and etcd name it"),
    ),
    (
        "nodes[].interface",
        Checked("moved-node", "certificates and etcd name its address"),
    ),
    (
        "nodes[].role",
        Checked(
            "foreign-node",
            "take the node out of the cluster, reset its host and join it anew",
        ),
    ),
    (
        "nodes[].roles",
        Checked(
            "foreign-node",
            "take the node out of the cluster, reset its host and join it anew",
        ),
    ),
    (
        "nodes[].labels",
        Applied("labels are set; one that is taken out of the inventory stays on the node"),
    ),
    (
        "nodes[].taints",
        Applied("taints are set; one that is taken out of the inventory stays on the node"),
    ),
    ("network.podCIDR", POD_CIDR),
    ("network.serviceCIDR", SERVICE_CIDR),
    ("network.dnsDomain", DNS_DOMAIN),
    ("network.cni", CNI),
    (
        "network.cni.manifest",
        Applied("the manifest is applied; what it no longer has stays in the cluster"),
    ),
    (
        "runtime",
        Checked(
            "runtime-source",
            "a container runtime is not replaced under running pods. Drain the node, take it out \
             of the cluster and make its host anew",
        ),
    ),
    (
        "runtime.kind",
        Checked(
            "runtime",
            "a container runtime is not replaced under running pods. Drain the node, take it out \
             of the cluster and make its host anew",
        ),
    ),
    ("cgroupDriver", CGROUP_DRIVER),
    (
        "packages",
        Applied("the hosts' package source is written anew; packages that are there stay"),
    ),
    (
        "packages.hold",
        Applied("packages are held, or held no longer"),
    ),
    ("images.repository", IMAGE_REPOSITORY),
    (
        "images.sandbox",
        Applied("the runtime's configuration is written anew, and it restarts"),
    ),
    (
        "images.mirrors",
        Applied("the runtime's configuration is written anew"),
    ),
    (
        "images.insecureRegistries",
        Applied("the runtime's configuration is written anew"),
    ),
    ("bootstrap", BOOTSTRAP),
    ("controlPlane.apiServer.certSANs", CERT_SANS),
    ("controlPlane.apiServer.audit", ROLLED),
    (
        "controlPlane.apiServer.encryption",
        Applied(
            "API servers learn to read, then to write, one control plane after the other, then \
             all secrets are rewritten; taking it back is refused (`encryption`)",
        ),
    ),
    ("controlPlane.apiServer.extraArgs", ROLLED),
    ("controlPlane.apiServer.extraConfig", ROLLED),
    ("controlPlane.controllerManager", ROLLED),
    ("controlPlane.scheduler", ROLLED),
    (
        "controlPlane.etcd.source",
        Checked(
            "etcd-step",
            "a newer patch of an external etcd is installed, one member after the other; other \
             steps are refused. Stacked etcd is kubeadm's",
        ),
    ),
    ("controlPlane.etcd.extraArgs", ETCD),
    ("controlPlane.etcd.extraConfig", ETCD),
    (
        "controlPlane.etcd.allowEvenMembers",
        Kdiy("it silences a check of the inventory"),
    ),
    (
        "kubelet.servingCertificates",
        Applied(
            "the kubelets' files are written anew and each kubelet restarts, one node after the \
             other; requests are approved",
        ),
    ),
    ("kubelet.clientCertificates", KUBELET_CLIENT),
    ("kubelet.extraArgs", KUBELETS),
    ("kubelet.extraConfig", KUBELETS),
    ("kubeProxy", KUBE_PROXY),
    (
        "kubeadm.ignorePreflightErrors",
        Kdiy("it is which checks of hosts are passed over"),
    ),
    ("kubeadm.skipPhases", SKIP_PHASES),
    ("kubeadm.patches", KUBEADM_PATCHES),
    (
        "httpProxy",
        Applied("the proxy settings of the runtime and of apt are written anew"),
    ),
];

const ROLLED: Change =
    Applied("static pods are made anew, one control plane after the other, behind a gate each");

const ETCD: Change = Applied(
    "etcd restarts, one member after the other, each only while all others answer; a leader gives \
     its leadership away before",
);

const KUBELETS: Change = Applied(
    "the kubelets' files are written anew and each kubelet restarts, one node after the other; \
     pods go on. Where one does not get well, its files of before are put back, and the others \
     stay as they are",
);

/// What a change of a field does; `None` where it only groups others.
#[must_use]
pub fn of(place: &Place) -> Option<Change> {
    if only_groups(place) {
        return None;
    }
    let covers = |path: &str| {
        let rest = place.path.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let entries = CHANGES.iter().filter(|(path, _)| covers(path));
    let nearest = entries.max_by_key(|(path, _)| path.len());
    nearest.map(|(_, change)| *change)
}

/// Whether nothing but fields of their own stands under a field.
fn only_groups(place: &Place) -> bool {
    let kind = &place.field.kind;
    matches!(kind, Kind::Mapping(_)) || matches!(kind, Kind::List(Kind::Mapping(_)))
}

/// The table as a document: `docs/changes.md`.
#[must_use]
pub fn document() -> String {
    let mut out = HEAD.to_owned();
    for place in places() {
        let Some(change) = of(&place) else {
            continue;
        };
        let (what, why) = match change {
            Applied(how) => ("applied".to_owned(), how),
            New(why) => ("for new nodes".to_owned(), why),
            Refused(why) => ("refused: `setting-fixed`".to_owned(), why),
            Checked(code, why) => (format!("refused: `{code}`"), why),
            Kdiy(why) => ("nothing on hosts".to_owned(), why),
        };
        let path = &place.path;
        let anchor = path.replace("[]", "");
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| [`{path}`](inventory.md#{anchor}) | {what} | {why} |"
        );
    }
    out
}

const HEAD: &str = "\
# Changes on a running cluster

<!-- Generated from src/inventory/changes.rs; `KDIY_WRITE=1 cargo test reference` writes it anew. -->

What the next `kdiy plan` makes of a field that you changed. *Applied*: the plan has the steps. \
*For new nodes*: the plan says so, and nodes that have joined stay as they are. *Refused*: the \
plan stops with this code, changes nothing and says what to do; the cluster remembers in its \
ConfigMap `kube-system/kdiy-settings` what it was set up with. *Nothing on hosts*: it is about kdiy or this \
file.

| field | what a change does | how or why |
|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::change;

    #[test]
    fn every_field_has_an_answer() {
        let silent: Vec<_> = places()
            .into_iter()
            .filter(|place| !only_groups(place) && of(place).is_none())
            .map(|place| place.path)
            .collect();
        assert_eq!(silent, [""; 0]);
    }

    #[test]
    fn every_entry_is_of_a_field() {
        let all: Vec<_> = places().into_iter().map(|place| place.path).collect();
        let unknown: Vec<_> = { CHANGES.iter() }
            .map(|(path, _)| *path)
            .filter(|path| !all.iter().any(|place| place == path))
            .collect();
        assert_eq!(unknown, [""; 0]);
    }

    /// What is refused or only for new nodes is remembered by the cluster, so
    /// that a change is seen; and what it remembers has the same answer here
    /// and there.
    #[test]
    fn what_would_go_unseen_is_remembered() {
        let text = include_str!("../../inventories/stacked-ha.yaml");
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let cluster = crate::inventory::load(text, &read).cluster.unwrap();
        let remembered = change::settings(&cluster);
        for place in places() {
            let path = place.path.as_str();
            let covered = remembered.keys().any(|kept| {
                let below = path.strip_prefix(kept.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
            if let Some(Refused(_) | New(_)) = of(&place) {
                assert!(covered, "{path} is not remembered");
            }
        }
        for path in remembered.keys() {
            let place = places().into_iter().find(|place| place.path == *path);
            let place = place.unwrap_or_else(|| panic!("there is no field {path}"));
            let answer = match only_groups(&place) {
                true => CHANGES
                    .iter()
                    .find(|(of, _)| of == path)
                    .map(|(_, change)| *change),
                false => of(&place),
            };
            assert_eq!(answer, change::of(path), "{path}");
        }
    }
}
