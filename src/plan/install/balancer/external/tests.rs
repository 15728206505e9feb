//! The scripts as a real shell and openssl run them.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use super::{HAIRPIN, REACHABLE};
use crate::lb::ports::free_port;

/// Listens on one port and calls another, ten times at most.
fn hairpin(listens: u16, called: u16) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "set -eu\nkdiy_tmp={}\n{HAIRPIN}\nkdiy_stand_in {listens}\n\
         n=0\nuntil said=$(kdiy_hairpin 127.0.0.1:{called}); do\n\
         n=$((n + 1)); [ $n -lt 10 ] || {{ echo \"$said\"; exit 1; }}; sleep 0.2; done\necho led back\n",
        dir.path().join("private").display()
    );
    std::fs::create_dir(dir.path().join("private")).unwrap();
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(
        TcpStream::connect(("127.0.0.1", listens)).is_err(),
        "the listener has ended"
    );
    assert!(!dir.path().join("private").exists());
    output
}

#[test]
fn a_call_that_comes_back_is_known_by_its_certificate() {
    let port = free_port();
    let output = hairpin(port, port);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "led back\n",
        "{output:?}"
    );
}

#[test]
fn nothing_and_another_server_are_distinguished() {
    let output = hairpin(free_port(), free_port());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "no TLS server answered\n"
    );

    let other = free_port();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("other.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default();
    let certificate = certificate.self_signed(&key).unwrap();
    std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
    let mut server = Command::new("openssl")
        .args(["s_server", "-quiet", "-accept", &other.to_string(), "-cert"])
        .arg(&file)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = hairpin(free_port(), other);
    server.kill().unwrap();
    server.wait().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("another server answered: "), "{said}");
}

#[test]
fn refused_is_reached() {
    let reach = |host: &str, port: u16| {
        let script = format!("set -eu\n{REACHABLE}\nkdiy_reach {host} {port}\n");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        output.status.success()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(reach("127.0.0.1", listener.local_addr().unwrap().port()));
    assert!(reach("127.0.0.1", free_port()));
    // Multicast: no kernel connects to it.
    assert!(!reach("224.0.0.1", 6443));
}
