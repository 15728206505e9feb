//! What hosts say in a run, kept beside the inventory: one file a host.
//! Secrets were masked before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use crate::cluster::Name;
use crate::execute::Event;
use crate::state::Run;
use crate::state::log::{self, Entry};
use crate::ui::progress::Renderer;

/// Writes events to the logs of a run, and hands them on.
pub struct LogRecorder {
    run: Run,
    start: Instant,
    files: BTreeMap<Name, File>,
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

    fn write(&mut self, host: &Name, now: Instant, entry: Entry<'_>) {
        if !self.files.contains_key(host) {
            match self.run.log(host) {
                Ok(file) => self.files.insert(host.clone(), file),
                Err(error) => {
                    tracing::warn!(%host, %error, "no log is kept");
                    return;
                }
            };
        }
        let at = now.saturating_duration_since(self.start).as_secs_f64();
        if let Some(mut file) = self.files.get(host) {
            // A full disk here must not stop what goes on there.
            let _ = file.write_all(log::line(at, entry).as_bytes());
        }
    }
}

impl Renderer for LogRecorder {
    fn on(&mut self, event: &Event, now: Instant) {
        match event {
            Event::StepStarted { host, title, .. } => self.write(host, now, Entry::Step(title)),
            Event::ChangeStarted { host, resource, .. } => {
                self.write(host, now, Entry::Change(resource));
            }
            Event::Line { host, text, .. } => self.write(host, now, Entry::Line(text)),
            Event::StepRetried {
                host, what, wait, ..
            } => {
                let text = format!("{what}; in {} s", wait.as_secs());
                self.write(host, now, Entry::Again(&text));
            }
            Event::StepDone { host, title, .. } => {
                self.write(host, now, Entry::Done(title));
            }
            Event::StepFailed {
                host,
                title,
                failure,
                ..
            } => {
                let text = format!("{title}: {}", failure.what);
                self.write(host, now, Entry::Failed(&text));
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
