//! Becoming root with a real sudo. These tests make users and a sudoers file
//! on the machine and remove them at the end, so they only run when asked for,
//! on a machine that may be thrown away:
//! `cargo test --test integration sudo -- --ignored`

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use kdiy::transport::Exit;
use kdiy::transport::error::SudoError;

use super::*;

/// A user of this machine for the time of a test.
struct TestUser {
    name: String,
    sshd: Sshd,
}

/// Gives a password, and counts how often it was asked for.
struct Keeper {
    password: Result<&'static str, &'static str>,
    asked: AtomicU32,
}

#[async_trait]
impl Operator for Keeper {
    async fn trusts(&self, _: &UnknownKey) -> bool {
        false
    }

    async fn passphrase(&self, _: &Path, _: u32) -> Option<Zeroizing<String>> {
        None
    }

    async fn sudo_password(&self, source: &SudoPassword) -> Result<Zeroizing<String>, String> {
        assert_eq!(*source, SudoPassword::Prompt);
        self.asked.fetch_add(1, Ordering::SeqCst);
        let password = self.password.map_err(str::to_owned)?;
        Ok(Zeroizing::new(password.to_owned()))
    }
}

impl TestUser {
    /// With the password `lab`, this login shell, and these words in sudoers.
    fn new(shell: &str, sudoers: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("kdiytest{}-{count}", std::process::id());
        shell_of_tests(&format!(
            "useradd -m -s {shell} {name} && echo {name}:lab | chpasswd && \
             echo '{}' >/etc/sudoers.d/{name}",
            sudoers.replace("NAME", &name)
        ));
        let sshd = Sshd::start();
        // sshd reads the keys as the user who logs in.
        shell_of_tests(&format!("chmod 755 {}", sshd.folder.path().display()));
        Self { name, sshd }
    }

    fn ssh(&self, password: Result<&'static str, &'static str>) -> (Ssh, Home, Arc<Keeper>) {
        let home = Home::knowing(&[self.sshd.entry("ed25519")]);
        let keeper = Arc::new(Keeper {
            password,
            asked: AtomicU32::new(0),
        });
        (
            Ssh::new(home.settings(), Arc::<Keeper>::clone(&keeper)),
            home,
            keeper,
        )
    }

    fn login(&self, sudo: SudoPassword) -> Login {
        Login {
            user: Some(self.name.clone()),
            sudo,
            ..login_to(&self.sshd)
        }
    }
}

impl Drop for TestUser {
    fn drop(&mut self) {
        let name = &self.name;
        self.sshd.cut();
        fs::remove_file(format!("/etc/sudoers.d/{name}")).ok();
        let removed = Command::new("userdel")
            .args(["-rf", name])
            .stderr(Stdio::null())
            .status();
        assert!(removed.is_ok());
    }
}

fn shell_of_tests(script: &str) {
    assert!(
        Command::new("sh")
            .args(["-ec", script])
            .status()
            .unwrap()
            .success(),
        "{script}"
    );
}

async fn run_as_root(ssh: &Ssh, login: &Login, script: &str) -> Result<Output, Error> {
    let script = Zeroizing::new(script.to_owned());
    let limit = Duration::from_secs(20);
    let request = Request {
        script: &script,
        user: User::Root,
        limit,
        keep: 1 << 20,
    };
    ssh.connect(&name(), login)
        .await?
        .run(request, &mut |_: Stream, _: &str| {})
        .await
}

async fn fault(ssh: &Ssh, login: &Login) -> SudoError {
    match run_as_root(ssh, login, "echo never").await {
        Err(Error::Sudo { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

const WHO: &str = "id -un; echo $HOME; cat; umask; echo err >&2; exit 4";

fn assert_root(output: &Output) {
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "root\n/root\n0022\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "err\n");
    assert_eq!(output.exit, Exit::Code(4));
}

#[tokio::test]
#[ignore = "makes users on this machine"]
async fn root_is_reached_with_and_without_a_password_from_any_shell() {
    for shell in [
        "/bin/sh",
        "/bin/bash",
        "/usr/bin/zsh",
        "/usr/bin/fish",
        "/bin/tcsh",
    ] {
        assert!(Path::new(shell).exists(), "this test needs {shell}");
        let user = TestUser::new(shell, "NAME ALL=(ALL) NOPASSWD: ALL");
        let (ssh, _home, keeper) = user.ssh(Ok("lab"));
        let output = run_as_root(&ssh, &user.login(SudoPassword::NotNeeded), WHO).await;
        assert_root(&output.unwrap());
        // A password that sudo does not ask for goes nowhere.
        let output = run_as_root(&ssh, &user.login(SudoPassword::Prompt), WHO).await;
        assert_root(&output.unwrap());
        assert_eq!(keeper.asked.load(Ordering::SeqCst), 1);

        let user = TestUser::new(shell, "NAME ALL=(ALL) ALL");
        let (ssh, _home, keeper) = user.ssh(Ok("lab"));
        for _ in 0..2 {
            let output = run_as_root(&ssh, &user.login(SudoPassword::Prompt), WHO).await;
            assert_root(&output.unwrap());
        }
        assert_eq!(keeper.asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
#[ignore = "makes users on this machine"]
async fn a_wrong_password_is_tried_once_for_all_hosts() {
    let user = TestUser::new("/bin/sh", "NAME ALL=(ALL) ALL");
    let (ssh, _home, keeper) = user.ssh(Ok("wrong-password"));
    let login = user.login(SudoPassword::Prompt);
    let faults = futures::future::join_all((0..5).map(|_| fault(&ssh, &login))).await;
    assert_eq!(faults, vec![SudoError::PasswordWrong; 5]);
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 1);
    let error = run_as_root(&ssh, &login, "true").await.unwrap_err();
    assert!(!format!("{error:?} {error} {}", error.hint()).contains("wrong-password"));
}

#[tokio::test]
#[ignore = "makes users on this machine"]
async fn a_password_that_is_needed_and_not_there_is_distinguished() {
    let user = TestUser::new("/bin/sh", "NAME ALL=(ALL) ALL");
    let (ssh, _home, _) = user.ssh(Err("no terminal"));
    assert_eq!(
        fault(&ssh, &user.login(SudoPassword::NotNeeded)).await,
        SudoError::PasswordNeeded
    );
    assert_eq!(
        fault(&ssh, &user.login(SudoPassword::Prompt)).await,
        SudoError::PasswordUnavailable("no terminal".to_owned())
    );
}

#[tokio::test]
#[ignore = "makes users on this machine"]
async fn what_sudoers_forbids_is_distinguished() {
    let user = TestUser::new("/bin/sh", "");
    let (ssh, _home, _) = user.ssh(Ok("lab"));
    let why = fault(&ssh, &user.login(SudoPassword::Prompt)).await;
    assert!(
        matches!(&why, SudoError::NotAllowed(line) if line.contains("sudoers")),
        "{why:?}"
    );

    let user = TestUser::new("/bin/sh", "NAME ALL=(ALL) NOPASSWD: /bin/true");
    let (ssh, _home, _) = user.ssh(Ok("lab"));
    let why = fault(&ssh, &user.login(SudoPassword::Prompt)).await;
    assert!(matches!(why, SudoError::NotAllowed(_)), "{why:?}");

    let user = TestUser::new(
        "/bin/sh",
        "Defaults:NAME requiretty\nNAME ALL=(ALL) NOPASSWD: ALL",
    );
    let (ssh, _home, _) = user.ssh(Ok("lab"));
    assert_eq!(
        fault(&ssh, &user.login(SudoPassword::NotNeeded)).await,
        SudoError::TtyNeeded
    );
}

#[tokio::test]
#[ignore = "makes users on this machine"]
async fn a_login_shell_that_refuses_says_so() {
    let user = TestUser::new("/usr/sbin/nologin", "NAME ALL=(ALL) NOPASSWD: ALL");
    let (ssh, _home, _) = user.ssh(Ok("lab"));
    let script = Zeroizing::new("true".to_owned());
    let limit = Duration::from_secs(20);
    let request = Request {
        script: &script,
        user: User::Login,
        limit,
        keep: 1 << 20,
    };
    let link = ssh
        .connect(&name(), &user.login(SudoPassword::NotNeeded))
        .await
        .unwrap();
    let error = link
        .run(request, &mut |_: Stream, _: &str| {})
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Shell { said, .. } if said.contains("not available")));
}

#[tokio::test]
#[ignore = "makes users on this machine"]
async fn a_slow_script_of_root_is_ended_on_the_host() {
    let user = TestUser::new("/bin/sh", "NAME ALL=(ALL) ALL");
    let (ssh, _home, _) = user.ssh(Ok("lab"));
    let link = ssh
        .connect(&name(), &user.login(SudoPassword::Prompt))
        .await
        .unwrap();
    let mark = user.sshd.path("pid");
    let script = Zeroizing::new(format!(
        "echo $$ >{}; trap '' TERM; sleep 78",
        mark.display()
    ));
    let limit = Duration::from_secs(1);
    let request = Request {
        script: &script,
        user: User::Root,
        limit,
        keep: 1 << 20,
    };
    let error = link
        .run(request, &mut |_: Stream, _: &str| {})
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimeLimit { .. }), "{error:?}");
    assert_ends(&mark).await;
}
