//! A healthy cluster loses signs of its nodes: labels, Node objects,
//! kubeconfigs, a mark that says too much. Nobody is removed for that, and all
//! of it is put back.

use std::collections::BTreeSet;

use super::Life;

const ROLE: &str = "node-role.kubernetes.io/control-plane";

pub fn can_be_lost(life: &Life) {
    let members = members(life);
    life.kubectl
        .run(&["label", "node", "cp-2", &format!("{ROLE}-")]);
    plans(life, &["cluster label the nodes !"]);
    life.kubectl
        .run(&["label", "node", "cp-1", "cp-3", &format!("{ROLE}-")]);
    is_put_back(life, &["cluster label the nodes !"]);
    let labelled = life.kubectl.list(&["nodes", "-l", ROLE]);
    assert_eq!(labelled.len(), 3);

    life.kubectl.run(&["delete", "node", "cp-3", "w-2"]);
    is_put_back(
        life,
        &[
            "cp-3 put the kubelet back !",
            "w-2 put the kubelet back !",
            "cluster label the nodes !",
        ],
    );
    let again = life.kubectl.list(&["nodes", "-l", ROLE]);
    let tainted = |node: &&serde_json::Value| node["spec"]["taints"][0]["key"] == ROLE;
    assert_eq!(again.iter().filter(tainted).count(), 3, "as kubeadm has it");

    for host in ["cp-2", "w-1"] {
        life.lab.sh(host, "rm /etc/kubernetes/kubelet.conf");
    }
    life.lab.sh("cp-3", "echo join > /var/lib/kdiy/unfinished");
    is_put_back(
        life,
        &[
            "cp-2 put the kubelet back !",
            "w-1 put the kubelet back !",
            "cp-3 put the kubelet back !",
        ],
    );
    assert_eq!(self::members(life), members, "members have come or gone");
    of_workers_are_their_own_alone(life);
    can_be_in_any_order(life);
    of_settings_are_heeded(life);
}

/// The steps that a plan needs; none of it removes or bootstraps anything.
fn plans(life: &Life, wanted: &[&str]) {
    let steps = life.kdiy().plan(&[]).steps();
    for step in wanted {
        assert!(steps.contains(*step), "{step} is not in {steps:?}");
    }
    for word in ["forget", "join the cluster", "initialise", "undo"] {
        let harms = |step: &String| step.contains(word);
        assert!(!steps.iter().any(harms), "{word} is in {steps:?}");
    }
}

fn is_put_back(life: &Life, steps: &[&str]) {
    plans(life, steps);
    let kdiy = life.kdiy();
    kdiy.run(0, &["apply", "--yes"]);
    assert_eq!(life.kubectl.ready_nodes(), life.kubelets());
    life.etcd_is_whole();
    kdiy.has_nothing_to_do();
}

/// A kubelet writes what it likes about its own runtime.
fn of_workers_are_their_own_alone(life: &Life) {
    let forged = r#"{"status":{"nodeInfo":{"containerRuntimeVersion":"containerd://1\nnode cp-2 False v1 x"}}}"#;
    life.kubectl
        .run(&["patch", "node", "w-1", "--subresource=status", "-p", forged]);
    life.kdiy().has_nothing_to_do();
}

/// The order of hosts in the inventory means nothing to a cluster that is there.
fn can_be_in_any_order(life: &Life) {
    let lines = || life.inventory.lines();
    let is_plane = |line: &&str| line.contains("role: control-plane");
    let mut planes: Vec<_> = lines().filter(is_plane).collect();
    let shuffled: Vec<_> = { lines() }
        .map(|line| {
            if is_plane(&line) {
                planes.pop().unwrap()
            } else {
                line
            }
        })
        .collect();
    let shuffled = shuffled.join("\n") + "\n";
    assert_ne!(shuffled, life.inventory);
    super::Kdiy::with(&life.lab, "kdiy.yaml", &shuffled).has_nothing_to_do();
    life.lab.write("kdiy.yaml", &life.inventory);
}

/// A setting that kdiy does not change is refused, one of kubelets planned, and
/// one of new nodes told.
fn of_settings_are_heeded(life: &Life) {
    let with = |old: &str, new: &str| {
        let text = life.inventory.replacen(old, new, 1);
        assert_ne!(text, life.inventory);
        super::Kdiy::with(&life.lab, "kdiy.yaml", &text)
    };
    let services = with("{cni: bridge}", "{cni: bridge, serviceCIDR: 10.43.0.0/16}");
    let ran = services.run(5, &["plan"]);
    ran.says(&["setting-fixed", "network.serviceCIDR \"10.96.0.0/12\""]);
    let ran = with("maxPods: 50", "maxPods: 60").run(2, &["plan", "--detailed-exitcode"]);
    assert!(ran.out.contains("maxPods 50 -> 60"), "{}", ran.out);
    let phases = [
        "[SystemVerification]",
        "[SystemVerification]\n  skipPhases: [addon/coredns]",
    ];
    let ran = with(phases[0], phases[1]).run(2, &["plan", "--detailed-exitcode"]);
    ran.says(&[
        "kubeadm.skipPhases has changed",
        "holds for nodes that join from now on",
    ]);
    assert!(ran.out.contains("remember the settings"), "{}", ran.out);
    life.lab.write("kdiy.yaml", &life.inventory);
}

/// The ids of etcd's members.
fn members(life: &Life) -> BTreeSet<String> {
    let list = life.lab.sh(
        "cp-2",
        "cd /etc/kubernetes/pki/etcd && curl -fsS --cacert ca.crt --cert healthcheck-client.crt \
         --key healthcheck-client.key -d '{}' https://127.0.0.1:2379/v3/cluster/member/list",
    );
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let members = list["members"].as_array().expect("members").iter();
    members
        .map(|member| member["ID"].as_str().expect("an id").to_owned())
        .collect()
}
