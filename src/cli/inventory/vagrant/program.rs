//! The `vagrant` program: which machines run, and how they are logged in to.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::cli::{CliError, Exit};
use crate::ui::Ui;

/// What `vagrant ssh-config` says of the machines that run.
///
/// # Errors
/// When there is no Vagrant, no Vagrantfile or no machine that runs.
pub async fn ssh_config(folder: &Path, ui: &Ui) -> Result<String, CliError> {
    ui.note("Asking Vagrant for its machines.");
    let said = run(folder, &["ssh-config"]).await?;
    if said.status.success() {
        return Ok(text(&said.stdout));
    }
    // It stops at the first machine that does not run.
    let status = run(folder, &["status", "--machine-readable"]).await?;
    let states = text(&status.stdout);
    let states = states_of(&states);
    if !status.status.success() || states.is_empty() {
        return Err(failed(folder, &said));
    }
    let (running, others): (Vec<_>, Vec<_>) = states
        .into_iter()
        .partition(|(_, state)| *state == "running");
    let others = others.iter().map(|(name, state)| {
        let state = state.replace('_', " ");
        format!("{name} ({state})")
    });
    let others: Vec<_> = others.collect();
    if running.is_empty() {
        let message = format!("no machine runs: {}", others.join(", "));
        return Err(CliError::message(Exit::Unreachable, message)
            .hint("start them with `vagrant up`, then import again"));
    }
    if !others.is_empty() {
        ui.warn(&format!(
            "left out, as they do not run: {}. Start them with `vagrant up` and import again to \
             have them in the inventory",
            others.join(", ")
        ));
    }
    let names = running.iter().map(|(name, _)| *name);
    let words: Vec<&str> = ["ssh-config"].into_iter().chain(names).collect();
    let said = run(folder, &words).await?;
    if said.status.success() {
        Ok(text(&said.stdout))
    } else {
        Err(failed(folder, &said))
    }
}

/// Machines with their states, of lines `TIME,NAME,state,STATE`.
fn states_of(text: &str) -> Vec<(&str, &str)> {
    let fields = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let states = fields.filter_map(|fields| match fields[..] {
        [_, name, "state", state] if !name.is_empty() => Some((name, state)),
        _ => None,
    });
    states.collect()
}

async fn run(folder: &Path, words: &[&str]) -> Result<Output, CliError> {
    let mut command = Command::new("vagrant");
    command.args(words).current_dir(folder).stdin(Stdio::null());
    command.output().await.map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        if missing && !folder.is_dir() {
            let message = format!("there is no folder {}", folder.display());
            return CliError::message(Exit::Usage, message)
                .hint("name the Vagrantfile's with --dir");
        }
        let failed = anyhow::Error::new(error).context("cannot run vagrant");
        let failed = CliError::new(Exit::Error, failed);
        match missing {
            true => failed.hint(
                "install Vagrant, or give what `vagrant ssh-config` printed elsewhere as FILE",
            ),
            false => failed,
        }
    })
}

/// Vagrant says at length why it failed; that is told as it is.
fn failed(folder: &Path, said: &Output) -> CliError {
    let why = text(&said.stderr);
    let why = match why.trim() {
        "" => format!("it ended with {} and said nothing", said.status),
        why => why.to_owned(),
    };
    let message = format!("vagrant ssh-config in {} failed\n{why}", folder.display());
    CliError::message(Exit::Error, message)
        .hint("run it where the Vagrantfile is, or name that folder with --dir")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_among_other_lines() {
        let text = "1795270123,cp-1,metadata,provider,docker\n\
                    1795270123,cp-1,provider-name,docker\n\
                    1795270123,cp-1,state,running\n\
                    1795270123,cp-1,state-human-short,running\n\
                    1795270123,w-1,state,not_created\n\
                    1795270123,,ui,info,Current machine states:\\n\n";
        assert_eq!(
            states_of(text),
            [("cp-1", "running"), ("w-1", "not_created")]
        );
        assert_eq!(states_of("anything\nelse"), []);
    }
}
