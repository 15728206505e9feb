//! The configuration as text, as haproxy's own check sees it, and at work in
//! front of servers that live, hang and lie.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::*;
use crate::cluster::{Balancer, Version};
use crate::kubeadm::tests::{few, ipv6, most};
use crate::lb::ports::free_port;
use crate::lb::tests::{pair, program};

const NEWEST: Version = Version::new(1, 34, 1);

fn config(resolved: &ResolvedCluster) -> String {
    on_hosts(resolved, "").files.pop().unwrap().text.clone()
}

#[test]
fn three_control_planes() {
    insta::assert_snapshot!("few", config(&few(NEWEST)));
}

#[test]
fn an_api_server_without_anonymous_requests() {
    insta::assert_snapshot!("most", config(&most(NEWEST)));
}

#[test]
fn ipv6_control_planes() {
    insta::assert_snapshot!("ipv6", config(&ipv6(NEWEST)));
}

#[test]
fn one_of_two_is_watched() {
    insta::assert_snapshot!("pair", config(&pair(NEWEST, Balancer::Haproxy)));
}

#[test]
fn haproxy_itself_takes_every_configuration() {
    let pair = pair(NEWEST, Balancer::Haproxy);
    for resolved in [few(NEWEST), most(NEWEST), ipv6(NEWEST), pair] {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca.crt");
        std::fs::write(&ca, Authority::new().certificate).unwrap();
        let file = dir.path().join("haproxy.cfg");
        std::fs::write(
            &file,
            config(&resolved).replace(CA_FILE, ca.to_str().unwrap()),
        )
        .unwrap();
        let check = haproxy().arg("-c").arg("-f").arg(&file).output();
        let check = check.expect("haproxy runs; Debian's package is haproxy");
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{said}");
        assert!(!said.contains("WARNING"), "{said}");
    }
}

/// cp1 is sound, cp2 stops answering on the way, cp3 has a certificate of the
/// same authority for another name.
#[test]
fn only_true_and_answering_servers_are_up() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    std::fs::write(dir.path().join("ca.crt"), &authority.certificate).unwrap();
    let mut text = config(&few(NEWEST));
    let mut servers: Vec<Killed> = Vec::new();
    for (name, certified, address) in [
        ("cp1", "cp1", "192.0.2.11"),
        ("cp2", "cp2", "192.0.2.12"),
        ("cp3", "intruder", "192.0.2.13"),
    ] {
        let port = free_port();
        servers.push(authority.serve(dir.path(), certified, port));
        text = text.replace(
            &format!("{name} {address}:6443"),
            &format!("{name} 127.0.0.1:{port}"),
        );
    }
    let _balancer = balance(dir.path(), &text);

    until(dir.path(), ["UP", "UP", "DOWN"]);
    servers[1].hang();
    until(dir.path(), ["UP", "DOWN", "DOWN"]);
}

/// haproxy with what needs no root and no fixed port.
fn balance(dir: &Path, text: &str) -> Killed {
    let root_only = ["  chroot ", "  user ", "  group "];
    let lines = text
        .lines()
        .filter(|line| !root_only.iter().any(|start| line.starts_with(start)));
    let text = lines.map(|line| format!("{line}\n")).collect::<String>();
    let file = dir.join("haproxy.cfg");
    let text = text
        .replace(CA_FILE, dir.join("ca.crt").to_str().unwrap())
        .replace(
            "/run/haproxy/admin.sock",
            dir.join("admin.sock").to_str().unwrap(),
        )
        .replace(
            "bind 0.0.0.0:6443",
            &format!("bind 127.0.0.1:{}", free_port()),
        );
    std::fs::write(&file, text).unwrap();
    let started = haproxy()
        .arg("-db")
        .arg("-f")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Killed(started.expect("haproxy runs; Debian's package is haproxy"))
}

/// Waits until haproxy says this of its three servers.
fn until(dir: &Path, wanted: [&str; 3]) {
    let limit = Duration::from_secs(30);
    let start = Instant::now();
    loop {
        let found = states(dir);
        if found == wanted {
            return;
        }
        assert!(
            start.elapsed() < limit,
            "wanted {wanted:?}, found {found:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The state of each server by `show stat`: the second column is the server's
/// name, the eighteenth its state, such as `UP` or `UP 1/2`.
fn states(dir: &Path) -> Vec<String> {
    let Ok(mut socket) = UnixStream::connect(dir.join("admin.sock")) else {
        return Vec::new();
    };
    let mut answer = String::new();
    socket.write_all(b"show stat\n").unwrap();
    socket.read_to_string(&mut answer).unwrap();
    let servers = answer
        .lines()
        .filter(|line| line.starts_with("control-planes,cp"));
    servers
        .map(|line| line.split(',').nth(17).unwrap().to_owned())
        .collect()
}

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    /// A TLS server with a certificate for this name, which answers every GET
    /// with 200.
    fn serve(&self, dir: &Path, name: &str, port: u16) -> Killed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "kube-apiserver");
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = dir.join(format!("{name}.pem"));
        std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
        let server = Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-www",
                "-accept",
                &port.to_string(),
                "-cert",
            ])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Killed(server.expect("openssl runs; Debian's package is openssl"))
    }
}

/// A process that ends with its owner.
struct Killed(Child);

impl Killed {
    /// Its connections stay open and get no answer, as when a host hangs.
    fn hang(&self) {
        let stopped = Command::new("kill")
            .args(["-STOP", &self.0.id().to_string()])
            .status();
        assert!(stopped.unwrap().success());
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn haproxy() -> Command {
    program("haproxy")
}
