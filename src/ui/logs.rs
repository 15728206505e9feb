//! Past runs: which there were, their steps, what hosts said in them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::sanitise::{sanitise, sanitise_output};
use super::style::{Style, Tone};
use super::table::{Cell, table};
use super::text::duration;
use crate::plan::Actor;
use crate::state::log::{LogEvent, Outcome, Step};
use crate::state::{Record, Steps};

/// A run with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    pub run: String,
    /// What was written down about it; nothing by older versions of kdiy.
    #[serde(flatten)]
    pub record: Option<Record>,
    /// Whether it goes on.
    pub state: Course,
    /// Hosts that it has logs of, and `cluster` where operations ran.
    pub actors: BTreeSet<Actor>,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// It has ended.
    Ended,
    /// Its process runs.
    Runs,
    /// Its process has ended without an end of the run.
    CutShort,
    /// It runs elsewhere, or was cut short, or an older kdiy made it.
    Unknown,
}

/// The steps of one actor in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ActorLog {
    /// A host or the cluster.
    pub actor: Actor,
    /// In the order of time.
    pub steps: Vec<Step>,
}

/// The runs, as they come.
#[must_use]
pub fn runs(runs: &[Run], style: &Style) -> String {
    let columns = [
        "RUN",
        "BEGAN (UTC)",
        "COMMAND",
        "TOOK",
        "RESULT",
        "STEPS",
        "HOSTS",
    ];
    let row = |run: &Run| {
        let record = run.record.as_ref();
        let known = |text: &dyn Fn(&Record) -> String| record.map(text).unwrap_or_default();
        [
            Cell::sanitised(&run.run).tone(Tone::Strong),
            Cell::sanitised(known(&|record| moment(record.began))),
            Cell::sanitised(known(&|record| record.command.clone())),
            Cell::sanitised(known(&|record| {
                record.ended.map_or_else(String::new, |ended| {
                    duration(Duration::try_from(ended - record.began).unwrap_or_default())
                })
            })),
            result(record, run.state),
            Cell::sanitised(known(&|record| {
                record.counts.as_ref().map(steps).unwrap_or_default()
            })),
            Cell::sanitised(run.actors.len().to_string()),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    table(columns, &rows, style)
}

fn moment(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.to_offset(time::UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

fn result(record: Option<&Record>, course: Course) -> Cell {
    let Some(record) = record else {
        return Cell::sanitised("not written down").tone(Tone::Faint);
    };
    match record.exit_code {
        Some(0) => Cell::sanitised("done").tone(Tone::Good),
        Some(130) => Cell::sanitised("interrupted").tone(Tone::Notable),
        Some(code) => Cell::sanitised(format!("failed ({code})")).tone(Tone::Bad),
        None => Cell::sanitised(match course {
            Course::Runs => "runs",
            Course::CutShort => "cut short",
            Course::Ended | Course::Unknown => "runs, or was cut short",
        })
        .tone(Tone::Notable),
    }
}

fn steps(steps: &Steps) -> String {
    let Steps { done, failed, left } = steps;
    match (failed, left) {
        (0, 0) => format!("{done} done"),
        _ => format!("{done} done, {failed} failed, {left} not run"),
    }
}

/// The steps of a run without what hosts said, in the order of time.
#[must_use]
pub fn overview(logs: &[ActorLog], course: Course, style: &Style) -> String {
    let columns = ["AT", "ON", "STEP", "TOOK", "RESULT"];
    let mut all: Vec<_> = logs
        .iter()
        .flat_map(|log| log.steps.iter().map(move |step| (&log.actor, step)))
        .collect();
    all.sort_by(|(_, a), (_, b)| a.began.total_cmp(&b.began));
    let row = |(actor, step): &(&Actor, &Step)| {
        let result = match &step.outcome {
            Outcome::Done => Cell::sanitised("done").tone(Tone::Good),
            Outcome::Failed(what) => Cell::sanitised(format!("failed: {what}")).tone(Tone::Bad),
            Outcome::Open => Cell::sanitised(open(course)).tone(Tone::Notable),
        };
        [
            Cell::sanitised(format!("{:.1}", step.began)),
            Cell::sanitised(actor.as_str()).tone(Tone::Active),
            Cell::sanitised(&step.title),
            Cell::sanitised(took(step)),
            result,
        ]
    };
    table(columns, &all.iter().map(row).collect::<Vec<_>>(), style)
}

/// Of a step whose end is not logged.
const fn open(course: Course) -> &'static str {
    match course {
        Course::Runs => "runs",
        Course::CutShort | Course::Ended => "at work when the run was cut short",
        Course::Unknown => "no end is logged",
    }
}

fn took(step: &Step) -> String {
    let took = step.ended.map(|ended| (ended - step.began).max(0.0));
    took.and_then(|took| Duration::try_from_secs_f64(took).ok())
        .map_or_else(String::new, duration)
}

/// All that a host said. Whoever reads it, its escapes are made visible: the
/// log itself has them as they came.
#[must_use]
pub fn whole(log: &ActorLog, course: Course, style: &Style) -> String {
    let mut out = String::new();
    let mut line = |at: f64, mark: &str, tone: Option<Tone>, text: &str| {
        let text = tone.map_or_else(|| text.to_owned(), |tone| style.paint(tone, text));
        let at = style.paint(Tone::Faint, &format!("{at:9.3}"));
        out.push_str(format!("{at} {mark} {text}").trim_end());
        out.push('\n');
    };
    for step in &log.steps {
        let head = format!("{} on {}", sanitise(&step.title), log.actor);
        line(step.began, "==", Some(Tone::Strong), &head);
        for (at, event) in &step.events {
            match event {
                LogEvent::Change(text) => line(*at, "--", Some(Tone::Active), &sanitise(text)),
                LogEvent::Line(text) => line(*at, "  ", None, &sanitise_output(text)),
                LogEvent::Again(text) => {
                    let text = format!("tried again: {}", sanitise(text));
                    line(*at, "==", Some(Tone::Notable), &text);
                }
            }
        }
        let ended = step.ended.unwrap_or(step.began);
        match &step.outcome {
            Outcome::Done => line(
                ended,
                "==",
                Some(Tone::Good),
                &format!("done after {}", took(step)),
            ),
            Outcome::Failed(what) => {
                let text = format!("failed after {}: {}", took(step), sanitise(what));
                line(ended, "==", Some(Tone::Bad), &text);
            }
            Outcome::Open => line(ended, "==", Some(Tone::Notable), open(course)),
        }
    }
    out
}

/// A run for programs. Times are in seconds since the command began.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    #[serde(flatten)]
    run: &'a Run,
    steps: Vec<StepDocument<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepDocument<'a> {
    actor: &'a Actor,
    title: &'a str,
    began: f64,
    ended: Option<f64>,
    /// `done`, `failed` or `open`.
    result: &'static str,
    what: Option<&'a str>,
    events: Vec<EventDocument<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventDocument<'a> {
    at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<&'a str>,
}

/// A run with steps of hosts, for programs.
#[must_use]
pub fn document<'a>(run: &'a Run, logs: &'a [ActorLog]) -> Document<'a> {
    let event = |(at, event): &'a (f64, LogEvent)| {
        let of = |wanted: bool, text: &'a str| wanted.then_some(text);
        let (LogEvent::Change(text) | LogEvent::Line(text) | LogEvent::Again(text)) = event;
        EventDocument {
            at: *at,
            resource: of(matches!(event, LogEvent::Change(_)), text),
            line: of(matches!(event, LogEvent::Line(_)), text),
            retry: of(matches!(event, LogEvent::Again(_)), text),
        }
    };
    let step = |actor: &'a Actor, step: &'a Step| StepDocument {
        actor,
        title: &step.title,
        began: step.began,
        ended: step.ended,
        result: match step.outcome {
            Outcome::Done => "done",
            Outcome::Failed(_) => "failed",
            Outcome::Open => "open",
        },
        what: match &step.outcome {
            Outcome::Failed(what) => Some(what),
            Outcome::Done | Outcome::Open => None,
        },
        events: step.events.iter().map(event).collect(),
    };
    let steps = logs
        .iter()
        .flat_map(|log| log.steps.iter().map(move |of| step(&log.actor, of)));
    Document {
        run,
        steps: steps.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::log;
    use crate::ui::progress::tests::name;
    use time::macros::datetime;

    fn actors() -> Vec<ActorLog> {
        let first = "    0.500 == kernel\n    0.510 -- file /etc/x\n    1.000 == done: kernel\n\
                     \x20   1.500 == packages\n    1.600 == again: a server is busy: \x1b[2J503; in 2 s\n\
                     \x20   1.700    \x1b[31mE: no\x1b[0m such\x07\n\
                     \x20   2.000 == failed: packages: exit code 100\n";
        let second = "    0.700 == kernel\n";
        let log = |at, text| ActorLog {
            actor: name(at).into(),
            steps: log::read(text),
        };
        vec![log("cp-1", first), log("w-1", second)]
    }

    fn run(record: Option<Record>) -> Run {
        Run {
            run: "20260504t030201z".to_owned(),
            state: match &record {
                Some(record) if record.ended.is_some() => Course::Ended,
                Some(_) => Course::CutShort,
                None => Course::Unknown,
            },
            record,
            actors: ["cp-1", "w-1"].map(|host| name(host).into()).into(),
        }
    }

    fn record(exit_code: Option<u8>) -> Record {
        Record {
            command: "apply".to_owned(),
            began: datetime!(2026-05-04 03:02:01 UTC),
            ended: exit_code.map(|_| datetime!(2026-05-04 03:03:35 UTC)),
            exit_code,
            counts: exit_code.map(|_| Steps {
                done: 8,
                failed: 1,
                left: 2,
            }),
        }
    }

    #[test]
    fn runs_and_their_steps() {
        let all = [Some(record(Some(6))), Some(record(None)), None].map(run);
        for width in [80, 200] {
            let style = Style::test(width, false);
            let shown = runs(&all, &style) + "\n" + &overview(&actors(), Course::CutShort, &style);
            assert!(
                shown.lines().all(|line| line.chars().count() <= width),
                "{shown}"
            );
            insta::assert_snapshot!(format!("logs-{width}"), shown);
        }
    }

    #[test]
    fn what_hosts_said_is_harmless() {
        let shown: String = actors()
            .iter()
            .map(|log| whole(log, Course::Runs, &Style::test(80, false)))
            .collect();
        insta::assert_snapshot!("logs-whole", shown);
        assert!(!shown.contains(['\x1b', '\x07']));
    }

    #[test]
    fn programs_get_all_of_it() {
        let run = run(Some(record(Some(6))));
        let json = serde_json::to_string_pretty(&document(&run, &actors())).unwrap();
        insta::assert_snapshot!("logs-json", json);
    }
}
