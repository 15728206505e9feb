//! What goes wrong half-way is said, leaves nothing spoilt, and the next
//! apply goes on from there.

use super::cluster::Kubectl;
use super::refusals::Bad;

/// The inventory with its control plane alone.
const ALONE: (&str, &str) = ("  - {name: b-2, ssh: 172.29.4.12, role: worker}\n", "");

const APPLY: [&str; 2] = ["apply", "--yes"];

pub fn are_overcome(bad: &Bad) {
    wrong_repository_key(bad);
    full_disk(bad);
    interrupted_by_the_user(bad);
    connection_lost(bad);
    connection_lost_once(bad);
    bad.kdiy(&[]).has_nothing_to_do();
}

/// A repository that apt does not trust never gets into apt's sources.
fn wrong_repository_key(bad: &Bad) {
    let packages = || {
        bad.lab.sh(
            "b-1",
            "dpkg-query -W; find /etc/apt /var/lib/apt/lists -name '*kdiy*'; apt-get -qq update",
        )
    };
    let before = packages();
    let kdiy = bad.kdiy(&[ALONE, ("Release.key", "wrong.key")]);
    let ran = kdiy.run(6, &APPLY);
    ran.says(&[
        "b-1",
        "add the package repository",
        "NO_PUBKEY",
        "packages.key",
    ]);
    assert_eq!(before, packages(), "apt was changed");
}

/// No room for packages; nothing else is spoilt.
fn full_disk(bad: &Bad) {
    bad.lab.sh(
        "b-1",
        "mount -t tmpfs -o size=2m none /var/cache/apt/archives",
    );
    let ran = bad.kdiy(&[ALONE]).run(6, &APPLY);
    ran.says(&[
        "b-1",
        "install packages",
        "/var/cache/apt/archives",
        "run kdiy apply again",
    ]);
    let installed = "dpkg-query -W -f '${Package}\n' | grep -c kube || :";
    assert_eq!(bad.lab.sh("b-1", installed).trim(), "0");
    bad.lab.sh("b-1", "umount /var/cache/apt/archives");
}

/// Ctrl-C lets the step that runs come to its end, and no other begin.
fn interrupted_by_the_user(bad: &Bad) {
    let mut running = bad.kdiy(&[ALONE]).start(&APPLY);
    running.until("step-started", "b-1", "install packages");
    running.interrupt();
    let ran = running.end(130);
    ran.says(&["Stopping after the steps that run now"]);
    assert!(
        ran.out
            .contains(r#""event":"run-ended","done":1,"failed":0,"#),
        "{}",
        ran.out
    );
    bad.lab.sh(
        "b-1",
        "kubeadm version -o short; dpkg --audit; test ! -e /etc/kubernetes/admin.conf",
    );
}

/// sshd dies while kubeadm bootstraps the cluster, and is not back in the two
/// minutes in which it is tried again. The next apply takes it up.
fn connection_lost(bad: &Bad) {
    let kdiy = bad.kdiy(&[ALONE]);
    let mut running = kdiy.start(&APPLY);
    running.until("line", "b-1", "[certs] Using certificateDir folder");
    bad.lab.sh(
        "b-1",
        "systemctl stop ssh.socket ssh; pkill -KILL sshd || :",
    );
    let ran = running.end(6);
    assert!(
        ran.out.contains("lost the connection to 172.29.4.11:22"),
        "{}",
        ran.out
    );
    bad.lab.sh("b-1", "systemctl start ssh");
    kdiy.run(0, &APPLY);
    kdiy.has_nothing_to_do();
}

/// One cut in the middle of dpkg is not noticed but in the time that it takes.
fn connection_lost_once(bad: &Bad) {
    let mut running = bad.kdiy(&[]).start(&APPLY);
    running.until("line", "b-2", "Unpacking runc");
    bad.lab.sh("b-2", "pkill -KILL -u ops sshd");
    running.end(0);
    bad.lab.sh("b-2", "test -z \"$(dpkg --audit)\"");
    let kubectl = Kubectl::of(&bad.lab, "bad");
    assert_eq!(kubectl.ready_nodes(), ["b-1", "b-2"]);
}
