//! What hosts say in a run, kept beside the inventory: one file a host, and one
//! for each operation on the cluster.
//! Secrets were masked before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use crate::execute::Event;
use crate::plan::Actor;
use crate::state::Run;
use crate::state::log::{self, Entry};
use crate::ui::progress::Renderer;

/// Writes events to the logs of a run, and hands them on.
pub struct LogRecorder {
    run: Run,
    start: Instant,
    /// Of hosts under no step: one of theirs runs at a time.
    files: BTreeMap<(Actor, Option<usize>), File>,
    shown: Box<dyn Renderer>,
}

impl LogRecorder {
    /// Logs a run that began at `start`; `shown` gets every event as well.
    #[must_use]
    pub fn new(run: Run, start: Instant, shown: Box<dyn Renderer>) -> Self {
        Self {
            run,
            start,
            files: BTreeMap::new(),
            shown,
        }
    }

    fn write(&mut self, actor: &Actor, step: usize, now: Instant, entry: Entry<'_>) {
        let own = actor.host().is_none().then_some(step);
        let key = (actor.clone(), own);
        if !self.files.contains_key(&key) {
            match self.run.log(actor, own) {
                Ok(file) => self.files.insert(key.clone(), file),
                Err(error) => {
                    tracing::warn!(%actor, %error, "no log is kept");
                    return;
                }
            };
        }
        let at = now.saturating_duration_since(self.start).as_secs_f64();
        if let Some(mut file) = self.files.get(&key) {
            // A full disk here must not stop what goes on there.
            let _ = file.write_all(log::line(at, entry).as_bytes());
        }
    }
}

impl Renderer for LogRecorder {
    fn on(&mut self, event: &Event, now: Instant) {
        match event {
            Event::StepStarted {
                step, actor, title, ..
            } => self.write(actor, *step, now, Entry::Step(title)),
            Event::ChangeStarted {
                step,
                actor,
                resource,
            } => {
                self.write(actor, *step, now, Entry::Change(resource));
            }
            Event::Line {
                step, actor, text, ..
            } => self.write(actor, *step, now, Entry::Line(text)),
            Event::StepRetried {
                step,
                actor,
                what,
                wait,
                ..
            } => {
                let text = format!("{what}; in {} s", wait.as_secs());
                self.write(actor, *step, now, Entry::Again(&text));
            }
            Event::StepDone {
                step, actor, title, ..
            } => {
                self.write(actor, *step, now, Entry::Done(title));
            }
            Event::StepFailed {
                step,
                actor,
                title,
                failure,
                ..
            } => {
                let text = format!("{title}: {}", failure.what);
                self.write(actor, *step, now, Entry::Failed(&text));
            }
            _ => {}
        }
        self.shown.on(event, now);
    }

    fn tick(&mut self, now: Instant) {
        self.shown.tick(now);
    }

    fn end(&mut self) {
        self.shown.end();
    }
}
