//! `kdiy etcd snapshot`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{EtcdQuery, query};
use crate::cli::source::Source;
use crate::cli::{CliError, ConnectionArgs, Exit, Global, node_name, source};
use crate::cluster::{Name, Node, Topology};
use crate::etcd::snapshot::Head;
use crate::etcd::status::{EtcdStatus, Row};
use crate::execute;
use crate::execute::etcd::SnapshotError;
use crate::state::{self, Incoming};
use crate::transport;
use crate::transport::ssh::Link;
use crate::ui::{self, Output, Ui};

/// Save the cluster's data
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  kdiy etcd snapshot save snap.db    a backup of the cluster's data")]
pub struct Snapshot {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with snapshots.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Take a snapshot, check it, save it to a file
    Save(Save),
}

/// Take a snapshot, check it, save it to a file
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A healthy member takes it, not the leader if there is a choice. etcd's own tool
checks it there; it is sent here and checked again, and the host keeps nothing.
The file holds every secret of the cluster: only you may read it (mode 0600).

Examples:
  kdiy etcd snapshot save snap.db
  kdiy etcd snapshot save snap.db --force
  kdiy etcd snapshot save last.db --from cp-2   a member that is left over"
)]
pub struct Save {
    /// Where to save it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Take it from this member, even if it is not healthy
    #[arg(long, value_name = "NODE", value_parser = node_name)]
    pub from: Option<Name>,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    file: &'a Path,
    host: &'a Name,
    member: &'a str,
    #[serde(flatten)]
    head: &'a Head,
    restore: String,
}

impl Snapshot {
    /// Saves one.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let Command::Save(save) = &self.command;
        save.run(global, ui, start).await
    }
}

impl Save {
    async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        // Before anything is asked of a host.
        let mut file = Incoming::create(&self.file, self.force).map_err(write_error)?;
        let query = query(&source, &self.connection_args, ui, start).await?;
        let (row, node, link) = self.member(&query, &source)?;
        ui.note(&format!("{} takes a snapshot.", node.name));
        let taken = self.fetch(&source, row, node, link, &mut file, ui);
        let head = tokio::select! {
            head = taken => head?,
            // Dropping both ends the script there and removes the file here.
            _ = tokio::signal::ctrl_c() => {
                return Err(CliError::message(Exit::Interrupted, "interrupted; nothing was saved"));
            }
        };
        file.keep().map_err(write_error)?;
        self.show(row, &head, &query.etcd_status, &source.cluster.topology, ui)?;
        Ok(Exit::Ok)
    }

    /// The member that takes it.
    fn member<'a>(
        &self,
        query: &'a EtcdQuery,
        source: &'a Source,
    ) -> Result<(&'a Row, &'a Node, &'a Link), CliError> {
        let Some(name) = &self.from else {
            return query.reader(source).map_err(|failed| {
                failed.hint("see kdiy etcd status; --from NODE takes what one member has left")
            });
        };
        let rows = || query.etcd_status.members.iter();
        let Some(row) = rows().find(|row| row.host.as_ref() == Some(name)) else {
            let hosts: Vec<_> = rows().filter_map(|row| row.host.as_ref()).collect();
            let hosts: Vec<_> = hosts.iter().map(|host| host.as_str()).collect();
            let what = format!("--from names {name}, which has no member of etcd");
            let hint = format!("those that have are {}", hosts.join(", "));
            return Err(CliError::message(Exit::Usage, what).hint(hint));
        };
        query
            .at(row, source)
            .filter(|(row, ..)| row.measured.is_some())
            .ok_or_else(|| {
                let why = row.problem.as_deref().unwrap_or(row.state.as_str());
                CliError::message(Exit::Down, format!("{name} cannot take a snapshot: {why}"))
                    .hint("see kdiy etcd status, and start etcd there")
            })
    }

    async fn fetch(
        &self,
        source: &Source,
        row: &Row,
        node: &Node,
        link: &Link,
        file: &mut Incoming,
        ui: &Ui,
    ) -> Result<Head, CliError> {
        let size = row.measured.as_ref().map_or(0, |of| of.db_size);
        let topology = &source.cluster.topology;
        let mut transfer = ui.transfer(&node.name);
        let mut come = |got, size| transfer.come(got, size);
        let taken =
            execute::etcd::snapshot(link, topology, &node.address, size, file, &mut come).await;
        taken.map_err(|error| failed(&node.name, error))
    }

    fn show(
        &self,
        row: &Row,
        head: &Head,
        etcd_status: &EtcdStatus,
        topology: &Topology,
        ui: &Ui,
    ) -> std::io::Result<()> {
        let file = self.file.display().to_string();
        match (ui.output(), &row.host) {
            (Output::Json, Some(host)) => ui.json(&Document {
                file: &self.file,
                host,
                member: &row.name,
                head,
                restore: ui::etcd::restore(
                    &file,
                    row,
                    head.contents.revision,
                    etcd_status,
                    topology,
                )
                .join("\n"),
            }),
            _ => ui.print(&ui::etcd::saved(
                &file,
                row,
                head,
                etcd_status,
                topology,
                ui.style(),
            )),
        }
    }
}

fn write_error(error: state::Error) -> CliError {
    match error {
        state::Error::Exists(_) => {
            CliError::new(Exit::Error, error).hint("name another file, or replace it with --force")
        }
        other => other.into(),
    }
}

fn failed(host: &Name, error: SnapshotError) -> CliError {
    let what = format!("{host}: no snapshot: {error}");
    match error {
        SnapshotError::Transport(error) => {
            let exit = match error {
                transport::Error::NotKept { .. } | transport::Error::TimeLimit { .. } => {
                    Exit::Error
                }
                _ => Exit::Unreachable,
            };
            CliError::message(exit, what).hint(error.hint())
        }
        SnapshotError::Failed { .. } => {
            let hint = "see to that on the host, or choose another member with --from NODE";
            CliError::message(Exit::Error, what).hint(hint)
        }
        SnapshotError::Integrity(_) => CliError::message(Exit::Error, what)
            .hint("run the same command again, or choose another member with --from NODE"),
    }
}
