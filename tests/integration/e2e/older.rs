//! The release before the newest, with the etcd that it asks for on a host of
//! its own, and with the version that etcd's guide wants before 3.7.

use std::time::Instant;

use super::cluster::Kubectl;
use super::figure;
use super::kdiy::Kdiy;
use super::lab::Lab;

const HOSTS: [(&str, &str); 2] = [("e-1", "172.29.2.91"), ("cp-1", "172.29.2.92")];

#[test]
#[ignore = "needs the lab; make e2e"]
fn the_release_before_has_its_own_etcd() {
    let lab = Lab::up("old", &HOSTS);
    let identity = lab.file("id_ed25519").display().to_string();
    let whole = include_str!("external.yaml").replace("@identity@", &identity);
    let settings = &whole[whole.find("network:").expect("its network")..];
    let inventory = |etcd: &str| {
        format!(
            "apiVersion: kdiy/v1alpha1
name: old
version: \"1.36\"
topology: external
ssh: {{user: ops, identity: {identity}, knownHosts: known_hosts}}
nodes:
  - {{name: e-1, ssh: 172.29.2.91, role: etcd}}
  - {{name: cp-1, ssh: 172.29.2.92, roles: [control-plane, worker]}}
{}",
            settings.replace("source: {", &format!("source: {{{etcd}"))
        )
    };
    // What the inventory asks for is too old for this Kubernetes.
    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &inventory("version: 3.5.20, "));
    kdiy.run(3, &["validate"]).says(&["3.5.20", "3.5.24"]);

    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &inventory("version: 3.6.16, "));
    let plan = kdiy.run(0, &["plan", "--accept-new-host-keys"]);
    assert!(plan.out.contains("3.6.16"), "{}", plan.out);
    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);
    figure("bring-up of 1.36 with external etcd 3.6", began.elapsed());
    let kubectl = Kubectl::of(&lab, "old");
    assert_eq!(kubectl.ready_nodes(), ["cp-1"]);
    let path = "jsonpath={.items[0].status.nodeInfo.kubeletVersion}";
    assert_eq!(kubectl.run(&["get", "nodes", "-o", path]), "v1.36.3");
    let version = lab.sh("e-1", "/proc/$(pidof etcd)/exe --version");
    assert!(version.contains("etcd Version: 3.6.16"), "{version}");
    kdiy.has_nothing_to_do();
}
