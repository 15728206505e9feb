//! No host balances: every node has a balancer of its own.

use std::time::{Duration, Instant};

use super::cluster::Kubectl;
use super::kdiy::Kdiy;
use super::lab::Lab;
use super::{data, eventually, figure, snapshot};

const HOSTS: [(&str, &str); 3] = [
    ("cp-1", "172.29.2.61"),
    ("cp-2", "172.29.2.62"),
    ("w-1", "172.29.2.63"),
];
const NODES: [&str; 3] = [HOSTS[0].0, HOSTS[1].0, HOSTS[2].0];

#[test]
#[ignore = "needs the lab; make e2e"]
fn a_cluster_without_balancer_hosts_lives() {
    let lab = Lab::up("loc", &HOSTS);
    let identity = lab.file("id_ed25519").display().to_string();
    let inventory = include_str!("local.yaml").replace("@identity@", &identity);
    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &inventory);
    let kubectl = Kubectl::of(&lab, "loc");

    let reviewed = plan_of_another_machine(&lab);
    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys", &reviewed]);
    figure(
        "bring-up of 2 control planes and a worker, a balancer on each",
        began.elapsed(),
    );
    assert_eq!(kubectl.ready_nodes(), NODES);
    nodes_ask_their_own(&lab);
    let kubeconfig = lab.sh("w-1", "cat /etc/kubernetes/kubelet.conf");
    assert!(
        kubeconfig.contains("name: default-auth"),
        "its kubelet asked for a certificate and wrote this: {kubeconfig}"
    );
    kdiy.has_nothing_to_do();

    data::write(&lab, "cp-1", HOSTS[0].1);
    snapshot::holds_everything(&lab, &kdiy);
    an_api_server_can_be_lost(&lab, &kubectl);
    kdiy.has_nothing_to_do();
    encryption_comes_later(&lab, &kubectl, &inventory);
}

/// The first plan of a cluster, saved where it is not applied; the file's path.
/// A machine that only plans has no authorities after it.
fn plan_of_another_machine(lab: &Lab) -> String {
    let there = lab.folder.path().join("another-machine");
    std::fs::create_dir(&there).expect("a folder");
    for file in ["kdiy.yaml", "Release.key"] {
        std::fs::copy(lab.folder.path().join(file), there.join(file)).expect("it is there");
    }
    let plan = "first.plan";
    let saves = ["plan", "--accept-new-host-keys", "--out", plan];
    let ran = Kdiy::at(&there, "kdiy.yaml").run(0, &saves);
    ran.says(&["authorities are to be made by kdiy apply"]);
    assert!(!there.join(".kdiy/loc/pki").exists());
    there.join(plan).display().to_string()
}

/// A worker speaks to the API on the loopback address, where nobody else can;
/// kubelets of control planes speak to their own API server, as kubeadm has it
/// since 1.33: a kubelet must not be newer than the server that it speaks to.
fn nodes_ask_their_own(lab: &Lab) {
    for (host, address) in HOSTS {
        let server = match host {
            "w-1" => "https://127.0.0.1:7443".to_owned(),
            _ => format!("https://{address}:6443"),
        };
        let said = lab.sh(
            host,
            "sed -n 's/^ *server: //p' /etc/kubernetes/kubelet.conf
ss -Hltn sport = :7443 | awk '{ print $4 }'",
        );
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines, [server.as_str(), "127.0.0.1:7443"], "{host}");
    }
}

/// The API server that happens to be used goes; the worker does not notice.
fn an_api_server_can_be_lost(lab: &Lab, kubectl: &Kubectl) {
    let (lost, manifest) = ("cp-1", "/etc/kubernetes/manifests/kube-apiserver.yaml");
    lab.sh(lost, &format!("mv {manifest} /root/"));
    let gone = || {
        let listening = lab.sh(lost, "ss -Hltn sport = :6443");
        if listening.is_empty() {
            Ok(())
        } else {
            Err(listening)
        }
    };
    eventually("the API server is gone", Duration::from_secs(60), gone);
    let ready =
        "curl -fsS --max-time 2 --cacert /etc/kubernetes/pki/ca.crt https://127.0.0.1:7443/readyz";
    let (_, took) = eventually(
        "the API answers on the worker",
        Duration::from_secs(20),
        || lab.try_sh("w-1", ready),
    );
    figure(
        "an API server lost: until the worker's balancer answers",
        took,
    );
    // The kubelet's lease goes on. A kubelet makes it ten seconds after its node.
    let path = "jsonpath={.spec.renewTime}";
    let get = ["-n", "kube-node-lease", "get", "lease", "w-1", "-o", path];
    let lease = || kubectl.attempt(&get);
    let (before, _) = eventually("w-1 has a lease", Duration::from_secs(30), lease);
    eventually("w-1 renews its lease", Duration::from_secs(30), || {
        let now = lease()?;
        if now == before {
            Err("not yet".to_owned())
        } else {
            Ok(())
        }
    });
    assert!(kubectl.ready_nodes().contains(&"w-1".to_owned()));
    lab.sh(lost, &format!("mv /root/kube-apiserver.yaml {manifest}"));
    eventually("the API server is back", Duration::from_secs(60), || {
        let own = "curl -fsS --max-time 2 --cacert /etc/kubernetes/pki/ca.crt https://172.29.2.61:6443/readyz";
        lab.try_sh(lost, own)
    });
}

/// What was written in the clear is encrypted once both API servers can read
/// what is.
fn encryption_comes_later(lab: &Lab, kubectl: &Kubectl, inventory: &str) {
    let chest = "--from-literal=chest=pieces-of-eight";
    kubectl.run(&["create", "secret", "generic", "treasure", chest]);
    let key = "/registry/secrets/default/treasure";
    let before = data::kept(lab, "cp-1", key);
    assert!(before.contains("pieces-of-eight"), "{before}");

    let inventory = inventory.replace(
        "controlPlane:",
        "controlPlane:\n  apiServer: {encryption: secretbox}",
    );
    let kdiy = Kdiy::with(lab, "kdiy.yaml", &inventory);
    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes"]);
    figure("encryption brought to a cluster that runs", began.elapsed());
    let after = data::kept(lab, "cp-1", key);
    assert!(after.starts_with("k8s:enc:secretbox:v1:"), "{after}");
    assert!(!after.contains("pieces-of-eight"), "{after}");
    let read = ["get", "secret", "treasure", "-o", "jsonpath={.data.chest}"];
    assert_eq!(kubectl.run(&read), "cGllY2VzLW9mLWVpZ2h0");
    // The other API server reads it, too.
    let other = [&["--server", "https://172.29.2.61:6443"], &read[..]].concat();
    assert_eq!(kubectl.run(&other), "cGllY2VzLW9mLWVpZ2h0");
    data::is_all_there(kubectl);
    kdiy.has_nothing_to_do();
}
