//! `kdiy facts`.

use std::collections::BTreeSet;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;

use super::selection::{self, Word};
use super::{CliError, ConnectionArgs, Exit, Global, connector, source};
use crate::cluster::{Cluster, Name};
use crate::execute::host_info::query_host_info;
use crate::plan::preflight;
use crate::ui::{self, Output, Ui, progress};

/// Show what the hosts are
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Operating system, size, clock, addresses, what is installed and which of the
cluster's ports are taken: before there is a cluster and after. Nothing is
changed on the hosts and nothing kept here. CLOCK is how far a host's clock is
away from this machine's, at least. Exits with 4 when a host gave no answer.

Examples:
  kdiy facts
  kdiy facts cp-1 w-2
  kdiy facts --on worker --output json   all that is known, for programs"
)]
pub struct Facts {
    /// Nodes and roles; all where nothing is said
    #[arg(value_name = "NODE")]
    pub nodes: Vec<Word>,
    /// Nodes and roles: control-plane, worker, etcd, load-balancer, all
    #[arg(long, value_name = "ROLE|NODE,..", value_delimiter = ',')]
    pub on: Vec<Word>,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    cluster: &'a Name,
    hosts: Vec<ui::facts::Document<'a>>,
}

impl Facts {
    /// Shows what the hosts are.
    ///
    /// # Errors
    /// When the inventory is not valid, or a node is not in it.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let source = source::load_tersely(global, ui)?;
        let cluster = &source.cluster;
        let words: Vec<_> = self.nodes.iter().chain(&self.on).cloned().collect();
        let nodes = selection::select(cluster, &words)?;
        let connector = connector::ssh(&self.connection_args, ui)?;
        let hosts = nodes.iter().map(|node| &node.name);
        let mut shown = ui.renderer_beside_document(start, hosts);
        let (events, received) = unbounded_channel();
        let watched = tokio::spawn(async move {
            progress::follow(received, shown.as_mut()).await;
        });
        let width = self.connection_args.width();
        let (found, host_errors) = query_host_info(&connector, &nodes, width, &events).await;
        drop(events);
        watched.await?;

        let rows: Vec<_> = nodes
            .iter()
            .filter_map(|node| {
                let found = found.get(&node.name).map(Ok);
                let host_error = || host_errors.get(&node.name).map(Err);
                Some((*node, found.or_else(host_error)?))
            })
            .collect();
        match ui.output() {
            Output::Json => ui.json(&Document {
                cluster: &cluster.name,
                hosts: ui::facts::documents(&rows),
            })?,
            Output::Text => ui.print(&ui::facts::render(&rows, &ports(cluster), ui.style()))?,
        }
        for (name, host_error) in &host_errors {
            ui.error(
                &format!("{name}: {host_error}"),
                host_error.hint().as_deref(),
            );
        }
        Ok(if host_errors.is_empty() {
            Exit::Ok
        } else {
            Exit::Unreachable
        })
    }
}

/// Ports that a cluster has on its hosts.
fn ports(cluster: &Cluster) -> BTreeSet<u16> {
    let own = preflight::PORTS.iter().copied();
    own.chain([cluster.endpoint.port]).collect()
}
