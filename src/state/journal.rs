//! What happened in a run, over all hosts: `runs/<run>/journal.jsonl`, one
//! JSON object a line, written as it happens. A run that is killed leaves a
//! journal that says what was at work then.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::plan::Actor;

/// What is written at the head of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Version of kdiy.
    pub kdiy: String,
    /// The command, such as `apply`.
    pub command: String,
    /// When the command began: other times are in seconds since then.
    #[serde(with = "time::serde::rfc3339")]
    pub began: OffsetDateTime,
    /// The process that writes it, told from all others of all machines.
    pub process: Option<String>,
    /// SHA-256 of the plan, in hexadecimal.
    pub plan: String,
    /// Steps of the plan.
    pub steps: usize,
    /// Hosts of the plan.
    pub hosts: usize,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// Its place in the plan.
    pub step: usize,
    /// Who carries it out: a host's name, or `cluster`.
    pub actor: Actor,
    /// Title of the step, a fragment such as `install packages`.
    pub title: String,
}

/// One kind of line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Happened {
    /// The run began to change hosts.
    RunStarted(Head),
    /// A step began.
    StepStarted(Step),
    /// A step failed by a transient error.
    StepRetried {
        /// The step.
        #[serde(flatten)]
        step: Step,
        /// The transient error.
        what: String,
        /// Seconds until the next try.
        wait: f64,
        /// Which try comes next.
        r#try: usize,
    },
    /// A step ended well.
    StepDone(Step),
    /// A step failed.
    StepFailed {
        /// The step.
        #[serde(flatten)]
        step: Step,
        /// Stable name of the kind of failure.
        code: String,
        /// The error, as a fragment.
        what: String,
    },
    /// No further step is begun: somebody wants the run to end.
    Stopping,
    /// The run ended.
    RunEnded {
        /// The code that the command ends with.
        exit_code: u8,
    },
    /// Something that a later version wrote down.
    #[serde(other)]
    Unknown,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    at: f64,
    #[serde(flatten)]
    happened: Happened,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<File>,
}

impl Journal {
    pub(super) fn new(file: File) -> Self {
        Self {
            file: Mutex::new(file),
        }
    }

    /// Writes down what happened, `at` so many seconds after the command
    /// began. It is with the system when this returns, so a kill loses none of
    /// it.
    pub fn write(&self, at: f64, happened: Happened) {
        let at = (at * 1000.0).round() / 1000.0;
        if let Ok(mut line) = serde_json::to_string(&Line { at, happened }) {
            line.push('\n');
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            // A full disk here must not stop what goes on on hosts.
            let _ = file.write_all(line.as_bytes());
        }
    }
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// What happened, each with the seconds since the command began.
    pub events: Vec<(f64, Happened)>,
}

impl History {
    /// Reads a journal. A line that was cut off, and what makes no sense, is
    /// left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let events = lines.map(|Line { at, happened }| (at, happened));
        Self {
            events: events.collect(),
        }
    }

    /// What stands at its head.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.events.iter().find_map(|(_, happened)| match happened {
            Happened::RunStarted(head) => Some(head),
            _ => None,
        })
    }

    /// Whether it says that the run ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let ended = |happened: &Happened| matches!(happened, Happened::RunEnded { .. });
        self.events.iter().any(|(_, happened)| ended(happened))
    }

    /// The moment of the last thing that happened.
    #[must_use]
    pub fn last(&self) -> Option<OffsetDateTime> {
        let (at, _) = self.events.last()?;
        let since = time::Duration::checked_seconds_f64(*at)?;
        self.head()?.began.checked_add(since)
    }

    /// Steps that began and did not end, in the order of their beginnings.
    #[must_use]
    pub fn at_work(&self) -> Vec<&Step> {
        let mut open: Vec<&Step> = Vec::new();
        for (_, happened) in &self.events {
            match happened {
                Happened::StepStarted(step) => open.push(step),
                Happened::StepDone(ended) | Happened::StepFailed { step: ended, .. } => {
                    open.retain(|step| step.step != ended.step);
                }
                _ => {}
            }
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Name;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn step(step: usize, host: &str) -> Step {
        Step {
            step,
            actor: Name::try_from(host.to_owned()).unwrap().into(),
            title: format!("step {step}"),
        }
    }

    fn events() -> Vec<(f64, Happened)> {
        let head = Head {
            kdiy: "0.1.0".to_owned(),
            command: "apply".to_owned(),
            began: datetime!(2026-05-04 03:02:01 UTC),
            process: Some("4711".to_owned()),
            plan: "abc".to_owned(),
            steps: 3,
            hosts: 2,
        };
        let retried = Happened::StepRetried {
            step: step(1, "w-1"),
            what: "a server could not be reached".to_owned(),
            wait: 2.0,
            r#try: 2,
        };
        let failed = Happened::StepFailed {
            step: step(0, "cp-1"),
            code: "step-failed".to_owned(),
            what: "exit code 1".to_owned(),
        };
        vec![
            (0.5, Happened::RunStarted(head)),
            (0.5, Happened::StepStarted(step(0, "cp-1"))),
            (0.6, Happened::StepStarted(step(1, "w-1"))),
            (0.7, Happened::StepStarted(step(2, "w-2"))),
            (1.0, retried),
            (1.5, failed),
            (2.25, Happened::StepDone(step(2, "w-2"))),
            (90.0, Happened::Stopping),
        ]
    }

    fn written(events: Vec<(f64, Happened)>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::new(File::create(&path).unwrap());
        for (at, happened) in events {
            journal.write(at, happened);
        }
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn it_is_read_back_and_says_what_was_at_work() {
        let text = written(events());
        insta::assert_snapshot!("journal", text);
        // A kill may cut a line; a later version may write others.
        let text = format!("{text}{{\"at\":91.0,\"event\":\"new\",\"x\":1}}\n{{\"at\":92.0,\"ev");
        let history = History::read(&text);
        assert_eq!(history.events[..8], events());
        assert_eq!(history.events[8..], [(91.0, Happened::Unknown)]);
        assert_eq!(history.at_work(), [&step(1, "w-1")]);
        assert!(!history.has_ended());
        assert_eq!(history.last(), Some(datetime!(2026-05-04 03:03:32 UTC)));
        assert!(
            History::read(&written(vec![(1.0, Happened::RunEnded { exit_code: 6 })])).has_ended()
        );
    }

    proptest! {
        #[test]
        fn no_journal_makes_it_panic(lines in prop::collection::vec("(\\PC|[\"{}:,0-9e+-]){0,60}", 0..4), at in any::<f64>()) {
            let whole = format!("{{\"at\":{at:e},\"event\":\"stopping\"}}\n{}", lines.join("\n"));
            let history = History::read(&whole);
            let _ = (history.last(), history.at_work(), history.head());
        }
    }
}
