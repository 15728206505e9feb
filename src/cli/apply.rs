//! `kdiy apply`.

mod host_locks;
mod run_plan;
mod run_recorder;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use clap::Args;
use time::OffsetDateTime;
use time::macros::format_description;

use super::interrupt::Interrupts;
use super::survey::Survey;
use super::{
    CliError, ConnectionArgs, Exit, Global, kubeconfig, logs, node_name, owner, saved, source,
    survey,
};
use crate::cluster::{Cluster, Name};
use crate::execute::survey::Connections;
use crate::transport::ssh::Link;
use crate::ui::summary::{self, Next};
use crate::ui::{self, Output, Ui};
use host_locks::{HostLocks, wait_until_idle};
use run_plan::{RunContext, run_plan};
use run_recorder::RunRecorder;

/// What an interrupt before the first change comes to.
const UNCHANGED: &str = "interrupted; nothing was changed";

/// Make the hosts as the inventory says
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Shows the plan, asks, and runs it. A run that was cut short or failed is
continued by running apply again.

Examples:
  kdiy apply
  kdiy apply --yes                   ask nothing, as CI needs it
  kdiy apply new.plan                what plan --out saved, or nothing
  kdiy apply --limit w-4,w-5         only these nodes and what they need
  kdiy apply --yes --output json     one JSON object a line while it runs"
)]
pub struct Apply {
    /// A plan saved by plan --out; refused if a host has changed since
    #[arg(value_name = "PLANFILE", conflicts_with = "limit")]
    pub plan: Option<PathBuf>,
    /// Do not ask before the first change
    #[arg(short, long)]
    pub yes: bool,
    /// Only these nodes, and steps of other nodes that they need
    #[arg(long, value_name = "NODE,..", value_delimiter = ',', value_parser = node_name)]
    pub limit: Vec<Name>,
    /// Take hosts from another kdiy that applies, whose steps then stop
    #[arg(long)]
    pub steal_lock: bool,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

impl Apply {
    /// Shows the plan, asks, and runs it.
    ///
    /// # Errors
    /// When a host cannot be looked at or has problems, the user says no, the
    /// saved plan is stale, another kdiy applies, or a step fails.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let interrupts = Interrupts::listen()?;
        let mut locks = HostLocks::nothing();
        let ended = self
            .lock_and_run(global, ui, start, &interrupts, &mut locks)
            .await;
        // A host that hangs holds nobody up who presses Ctrl-C once more.
        tokio::select! {
            () = locks.give_back(ui) => {}
            () = interrupts.wait_for(interrupts.count() + 1) => {}
        }
        ended
    }

    async fn lock_and_run(
        &self,
        global: &Global,
        ui: &Ui,
        start: Instant,
        interrupts: &Interrupts,
        locks: &mut HostLocks<Link>,
    ) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        let cluster = &source.cluster;
        let saved = self
            .plan
            .as_ref()
            .map(|path| saved::load(path, &cluster.name))
            .transpose()?;
        let limit = saved.as_ref().map_or(&self.limit, |saved| &saved.limit);
        let shown = ui.renderer(start, source.hosts());
        let began = OffsetDateTime::now_utc();
        let id = run_id(began);
        let before = async |connections: &Connections<Link>| {
            let owner = owner::of(&cluster.name, &id, began);
            let lock = locks.take(connections, owner, self.steal_lock, ui).await?;
            wait_until_idle(lock, ui).await
        };
        let survey = survey::survey(&source, &self.connection_args, limit, ui, shown, before);
        let mut survey = interrupts.unless(ui, UNCHANGED, survey).await??;
        let lock = locks
            .lock()
            .expect("hosts are taken before they are looked at");
        let there_is_more = survey.plan.as_ref().is_some_and(|plan| !plan.is_empty());
        if there_is_more && let Some(what) = logs::cut_short(&survey.state, began)? {
            ui.note(&what);
        }
        if let Some(plan) = &survey.plan {
            match ui.output() {
                Output::Json => ui.plan_event(plan, start, Instant::now()),
                // What is in the way of it would scroll off with the steps.
                Output::Text if !survey.problems.is_empty() => {
                    let all = "kdiy plan shows the steps.";
                    match ui::plan::totals(plan, ui.style()) {
                        none if none.is_empty() => {}
                        totals => ui.print(&format!("{totals}{all}\n\n"))?,
                    }
                }
                Output::Text => {
                    let text = ui::plan::render(plan, survey.hosts(limit), ui.style());
                    ui.print(&text)?;
                }
            }
        }
        let plan = match &survey.plan {
            Some(plan) if survey.problems.is_empty() => plan,
            _ => {
                ui.tell(&ui::problems::render(&survey.problems, ui.err_style()));
                return Err(CliError::shown(Exit::Preflight));
            }
        };
        if let Some(saved) = &saved {
            saved.check(plan)?;
        }
        if plan.is_empty() {
            kubeconfig::keep(cluster, &survey.cas, &survey.state)?;
            return Ok(Exit::Ok);
        }
        interrupts.unless(ui, UNCHANGED, self.ask(ui)).await??;
        survey.make_authorities(limit, ui)?;
        let plan = survey.plan.as_ref().expect("it was shown");
        let run = survey.state.create_run(&id)?;
        let recorder = Arc::new(RunRecorder::begin(run, plan, began, start)?);
        let served = OnceLock::new();
        let context = RunContext {
            recorder: &recorder,
            serves: &|| serves(cluster, &survey, &served, ui),
            interrupts,
            ui,
        };
        let width = self.connection_args.width();
        let (tally, stopped) = run_plan(plan, &survey, lock, width, &context).await?;
        let lock_lost = lock.lost().borrow().is_some();
        let exit = match (tally.succeeded(), lock_lost) {
            (true, _) => Exit::Ok,
            (false, true) => Exit::Locked,
            (false, false) if stopped => Exit::Interrupted,
            (false, false) => Exit::StepFailed,
        };
        if let Err(error) = recorder.end(exit) {
            ui.warn(&format!("how this run ended is not written down: {error}"));
        }
        let kept = match tally.succeeded() {
            true => Some(kubeconfig::keep(cluster, &survey.cas, &survey.state)?),
            false => None,
        };
        let again = "kdiy apply goes on from here; nothing is undone";
        let used = match (&kept, served.get()) {
            (Some(path), _) => Some(kubectl(path, "get nodes")),
            (None, Some(path)) => Some(kubectl(path, "get pods -A -o wide")),
            (None, None) => None,
        };
        let commands = match (&used, &kept) {
            (Some(used), Some(_)) => vec![used.as_str(), "kdiy kubeconfig --merge"],
            (Some(look), None) => vec![again, look.as_str()],
            (None, _) => vec![again],
        };
        let next = Next {
            logs: Some(recorder.run().directory()),
            commands: &commands,
        };
        ui.tell(&summary::render(&tally, &next, ui.err_style()));
        match exit {
            Exit::Ok => Ok(exit),
            _ => Err(CliError::shown(exit)),
        }
    }

    async fn ask(&self, ui: &Ui) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        let asking = ui.clone();
        let answer =
            tokio::task::spawn_blocking(move || asking.confirm("\nMake these changes?")).await?;
        match answer {
            Ok(true) => Ok(()),
            Ok(false) => Err(CliError::message(Exit::Declined, "nothing was changed")),
            Err(unasked) => Err(CliError::new(Exit::Declined, unasked)),
        }
    }
}

/// Keeps the admin kubeconfig as soon as it is of use, so that one can look
/// while the rest is waited for, or after it failed.
fn serves<C>(cluster: &Cluster, survey: &Survey<C>, served: &OnceLock<PathBuf>, ui: &Ui) {
    let first = survey.state.kubeconfig().is_ok_and(|kept| kept.is_none());
    match kubeconfig::keep(cluster, &survey.cas, &survey.state) {
        Ok(path) => {
            if first {
                ui.note(&format!("The API answers: {}", kubectl(&path, "get nodes")));
            }
            let _ = served.set(path);
        }
        Err(failed) => ui.warn(&format!("the kubeconfig is not kept yet: {}", failed.error)),
    }
}

fn kubectl(kubeconfig: &Path, what: &str) -> String {
    format!("kubectl --kubeconfig {} {what}", kubeconfig.display())
}

/// Sorts by time, as the state wants it.
fn run_id(began: OffsetDateTime) -> Name {
    let format = format_description!("[year][month][day]t[hour][minute][second]z");
    let text = began.format(format).unwrap_or_else(|_| "run".to_owned());
    Name::try_from(text).expect("digits, t and z are a name")
}
