//! What kdiy keeps beside the inventory can be lost, and is never trusted
//! over what the hosts have.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kdiy::cluster::Name;
use kdiy::pki::ClusterCas;
use kdiy::state::State;
use time::OffsetDateTime;

use super::Life;

pub fn can_be_lost(life: &Life) {
    let kdiy = life.kdiy();
    let kept = life.lab.folder.path().join(".kdiy");
    let key = || fs::read(kept.join("e2e/pki/ca.key")).expect("the authority's key");
    let before = key();
    fs::remove_dir_all(&kept).expect("it is there");
    let ran = life.lab.untouched(&life.hosts(), || {
        kdiy.run(0, &["plan", "--detailed-exitcode"])
    });
    assert!(ran.out.starts_with("No changes."), "{}", ran.out);
    ran.says(&["were read back from cp-1"]);
    assert!(before == key(), "another key was read back than was lost");

    fs::remove_dir_all(&kept).expect("it is there");
    let ran = kdiy.run(0, &["kubeconfig"]);
    assert!(
        ran.out.contains("server: https://172.29.2.10:6443"),
        "another server"
    );
    let mode = fs::metadata(&life.kubectl.kubeconfig)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(life.kubectl.ready_nodes(), life.kubelets());
}

pub fn of_another_cluster_is_refused(life: &Life) {
    let kdiy = life.kdiy();
    let folder = life.lab.folder.path();
    let (ours, aside) = (
        folder.join(".kdiy/e2e/pki"),
        folder.join(".kdiy/e2e/pki.aside"),
    );
    fs::rename(&ours, &aside).expect("they are there");
    let name = Name::try_from("e2e".to_owned()).expect("a name");
    let now = OffsetDateTime::now_utc();
    let others = ClusterCas::generate(now).expect("authorities");
    let state = State::open(folder, &name).expect("the state");
    state.save_cas(&others, now).expect("they are kept");

    let ran = life
        .lab
        .untouched(&life.hosts(), || kdiy.run(5, &["apply", "--yes"]));
    for (host, _) in super::CONTROL_PLANES {
        ran.says(&[host]);
    }
    ran.says(&["another authority"]);
    ran.says(&["restore the state directory"]);

    fs::remove_dir_all(&ours).expect("it is there");
    fs::rename(&aside, &ours).expect("they are there");
    kdiy.has_nothing_to_do();
}

/// Somebody's kubeconfig with another cluster in it.
const THEIRS: &str = "apiVersion: v1
kind: Config
clusters:
- name: theirs
  cluster: {server: https://192.0.2.1:6443}
contexts:
- name: theirs
  context: {cluster: theirs, user: them}
current-context: theirs
users:
- name: them
  user: {token: tttt}
";

pub fn merges_into_a_kubeconfig(life: &Life) {
    let own = life.lab.write("kubeconfig", THEIRS);
    life.kdiy().run(0, &["kubeconfig", "--merge"]);
    let mut kubectl = super::Kubectl::of(&life.lab, "e2e");
    kubectl.kubeconfig = own;
    let view = |path: &str| kubectl.run(&["config", "view", "--raw", "-o", path]);
    assert_eq!(view("jsonpath={.current-context}"), "theirs");
    assert_eq!(
        view("jsonpath={.users[?(@.name=='them')].user.token}"),
        "tttt"
    );
    let server = "jsonpath={.clusters[?(@.name=='theirs')].cluster.server}";
    assert_eq!(view(server), "https://192.0.2.1:6443");
    let contexts = kubectl.run(&["config", "get-contexts", "-o", "name"]);
    let ours = contexts
        .lines()
        .find(|name| *name != "theirs")
        .expect("our context");
    let nodes = kubectl.run(&["--context", ours, "get", "nodes", "-o", "name"]);
    assert_eq!(nodes.lines().count(), life.kubelets().len());
}
