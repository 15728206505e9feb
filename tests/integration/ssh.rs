//! SSH against a real sshd.

mod agent;
mod byte_streams;
pub mod host_keys;
mod host_keys_table;
mod jumps;
mod logins;
mod runs;
pub mod sshd;
mod streams;
mod sudo;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kdiy::cluster::{Login, Name, SudoPassword};
use kdiy::transport::error::UnknownKey;
use kdiy::transport::ssh::{Link, Operator, Settings, Ssh, UnknownHostKey};
use kdiy::transport::ssh_config::SshConfig;
use kdiy::transport::{Connection as _, Connector as _, Error, Output, Request, Stream, User};
use sshd::{Sshd, user};
use zeroize::Zeroizing;

/// Answers what it was told to, and remembers the questions.
#[derive(Default)]
struct Answers {
    trusts: bool,
    passphrases: Vec<&'static str>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Operator for Answers {
    async fn trusts(&self, key: &UnknownKey) -> bool {
        self.asked
            .lock()
            .unwrap()
            .push(format!("trust {}", key.kind));
        self.trusts
    }

    async fn passphrase(&self, file: &Path, attempt: u32) -> Option<Zeroizing<String>> {
        let file = file.file_name().unwrap().display().to_string();
        self.asked
            .lock()
            .unwrap()
            .push(format!("passphrase {file} {attempt}"));
        let answer = self.passphrases.get(attempt as usize - 1)?;
        Some(Zeroizing::new((*answer).to_owned()))
    }

    async fn sudo_password(&self, _: &SudoPassword) -> Result<Zeroizing<String>, String> {
        self.asked.lock().unwrap().push("sudo".to_owned());
        Err("not in this test".to_owned())
    }
}

impl Answers {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A home directory with a known_hosts file that knows these entries.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn knowing(entries: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".ssh")).unwrap();
        let home = Self { folder };
        let text: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        std::fs::write(home.known_hosts(), text).unwrap();
        home
    }

    fn known_hosts(&self) -> std::path::PathBuf {
        self.folder.path().join(".ssh/known_hosts")
    }

    fn known(&self) -> String {
        std::fs::read_to_string(self.known_hosts()).unwrap()
    }

    fn config(&self, text: &str) -> SshConfig {
        let path = self.folder.path().join(".ssh/config");
        std::fs::write(&path, text).unwrap();
        SshConfig::load(&[path], self.folder.path()).unwrap()
    }

    fn settings(&self) -> Settings {
        let home = self.folder.path().to_owned();
        let mut settings = Settings::new(
            home,
            user(),
            SshConfig::default(),
            time::OffsetDateTime::now_utc,
        );
        settings.connect_limit = Duration::from_secs(5);
        settings.global_known_hosts = Vec::new();
        settings
    }
}

fn login_to(sshd: &Sshd) -> Login {
    Login {
        host: "127.0.0.1".to_owned(),
        port: Some(sshd.port),
        user: None,
        identities: vec![sshd.path("login")],
        jumps: None,
        fingerprint: None,
        known_hosts: None,
        sudo: SudoPassword::NotNeeded,
    }
}

fn name() -> Name {
    Name::try_from("host".to_owned()).unwrap()
}

fn ssh(settings: Settings) -> Ssh {
    Ssh::new(settings, Arc::new(Answers::default()))
}

fn policy(settings: Settings, unknown_host_key: UnknownHostKey) -> Settings {
    Settings {
        unknown_host_key,
        ..settings
    }
}

async fn connect(settings: Settings, login: &Login) -> Result<Link, Error> {
    ssh(settings).connect(&name(), login).await
}

/// A connection to a sshd, whose key is known for as long as it is there.
pub async fn link_to(sshd: &Sshd) -> Link {
    let file = sshd.path("known_hosts");
    std::fs::write(&file, sshd.entry("ed25519") + "\n").unwrap();
    let home = Home::knowing(&[]);
    let login = Login {
        known_hosts: Some(file),
        ..login_to(sshd)
    };
    connect(home.settings(), &login).await.unwrap()
}

/// The error of a connection that must not come about.
async fn refused(settings: Settings, login: &Login) -> Error {
    match connect(settings, login).await {
        Ok(_) => panic!("a connection came about"),
        Err(error) => error,
    }
}

/// Runs a script as the user who logs in.
async fn run(link: &Link, script: &str) -> Result<Output, Error> {
    run_within(link, script, Duration::from_secs(20)).await
}

async fn run_within(link: &Link, script: &str, limit: Duration) -> Result<Output, Error> {
    let script = Zeroizing::new(script.to_owned());
    let request = Request {
        script: &script,
        user: User::Login,
        limit,
        keep: 1 << 20,
    };
    link.run(request, &mut |_: Stream, _: &str| {}).await
}

async fn says(link: &Link, script: &str) -> String {
    let output = run(link, script).await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that the process whose number a script wrote is gone, or soon is.
async fn assert_ends(mark: &Path) {
    let pid = std::fs::read_to_string(mark).unwrap();
    let process = format!("/proc/{}", pid.trim());
    for _ in 0..20 {
        if !Path::new(&process).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "it still runs: {}",
        std::fs::read_to_string(process + "/status").unwrap_or_default()
    );
}
