//! The questions as a real shell, curl and openssl answer them.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::*;
use crate::lb::ports::free_port;

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// All have the name that kubeadm gives them.
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "kubernetes");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A TLS server with a leaf of this authority; it serves once it listens.
fn serve(dir: &std::path::Path, authority: &Authority, port: u16) -> Server {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["kubernetes".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let file = dir.join(format!("{port}.pem"));
    std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
    let child = Command::new("openssl")
        .args(["s_server", "-quiet", "-www", "-accept", &port.to_string()])
        .arg("-cert")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl runs; Debian's package is openssl");
    let server = Server(child);
    let start = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

fn other_cluster(ca: &Authority, port: u16) -> String {
    let questions = EndpointQuestions {
        served: Some((
            Endpoint {
                host: EndpointHost::Address("127.0.0.1".parse().unwrap()),
                port,
            },
            ca.certificate.clone(),
        )),
        vip: None,
    };
    asked(&questions)
}

fn asked(questions: &EndpointQuestions) -> String {
    let output = Command::new("sh")
        .args(["-c", questions.script().as_str()])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn only_a_server_of_another_ca_is_of_another_cluster() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let dir = tempfile::tempdir().unwrap();
    let (own, other, closed, empty) = (free_port(), free_port(), free_port(), free_port());
    let _own = serve(dir.path(), &ours, own);
    let _other = serve(dir.path(), &theirs, other);
    // A balancer with nothing behind it takes the connection and ends it.
    let listener = TcpListener::bind(("127.0.0.1", empty)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().read(&mut [0; 1]);
        }
    });

    assert_eq!(other_cluster(&ours, own), "");
    assert_eq!(other_cluster(&ours, closed), "");
    assert_eq!(other_cluster(&ours, empty), "");
    let said = other_cluster(&ours, other);
    assert!(
        said.starts_with("other_cluster SSL certificate problem: "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn an_address_of_its_own_or_of_nobody_is_not_taken() {
    let vip = |address: &str| {
        asked(&EndpointQuestions {
            served: None,
            vip: Some((address.parse().unwrap(), 1)),
        })
    };
    assert_eq!(vip("127.0.0.1"), "");
    // Multicast: no kernel connects to it.
    assert_eq!(vip("224.0.0.1"), "");
    // Loopback answers for its whole network, and `ip` shows one address.
    assert_eq!(vip("127.0.0.2"), "vip a host beyond a router\n");
}
