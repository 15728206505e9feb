//! What runs leave behind: private logs without secrets, and nothing on hosts.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::super::TOKEN;
use super::Life;

pub fn logs_are_private(life: &Life) {
    let runs = life.lab.folder.path().join(".kdiy/e2e/runs");
    let list = |folder: &std::path::Path| -> BTreeSet<_> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    };
    let all = list(&runs);
    assert_eq!(
        all.len(),
        5,
        "bring-up, labels, drift, saved plan, new worker: {all:?}"
    );
    let bring_up = all.first().expect("a run");
    let hosts = super::HOSTS.map(|(host, _)| bring_up.join(format!("{host}.log")));
    let of_run = ["journal.jsonl", "run.json"].map(|name| bring_up.join(name));
    let kept = hosts.into_iter().chain(of_run);
    // Each operation on the cluster has a log of its own.
    let of_cluster = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("cluster.") && name.ends_with(".log"))
    };
    let (operations, others): (BTreeSet<_>, BTreeSet<_>) =
        list(bring_up).into_iter().partition(of_cluster);
    assert!(!operations.is_empty(), "{others:?}");
    assert_eq!(others, kept.collect());
    for log in all.iter().flat_map(|run| list(run)) {
        let mode = fs::metadata(&log).expect("a log").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{}", log.display());
    }
    let first = fs::read_to_string(bring_up.join("cp-1.log")).expect("a log");
    assert!(
        first.contains("[control-plane] Creating static Pod manifest"),
        "{first}"
    );
    for secret in [TOKEN, "PRIVATE KEY"] {
        let mut grep = Command::new("grep");
        let found = grep
            .args(["-rE", secret])
            .arg(&runs)
            .output()
            .expect("grep");
        let lines = String::from_utf8_lossy(&found.stdout);
        assert_eq!(found.status.code(), Some(1), "secrets in logs: {lines}");
    }
}

pub fn nothing_is_left_on_hosts(life: &Life) {
    for host in life.hosts() {
        let found = life.lab.sh(
            host,
            "find /run /tmp /var/tmp /root /home /etc -xdev \\( -path '/run/kdiy/tmp.*' -o -name '*.kdiy-new' \\)",
        );
        assert_eq!(found, "", "{host}");
    }
}
