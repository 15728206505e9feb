//! One control plane on Docker behind two nginx, with everything that is off
//! by default.

use std::time::Instant;

use super::cluster::Kubectl;
use super::kdiy::Kdiy;
use super::lab::Lab;
use super::vip::Vip;
use super::{data, figure};

const HOSTS: [(&str, &str); 3] = [
    ("cp-1", "172.29.2.71"),
    ("lb-1", "172.29.2.72"),
    ("lb-2", "172.29.2.73"),
];

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
        "bring-up of a control plane on Docker and 2 balancers",
        began.elapsed(),
    );
    assert_eq!(kubectl.ready_nodes(), ["cp-1"]);
    docker_runs_everything(&lab);
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
}

fn docker_runs_everything(lab: &Lab) {
    let info = lab.sh(
        "cp-1",
        "docker info --format '{{.CgroupDriver}} {{.LoggingDriver}} {{.Driver}}'",
    );
    assert_eq!(info.trim(), "systemd json-file overlay2");
    let names = lab.sh("cp-1", "docker ps --format '{{.Names}}'");
    for name in ["kube-apiserver", "etcd", "kube-proxy"] {
        let found = names
            .lines()
            .filter(|line| line.starts_with(&format!("k8s_{name}_")));
        assert_eq!(found.count(), 1, "{name}: {names}");
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

fn requests_are_written_down(lab: &Lab) {
    let log = lab.sh("cp-1", "grep treasure /var/log/kubernetes/audit/audit.log");
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
