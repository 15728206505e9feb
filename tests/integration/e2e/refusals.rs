//! What is wrong before the first change is said, and nothing is changed.

use std::process::Command;

use super::kdiy::Kdiy;
use super::lab::{Lab, ok};
use super::setbacks;

const HOSTS: [&str; 2] = ["b-1", "b-2"];

/// The lab's hosts, and how they are spoilt.
pub struct Bad {
    pub lab: Lab,
    pub inventory: String,
}

impl Bad {
    /// kdiy with the inventory, parts of it replaced.
    pub fn kdiy(&self, changes: &[(&str, &str)]) -> Kdiy<'_> {
        let mut text = self.inventory.clone();
        for (from, to) in changes {
            assert!(text.contains(from), "the inventory has no {from}");
            text = text.replace(from, to);
        }
        Kdiy::with(&self.lab, "kdiy.yaml", &text)
    }

    /// apply is refused with this code and these words, and changes nothing;
    /// plan says the same.
    fn refused(&self, code: i32, changes: &[(&str, &str)], words: &[&str]) {
        let kdiy = self.kdiy(changes);
        let plan = kdiy.run(code, &["plan", "--connect-timeout", "3"]);
        let apply = ["apply", "--yes", "--connect-timeout", "3"];
        let apply = self.lab.untouched(&HOSTS, || kdiy.run(code, &apply));
        for ran in [plan, apply] {
            ran.says(words);
        }
    }
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn what_is_wrong_is_said_and_changes_nothing() {
    let lab = Lab::up("bad", &[("b-1", "172.29.4.11"), ("b-2", "172.29.4.12")]);
    let identity = lab.file("id_ed25519").display().to_string();
    let known = std::fs::read_to_string(lab.file("known_hosts")).expect("known_hosts");
    lab.write("known_hosts", &known);
    let bad = Bad {
        inventory: include_str!("bad.yaml").replace("@identity@", &identity),
        lab,
    };
    inventories(&bad);
    logins(&bad);
    host_keys(&bad, &known);
    sudo(&bad);
    versions(&bad);
    software(&bad);
    foreign_endpoint(&bad);
    hosts(&bad);
    setbacks::are_overcome(&bad);
}

fn inventories(bad: &Bad) {
    let words = ["unknown", "rolle", "role", "kdiy.yaml:11:"];
    bad.refused(3, &[("172.29.4.12, role:", "172.29.4.12, rolle:")], &words);
    bad.refused(3, &[("b-2, ssh", "b-1, ssh")], &["b-1"]);
}

fn logins(bad: &Bad) {
    let words = ["b-2: cannot reach 172.29.4.99:22"];
    bad.refused(4, &[("172.29.4.12", "172.29.4.99")], &words);

    let key = bad.lab.folder.path().join("other_ed25519");
    ok(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key));
    let lab_key = bad.lab.file("id_ed25519").display().to_string();
    let key = key.display().to_string();
    let words = [
        "b-1: 172.29.4.11:22 refused the login of ops",
        "other_ed25519: refused",
    ];
    bad.refused(4, &[(&lab_key, &key)], &words);
}

fn host_keys(bad: &Bad, known: &str) {
    bad.lab.write("known_hosts", "");
    let words = [
        "b-1: the ssh-ed25519 host key SHA256:",
        "is not known",
        "--accept-new-host-keys",
    ];
    bad.refused(4, &[], &words);

    // b-1 shows the key that b-2 should have.
    bad.lab.write(
        "known_hosts",
        &known.replace("172.29.4.11 ", "172.29.4.12 "),
    );
    let accept = ["apply", "--yes", "--accept-new-host-keys"];
    let other = known.lines().filter(|line| line.starts_with("172.29.4.12"));
    let swapped: String = other
        .map(|line| line.replace("172.29.4.12", "172.29.4.11") + "\n")
        .collect();
    bad.lab.write("known_hosts", &swapped);
    let kdiy = bad.kdiy(&[]);
    let ran = bad.lab.untouched(&HOSTS, || kdiy.run(4, &accept));
    ran.says(&["host key of 172.29.4.11:22 has changed"]);
    ran.says(&["somebody may be listening in"]);
    bad.lab.write("known_hosts", known);
}

fn sudo(bad: &Bad) {
    let words = ["b-1: cannot become root on 172.29.4.11:22 as nosudo"];
    bad.refused(4, &[("user: ops", "user: nosudo")], &words);
    let words = ["b-1: cannot become root on 172.29.4.11:22 as opspw: sudo asks for a password"];
    bad.refused(4, &[("user: ops", "user: opspw")], &words);
    let wrong = "user: opspw\n  sudo: {env: E2E_WRONG_SUDO}";
    let words = ["as opspw: sudo did not accept the password"];
    bad.refused(4, &[("user: ops", wrong)], &words);
}

fn versions(bad: &Bad) {
    let words = ["the repository http://172.29.0.1:8700/core:/stable:/v1.33/deb/"];
    bad.refused(5, &[("\"1.37\"", "\"1.33\"")], &words);
    let words = ["b-1", "b-2", "offers no kubeadm", "1.37.99", "1.37.2"];
    bad.refused(5, &[("\"1.37\"", "\"1.37.99\"")], &words);
}

/// What hosts have or could install does not do, on all of them.
fn software(bad: &Bad) {
    let repository = "core:/stable:/v{minor}/deb/";
    let words = ["b-1", "b-2", "has no cri-tools"];
    bad.refused(5, &[(repository, "without-cri-tools/deb/")], &words);
    // Debian 12's is 20.10.
    let docker = "runtime: {kind: docker, criDockerd: {url: http://192.0.2.1/cri-dockerd.deb, \
         sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}}\nnetwork:";
    let words = ["b-1", "b-2", "Docker Engine 20.10", "23"];
    // Docker's mirrors are for its own registry only.
    let images = "  repository: 172.29.0.1:5000\n  insecureRegistries: [172.29.0.1:5000]";
    let mirrors = "  mirrors: {registry.k8s.io: http://172.29.0.1:5000}";
    bad.refused(5, &[("network:", docker), (mirrors, images)], &words);
    let gone = "extraArgs: {boot-id-file: /etc/boot-id}\n  extraConfig: {";
    bad.refused(
        3,
        &[("extraConfig: {failCg", &format!("{gone}failCg"))],
        &["kdiy.yaml:", "boot-id-file", "1.37"],
    );
    if !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        let strict = [("failCgroupV1: false", "maxPods: 50")];
        bad.refused(5, &strict, &["b-1", "b-2", "control groups of version 1"]);
    }
}

/// Somebody else's API server answers where clients are to find this one.
fn foreign_endpoint(bad: &Bad) {
    bad.lab.sh(
        "b-2",
        "cd /tmp; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days 2 -keyout key.pem -out cert.pem 2>&1
systemd-run --quiet --unit stranger --working-directory /tmp openssl s_server -accept 6443 -cert cert.pem -key key.pem -www",
    );
    let elsewhere = "endpoint: 172.29.4.12:6443\nloadBalancer: external";
    let changes = [("endpoint: 172.29.4.11:6443", elsewhere)];
    let words = ["b-1", "172.29.4.12:6443", "certificate", "endpoint"];
    bad.refused(5, &changes, &words);
    bad.lab.sh(
        "b-2",
        "systemctl stop stranger; rm /tmp/key.pem /tmp/cert.pem",
    );
}

/// Reasons not to begin that lie in the hosts themselves.
fn hosts(bad: &Bad) {
    bad.lab.sh(
        "b-1",
        "systemd-run --quiet --unit taker systemd-socket-activate --accept -l 6443 cat",
    );
    let words = [
        "port 6443 is taken by systemd-socket",
        "b-1",
        "move it to another port",
    ];
    bad.refused(5, &[], &words);
    bad.lab.sh("b-1", "systemctl stop taker");

    // All of /var on a disk that is too small for packages and images.
    bad.lab.sh(
        "b-2",
        "mount -t tmpfs -o size=600m none /mnt; cp -a /var/. /mnt; mount --bind /mnt /var",
    );
    bad.refused(5, &[], &["b-2", "MiB free under /var", "make room"]);
    bad.lab.sh("b-2", "umount /var; umount /mnt");
}
