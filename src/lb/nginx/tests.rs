//! The configuration as text, as nginx's own check sees it, and at work in
//! front of servers that refuse.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::cluster::{Balancer, LoadBalancer, Version};
use crate::kubeadm::tests::{few, ipv6};
use crate::lb::ports::free_port;
use crate::lb::tests::{pair, program};

const NEWEST: Version = Version::new(1, 34, 1);

fn config(resolved: &ResolvedCluster) -> String {
    on_hosts(resolved).files.pop().unwrap().text.clone()
}

fn alone(mut resolved: ResolvedCluster) -> ResolvedCluster {
    resolved.cluster.load_balancer = LoadBalancer::Hosts {
        kind: Balancer::Nginx,
        failover: None,
    };
    resolved
}

#[test]
fn two_that_are_watched() {
    insta::assert_snapshot!("pair", config(&pair(NEWEST, Balancer::Nginx)));
}

#[test]
fn one_for_ipv6() {
    insta::assert_snapshot!("ipv6", config(&alone(ipv6(NEWEST))));
}

/// Ports and paths that need no root; nothing else differs.
fn unprivileged(text: &str, dir: &Path, port: u16) -> String {
    let path = |name: &str| dir.join(name).display().to_string();
    text.replace("user www-data;\n", "")
        .replace("/run/nginx.pid", &path("nginx.pid"))
        .replace("/var/log/nginx/error.log", &path("error.log"))
        .replace("worker_rlimit_nofile 65536;\n", "")
        .replace("worker_connections 16384", "worker_connections 256")
        .replace("listen 0.0.0.0:6443", &format!("listen 127.0.0.1:{port}"))
}

#[test]
fn nginx_itself_takes_every_configuration() {
    for resolved in [
        pair(NEWEST, Balancer::Nginx),
        alone(few(NEWEST)),
        alone(ipv6(NEWEST)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("nginx.conf");
        // A machine without IPv6 is a machine to test on all the same.
        let text = config(&resolved).replace("    listen [::]:6443 ipv6only=on", "    # ");
        std::fs::write(&file, unprivileged(&text, dir.path(), free_port())).unwrap();
        let check = program("nginx")
            .args(["-t", "-q", "-c"])
            .arg(&file)
            .output();
        let check = check.expect("nginx runs; Debian's packages are nginx and libnginx-mod-stream");
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{said}");
        assert!(!said.contains("[warn]"), "{said}");
    }
}

/// cp1 and cp3 refuse; every connection comes to cp2, and at once.
#[test]
fn what_refuses_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let up = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let _ = stream.unwrap().write_all(b"cp2\n");
        }
    });
    let port = free_port();
    let text = unprivileged(&config(&alone(few(NEWEST))), dir.path(), port)
        .replace("192.0.2.11:6443", &format!("127.0.0.1:{}", free_port()))
        .replace("192.0.2.12:6443", &format!("127.0.0.1:{up}"))
        .replace("192.0.2.13:6443", &format!("127.0.0.1:{}", free_port()));
    let file = dir.path().join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let started = program("nginx")
        .arg("-c")
        .arg(&file)
        .args(["-g", "daemon off;"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _nginx = Ended(started.expect("nginx runs; Debian's package is nginx"));
    let start = Instant::now();
    let mut answers = Vec::new();
    while answers.len() < 10 {
        assert!(start.elapsed() < Duration::from_secs(10), "{answers:?}");
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answers.push(answer);
    }
    assert_eq!(answers, ["cp2\n"; 10]);
}

/// nginx that ends with its owner, its workers too: they end with their master
/// when it is told to.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        let _ = std::process::Command::new("kill").arg(id).status();
        let _ = self.0.wait();
    }
}
