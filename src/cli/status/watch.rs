//! `kdiy status --watch`: again and again, over the same connections.

use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::format_description;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;

use super::{StatusQuery, StatusReport, document, exit};
use crate::cli::{CliError, Exit};
use crate::cluster::Name;
use crate::status::{ClusterStatus, Severity, Verdict};
use crate::transport::Connector;
use crate::ui::{self, Canvas, Output, Ui};

/// How long what was seen of drift is good for: looking costs the hosts far
/// more than all the rest.
const DRIFT: Duration = Duration::from_secs(60);

/// Shows what was seen, and looks again after each pause, until somebody ends
/// it or nobody reads any more. Ends as what was seen last.
pub(super) async fn watch<C: Connector>(
    mut query: StatusQuery<'_, C>,
    mut report: StatusReport,
    pause: Duration,
    ui: &Ui,
) -> Result<Exit, CliError> {
    let mut ends = signal(SignalKind::terminate())?;
    let mut canvas = ui.canvas();
    let mut last = None;
    let mut compared = Instant::now();
    // Nobody shows how a look goes.
    let (events, _) = unbounded_channel();
    loop {
        show(&query, &report, &mut last, canvas.as_mut(), pause, ui)?;
        if !ui.is_read() {
            break;
        }
        let known = report.drift.clone().filter(|_| compared.elapsed() < DRIFT);
        let again = async {
            tokio::time::sleep(pause).await;
            let stale = known.is_none();
            (query.run(&events, known).await, stale)
        };
        tokio::select! {
            (next, anew) = again => {
                report = next;
                if anew {
                    compared = Instant::now();
                }
            }
            _ = tokio::signal::ctrl_c() => break,
            _ = ends.recv() => break,
        }
    }
    if canvas.take().is_some() {
        // What was on the other screen last stays to be read.
        let (cluster, drift) = (&query.source.cluster, report.drift.as_ref());
        let text = ui::status::render(cluster, &report.cluster_status, drift, ui.style());
        ui.print(&text)?;
    }
    Ok(exit(report.cluster_status.verdict))
}

/// What makes two looks differ. Texts may differ by a number of milliseconds.
type Essence = (Verdict, Vec<(Severity, Option<Name>)>, String);

fn essence(cluster_status: &ClusterStatus) -> Essence {
    let problems = cluster_status.problems.iter();
    let problems = problems.map(|problem| (problem.severity, problem.host.clone()));
    let summary = ui::status::summary(cluster_status);
    (cluster_status.verdict, problems.collect(), summary)
}

fn show<C: Connector>(
    query: &StatusQuery<'_, C>,
    report: &StatusReport,
    last: &mut Option<Essence>,
    canvas: Option<&mut Canvas>,
    pause: Duration,
    ui: &Ui,
) -> Result<(), CliError> {
    let cluster = &query.source.cluster;
    let cluster_status = &report.cluster_status;
    // In UTC: the zone here is not available without unsafe code.
    let form = format_description!("[hour]:[minute]:[second]Z");
    let now = OffsetDateTime::now_utc().format(form)?;
    if let Some(canvas) = canvas {
        let style = canvas.style();
        let text = ui::status::render(cluster, cluster_status, report.drift.as_ref(), &style);
        let last = format!("{now}  every {} s  Ctrl-C ends", pause.as_secs());
        canvas.draw(&text, &style.paint(ui::Tone::Faint, &last))?;
    } else if ui.output() == Output::Json {
        ui.json_line(&document(query.source, report))?;
    } else {
        let essence = essence(cluster_status);
        if last.as_ref() != Some(&essence) {
            ui.print(&format!(
                "{now} {}\n",
                ui::status::line(cluster, cluster_status)
            ))?;
            *last = Some(essence);
        }
    }
    Ok(())
}
