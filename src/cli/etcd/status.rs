//! `kdiy etcd status`.

use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::look;
use crate::cli::{Exit, Failed, Global, Reach, source};
use crate::cluster::Name;
use crate::etcd::picture::{Picture, Verdict};
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
    pub reach: Reach,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    cluster: &'a Name,
    #[serde(flatten)]
    picture: &'a Picture,
}

impl Status {
    /// Shows the members.
    ///
    /// # Errors
    /// When the inventory is not valid.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, Failed> {
        let source = source::load(global, ui)?;
        let look = look(&source, &self.reach, ui, start).await?;
        let (cluster, picture) = (&source.cluster.name, &look.picture);
        match ui.output() {
            Output::Json => ui.json(&Document { cluster, picture })?,
            Output::Text => ui.print(&ui::etcd::status(cluster, picture, ui.style()))?,
        }
        Ok(exit(picture.verdict))
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
