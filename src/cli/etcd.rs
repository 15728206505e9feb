//! `kdiy etcd`.

mod keys;
mod snapshot;
mod status;

use std::time::Instant;

use clap::{Args, Subcommand};
use tokio::sync::mpsc::unbounded_channel;

use super::source::Source;
use super::{CliError, ConnectionArgs, Exit, Global, connector};
use crate::cluster::Node;
use crate::etcd::status::{EtcdStatus, Row};
use crate::execute::etcd::members;
use crate::execute::survey::Connections;
use crate::transport::ssh::Link;
use crate::ui::{Ui, progress};

/// Look at etcd's members and keys, save a snapshot
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The members are asked on their own hosts, with the certificates there, whether
etcd is stacked on the control planes or has hosts of its own.

Examples:
  kdiy etcd status                   members, leader, quorum, alarms
  kdiy etcd snapshot save snap.db    a backup of the cluster's data
  kdiy etcd keys --count-only        how many keys Kubernetes has"
)]
pub struct Etcd {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with etcd.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show the members and what the cluster tolerates now
    Status(status::Status),
    /// Save the cluster's data
    Snapshot(snapshot::Snapshot),
    /// List keys, never values
    Keys(keys::Keys),
}

impl Etcd {
    /// Looks, or saves a snapshot.
    ///
    /// # Errors
    /// When the inventory is not valid, no host can be asked, or what was
    /// asked for cannot be had.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        match &self.command {
            Command::Status(status) => status.run(global, ui, start).await,
            Command::Snapshot(snapshot) => snapshot.run(global, ui, start).await,
            Command::Keys(keys) => keys.run(global, ui, start).await,
        }
    }
}

/// What the members said.
struct EtcdQuery {
    etcd_status: EtcdStatus,
    connections: Connections<Link>,
}

async fn query(
    source: &Source,
    connection_args: &ConnectionArgs,
    ui: &Ui,
    start: Instant,
) -> Result<EtcdQuery, CliError> {
    let connector = connector::ssh(connection_args, ui)?;
    let hosts = source.cluster.etcd_members().map(|node| &node.name);
    let mut shown = ui.renderer_beside_document(start, hosts);
    let (events, received) = unbounded_channel();
    let watched = tokio::spawn(async move {
        progress::follow(received, shown.as_mut()).await;
    });
    let width = connection_args.width();
    let (hosts, connections) = members(&source.cluster, &connector, width, &events).await;
    drop(events);
    watched.await?;
    Ok(EtcdQuery {
        etcd_status: EtcdStatus::of(&hosts),
        connections,
    })
}

impl EtcdQuery {
    /// The member to read from, its node and the connection to it.
    fn reader<'a>(&'a self, source: &'a Source) -> Result<(&'a Row, &'a Node, &'a Link), CliError> {
        let row = self.etcd_status.reader();
        row.and_then(|row| self.at(row, source)).ok_or_else(|| {
            let problems = self.etcd_status.members.iter().filter_map(|row| {
                let problem = row.problem.as_ref()?;
                Some(format!("\n{}: {problem}", row.name))
            });
            let problems: String = problems.collect();
            let exit = status::exit(self.etcd_status.verdict);
            let exit = if exit == Exit::Ok { Exit::Down } else { exit };
            CliError::message(exit, format!("no member of etcd is healthy{problems}"))
                .hint("see kdiy etcd status")
        })
    }

    fn at<'a>(&'a self, row: &'a Row, source: &'a Source) -> Option<(&'a Row, &'a Node, &'a Link)> {
        let host = row.host.as_ref()?;
        let node = source
            .cluster
            .nodes
            .iter()
            .find(|node| node.name == *host)?;
        Some((row, node, self.connections.get(host)?.as_ref()))
    }
}
