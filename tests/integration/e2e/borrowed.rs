//! What needs a program that no registry of packages has: whoever has built it
//! names it by a variable, see tests/lab/README.md.

use std::time::{Duration, Instant};

use super::cluster::Kubectl;
use super::kdiy::Kdiy;
use super::lab::Lab;
use super::{eventually, figure};

/// Whether the program of this variable is there; else that is said.
#[expect(clippy::print_stderr, reason = "what was not run is for people")]
fn is_named(what: &str, variable: &str) -> bool {
    let named = std::env::var_os(variable).is_some();
    if !named {
        eprintln!("{what}: not run, {variable} names no program");
    }
    named
}

/// An inventory of these nodes, with further settings.
fn inventory(lab: &Lab, name: &str, nodes: &[(&str, &str)], settings: &str) -> String {
    let line = |(node, at): &(&str, &str)| {
        let ssh = at.split('/').next().expect("an address");
        let roles = if node.starts_with("cp-") {
            "control-plane, worker"
        } else {
            "worker"
        };
        format!("  - {{name: {node}, ssh: {ssh}, roles: [{roles}]}}\n")
    };
    let nodes: String = nodes.iter().map(line).collect();
    let identity = lab.file("id_ed25519").display().to_string();
    format!(
        "apiVersion: kdiy/v1alpha1
name: {name}
version: \"1.37\"
ssh: {{user: ops, identity: {identity}, knownHosts: known_hosts}}
nodes:
{nodes}network: {{cni: bridge}}
packages:
  repository: \"http://172.29.0.1:8700/core:/stable:/v{{minor}}/deb/\"
  key: Release.key
kubelet:
  extraConfig: {{failCgroupV1: false}}
kubeProxy:
  extraConfig: {{conntrack: {{maxPerCore: 0, min: 0}}}}
kubeadm:
  ignorePreflightErrors: [SystemVerification]
{settings}"
    )
}

/// Every node's runtime, as the kubelet tells of it.
fn runtime(kubectl: &Kubectl) -> String {
    let path = "jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}";
    kubectl.run(&["get", "nodes", "-o", path])
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn kube_vip_moves_the_address() {
    if !is_named("kube-vip", "KDIY_LAB_KUBE_VIP") {
        return;
    }
    const HOSTS: [(&str, &str); 3] = [
        ("cp-1", "172.29.2.81"),
        ("cp-2", "172.29.2.82"),
        ("cp-3", "172.29.2.83"),
    ];
    let lab = Lab::up("kvip", &HOSTS);
    let tag = std::env::var("KDIY_LAB_KUBE_VIP_TAG").unwrap_or_else(|_| "v1.0.0".to_owned());
    let settings = format!(
        "endpoint: 172.29.2.80:6443
loadBalancer: {{kind: kube-vip, image: \"ghcr.io/kube-vip/kube-vip:{tag}\"}}
images:
  mirrors: {{registry.k8s.io: http://172.29.0.1:5000, ghcr.io: http://172.29.0.1:5000}}
"
    );
    let kdiy = Kdiy::with(
        &lab,
        "kdiy.yaml",
        &inventory(&lab, "kvip", &HOSTS, &settings),
    );
    let kubectl = Kubectl::of(&lab, "kvip");
    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);
    figure(
        "bring-up of 3 control planes with kube-vip",
        began.elapsed(),
    );
    assert_eq!(kubectl.ready_nodes(), ["cp-1", "cp-2", "cp-3"]);
    kdiy.has_nothing_to_do();

    let holds = |host: &&str| {
        let addresses = lab.sh(host, "ip -o addr show");
        addresses.contains(" 172.29.2.80/")
    };
    let mut hosts = HOSTS.map(|(host, _)| host).into_iter();
    let holder = hosts.find(holds).expect("a holder of the address");
    lab.power("kill", holder);
    let answers = || kubectl.attempt(&["get", "--raw", "/readyz"]);
    let (_, took) = eventually("the address answers", Duration::from_secs(60), answers);
    figure("kube-vip's holder lost: until the API answers", took);
    lab.power("start", holder);
    // Its node may count as ready until it was missed, its static pods not.
    let nothing_to_do = || {
        let plan = ["plan", "--detailed-exitcode"];
        let output = kdiy.command(&plan).output().expect("kdiy can be run");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(()).ok_or(said)
    };
    eventually("it is as before", Duration::from_secs(120), nothing_to_do);
    assert_eq!(kubectl.ready_nodes(), ["cp-1", "cp-2", "cp-3"]);
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn docker_with_cri_dockerd_runs_everything() {
    if !is_named("Docker with cri-dockerd", "KDIY_LAB_CRI_DOCKERD") {
        return;
    }
    const HOSTS: [(&str, &str); 2] = [
        ("cp-1", "172.29.2.84/debian13"),
        ("w-1", "172.29.2.85/debian13"),
    ];
    let lab = Lab::up("dock", &HOSTS);
    let url = "http://172.29.0.1:8700/cri-dockerd";
    let sums = lab.sh("cp-1", &format!("curl -fsS {url}/SHA256SUMS"));
    let sha256 = sums.split_whitespace().next().expect("a hash");
    let settings = format!(
        "runtime: {{kind: docker, criDockerd: {{url: {url}/cri-dockerd.deb, sha256: {sha256}}}}}
# Docker's mirrors are for its own registry only.
images:
  repository: 172.29.0.1:5000
  insecureRegistries: [172.29.0.1:5000]
"
    );
    let text = inventory(&lab, "dock", &HOSTS, &settings);
    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &text);
    let kubectl = Kubectl::of(&lab, "dock");
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);
    assert_eq!(kubectl.ready_nodes(), ["cp-1", "w-1"]);
    let said = runtime(&kubectl);
    let docker = said
        .split_whitespace()
        .filter(|one| one.starts_with("docker://"));
    assert_eq!(docker.count(), 2, "{said}");
    kdiy.has_nothing_to_do();
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn cri_o_runs_everything() {
    if !is_named("CRI-O", "KDIY_LAB_CRIO") {
        return;
    }
    const HOSTS: [(&str, &str); 1] = [("cp-1", "172.29.2.86")];
    let lab = Lab::up("crio", &HOSTS);
    let settings = "runtime: {kind: cri-o, repository: \"http://172.29.0.1:8700/isv:/cri-o:/stable:/v{minor}/deb/\", key: Release.key}
images:
  mirrors: {registry.k8s.io: http://172.29.0.1:5000}
";
    let text = inventory(&lab, "crio", &HOSTS, settings);
    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &text);
    let kubectl = Kubectl::of(&lab, "crio");
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);
    assert_eq!(kubectl.ready_nodes(), ["cp-1"]);
    let said = runtime(&kubectl);
    assert!(said.starts_with("cri-o://"), "{said}");
    kdiy.has_nothing_to_do();
}
