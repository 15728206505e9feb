//! One JSON object a line, for programs.
//!
//! Every object has `at`, seconds since the command began, which never goes
//! back, and `event`, which says what other fields there are:
//!
//! | event | fields |
//! |---|---|
//! | `connecting` | `host` |
//! | `observed` | `host`, `took` |
//! | `unreachable` | `host`, `code`, `what` |
//! | `plan` | `plan`: `steps` with `host`, `title`, `changes`, `needs` |
//! | `run-started` | `steps`, `hosts`: how many |
//! | `step-started` | `step`: its place in the plan, `host`, `title` |
//! | `script` | `step`, `host`, `text`: what is about to run, without secrets; with `-v` only |
//! | `change-started` | `step`, `host`, `resource` |
//! | `line` | `step`, `host`, `stream`: `stdout` or `stderr`, `text` |
//! | `step-retried` | `step`, `host`, `title`, `what`: the transient error, `wait`: until the next try, `try`: its number |
//! | `step-done` | `step`, `host`, `title`, `took` |
//! | `step-failed` | the same, `failure`: `code`, `resource`, `what`, `lastLines`, `hint` |
//! | `run-ended` | `done`, `failed`, `left`: steps, `took` |
//!
//! `took` and `wait` are in seconds. Fields and events may be added, none is
//! taken away or changes its meaning.

use std::io::Write;
use std::time::Instant;

use serde::Serialize;

use super::Renderer;
use crate::execute::Event;
use crate::plan::Plan;
use crate::ui::sanitise::sanitise_json;

/// Writes events as JSON.
pub struct Json<W> {
    out: W,
    start: Instant,
}

/// An event with its time.
#[derive(Serialize)]
struct Line<T> {
    at: f64,
    #[serde(flatten)]
    event: T,
}

/// The plan that is about to run.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Shown<'a> {
    Plan { plan: &'a Plan },
}

impl<W: Write + Send> Json<W> {
    /// Objects whose `at` is the time since `start`.
    pub fn new(out: W, start: Instant) -> Self {
        Self { out, start }
    }

    /// The plan that is about to run.
    pub fn plan(&mut self, plan: &Plan, now: Instant) {
        self.write(Shown::Plan { plan }, now);
    }

    fn write(&mut self, event: impl Serialize, now: Instant) {
        let at = now.saturating_duration_since(self.start).as_millis();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are few")]
        let at = at as f64 / 1000.0;
        if let Ok(line) = serde_json::to_string(&Line { at, event }) {
            let mut line = sanitise_json(&line);
            line.push('\n');
            // A reader that went away must not stop the run.
            let _ = self.out.write_all(line.as_bytes());
            let _ = self.out.flush();
        }
    }
}

impl<W: Write + Send> Renderer for Json<W> {
    fn on(&mut self, event: &Event, now: Instant) {
        self.write(event, now);
    }

    fn tick(&mut self, _now: Instant) {}

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::tests::tell;

    #[test]
    fn a_run_in_json() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut json = Json::new(&mut out, start);
        json.plan(&Plan::default(), start);
        tell(&mut json, start);
        let shown = String::from_utf8(out).unwrap();
        insta::assert_snapshot!("run-json", shown);
        for line in shown.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                object["at"].is_number() && object["event"].is_string(),
                "{line}"
            );
        }
    }
}
