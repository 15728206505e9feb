//! Ctrl-C ends kdiy at once where no host is being changed, wherever it is.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

use crate::ssh::sshd::keygen;

/// An inventory whose one host takes connections and says nothing.
fn silent() -> (tempfile::TempDir, TcpListener) {
    let folder = tempfile::tempdir().unwrap();
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = host.local_addr().unwrap().port();
    keygen(&folder.path().join("login"), "ed25519", "");
    fs::write(folder.path().join("known"), "").unwrap();
    let text = format!(
        "apiVersion: kdiy/v1alpha1\nname: silent\nversion: 1.34.1\nnetwork: {{cni: bridge}}\n\
         nodes:\n  - name: n-0\n    role: control-plane\n    address: 192.0.2.1\n    \
         ssh: {{host: 127.0.0.1, port: {port}, user: ops, identity: login, knownHosts: known}}\n"
    );
    fs::write(folder.path().join("kdiy.yaml"), text).unwrap();
    (folder, host)
}

#[test]
fn a_host_that_does_not_answer_is_left_with_130_and_no_debris() {
    let (folder, host) = silent();
    let all = [
        &["plan"][..],
        &["apply", "--yes"],
        &["status"],
        &["status", "--watch"],
        &["facts"],
        &["exec", "--", "true"],
        &["etcd", "status"],
        &["etcd", "snapshot", "save", "s.db"],
    ];
    for signal in ["-INT", "-TERM"] {
        for words in all {
            let child = Command::new(cargo_bin("kdiy"))
                .current_dir(folder.path())
                .args(words)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            // It has connected, so it listens for the signal.
            let (_session, _) = host.accept().unwrap();
            let pressed = Instant::now();
            let kill = Command::new("kill")
                .args([signal, &child.id().to_string()])
                .status();
            assert!(kill.unwrap().success());
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(130), "{words:?}: {said}");
            assert!(
                said.to_lowercase().contains("interrupted"),
                "{words:?}: {said}"
            );
            assert!(pressed.elapsed() < Duration::from_secs(5), "{words:?}");
        }
    }
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["kdiy.yaml", "known", "login", "login.pub"]);
}
