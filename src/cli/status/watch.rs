//! `kdiy status --watch`: again and again, over the same connections.

use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::format_description;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;

use super::{Looked, Looker, document, exit};
use crate::cli::{Exit, Failed};
use crate::cluster::Name;
use crate::status::{Picture, Severity, Verdict};
use crate::transport::Connector;
use crate::ui::{self, Canvas, Output, Ui};

/// How long what was seen of drift is good for: looking costs the hosts far
/// more than all the rest.
const DRIFT: Duration = Duration::from_secs(60);

/// Shows what was seen, and looks again after each pause, until somebody ends
/// it or nobody reads any more. Ends as what was seen last.
pub(super) async fn watch<C: Connector>(
    mut looker: Looker<'_, C>,
    mut looked: Looked,
    pause: Duration,
    ui: &Ui,
) -> Result<Exit, Failed> {
    let mut ends = signal(SignalKind::terminate())?;
    let mut canvas = ui.canvas();
    let mut told = None;
    let mut compared = Instant::now();
    // Nobody shows how a look goes.
    let (events, _) = unbounded_channel();
    loop {
        show(&looker, &looked, &mut told, canvas.as_mut(), pause, ui)?;
        if !ui.is_read() {
            break;
        }
        let known = looked.drift.clone().filter(|_| compared.elapsed() < DRIFT);
        let again = async {
            tokio::time::sleep(pause).await;
            let stale = known.is_none();
            (looker.look(&events, known).await, stale)
        };
        tokio::select! {
            (next, anew) = again => {
                looked = next;
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
        let (cluster, drift) = (&looker.source.cluster, looked.drift.as_ref());
        let text = ui::status::render(cluster, &looked.picture, drift, ui.style());
        ui.print(&text)?;
    }
    Ok(exit(looked.picture.verdict))
}

/// What makes two looks differ. Texts may differ by a number of milliseconds.
type Told = (Verdict, Vec<(Severity, Option<Name>)>, String);

fn essence(picture: &Picture) -> Told {
    let problems = picture.problems.iter();
    let problems = problems.map(|problem| (problem.severity, problem.host.clone()));
    let summary = ui::status::summary(picture);
    (picture.verdict, problems.collect(), summary)
}

fn show<C: Connector>(
    looker: &Looker<'_, C>,
    looked: &Looked,
    told: &mut Option<Told>,
    canvas: Option<&mut Canvas>,
    pause: Duration,
    ui: &Ui,
) -> Result<(), Failed> {
    let cluster = &looker.source.cluster;
    let picture = &looked.picture;
    // In UTC: the zone here is not to be had without unsafe code.
    let form = format_description!("[hour]:[minute]:[second]Z");
    let now = OffsetDateTime::now_utc().format(form)?;
    if let Some(canvas) = canvas {
        let style = canvas.style();
        let text = ui::status::render(cluster, picture, looked.drift.as_ref(), &style);
        let last = format!("{now}  every {} s  Ctrl-C ends", pause.as_secs());
        canvas.draw(&text, &style.paint(ui::Tone::Faint, &last))?;
    } else if ui.output() == Output::Json {
        ui.json_line(&document(looker.source, looked))?;
    } else {
        let essence = essence(picture);
        if told.as_ref() != Some(&essence) {
            ui.print(&format!("{now} {}\n", ui::status::line(cluster, picture)))?;
            *told = Some(essence);
        }
    }
    Ok(())
}
