//! What is written down of a run while it goes on: its journal, its record.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use time::OffsetDateTime;

use crate::cli::{Exit, owner};
use crate::execute::Event;
use crate::plan::{Actor, Plan};
use crate::resource::sha256_hex;
use crate::state::journal::{Happened, Head, Journal, Step};
use crate::state::{self, Record, Run, Steps};

/// Writes a run down as it goes on.
pub struct RunRecorder {
    run: Run,
    journal: Journal,
    record: Mutex<Record>,
    /// When the command began.
    start: Instant,
}

impl RunRecorder {
    /// Begins the journal and the record of a run of a plan.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn begin(
        run: Run,
        plan: &Plan,
        began: OffsetDateTime,
        start: Instant,
    ) -> Result<Self, state::Error> {
        let command = "apply".to_owned();
        let record = Record {
            command: command.clone(),
            began,
            ended: None,
            exit_code: None,
            counts: None,
        };
        run.write_record(&record)?;
        let recorder = Self {
            journal: run.journal()?,
            run,
            record: Mutex::new(Record {
                counts: Some(Steps {
                    done: 0,
                    failed: 0,
                    left: plan.steps.len(),
                }),
                ..record
            }),
            start,
        };
        recorder.write(Happened::RunStarted(Head {
            kdiy: env!("CARGO_PKG_VERSION").to_owned(),
            command,
            began,
            process: owner::mark(),
            plan: sha256_hex(&serde_json::to_vec(plan).unwrap_or_default()),
            steps: plan.steps.len(),
            hosts: plan.hosts().len(),
        }));
        Ok(recorder)
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// When the command began.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// Writes down what happened to a step.
    pub fn tell(&self, event: &Event) {
        let step = |step: &usize, actor: &Actor, title: &String| Step {
            step: *step,
            actor: actor.clone(),
            title: title.clone(),
        };
        let happened = match event {
            Event::StepStarted {
                step: place,
                actor,
                title,
                ..
            } => Happened::StepStarted(step(place, actor, title)),
            Event::StepRetried {
                step: place,
                actor,
                title,
                what,
                wait,
                next,
            } => Happened::StepRetried {
                step: step(place, actor, title),
                what: what.clone(),
                wait: wait.as_secs_f64(),
                r#try: *next,
            },
            Event::StepDone {
                step: place,
                actor,
                title,
                ..
            } => {
                self.count(|counts| counts.done += 1);
                Happened::StepDone(step(place, actor, title))
            }
            Event::StepFailed {
                step: place,
                actor,
                title,
                failure,
                ..
            } => {
                self.count(|counts| counts.failed += 1);
                Happened::StepFailed {
                    step: step(place, actor, title),
                    code: failure.code.to_owned(),
                    what: failure.what.clone(),
                }
            }
            _ => return,
        };
        self.write(happened);
    }

    /// Writes down that somebody wants the run to end.
    pub fn stopping(&self) {
        self.write(Happened::Stopping);
    }

    /// Writes down how the run ended.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(&self, exit: Exit) -> Result<(), state::Error> {
        let exit_code = exit.code();
        self.write(Happened::RunEnded { exit_code });
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.ended = Some(OffsetDateTime::now_utc());
        record.exit_code = Some(exit_code);
        self.run.write_record(&record)
    }

    fn write(&self, happened: Happened) {
        self.journal
            .write(self.start.elapsed().as_secs_f64(), happened);
    }

    fn count(&self, ended: impl FnOnce(&mut Steps)) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = &mut record.counts {
            counts.left = counts.left.saturating_sub(1);
            ended(counts);
        }
    }
}
