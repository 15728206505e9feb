//! `kdiy logs`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Serialize;
use time::OffsetDateTime;

use super::{CliError, Exit, Global, owner, selection, source};
use crate::cluster::{Cluster, Name};
use crate::plan::Actor;
use crate::state::log::{self, Outcome};
use crate::state::{self, Record, State};
use crate::ui::logs::{self, ActorLog, Course, Run};
use crate::ui::text::{duration, names};
use crate::ui::{Output, Ui};

/// Stands for the newest run.
const LAST: &str = "last";

/// Show what hosts said in past runs
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Without arguments: the runs of apply that are kept, the newest first. With a
run: its steps. With a run and a node: all that the host said. `last` is the
newest run; a node alone means that node in the newest run. AT is in seconds
since the command began. Nothing is asked of the hosts. Secrets were masked
before anything was written.

Examples:
  kdiy logs
  kdiy logs last
  kdiy logs last cp-1
  kdiy logs last --failed            what failed steps said, of all nodes"
)]
pub struct Logs {
    /// A run of the list, or last
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// A node's name
    #[arg(value_name = "NODE")]
    pub node: Option<String>,
    /// Only what failed
    #[arg(long)]
    pub failed: bool,
}

/// What is printed as JSON without a run.
#[derive(Serialize)]
struct Document<'a> {
    cluster: &'a Name,
    runs: &'a [Run],
}

impl Logs {
    /// Shows past runs.
    ///
    /// # Errors
    /// When the inventory is not valid, or there is no such run or log.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let source = source::load_tersely(global, ui)?;
        let cluster = &source.cluster;
        let state = State::existing(&source.folder, &cluster.name)?;
        let all = state.map_or_else(|| Ok(Vec::new()), |state| state.runs())?;
        let (wanted, node) = self.wanted(cluster, &all)?;
        let Some(wanted) = wanted else {
            self.list(cluster, &all, ui)?;
            return Ok(Exit::Ok);
        };
        let run = known(wanted)?;
        if let Some(node) = &node
            && !run.actors.contains(node)
        {
            let what = format!("nothing was done on {node} in run {}", run.run);
            let actors: Vec<_> = run.actors.iter().map(Actor::as_str).collect();
            let failed = CliError::message(Exit::Error, what);
            return Err(failed.hint(format!("it has logs of {}", actors.join(", "))));
        }
        let mut kept = Vec::new();
        let of = |actor: &&Actor| node.as_ref().is_none_or(|node| node == *actor);
        for actor in run.actors.iter().filter(of) {
            let mut steps = log::read(&wanted.read_log(actor)?.unwrap_or_default());
            steps.retain(|step| !self.failed || matches!(step.outcome, Outcome::Failed(_)));
            let actor = actor.clone();
            kept.push(ActorLog { actor, steps });
        }
        let found = kept.iter().any(|log| !log.steps.is_empty());
        match ui.output() {
            Output::Json => ui.json(&logs::document(&run, &kept))?,
            Output::Text if !found && self.failed => ui.note(&format!(
                "No step failed in run {}{}.",
                run.run,
                node.map(|node| format!(" on {node}")).unwrap_or_default()
            )),
            Output::Text if node.is_some() || self.failed => {
                let shown = kept
                    .iter()
                    .map(|log| logs::whole(log, run.state, ui.style()));
                ui.print(&shown.collect::<String>())?;
            }
            Output::Text => {
                let shown = std::slice::from_ref(&run);
                ui.print(&logs::runs(shown, ui.style()))?;
                ui.print(&format!(
                    "\n{}",
                    logs::overview(&kept, run.state, ui.style())
                ))?;
                ui.note(&format!("\nWhat a host said: kdiy logs {} NODE", run.run));
            }
        }
        Ok(Exit::Ok)
    }

    /// The run and the node that are asked for.
    fn wanted<'r>(
        &self,
        cluster: &Cluster,
        kept: &'r [state::Run],
    ) -> Result<(Option<&'r state::Run>, Option<Actor>), CliError> {
        let Some(word) = self.run.as_deref().or(self.failed.then_some(LAST)) else {
            return Ok((None, None));
        };
        let actor = |text: &str| Actor::try_from(text.to_owned()).ok();
        let is_node = |text: &str| cluster.nodes.iter().any(|node| node.name.as_str() == text);
        let newest = || {
            kept.first().ok_or_else(|| {
                CliError::message(Exit::Error, "no run is kept yet")
                    .hint("kdiy apply keeps what hosts say in it")
            })
        };
        let found = kept.iter().find(|run| run.id() == word);
        let run = match found {
            Some(run) => run,
            None if word == LAST => newest()?,
            None if self.node.is_none() && is_node(word) => {
                return Ok((Some(newest()?), actor(word)));
            }
            None => {
                let what = format!("no run {word:?} is kept");
                let hint = "see the list with kdiy logs; last is the newest";
                return Err(CliError::message(Exit::Usage, what).hint(hint));
            }
        };
        let Some(node) = self.node.as_deref() else {
            return Ok((Some(run), None));
        };
        // A node that has left the inventory may have logs all the same.
        match actor(node) {
            Some(actor) if run.actors()?.contains(&actor) => Ok((Some(run), Some(actor))),
            _ => {
                let node = selection::node(cluster, node)?;
                Ok((Some(run), Some(node.name.clone().into())))
            }
        }
    }

    fn list(&self, cluster: &Cluster, kept: &[state::Run], ui: &Ui) -> Result<(), CliError> {
        let runs = kept.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        match ui.output() {
            Output::Json => ui.json(&Document {
                cluster: &cluster.name,
                runs: &runs,
            })?,
            Output::Text if runs.is_empty() => {
                ui.note("No run is kept yet: kdiy apply keeps what hosts say in it.");
            }
            Output::Text => ui.print(&logs::runs(&runs, ui.style()))?,
        }
        Ok(())
    }
}

fn known(run: &state::Run) -> Result<Run, state::Error> {
    let record = run.record()?;
    Ok(Run {
        run: run.id(),
        state: course(run, record.as_ref())?,
        record,
        actors: run.actors()?,
    })
}

fn course(run: &state::Run, record: Option<&Record>) -> Result<Course, state::Error> {
    if record.is_some_and(|record| record.ended.is_some()) {
        return Ok(Course::Ended);
    }
    let history = run.history()?;
    let process = history.head().and_then(|head| head.process.as_deref());
    Ok(match process.and_then(owner::runs) {
        Some(true) => Course::Runs,
        Some(false) => Course::CutShort,
        None => Course::Unknown,
    })
}

/// What is to be said when the newest run was cut short.
///
/// # Errors
/// When what is kept of it cannot be read.
pub fn cut_short(state: &State, now: OffsetDateTime) -> Result<Option<String>, state::Error> {
    let Some(run) = state.runs()?.into_iter().next() else {
        return Ok(None);
    };
    if course(&run, run.record()?.as_ref())? != Course::CutShort {
        return Ok(None);
    }
    let history = run.history()?;
    let since = history.last().map(|last| now - last);
    let since = since.and_then(|since| std::time::Duration::try_from(since).ok());
    let since = since.map(|since| format!(" {} ago", duration(since)));
    let mut at_work: BTreeMap<&str, BTreeSet<&Actor>> = BTreeMap::new();
    for step in history.at_work() {
        at_work.entry(&step.title).or_default().insert(&step.actor);
    }
    let steps = at_work.iter();
    let steps: Vec<_> = steps
        .map(|(title, actors)| format!("\"{title}\" on {}", names(actors)))
        .collect();
    let steps = match &steps[..] {
        [] => "between two steps".to_owned(),
        steps => format!("during {}", steps.join(", ")),
    };
    Ok(Some(format!(
        "Run {} was cut short{} {steps}. This apply goes on from what the hosts are.",
        run.id(),
        since.unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::journal::{Happened, Head, Step};
    use time::macros::datetime;

    const BEGAN: OffsetDateTime = datetime!(2026-05-04 03:02:01 UTC);

    /// A state with one run, begun by such a process.
    fn begun(process: Option<String>) -> (tempfile::TempDir, State, state::Run) {
        let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path(), &name("prod")).unwrap();
        let run = state.create_run(&name("r1")).unwrap();
        let record = Record {
            command: "apply".to_owned(),
            began: BEGAN,
            ended: None,
            exit_code: None,
            counts: None,
        };
        run.write_record(&record).unwrap();
        let journal = run.journal().unwrap();
        let head = Head {
            kdiy: "0.1.0".to_owned(),
            command: "apply".to_owned(),
            began: BEGAN,
            process,
            plan: String::new(),
            steps: 3,
            hosts: 3,
        };
        journal.write(1.0, Happened::RunStarted(head));
        for (step, host) in ["cp-2", "w-1", "w-2"].into_iter().enumerate() {
            let title = if step == 0 {
                "join the cluster"
            } else {
                "pull images"
            };
            let (actor, title) = (name(host).into(), title.to_owned());
            journal.write(2.0, Happened::StepStarted(Step { step, actor, title }));
        }
        (folder, state, run)
    }

    #[test]
    fn the_next_apply_hears_what_a_run_that_was_cut_short_was_at() {
        let now = BEGAN + time::Duration::seconds(186);
        let gone = owner::mark().map(|mark| format!("{mark}0"));
        let (_folder, state, run) = begun(gone);
        let wanted = "Run r1 was cut short 3m04s ago during \"join the cluster\" on cp-2, \"pull \
                      images\" on w-1, w-2. This apply goes on from what the hosts are.";
        assert_eq!(cut_short(&state, now).unwrap().as_deref(), Some(wanted));
        let ended = Record {
            ended: Some(BEGAN),
            ..run.record().unwrap().unwrap()
        };
        run.write_record(&ended).unwrap();
        assert_eq!(cut_short(&state, now).unwrap(), None);
    }

    #[test]
    fn of_a_run_that_goes_on_or_is_elsewhere_nothing_is_said() {
        for process in [owner::mark(), Some("elsewhere/1/1".to_owned()), None] {
            let (_folder, state, _) = begun(process);
            assert_eq!(cut_short(&state, BEGAN).unwrap(), None);
        }
    }
}
