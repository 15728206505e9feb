//! `kdiy ssh`.

use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use clap::Args;

use super::source::Source;
use super::{CliError, ConnectionArgs, Exit, Global, connector, selection, source};
use crate::cluster::Node;
use crate::state::State;
use crate::transport::ssh::{Pinned, Ssh as Connector};
use crate::ui::Ui;

/// Log in to a host
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Runs this machine's own ssh with the login of the inventory: address, user,
port, keys, jump hosts, and the same trust in host keys. ~/.ssh/config holds as
ever. A host key that is pinned is kept as a file in .kdiy, for ssh to read.
One argument after -- is a line for the host's shell; several are a program and
its arguments, handed over exactly. The exit code is ssh's.

Examples:
  kdiy ssh cp-1
  kdiy ssh cp-1 -- uptime
  kdiy ssh cp-1 -t -- sudo -i        a terminal for a command, too
  kdiy ssh cp-1 --print              the ssh command, to use or to change"
)]
pub struct Ssh {
    /// The node's name
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Print the command instead of running it
    #[arg(long)]
    pub print: bool,
    /// Give the command a terminal
    #[arg(short = 't', long)]
    pub tty: bool,
    /// What to run there instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

impl Ssh {
    /// Becomes ssh, or prints how that is called.
    ///
    /// # Errors
    /// When the inventory is not valid, the node is not in it, its host key
    /// is pinned and it shows another, or there is no ssh here.
    pub async fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let source = source::load_tersely(global, ui)?;
        let node = selection::node(&source.cluster, &self.node)?;
        let connector = connector::ssh(&self.connection_args, ui)?;
        let pinned = pinned(&connector, &source, node).await?;
        let mut arguments = Vec::new();
        if self.tty {
            arguments.push("-t".to_owned());
        }
        let seconds = self.connection_args.connect_timeout.as_secs();
        arguments.extend(["-o".to_owned(), format!("ConnectTimeout={seconds}")]);
        if self.connection_args.accept_new_host_keys && pinned.is_none() {
            arguments.extend([
                "-o".to_owned(),
                "StrictHostKeyChecking=accept-new".to_owned(),
            ]);
        }
        // What is printed may be used in any folder.
        let mut login = node.login.clone();
        for path in login.identities.iter_mut().chain(&mut login.known_hosts) {
            *path = std::path::absolute(&path)?;
        }
        arguments.extend(connector.arguments(&login, pinned.as_ref())?);
        arguments.extend(self.line()?);
        if self.print {
            let words = std::iter::once("ssh").chain(arguments.iter().map(String::as_str));
            ui.print(&format!("{}\n", shlex::try_join(words)?))?;
            return Ok(Exit::Ok);
        }
        // Comes back only when it could not begin.
        let error = Command::new("ssh").args(&arguments).exec();
        let missing = error.kind() == ErrorKind::NotFound;
        let failed = CliError::new(
            Exit::Error,
            anyhow::Error::new(error).context("cannot run ssh"),
        );
        Err(match missing {
            true => failed.hint(
                "install OpenSSH's client: apt-get install openssh-client, or dnf install \
                 openssh-clients; kdiy exec does without it",
            ),
            false => failed,
        })
    }

    /// The command as the one line that ssh hands to the host's shell.
    fn line(&self) -> Result<Option<String>, CliError> {
        Ok(match &self.command[..] {
            [] => None,
            [line] => Some(line.clone()),
            words => Some(shlex::try_join(words.iter().map(String::as_str))?),
        })
    }
}

/// ssh knows no fingerprints: the key itself is asked for and kept.
async fn pinned(
    connector: &Connector,
    source: &Source,
    node: &Node,
) -> Result<Option<Pinned>, CliError> {
    let name = node.name.as_str();
    let line = connector.pinned_line(&node.login, name).await;
    let line = line.map_err(|error| {
        let hint = error.hint();
        let told = anyhow::Error::new(error).context(name.to_owned());
        CliError::new(Exit::Unreachable, told).hint(hint)
    })?;
    let Some(line) = line else {
        return Ok(None);
    };
    let state = State::open(&source.folder, &source.cluster.name)?;
    let file = std::path::absolute(state.save_host_key(&node.name, &line)?)?;
    let name = name.to_owned();
    Ok(Some(Pinned { file, name }))
}
