//! kubeadm by itself goes on with a cluster whose control planes came up at
//! once: it knows the certificates, plans an upgrade, takes nodes out and in.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{CONTROL_PLANES, Grown, nodes};
use crate::e2e::cluster::{self, name};
use crate::e2e::{eventually, figure};

/// What the lab's hosts cannot pass, see tests/lab/README.md.
const IGNORE: &str = "--ignore-preflight-errors=SystemVerification";

/// What `kubeadm certs check-expiration` has a line for.
const CERTIFICATES: [&str; 10] = [
    "admin.conf",
    "apiserver",
    "apiserver-etcd-client",
    "apiserver-kubelet-client",
    "controller-manager.conf",
    "etcd-healthcheck-client",
    "etcd-peer",
    "etcd-server",
    "front-proxy-client",
    "scheduler.conf",
];
const CAS: [&str; 3] = ["ca", "etcd-ca", "front-proxy-ca"];

/// Every certificate is there and has its year, every authority ten.
pub fn knows_all_certificates(grown: &Grown) {
    for (host, _) in CONTROL_PLANES {
        let said = grown.lab.sh(host, "kubeadm certs check-expiration");
        assert!(!said.contains("MISSING"), "{host}: {said}");
        for (names, left, last) in [
            (&CERTIFICATES[..], ["364d", "365d"], "no"),
            (&CAS[..], ["9y", "10y"], "no"),
        ] {
            for name in names {
                let mut lines = said.lines().map(|line| line.split_whitespace());
                let words = lines.find_map(|mut words| {
                    (words.next() == Some(name)).then(|| words.collect::<Vec<_>>())
                });
                let words = words.unwrap_or_else(|| panic!("{host}: no {name} in {said}"));
                assert!(
                    words.iter().any(|word| left.contains(word)),
                    "{host}: {said}"
                );
                assert_eq!(words.last(), Some(&last), "{host}: {said}");
            }
        }
    }
}

/// As far as it goes without the internet, the version being given.
pub fn plans_an_upgrade(grown: &Grown) {
    let plan = format!("kubeadm upgrade plan v1.37.3 {IGNORE} 2>&1");
    let said = grown.lab.sh("cp-2", &plan);
    for words in [
        "[upgrade/versions] Cluster version: v1.37.2",
        "kubelet     5 x v1.37.2   v1.37.3",
        "3.7.0-0",
        "kubeadm upgrade apply v1.37.3",
        "kubelet.config.k8s.io     v1beta1           v1beta1             no",
    ] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
}

/// A node leaves by `kubeadm reset`, and joins again by a plain `kubeadm join`
/// with what another control plane prints.
pub fn takes_a_worker_out_and_in(grown: &Grown) {
    leaves(grown, "w-2");
    let join = words_of_a_join(grown);
    joins(grown, "w-2", &join);
}

/// The same of a control plane, whose certificates come by `upload-certs`.
pub fn takes_a_control_plane_out_and_in(grown: &Grown) {
    leaves(grown, "cp-3");
    cluster::etcd_is(&grown.lab, "cp-2", &CONTROL_PLANES[..2]);
    let said = grown
        .lab
        .sh("cp-1", "kubeadm init phase upload-certs --upload-certs");
    let key = said.lines().last().expect("a key").trim();
    assert_eq!(key.len(), 64, "{said}");
    let join = format!(
        "{} --control-plane --certificate-key {key}",
        words_of_a_join(grown)
    );
    joins(grown, "cp-3", &join);
    cluster::etcd_is(&grown.lab, "cp-2", &CONTROL_PLANES);
}

fn leaves(grown: &Grown, host: &str) {
    let began = Instant::now();
    grown.lab.sh(host, "kubeadm reset --force");
    grown.kubectl.run(&["delete", "node", host]);
    let left: Vec<_> = grown.kubectl.list(&["nodes"]).iter().map(name).collect();
    let wanted: Vec<_> = nodes().filter(|node| *node != host).collect();
    assert_eq!(left, wanted);
    figure(&format!("{host} has left"), began.elapsed());
}

/// A command that kubeadm prints.
fn words_of_a_join(grown: &Grown) -> String {
    let said = grown
        .lab
        .sh("cp-2", "kubeadm token create --print-join-command");
    let join = said.trim();
    assert!(
        join.starts_with("kubeadm join 172.29.21.10:6443 --token "),
        "{said}"
    );
    join.to_owned()
}

fn joins(grown: &Grown, host: &str, join: &str) {
    let began = Instant::now();
    grown.lab.sh(host, &format!("{join} {IGNORE} 2>&1"));
    let wanted: Vec<_> = nodes().collect();
    eventually("it is ready again", Duration::from_secs(120), || {
        let ready = grown.kubectl.ready_nodes();
        (ready == wanted).then_some(()).ok_or(format!("{ready:?}"))
    });
    let of_host = |pod: &Value| pod["spec"]["nodeName"] == host;
    eventually("its pods run", Duration::from_secs(120), || {
        let pods = grown.kubectl.list(&["pods", "-n", "kube-system"]);
        let (ready, others): (Vec<_>, Vec<_>) = pods
            .iter()
            .filter(|pod| of_host(pod))
            .partition(|pod| cluster::is_ready(pod));
        let whole = !ready.is_empty() && others.is_empty();
        whole.then_some(()).ok_or_else(|| {
            let statuses = others.iter().map(|pod| (name(pod), &pod["status"]));
            format!("{:#?}", statuses.collect::<Vec<_>>())
        })
    });
    figure(&format!("{host} has joined again"), began.elapsed());
}

/// kdiy knows these nodes as its own: what it has to do is to give them the
/// labels and taints of the inventory, which kubeadm was not told, and the
/// modes that kubeadm gives to all certificates but those that it downloads.
pub fn kdiy_takes_them_for_its_own(grown: &Grown) {
    let plan = grown.kdiy().plan(&[]).changes();
    let plan: Vec<_> = plan.iter().map(String::as_str).collect();
    let wanted = [
        "cp-1 command labels and taints",
        "cp-3 file /etc/kubernetes/pki/ca.crt",
        "cp-3 file /etc/kubernetes/pki/etcd/ca.crt",
        "cp-3 file /etc/kubernetes/pki/front-proxy-ca.crt",
    ];
    assert_eq!(plan, wanted);
    grown.kdiy().run(0, &["apply", "--yes"]);
    grown.kdiy().has_nothing_to_do();
}
