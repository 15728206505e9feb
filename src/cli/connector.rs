//! SSH as this user on this machine: its configuration, agent, known hosts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{CliError, ConnectionArgs};
use crate::cluster::SudoPassword;
use crate::transport::error::UnknownKey;
use crate::transport::ssh::{Operator, Settings, Ssh, UnknownHostKey};
use crate::transport::ssh_config::SshConfig;
use crate::ui::Ui;

/// Connects as the user who runs kdiy.
///
/// # Errors
/// When there is no home directory, or ssh_config cannot be read.
pub fn ssh(connection_args: &ConnectionArgs, ui: &Ui) -> Result<Ssh, CliError> {
    Ok(with(settings(connection_args, ui)?, ui))
}

/// The same for commands that tell of hosts which do not answer, and not wait
/// for them: one that takes connections and hangs is given up as soon as one
/// that takes none.
///
/// # Errors
/// As [`ssh`].
pub fn fail_fast(connection_args: &ConnectionArgs, ui: &Ui) -> Result<Ssh, CliError> {
    let mut settings = settings(connection_args, ui)?;
    settings.handshake_limit = settings.connect_limit;
    settings.keepalive = Duration::from_secs(3);
    settings.keepalive_max = 3;
    Ok(with(settings, ui))
}

/// Connects with settings that were made by [`settings`].
pub fn with(settings: Settings, ui: &Ui) -> Ssh {
    Ssh::new(settings, Arc::new(User { ui: ui.clone() }))
}

/// The home directory and the name of the user here.
///
/// # Errors
/// When there is no home directory.
pub fn user() -> Result<(PathBuf, String), CliError> {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| anyhow::anyhow!("HOME is not set to an absolute path"))?;
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    Ok((home, user.unwrap_or_else(|_| "root".to_owned())))
}

/// What the user's environment and options say.
///
/// # Errors
/// As [`ssh`].
pub fn settings(connection_args: &ConnectionArgs, ui: &Ui) -> Result<Settings, CliError> {
    let (home, user) = user()?;
    let config = SshConfig::load(&SshConfig::usual_files(&home), &home)?;
    for line in config.passed_over() {
        ui.warn(&format!(
            "{line}: this Match block is not understood and has no effect here"
        ));
    }
    let mut settings = Settings::new(home, user, config, OffsetDateTime::now_utc);
    settings.agent = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);

    settings.connect_limit = connection_args.connect_timeout;
    settings.unknown_host_key = if connection_args.accept_new_host_keys {
        UnknownHostKey::Accept
    } else {
        UnknownHostKey::Ask
    };
    Ok(settings)
}

/// The person at the terminal, if there is one.
struct User {
    ui: Ui,
}

#[async_trait]
impl Operator for User {
    async fn trusts(&self, key: &UnknownKey) -> bool {
        let (ui, key) = (self.ui.clone(), key.clone());
        blocking(move || ui.host_key(&key)).await.unwrap_or(false)
    }

    async fn passphrase(&self, file: &Path, attempt: u32) -> Option<Zeroizing<String>> {
        let again = if attempt > 1 { " (that was wrong)" } else { "" };
        let label = format!("Passphrase of {}{again}", file.display());
        let ui = self.ui.clone();
        let answer = blocking(move || ui.secret(&label, "load the key into ssh-agent")).await;
        answer.ok().filter(|text| !text.is_empty())
    }

    async fn sudo_password(&self, source: &SudoPassword) -> Result<Zeroizing<String>, String> {
        match source {
            SudoPassword::NotNeeded => Err("no password is needed".to_owned()),
            SudoPassword::Prompt => {
                let ui = self.ui.clone();
                let instead = "use `sudo: {env: NAME}` or `sudo: {command: ...}` in the inventory";
                blocking(move || ui.secret("Password for sudo", instead))
                    .await
                    .map_err(|error| error.to_string())
            }
            SudoPassword::Environment(name) => std::env::var(name)
                .map(Zeroizing::new)
                .map_err(|_| format!("the environment variable {name} is not set")),
            SudoPassword::Command(words) => first_line(words).await,
        }
    }
}

async fn first_line(words: &[String]) -> Result<Zeroizing<String>, String> {
    let [program, arguments @ ..] = words else {
        return Err("the command is empty".to_owned());
    };
    let mut command = tokio::process::Command::new(program);
    command
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit());
    let output = command
        .output()
        .await
        .map_err(|error| format!("{program}: {error}"))?;
    let stdout = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(format!("{program} ended with {}", output.status));
    }
    let line = stdout
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    match std::str::from_utf8(line) {
        Ok(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(format!("{program} printed no password")),
    }
}

/// Questions wait for a person; the runtime does not.
async fn blocking<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(ask)
        .await
        .expect("a question does not panic")
}
