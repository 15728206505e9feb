//! `kdiy etcd status`.

use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::query;
use crate::cli::{CliError, ConnectionArgs, Exit, Global, source};
use crate::cluster::Name;
use crate::etcd::status::{EtcdStatus, Verdict};
use crate::ui::{self, Output, Ui};

/// Show the members and what the cluster tolerates now
#[derive(Debug, Clone, Args)]
#[command(after_help = "Hosts that do not answer are shown as such.

Exit codes: 0 all is well; 9 a member is missing or unwell, or an alarm is
raised; 10 there is no quorum; 4 no host can be asked.

Examples:
  kdiy etcd status
  kdiy etcd status --output json     for monitoring")]
pub struct Status {
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    cluster: &'a Name,
    #[serde(flatten)]
    etcd_status: &'a EtcdStatus,
}

impl Status {
    /// Shows the members.
    ///
    /// # Errors
    /// When the inventory is not valid.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        let query = query(&source, &self.connection_args, ui, start).await?;
        let (cluster, etcd_status) = (&source.cluster.name, &query.etcd_status);
        match ui.output() {
            Output::Json => ui.json(&Document {
                cluster,
                etcd_status,
            })?,
            Output::Text => ui.print(&ui::etcd::status(cluster, etcd_status, ui.style()))?,
        }
        Ok(exit(etcd_status.verdict))
    }
}

/// How a command ends that says how etcd is.
pub(super) const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Healthy => Exit::Ok,
        Verdict::Degraded => Exit::Degraded,
        Verdict::Down => Exit::Down,
        Verdict::Unknown => Exit::Unreachable,
    }
}
