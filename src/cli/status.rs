//! `kdiy status`.

mod watch;

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::source::Source;
use super::{CliError, ConnectionArgs, Exit, Global, connector, source};
use crate::cluster::Name;
use crate::execute::Event;
use crate::execute::status::{self, Kept, Observer};
use crate::status::{ClusterStatus, Drift, Verdict};
use crate::transport::Connector;
use crate::transport::ssh::Ssh;
use crate::ui::{self, Output, Ui, progress};

/// Show how the cluster is, and what is down
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Every host is asked about itself: nodes, API servers, controller-managers,
schedulers, etcd, load balancers, who holds the virtual address, certificates,
and how far the hosts are from the inventory. Nothing is changed on them, and
nothing is kept here. Hosts that do not answer are shown as such.

With --watch the screen is drawn anew until Ctrl-C, and kdiy ends with the code
of what was seen last; in a pipe a line is written for each change, with
--output json a document on a line for each look. The comparison with the
inventory is made once a minute then.

Exit codes: 0 all is well; 9 something is missing or wrong, and the cluster
serves; 10 the API cannot be reached or etcd has no quorum; 4 no host can be
asked; 5 there is no cluster yet.

Examples:
  kdiy status
  kdiy status -v                     every certificate
  kdiy status --watch                again every 5 seconds
  kdiy status --no-drift -o json     for monitoring: one look at each host"
)]
pub struct Status {
    /// Look again every so many seconds (5)
    #[arg(
        long,
        value_name = "SECS",
        num_args = 0..=1,
        default_missing_value = "5",
        value_parser = super::connection_args::seconds
    )]
    pub watch: Option<Duration>,
    /// Do not compare the hosts with the inventory
    #[arg(long)]
    pub no_drift: bool,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    cluster: &'a Name,
    #[serde(flatten)]
    cluster_status: &'a ClusterStatus,
    /// `null` when it was not asked for, or there is no cluster.
    drift: Option<&'a Drift>,
}

impl Status {
    /// Shows how the cluster is.
    ///
    /// # Errors
    /// When the inventory is not valid.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        let connector = connector::fail_fast(&self.connection_args, ui)?;
        let mut query = self.query(&source, &connector);
        let shown = ui.renderer_beside_document(start, source.hosts());
        let (events, received) = unbounded_channel();
        let watched = tokio::spawn(async move {
            let mut shown = shown;
            progress::follow(received, shown.as_mut()).await;
        });
        let report = query.run(&events, None).await;
        drop(events);
        watched.await?;
        if let Some(pause) = self.watch {
            return watch::watch(query, report, pause, ui).await;
        }
        let (cluster, cluster_status) = (&source.cluster, &report.cluster_status);
        let drift = report.drift.as_ref();
        match ui.output() {
            Output::Json => ui.json(&document(&source, &report))?,
            Output::Text => ui.print(&ui::status::render(
                cluster,
                cluster_status,
                drift,
                ui.style(),
            ))?,
        }
        Ok(exit(cluster_status.verdict))
    }

    fn query<'a>(&self, source: &'a Source, connector: &'a Ssh) -> StatusQuery<'a, Ssh> {
        let kept = (!self.no_drift).then(|| {
            let now = OffsetDateTime::now_utc();
            status::kept(&source.folder, &source.cluster, now)
        });
        StatusQuery {
            observer: Observer::new(&source.cluster, connector, self.connection_args.width()),
            source,
            kept,
        }
    }
}

/// Looks again and again over the same connections.
struct StatusQuery<'a, C: Connector> {
    source: &'a Source,
    observer: Observer<'a, C>,
    /// `None` when drift is not asked for.
    kept: Option<Kept>,
}

/// What was seen at one look.
struct StatusReport {
    cluster_status: ClusterStatus,
    drift: Option<Drift>,
}

impl<C: Connector> StatusQuery<'_, C> {
    /// Looks once. `known` is drift that need not be looked at again.
    async fn run(&mut self, events: &UnboundedSender<Event>, known: Option<Drift>) -> StatusReport {
        let hosts = self.observer.ask(events).await;
        let cluster_status =
            ClusterStatus::of(&self.source.cluster, &hosts, OffsetDateTime::now_utc());
        let there = !matches!(cluster_status.verdict, Verdict::Absent | Verdict::Unknown);
        let drift = match (self.kept.as_ref().filter(|_| there), known) {
            (Some(_), Some(known)) => Some(known),
            (Some(kept), None) => Some(
                self.observer
                    .drift(&hosts, &cluster_status, kept, events)
                    .await,
            ),
            (None, _) => None,
        };
        StatusReport {
            cluster_status,
            drift,
        }
    }
}

fn document<'a>(source: &'a Source, report: &'a StatusReport) -> Document<'a> {
    Document {
        cluster: &source.cluster.name,
        cluster_status: &report.cluster_status,
        drift: report.drift.as_ref(),
    }
}

const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Healthy => Exit::Ok,
        Verdict::Degraded => Exit::Degraded,
        Verdict::Down => Exit::Down,
        Verdict::Absent => Exit::Preflight,
        Verdict::Unknown => Exit::Unreachable,
    }
}
