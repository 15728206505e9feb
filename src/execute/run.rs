//! Runs a plan: its graph, with independent branches side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use super::guarded::AFTER_LOSS;
use super::lock::{Hold, LOCK_LOST};
use super::operate::Operator;
use super::output_tail::OutputTail;
use super::retry::{self, RetryPolicy};
use super::{Event, Failure};
use super::{diagnose, script};
use crate::cluster::Name;
use crate::plan::rolling::Course;
use crate::plan::{Action, Actor, Change, Plan, PlannedStep};
use crate::secret_store::SecretStore;
use crate::shell::OwnExit;
use crate::transport::{Connection, Exit, Request, User};

/// How a plan is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Hosts that are worked on at a time.
    pub width: usize,
    /// How long one step may take.
    pub limit: Duration,
    /// Whether scripts are told of before they run.
    pub scripts: bool,
    /// By which the run has its hosts: nothing begins once they are lost.
    pub hold: Hold,
    /// Becomes true when no further step shall begin, nor be tried again.
    pub stop: watch::Receiver<bool>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Steps that ended well, with the time that they took.
    pub done: Vec<(usize, Duration)>,
    /// Steps that failed.
    pub failed: Vec<usize>,
    /// Steps that did not run.
    pub left: Vec<usize>,
    /// From start to end.
    pub took: Duration,
}

/// Output of one step that is kept, in bytes; all of it goes out as events.
const KEEP: usize = 64 * 1024;

/// Runs a plan. Steps that need a failed one do not run; others go on. What can
/// pass by itself is tried again for a while. `tell` hears of a step before its
/// script is sent, and must not take long.
///
/// # Panics
/// When a host of the plan has no connection: a bug of the caller.
pub async fn run<C: Connection>(
    plan: &Plan,
    connections: &BTreeMap<Name, Arc<C>>,
    operator: &dyn Operator,
    secrets: &SecretStore,
    options: &Options,
    tell: &(dyn Fn(Event) + Sync),
) -> Report {
    let began = Instant::now();
    let hosts = plan.hosts().len();
    tell(Event::RunStarted {
        steps: plan.steps.len(),
        hosts,
    });
    let mut waiting: BTreeSet<usize> = (0..plan.steps.len()).collect();
    let mut report = Report {
        done: Vec::new(),
        failed: Vec::new(),
        left: Vec::new(),
        took: Duration::ZERO,
    };
    let mut course = Course::default();
    let runner = StepRunner {
        connections,
        operator,
        secrets,
        limit: options.limit,
        scripts: options.scripts,
        hold: &options.hold,
        stop: &options.stop,
        tell,
    };
    let mut running = FuturesUnordered::new();
    let mut ended_last = None;
    loop {
        let free = options.width.max(1) - running.len().min(options.width.max(1));
        if !*options.stop.borrow() && options.hold.loss().is_none() {
            for _ in 0..free {
                let may_begin = |place: &&usize| {
                    let needs = &plan.steps[**place].needs;
                    needs.iter().all(|need| course.done.contains(need))
                        && plan
                            .rolling
                            .iter()
                            .all(|group| group.admits(**place, &course))
                };
                let Some(&place) = waiting.iter().find(may_begin) else {
                    break;
                };
                waiting.remove(&place);
                course.begun.insert(place);
                let step = &plan.steps[place];
                running.push(runner.run_step(place, ended_last, step));
            }
        }
        let Some((place, took, ended)) = running.next().await else {
            break;
        };
        ended_last = Some(place);
        let (actor, title) = (
            plan.steps[place].actor.clone(),
            plan.steps[place].title.clone(),
        );
        match ended {
            Ok(()) => {
                course.done.insert(place);
                report.done.push((place, took));
                tell(Event::StepDone {
                    step: place,
                    actor,
                    title,
                    took,
                });
            }
            Err(failure) => {
                course.failed.insert(place);
                report.failed.push(place);
                tell(Event::StepFailed {
                    step: place,
                    actor,
                    title,
                    took,
                    failure,
                });
            }
        }
    }
    report.left = waiting.into_iter().collect();
    report.took = began.elapsed();
    tell(Event::RunEnded {
        done: report.done.len(),
        failed: report.failed.len(),
        left: report.left.len(),
        took: report.took,
    });
    report
}

/// What every step is carried out with.
pub(super) struct StepRunner<'a, C> {
    pub(super) connections: &'a BTreeMap<Name, Arc<C>>,
    pub(super) operator: &'a dyn Operator,
    pub(super) secrets: &'a SecretStore,
    limit: Duration,
    scripts: bool,
    pub(super) hold: &'a Hold,
    stop: &'a watch::Receiver<bool>,
    tell: &'a (dyn Fn(Event) + Sync),
}

impl<C: Connection> StepRunner<'_, C> {
    async fn run_step(
        &self,
        place: usize,
        after: Option<usize>,
        step: &PlannedStep,
    ) -> (usize, Duration, Result<(), Failure>) {
        let began = Instant::now();
        let (actor, title) = (step.actor.clone(), step.title.clone());
        self.send(Event::StepStarted {
            step: place,
            actor,
            title,
            after,
        });
        if self.scripts && step.actor.host().is_some() {
            let (actor, text) = (step.actor.clone(), script::shown(step));
            let step = place;
            self.send(Event::Script { step, actor, text });
        }
        let mut ended = self.with_retries(place, step).await;
        if let (Err(failure), Some(gate)) = (&mut ended, &step.gate)
            && failure.waited()
        {
            let why = diagnose::why(gate, &step.actor, self.connections).await;
            failure.why = why.iter().map(|line| self.secrets.mask(line)).collect();
        }
        (place, began.elapsed(), ended)
    }

    /// Tries again as long as the error is transient. Scripts re-check what
    /// they change.
    async fn with_retries(&self, place: usize, step: &PlannedStep) -> Result<(), Failure> {
        let mut policy = RetryPolicy::default();
        // The last try that came to a change.
        let mut furthest: Option<Failure> = None;
        for tries in 1_usize.. {
            let Err(AttemptError { failure, transient }) = self.attempt(place, step).await else {
                break;
            };
            let (far, latest) = match furthest {
                Some(far) if far.resource.is_some() && failure.resource.is_none() => {
                    (far, Some(failure))
                }
                _ => (failure, None),
            };
            let again = transient.and_then(|what| Some((what, policy.next()?)));
            let stopped = match again {
                None => true,
                Some((what, wait)) => {
                    self.send(Event::StepRetried {
                        step: place,
                        actor: step.actor.clone(),
                        title: step.title.clone(),
                        what,
                        wait,
                        next: tries + 1,
                    });
                    self.stops_within(wait).await
                }
            };
            if stopped {
                return Err(after_attempts(far, latest, tries));
            }
            furthest = Some(far);
        }
        Ok(())
    }

    /// Waits, but not longer than the run is to go on.
    async fn stops_within(&self, wait: Duration) -> bool {
        let mut stop = self.stop.clone();
        let stopped = async {
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending().await
            }
        };
        tokio::time::timeout(wait, stopped).await.is_ok()
    }

    /// One try.
    async fn attempt(&self, place: usize, step: &PlannedStep) -> Result<(), AttemptError> {
        if let Some(lost) = self.hold_lost() {
            return Err(lost);
        }
        match (&step.actor, &step.action) {
            (Actor::Host(host), Action::Converge(changes)) => {
                self.converge(place, step, changes, host).await
            }
            (_, Action::Do(operation)) => self.operate(place, step, operation).await,
            (Actor::Cluster, Action::Converge(_)) => {
                unreachable!("resources are of hosts: {}", step.title)
            }
        }
    }

    /// One try to bring resources about, by one script.
    async fn converge(
        &self,
        place: usize,
        step: &PlannedStep,
        changes: &[Change],
        host: &Name,
    ) -> Result<(), AttemptError> {
        let connection = self.connections[host].as_ref();
        let mark = mark();
        let script = script::of_step(step, self.secrets, &mark, &self.hold.guard(host));
        let request = Request {
            script: &script,
            user: User::Root,
            limit: self.limit,
            keep: KEEP,
        };
        let mut tail = OutputTail::default();
        let line = |stream, text: &str| Event::Line {
            step: place,
            actor: step.actor.clone(),
            stream,
            text: self.secrets.mask(text),
        };
        // Changes come in their order, each once.
        let mut begun: Option<usize> = None;
        let ended = connection
            .run(request, &mut |stream, text| {
                let change = text
                    .strip_prefix(&mark)
                    .and_then(|place| place.parse().ok());
                let change = change.filter(|&change| {
                    change < changes.len() && begun.is_none_or(|begun| change > begun)
                });
                if let Some(change) = change {
                    begun = Some(change);
                    tail.change();
                    self.send(Event::ChangeStarted {
                        step: place,
                        actor: step.actor.clone(),
                        resource: changes[change].resource.key(),
                    });
                } else if tail.line(stream, text) {
                    self.send(line(stream, text));
                }
            })
            .await;
        for (stream, text) in tail.rest() {
            self.send(line(stream, &text));
        }
        let resource = begun.map(|change| changes[change].resource.key());
        let failure = |code, what: String, hint: String| Failure {
            code,
            resource: resource.clone(),
            what,
            why: Vec::new(),
            last_lines: tail.last().map(|line| self.secrets.mask(line)).collect(),
            hint,
        };
        match ended {
            Ok(output) if output.exit == Exit::Code(0) => Ok(()),
            Ok(output) => {
                let what = match &output.exit {
                    Exit::Code(code) => format!("exit code {code}"),
                    Exit::Signal(name) => format!("killed by SIG{name}"),
                };
                let (code, hint) = diagnosis(&output.exit, resource.as_deref());
                if code == "step-lock-lost" {
                    self.lose(host);
                }
                Err(AttemptError {
                    transient: retry::transient_cause(
                        &output.exit,
                        resource.as_deref(),
                        tail.at_change(),
                    )
                    .map(|what| self.secrets.mask(&what)),
                    failure: failure(code, what, hint),
                })
            }
            Err(error) => {
                let what = self.secrets.mask(&error.to_string());
                Err(AttemptError {
                    transient: retry::is_transient(&error).then(|| what.clone()),
                    failure: failure(error.code(), what, error.hint()),
                })
            }
        }
    }

    pub(super) fn send(&self, event: Event) {
        (self.tell)(event);
    }
}

/// A try that failed.
pub(super) struct AttemptError {
    pub(super) failure: Failure,
    /// The error, where it is transient.
    pub(super) transient: Option<String>,
}

/// Where the latest try did not even begin, how far another came matters.
fn after_attempts(furthest: Failure, latest: Option<Failure>, tries: usize) -> Failure {
    let failure = match latest {
        None => furthest,
        Some(latest) => Failure {
            what: format!("{}; then {}", furthest.what, latest.what),
            hint: latest.hint,
            code: latest.code,
            ..furthest
        },
    };
    match tries {
        1 => failure,
        tries => Failure {
            what: format!("{}, tried {tries} times", failure.what),
            ..failure
        },
    }
}

/// What to do next about most failures.
pub(super) const AGAIN: &str =
    "nothing is undone: fix the cause and run kdiy apply again, it goes on from here";

/// The stable name of a failure, and what to do next.
fn diagnosis(exit: &Exit, resource: Option<&str>) -> (&'static str, String) {
    match (exit, resource) {
        (Exit::Code(code), _) if *code == OwnExit::PlanOutdated.code() => (
            "step-stale",
            "the host has moved on since the plan was made: run kdiy plan again".to_owned(),
        ),
        (Exit::Code(LOCK_LOST), None) => ("step-lock-lost", AFTER_LOSS.to_owned()),
        (_, Some(resource)) if resource.starts_with("packages") => (
            "step-packages",
            format!("apt could not install them: see its lines above; {AGAIN}"),
        ),
        (Exit::Signal(_), _) => ("step-killed", AGAIN.to_owned()),
        (Exit::Code(_), _) => ("step-failed", AGAIN.to_owned()),
    }
}

/// Begins a line that no tool prints by chance.
fn mark() -> String {
    let random: [u8; 8] = ring::rand::generate(&ring::rand::SystemRandom::new())
        .map(|random| random.expose())
        .unwrap_or_default();
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("kdiy-change-{hex} ")
}
