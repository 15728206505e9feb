//! Three control planes of Debian 13 with a current containerd behind two nginx,
//! with everything that is off by default. Upstream's own tests judge it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::cluster::Kubectl;
use super::kdiy::Kdiy;
use super::lab::{Lab, ok};
use super::vip::Vip;
use super::{data, eventually, figure};

const HOSTS: [(&str, &str); 5] = [
    ("cp-1", "172.29.2.71/debian13"),
    ("cp-2", "172.29.2.74/debian13"),
    ("cp-3", "172.29.2.75/debian13"),
    ("lb-1", "172.29.2.72/debian13"),
    ("lb-2", "172.29.2.73/debian13"),
];
const NODES: [&str; 3] = [HOSTS[0].0, HOSTS[1].0, HOSTS[2].0];

#[test]
#[ignore = "needs the lab; make e2e"]
fn a_cluster_with_other_parts_lives() {
    let lab = Lab::up("ngx", &HOSTS);
    let identity = lab.file("id_ed25519").display().to_string();
    let inventory = include_str!("options.yaml").replace("@identity@", &identity);
    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &inventory);
    let kubectl = Kubectl::of(&lab, "ngx");

    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);
    figure(
        "bring-up of 3 control planes and 2 balancers on Debian 13",
        began.elapsed(),
    );
    assert_eq!(kubectl.ready_nodes(), NODES);
    containerd_is_current(&kubectl);
    services_are_in_nftables(&lab);
    secrets_are_encrypted(&lab, &kubectl);
    requests_are_written_down(&lab);
    the_kubelet_is_known(&lab, &kubectl);
    kdiy.has_nothing_to_do();

    let vip = Vip {
        lab: &lab,
        kubectl: &kubectl,
        hosts: ["lb-1", "lb-2"],
        address: "172.29.2.70",
        unit: "nginx",
    };
    vip.moves_when_its_balancer_stops();
    kdiy.has_nothing_to_do();
    election_times_are_changed(&lab, &inventory);
    upstream_finds_it_conformant(&lab, &kubectl);
}

/// A dozen of upstream's own tests; `make conformance` has all of them.
fn upstream_finds_it_conformant(lab: &Lab, kubectl: &Kubectl) {
    const DOZEN: [&str; 12] = [
        "API Server should provide secure master service",
        "Services should serve a basic endpoint from pods",
        "Services should be able to create a functioning NodePort service",
        "Services should be able to change the type from ExternalName to ClusterIP",
        "DNS should provide DNS for the cluster",
        "DNS should provide DNS for services",
        "EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service",
        "Pods should function for intra-pod communication: http",
        "Pods should function for node-pod communication: udp",
        "Proxy version v1 should proxy through a service and a pod",
        "Secrets should be consumable from pods in volume",
        "Kubectl logs logs should be able to retrieve and filter logs",
    ];
    let focus = format!(r"({}) (\[LinuxOnly\] )?\[Conformance\]", DOZEN.join("|"));
    let began = Instant::now();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut run = Command::new(root.join("tests/conformance/run"));
    let said = ok(run
        .arg(&kubectl.kubeconfig)
        .env("FOCUS", focus)
        .env("TIMEOUT", "10m")
        .env("REPORT", lab.folder.path().join("conformance")));
    assert!(said.contains("Ran 12 of"), "{said}");
    figure("a dozen conformance tests", began.elapsed());
}

fn containerd_is_current(kubectl: &Kubectl) {
    let path = "jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}";
    let said = kubectl.run(&["get", "nodes", "-o", path]);
    let versions: Vec<_> = said.split_whitespace().collect();
    assert_eq!(versions, ["containerd://2.4.2"; NODES.len()]);
}

/// kube-proxy's rules are where its mode says, and none are in iptables.
fn services_are_in_nftables(lab: &Lab) {
    // Hosts have no nft of their own: the one in kube-proxy's image is asked.
    let script = "cd /proc/$(pgrep -xo kube-proxy)/root
chroot . /usr/sbin/nft list table ip kube-proxy | grep -c 10.96.0.1
iptables-save | grep -c KUBE-SVC || :";
    for node in NODES {
        // A node may be ready before its kube-proxy has written anything.
        let rules = || match lab.try_sh(node, script)?.lines().collect::<Vec<_>>()[..] {
            [services, "0"] if services != "0" => Ok(()),
            ref counts => Err(format!("{counts:?}")),
        };
        eventually(node, Duration::from_secs(30), rules);
    }
}

fn secrets_are_encrypted(lab: &Lab, kubectl: &Kubectl) {
    kubectl.run(&[
        "create",
        "secret",
        "generic",
        "treasure",
        "--from-literal=chest=pieces-of-eight",
    ]);
    let secret = data::kept(lab, "cp-1", "/registry/secrets/default/treasure");
    assert!(secret.starts_with("k8s:enc:secretbox:v1:"), "{secret}");
    assert!(!secret.contains("pieces-of-eight"), "{secret}");
    // The same way of asking sees what is not encrypted.
    kubectl.run(&[
        "create",
        "configmap",
        "map",
        "--from-literal=chest=pieces-of-eight",
    ]);
    let map = data::kept(lab, "cp-1", "/registry/configmaps/default/map");
    assert!(map.contains("pieces-of-eight"), "{map}");
    let chest = ["get", "secret", "treasure", "-o", "jsonpath={.data.chest}"];
    assert_eq!(kubectl.run(&chest), "cGllY2VzLW9mLWVpZ2h0");
}

/// By whichever API server was asked.
fn requests_are_written_down(lab: &Lab) {
    let search = "grep treasure /var/log/kubernetes/audit/audit.log || :";
    let log: String = NODES.map(|node| lab.sh(node, search)).concat();
    assert!(log.contains(r#""verb":"create""#), "{log}");
    assert!(!log.contains("cGllY2VzLW9mLWVpZ2h0"), "{log}");
}

/// Its serving certificate is signed by the cluster, so that its logs can be
/// had from it and no other.
fn the_kubelet_is_known(lab: &Lab, kubectl: &Kubectl) {
    // Without a client certificate it answers 401; a strange certificate
    // would end curl with 60.
    let said = lab.sh(
        "cp-1",
        "curl -s -o /dev/null -w '%{http_code}' --max-time 5 --cacert /etc/kubernetes/pki/ca.crt https://172.29.2.71:10250/pods",
    );
    assert_eq!(said.trim(), "401");
    let logs = [
        "-n",
        "kube-system",
        "logs",
        "kube-apiserver-cp-1",
        "--tail=3",
    ];
    assert_eq!(kubectl.run(&logs).lines().count(), 3);
}

/// What changes in the inventory reaches a control plane that runs.
fn election_times_are_changed(lab: &Lab, inventory: &str) {
    let times = "controlPlane:
  scheduler:
    leaderElection: {leaseDuration: 40s, renewDeadline: 30s, retryPeriod: 5s}";
    let inventory = inventory.replace("controlPlane:", times);
    let kdiy = Kdiy::with(lab, "kdiy.yaml", &inventory);
    let ran = kdiy.run(2, &["plan", "--detailed-exitcode"]);
    assert!(
        ran.out.contains("leader-elect-lease-duration"),
        "{}",
        ran.out
    );
    kdiy.run(0, &["apply", "--yes"]);
    let flags = lab.sh(
        "cp-1",
        "tr '\\0' '\\n' </proc/$(pgrep -f ^kube-scheduler)/cmdline",
    );
    for flag in [
        "--leader-elect-lease-duration=40s",
        "--leader-elect-renew-deadline=30s",
        "--leader-elect-retry-period=5s",
    ] {
        assert!(flags.lines().any(|line| line == flag), "{flag}: {flags}");
    }
    kdiy.has_nothing_to_do();
}
