//! Runs a plan, shown and written down, until its end or Ctrl-C.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};

use super::run_recorder::RunRecorder;
use crate::api::{Client, Credentials, Limits};
use crate::cli::interrupt::Interrupts;
use crate::cli::log_recorder::LogRecorder;
use crate::cli::survey::Survey;
use crate::cli::{CliError, Exit};
use crate::execute::lock::Lock;
use crate::execute::operate::ApiOperator;
use crate::execute::{self, Event, Options, api_views};
use crate::plan::Plan;
use crate::plan::gate::Gate;
use crate::transport::Connection;
use crate::ui::summary::Tally;
use crate::ui::{Ui, progress};

/// How long one step may take: a slow mirror takes minutes.
const STEP: Duration = Duration::from_secs(30 * 60);

/// Who hears of a run while it goes on, and who may stop it.
pub(super) struct RunContext<'a> {
    pub(super) recorder: &'a Arc<RunRecorder>,
    /// Called when the API is known to answer at the endpoint.
    pub(super) serves: &'a (dyn Fn() + Sync),
    pub(super) interrupts: &'a Interrupts,
    pub(super) ui: &'a Ui,
}

/// Runs the plan; also whether it was stopped before its end.
pub(super) async fn run_plan<C: Connection + 'static>(
    plan: &Plan,
    survey: &Survey<C>,
    lock: &Lock<C>,
    width: usize,
    context: &RunContext<'_>,
) -> Result<(Tally, bool), CliError> {
    let RunContext {
        recorder,
        serves,
        interrupts,
        ui,
    } = *context;
    let start = recorder.start();
    let shown = ui.renderer(start, survey.connections.keys());
    let mut log_recorder = LogRecorder::new(recorder.run().clone(), start, shown);
    let (stopping, stop) = watch::channel(false);
    let stopping = Arc::new(stopping);
    let lock_watch = tokio::spawn({
        let (mut lost, stopping, ui) = (lock.lost(), Arc::clone(&stopping), ui.clone());
        let recorder = Arc::clone(recorder);
        async move {
            if lost.changed().await.is_ok()
                && let Some((host, holder)) = lost.borrow().clone()
            {
                ui.warn(&format!("{host} was taken by another kdiy: {holder}"));
                recorder.stopping();
                let _ = stopping.send(true);
            }
        }
    });
    let interrupted = tokio::spawn({
        let (interrupts, ui) = (interrupts.clone(), ui.clone());
        let recorder = Arc::clone(recorder);
        async move {
            interrupts.wait_for(1).await;
            recorder.stopping();
            let _ = stopping.send(true);
            ui.note("Stopping after the steps that run now; Ctrl-C again stops at once.");
            interrupts.wait_for(2).await;
            at_once(&recorder, &ui);
        }
    });
    let options = Options {
        width,
        limit: STEP,
        scripts: ui.style().verbose(),
        guard: lock.number().guard(),
        stop: stop.clone(),
    };
    let (events, received) = mpsc::unbounded_channel();
    let watched = tokio::spawn(async move { progress::follow(received, &mut log_recorder).await });
    // The journal first: what is written there has happened, whatever comes.
    let tell = |event: Event| {
        recorder.tell(&event);
        if is_served(plan, &event) {
            serves();
        }
        let _ = events.send(event);
    };
    let client = cluster_api(survey)?;
    let operator = ApiOperator::new(client, &survey.secrets);
    let (connections, secrets) = (&survey.connections, &survey.secrets);
    execute::run(plan, connections, &operator, secrets, &options, &tell).await;
    drop(events);
    let tally = watched.await?;
    let stopped = *stop.borrow();
    interrupted.abort();
    lock_watch.abort();
    Ok((tally, stopped))
}

/// The cluster's API, through the control planes that are connected.
fn cluster_api<C: Connection + 'static>(survey: &Survey<C>) -> Result<Client, CliError> {
    let servers = api_views::servers(&survey.resolved, &survey.connections);
    let credentials = Credentials::issue(&survey.cas.kubernetes, OffsetDateTime::now_utc())?;
    Ok(Client::new(servers, &credentials, Limits::DEFAULT)?)
}

/// Whether the API is known to answer at the endpoint from this event on.
fn is_served(plan: &Plan, event: &Event) -> bool {
    let Event::StepDone { step, .. } = event else {
        return false;
    };
    let step = plan.steps.get(*step);
    step.is_some_and(|step| matches!(step.gate, Some(Gate::Endpoint { .. })))
}

/// Ends without waiting for the steps that run. The hosts stay held, as those
/// steps go on there.
fn at_once(recorder: &RunRecorder, ui: &Ui) -> ! {
    ui.abandon();
    if let Err(error) = recorder.end(Exit::Interrupted) {
        ui.warn(&format!("how this run ended is not written down: {error}"));
    }
    ui.note(
        "Stopped. Steps that had begun go on to their end on the hosts; kdiy apply waits for them \
         and goes on from there.",
    );
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Name;
    use crate::plan::{Action, PlannedStep};

    #[test]
    fn the_api_serves_once_the_gate_of_the_endpoint_is_passed() {
        let host = Name::try_from("cp-1".to_owned()).unwrap();
        let step = |gate| PlannedStep {
            actor: host.clone().into(),
            title: String::new(),
            action: Action::Converge(Vec::new()),
            needs: Vec::new(),
            gate,
        };
        let endpoint = Gate::Endpoint {
            server: String::new(),
            balancers: Vec::new(),
        };
        let gates = [None, Some(Gate::ControlPlane), Some(endpoint)];
        let plan = Plan {
            steps: gates.map(step).into(),
            ..Plan::default()
        };
        let done = |step| Event::StepDone {
            step,
            actor: host.clone().into(),
            title: String::new(),
            took: Duration::ZERO,
        };
        let served = [0, 1, 2, 3].map(|step| is_served(&plan, &done(step)));
        assert_eq!(served, [false, false, true, false]);
        let started = Event::StepStarted {
            step: 2,
            actor: host.clone().into(),
            title: String::new(),
            after: None,
        };
        assert!(!is_served(&plan, &started));
    }
}
