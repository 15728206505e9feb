//! Logging in with an ssh-agent.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sshd::keygen;

use super::*;

/// An agent of its own; ended when dropped.
struct Agent {
    folder: tempfile::TempDir,
    child: Child,
}

impl Agent {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("this test needs ssh-agent: install openssh-client");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { folder, child }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn add(&self, key: &Path) {
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(key).env("SSH_AUTH_SOCK", self.socket());
        assert!(add.status().unwrap().success());
    }

    /// A key that no host knows.
    fn add_stranger(&self, name: &str) {
        let path = self.folder.path().join(name);
        keygen(&path, "ed25519", "");
        self.add(&path);
    }

    fn settings(&self, home: &Home) -> Settings {
        Settings {
            agent: Some(self.socket()),
            ..home.settings()
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn keys_of_the_agent_log_in() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let agent = Agent::start();
    let key = sshd.path("rsa");
    keygen(&key, "rsa", "");
    sshd.authorize(&key);
    agent.add_stranger("first");
    agent.add(&key);
    let login = Login {
        identities: Vec::new(),
        ..login_to(&sshd)
    };
    connect(agent.settings(&home), &login).await.unwrap();
}

#[tokio::test]
async fn a_named_file_is_signed_for_by_the_agent_and_its_other_keys_stay_out() {
    let sshd = Sshd::start_with(&["ed25519"], "MaxAuthTries 2");
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let agent = Agent::start();
    ["a", "b", "c"]
        .iter()
        .for_each(|name| agent.add_stranger(name));
    agent.add(&sshd.path("login"));
    // Only the public half is here.
    let login = Login {
        identities: vec![sshd.path("login.pub")],
        ..login_to(&sshd)
    };
    connect(agent.settings(&home), &login).await.unwrap();
}

#[tokio::test]
async fn identities_only_keeps_other_keys_of_the_agent_out() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let agent = Agent::start();
    agent.add(&sshd.path("login"));
    let login = Login {
        identities: Vec::new(),
        ..login_to(&sshd)
    };
    connect(agent.settings(&home), &login).await.unwrap();
    for config in ["IdentitiesOnly yes\n", "IdentityAgent none\n"] {
        let settings = Settings {
            config: home.config(config),
            ..agent.settings(&home)
        };
        let error = refused(settings, &login).await;
        assert!(matches!(&error, Error::Authentication { attempts, .. } if attempts.is_empty()));
    }
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_named_and_files_still_do() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let settings = Settings {
        agent: Some(home.known_hosts()),
        ..home.settings()
    };
    connect(settings.clone(), &login_to(&sshd)).await.unwrap();
    let error = refused(
        settings,
        &Login {
            identities: Vec::new(),
            ..login_to(&sshd)
        },
    )
    .await;
    assert!(error.to_string().contains("agent "), "{error}");
}

/// Defect S1: the agent's certificates were passed over without a word.
#[tokio::test]
async fn defect_s1_certificates_log_in_by_the_agent() {
    for kind in ["ed25519", "rsa"] {
        let (sshd, key) = super::logins::certified(kind);
        let home = Home::knowing(&[sshd.entry("ed25519")]);
        let login = Login {
            identities: Vec::new(),
            ..login_to(&sshd)
        };
        // ssh-add takes the certificate that is beside the key.
        let agent = Agent::start();
        agent.add(&key);
        connect(agent.settings(&home), &login).await.unwrap();

        // An agent that has the key alone signs for a certificate that is a file.
        let agent = Agent::start();
        let beside = sshd.path("certified-cert.pub");
        let moved = sshd.path("moved-cert.pub");
        std::fs::rename(&beside, &moved).unwrap();
        agent.add(&key);
        let mut settings = agent.settings(&home);
        settings.config = home.config(&format!("Host *\nCertificateFile {}\n", moved.display()));
        connect(settings, &login).await.unwrap();
    }
}
