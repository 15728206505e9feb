//! The script as a shell runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::cluster::Version;
use crate::kubeadm::tests::few;
use crate::lb::tests::pair;
use crate::status::Answer;
use crate::status::answer::Probe;

const VERSION: Version = Version::new(1, 34, 1);

/// Runs the script with these programs first in the PATH, and `/etc` and
/// `/var/lib` in a folder.
fn run(script: &Script, folder: &Path, programs: &[(&str, &str)]) -> String {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    for (name, text) in programs {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let root = folder.display().to_string();
    let text = script.as_str();
    let text = text.replace("/etc/", &format!("{root}/etc/"));
    let text = text.replace("/var/lib/", &format!("{root}/var/lib/"));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let out = Command::new("sh")
        .args(["-c", &text])
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}

fn put(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn keys_stay_on_the_host() {
    let cluster = few(VERSION).cluster;
    let folder = tempfile::tempdir().unwrap();
    let block = |label: &str, text: &str| {
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let (certificate, key) = (
        block("CERTIFICATE", "cert"),
        block("EC PRIVATE KEY", "secret"),
    );
    let both = format!("{certificate}{key}");
    put(
        folder.path(),
        "var/lib/kubelet/pki/kubelet-client-current.pem",
        &both,
    );
    put(
        folder.path(),
        "etc/kubernetes/pki/apiserver.crt",
        &format!("{key}{certificate}"),
    );
    let kubeconfig = "users:\n- user:\n    client-certificate-data: Q0VSVA==\n    client-key-data: c2VjcmV0\n    token: secret\n";
    put(folder.path(), "etc/kubernetes/admin.conf", kubeconfig);
    let said = run(
        &script(&cluster, &cluster.nodes[3]),
        folder.path(),
        &[("systemctl", "echo active")],
    );
    assert_eq!(said.matches("cert\n").count(), 2, "{said}");
    assert!(said.contains("admin.conf Q0VSVA=="), "{said}");
    for secret in ["secret", "PRIVATE", "c2VjcmV0"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn long_answers_beside_each_other_are_not_mixed_up() {
    let mut cluster = few(VERSION).cluster;
    cluster.nodes[0].address = AddressSpec::Fixed([192, 0, 2, 1].into());
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "pki/apiserver-kubelet-client.crt",
        "pki/ca.crt",
        "kubelet.conf",
    ] {
        put(folder.path(), &format!("etc/kubernetes/{file}"), "x");
    }
    let healthcheck = "etc/kubernetes/pki/etcd/healthcheck-client.crt";
    put(folder.path(), healthcheck, "x");
    // Each answer is far longer than a pipe holds.
    let curl = "head -c 300000 /dev/zero | tr '\\0' x; printf '\\n200'";
    let programs = [
        ("curl", curl),
        ("systemctl", "echo active; echo active"),
        ("dpkg-query", ":"),
    ];
    let said = run(
        &script(&cluster, &cluster.nodes[0]),
        folder.path(),
        &programs,
    );
    assert_eq!(said.matches("@url ").count(), 1, "etcd is asked once");
    let answer = Answer::parse(&cluster, &cluster.nodes[0], said.as_bytes()).unwrap();
    assert!(answer.joined);
    for probe in [
        answer.api,
        answer.controller_manager,
        answer.scheduler,
        answer.endpoint,
    ] {
        assert_eq!(probe, Some(Probe::Code(200, Vec::new())));
    }
    assert!(answer.etcd.unwrap().reply.is_err(), "that is no JSON");
}

#[test]
fn what_hangs_hangs_once() {
    let mut cluster = few(VERSION).cluster;
    cluster.nodes[0].address = AddressSpec::Fixed([192, 0, 2, 1].into());
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "apiserver-kubelet-client.crt",
        "ca.crt",
        "etcd/healthcheck-client.crt",
    ] {
        put(folder.path(), &format!("etc/kubernetes/pki/{file}"), "x");
    }
    let curl = "sleep 1; echo 'curl: (28) Operation timed out' >&2; exit 28";
    let began = std::time::Instant::now();
    let programs = [("curl", curl), ("systemctl", "echo active")];
    let said = run(
        &script(&cluster, &cluster.nodes[0]),
        folder.path(),
        &programs,
    );
    // Seven curls; the rest is what a busy machine takes.
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    let answer = Answer::parse(&cluster, &cluster.nodes[0], said.as_bytes()).unwrap();
    assert_eq!(
        answer.api,
        Some(Probe::Silent("Operation timed out".to_owned()))
    );
    assert_eq!(answer.nodes, None);
}

#[test]
fn nginxs_servers_are_tried() {
    let cluster = pair(VERSION, Balancer::Nginx).cluster;
    let folder = tempfile::tempdir().unwrap();
    let open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed_port = closed.local_addr().unwrap().port();
    drop(closed);
    let port = open.local_addr().unwrap().port();
    let config = format!(
        "  upstream control-planes {{\n    # What one worker finds out.\n    zone x 64k;\n    # cp1\n    server 127.0.0.1:{port} max_fails=1;\n    # cp2\n    server 127.0.0.1:{closed_port} max_fails=1;\n  }}\n  server {{\n    listen 1;\n  }}\n"
    );
    put(folder.path(), "etc/nginx/nginx.conf", &config);
    let ip = "echo '2: eth0    inet 192.0.2.100/32 scope global eth0'";
    let programs = [("ip", ip), ("systemctl", "echo active; echo active")];
    let node = cluster
        .nodes
        .iter()
        .find(|node| node.name.as_str() == "lb2")
        .unwrap();
    let said = run(&script(&cluster, node), folder.path(), &programs);
    let answer = Answer::parse(&cluster, node, said.as_bytes()).unwrap();
    assert_eq!(answer.holds_vip, Some(true));
    let backends = answer.backends.unwrap().unwrap();
    let first_known: Vec<_> = backends
        .iter()
        .map(|of| (of.name.as_str(), of.up))
        .collect();
    assert_eq!(first_known, [("cp1", true), ("cp2", false)]);
    assert_eq!(backends[1].why.as_deref(), Some("Connection refused"));
}
