//! kube-apiserver and its etcd, ended when dropped.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use kdiy::pki::{Authority, LeafRequest, Usage};
use rcgen::KeyPair;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::api::authority;
use crate::ports::free_port;

/// An API server of its own.
pub struct ApiServer {
    pub authority: Authority,
    pub port: u16,
    folder: TempDir,
    processes: Vec<Child>,
}

fn program(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    path.unwrap_or_else(|| panic!("{variable} names no program"))
        .into()
}

impl ApiServer {
    pub fn start() -> Self {
        let mut server = Self {
            authority: authority(),
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            processes: Vec::new(),
        };
        let (client, peer) = (free_port(), free_port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let data = server.file("etcd");
        let etcd = [
            ("--data-dir", data.as_str()),
            ("--listen-client-urls", &url(client)),
            ("--advertise-client-urls", &url(client)),
            ("--listen-peer-urls", &url(peer)),
            ("--initial-advertise-peer-urls", &url(peer)),
            ("--initial-cluster", &format!("default={}", url(peer))),
        ];
        server.run("KDIY_ETCD", "etcd.log", &etcd);
        let request = LeafRequest {
            common_name: "kube-apiserver".to_owned(),
            usages: vec![Usage::Server],
            addresses: vec!["127.0.0.1".parse().unwrap()],
            ..LeafRequest::admin()
        };
        let now = OffsetDateTime::now_utc();
        let leaf = server.authority.issue(&request, now).unwrap();
        let ca = server.authority.certificate().to_owned();
        let accounts = KeyPair::generate().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(server.file(name), text).unwrap();
            server.file(name)
        };
        let ca = write("ca.crt", &ca);
        let certificate = write("tls.crt", &leaf.certificate);
        let key = write("tls.key", leaf.key.expose_secret());
        let public = write("sa.pub", &accounts.public_key_pem());
        let accounts = write("sa.key", &accounts.serialize_pem());
        let port = server.port.to_string();
        let arguments = [
            ("--etcd-servers", url(client)),
            ("--bind-address", "127.0.0.1".to_owned()),
            ("--advertise-address", "127.0.0.1".to_owned()),
            ("--endpoint-reconciler-type", "none".to_owned()),
            ("--secure-port", port),
            ("--client-ca-file", ca),
            ("--tls-cert-file", certificate),
            ("--tls-private-key-file", key),
            (
                "--service-account-issuer",
                "https://kubernetes.default".to_owned(),
            ),
            ("--service-account-key-file", public),
            ("--service-account-signing-key-file", accounts),
            ("--service-cluster-ip-range", "10.96.0.0/16".to_owned()),
            ("--authorization-mode", "Node,RBAC".to_owned()),
            ("--disable-admission-plugins", "ServiceAccount".to_owned()),
        ];
        let arguments: Vec<_> = arguments
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        server.run("KDIY_KUBE_APISERVER", "apiserver.log", &arguments);
        server
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&mut self, variable: &str, log: &str, arguments: &[(&str, &str)]) {
        let log = File::create(self.file(log)).unwrap();
        let arguments = arguments
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let child = Command::new(program(variable))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.processes.push(child);
    }

    /// The end of what it has written.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.file("apiserver.log")).unwrap();
        let lines: Vec<_> = text.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            process.kill().ok();
            process.wait().ok();
        }
    }
}
