//! The next minor version, under a workload with a budget and under writes
//! through the endpoint.

use std::time::Instant;

use super::cluster::Kubectl;
use super::figure;
use super::kdiy::Kdiy;
use super::lab::Lab;
use super::writes::Writes;

const HOSTS: [(&str, &str); 6] = [
    ("lb-1", "172.29.2.100"),
    ("cp-1", "172.29.2.101"),
    ("cp-2", "172.29.2.102"),
    ("cp-3", "172.29.2.103"),
    ("w-1", "172.29.2.104"),
    ("w-2", "172.29.2.105/debian13"),
];
const FROM: &str = "1.36.3";
const TO: &str = "1.37.2";

#[test]
#[ignore = "needs the lab; make e2e"]
fn a_cluster_goes_to_the_next_minor_version() {
    let lab = Lab::up("upg", &HOSTS);
    let kdiy = at(&lab, FROM);
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);
    let kubectl = Kubectl::of(&lab, "upg");
    workload(&kubectl);
    refused_first(&lab, &kubectl);

    let kdiy = at(&lab, TO);
    let plan = kdiy.run(0, &["plan"]);
    let drains = "drain the node  cp-1, cp-2, cp-3, w-1, w-2, one at a time";
    assert!(plan.out.contains(drains), "{}", plan.out);
    let writes = Writes::begin(&lab, &kubectl);
    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes"]);
    figure("upgrade of 3 control planes and 2 workers", began.elapsed());
    let written = writes.end();
    figure("upgrade: longest time without a write", written.gap);
    written.tell("upgrade");

    let path = "jsonpath={.items[*].status.nodeInfo.kubeletVersion}";
    let versions = kubectl.run(&["get", "nodes", "-o", path]);
    assert_eq!(versions, ["v1.37.2"; 5].join(" "));
    assert_eq!(kubectl.ready_nodes().len(), 5);
    let schedulable = "jsonpath={.items[*].spec.unschedulable}";
    assert_eq!(kubectl.run(&["get", "nodes", "-o", schedulable]), "");
    for host in ["cp-1", "cp-2", "cp-3"] {
        let images = lab.sh(host, "sed -n 's/^ *image: //p' /etc/kubernetes/manifests/*");
        assert_eq!(images.matches(":v1.37.2").count(), 3, "{images}");
        assert!(images.contains("etcd:3.7.0"), "{images}");
    }
    let servers = "echo 'show stat -1 4 -1' | perl -MIO::Socket::UNIX -e '
my $s = IO::Socket::UNIX->new(Peer => \"/run/haproxy/admin.sock\") or die;
print $s <STDIN>; print while <$s>'";
    let servers = lab.sh("lb-1", servers);
    assert_eq!(servers.matches(",UP,").count(), 3, "{servers}");
    kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    kdiy.has_nothing_to_do();
}

/// The inventory of the other tests, with these hosts and this version.
fn at<'a>(lab: &'a Lab, version: &str) -> Kdiy<'a> {
    let identity = lab.file("id_ed25519").display().to_string();
    let whole = include_str!("e2e.yaml").replace("@identity@", &identity);
    let settings = &whole[whole.find("network:").expect("its network")..];
    let node = |(name, address): &(&str, &str)| {
        let address = address.split('/').next().unwrap_or(address);
        let role = match name.split('-').next() {
            Some("lb") => "load-balancer",
            Some("cp") => "control-plane",
            _ => "worker",
        };
        format!("  - {{name: {name}, ssh: {address}, role: {role}}}\n")
    };
    let nodes: String = HOSTS.iter().map(node).collect();
    let inventory = format!(
        "apiVersion: kdiy/v1alpha1
name: upg
version: \"{version}\"
endpoint: 172.29.2.100:6443
ssh: {{user: ops, identity: {identity}, knownHosts: known_hosts}}
nodes:
{nodes}{settings}"
    );
    Kdiy::with(lab, "kdiy.yaml", &inventory)
}

/// Pods that a budget keeps two of.
fn workload(kubectl: &Kubectl) {
    let image = "--image=registry.k8s.io/pause:3.10.2";
    kubectl.run(&["create", "deployment", "web", image, "--replicas=3"]);
    let budget = ["create", "poddisruptionbudget", "web", "--selector=app=web"];
    kubectl.run(&[&budget[..], &["--min-available=2"]].concat());
    kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]);
}

/// What would stand in the way of a drain is said before anything is changed.
fn refused_first(lab: &Lab, kubectl: &Kubectl) {
    let image = "--image=registry.k8s.io/pause:3.10.2";
    kubectl.run(&["run", "alone", image]);
    let path = [
        "wait",
        "--for=condition=Ready",
        "pod/alone",
        "--timeout=60s",
    ];
    kubectl.run(&path);
    let refused = at(lab, TO).run(5, &["plan"]);
    refused.says(&["drain-blocked", "default/alone", "no controller"]);
    kubectl.run(&["delete", "pod", "alone", "--now"]);
}
