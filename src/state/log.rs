//! What is written in the log of a host: one line for each thing that
//! happened, with the seconds since the command began.

use std::fmt;

/// One line of a log, without its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A step began.
    Step(&'a str),
    /// A step came to one of its changes.
    Change(&'a str),
    /// The host said something.
    Line(&'a str),
    /// A step is tried again: why, and when.
    Again(&'a str),
    /// A step ended well.
    Done(&'a str),
    /// A step failed: its title, a colon, what happened.
    Failed(&'a str),
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(title) => write!(f, "== {title}"),
            Self::Change(resource) => write!(f, "-- {resource}"),
            Self::Line(text) => write!(f, "   {text}"),
            Self::Again(why) => write!(f, "== again: {why}"),
            Self::Done(title) => write!(f, "== done: {title}"),
            Self::Failed(text) => write!(f, "== failed: {text}"),
        }
    }
}

impl<'a> Entry<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (mark, rest) = text.split_at_checked(3)?;
        Some(match (mark, rest) {
            ("== ", _) if rest.starts_with("again: ") => Self::Again(&rest["again: ".len()..]),
            ("== ", _) if rest.starts_with("done: ") => Self::Done(&rest["done: ".len()..]),
            ("== ", _) if rest.starts_with("failed: ") => Self::Failed(&rest["failed: ".len()..]),
            ("== ", _) => Self::Step(rest),
            ("-- ", _) => Self::Change(rest),
            ("   ", _) => Self::Line(rest),
            _ => return None,
        })
    }
}

/// A line of a log.
#[must_use]
pub fn line(at: f64, entry: Entry<'_>) -> String {
    format!("{at:9.3} {entry}\n")
}

/// A step as a log tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Title of the step, a fragment such as `install packages`.
    pub title: String,
    /// When it began, in seconds since the command did.
    pub began: f64,
    /// When it ended.
    pub ended: Option<f64>,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened in it, with the time.
    pub events: Vec<(f64, LogEvent)>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// It failed; what happened.
    Failed(String),
    /// The log does not say: it still runs, or the run was cut short.
    Open,
}

/// What happened in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// It came to a resource.
    Change(String),
    /// The host said a line.
    Line(String),
    /// It failed by a transient error, and is tried again: why, and when.
    Again(String),
}

/// Reads a log. A host carries out one step at a time. What makes no sense is
/// taken for output.
#[must_use]
pub fn read(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last = 0.0;
    for line in text.lines() {
        let (at, entry) = timed(line).unwrap_or((last, Entry::Line(line)));
        last = at;
        let open = steps
            .last_mut()
            .filter(|step| step.outcome == Outcome::Open);
        match (entry, open) {
            (Entry::Step(title), _) => steps.push(Step {
                title: title.to_owned(),
                began: at,
                ended: None,
                outcome: Outcome::Open,
                events: Vec::new(),
            }),
            (Entry::Done(_), Some(step)) => {
                step.ended = Some(at);
                step.outcome = Outcome::Done;
            }
            (Entry::Failed(text), Some(step)) => {
                let what = text.strip_prefix(&*step.title).unwrap_or(text);
                let what = what.strip_prefix(": ").unwrap_or(what);
                step.ended = Some(at);
                step.outcome = Outcome::Failed(what.to_owned());
            }
            (Entry::Change(text), Some(step)) => {
                step.events.push((at, LogEvent::Change(text.to_owned())))
            }
            (Entry::Again(text), Some(step)) => {
                step.events.push((at, LogEvent::Again(text.to_owned())));
            }
            (Entry::Line(text), Some(step)) => {
                step.events.push((at, LogEvent::Line(text.to_owned())))
            }
            (_, None) => {}
        }
    }
    steps
}

fn timed(line: &str) -> Option<(f64, Entry<'_>)> {
    let (at, rest) = line.trim_start().split_once(' ')?;
    let at = at.parse().ok().filter(|at: &f64| at.is_finite())?;
    Some((at, Entry::parse(rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_are_read_back() {
        let log = [
            (0.5, Entry::Step("kernel")),
            (0.51, Entry::Change("file /etc/x")),
            (0.6, Entry::Line("== done: not really")),
            (1.0, Entry::Done("kernel")),
            (1.5, Entry::Step("packages")),
            (2.0, Entry::Failed("packages: exit code 100")),
            (2.5, Entry::Step("join")),
        ];
        let text: String = log.iter().map(|(at, entry)| line(*at, *entry)).collect();
        let steps = read(&text);
        let outcomes: Vec<_> = steps.iter().map(|step| step.outcome.clone()).collect();
        let failed = Outcome::Failed("exit code 100".to_owned());
        assert_eq!(outcomes, [Outcome::Done, failed, Outcome::Open]);
        assert_eq!(steps[0].events.len(), 2);
        let line = LogEvent::Line("== done: not really".to_owned());
        assert_eq!(steps[0].events[1], (0.6, line));
        assert_eq!((steps[1].began, steps[1].ended), (1.5, Some(2.0)));
    }

    proptest! {
        #[test]
        fn no_log_makes_it_panic(text in "(\\PC|[ =\n.0-9-]){0,80}") {
            let _ = read(&text);
        }

        #[test]
        fn lines_of_hosts_are_read_back(said in "\\PC{0,40}") {
            let text = line(1.0, Entry::Step("a")) + &line(2.0, Entry::Line(&said));
            prop_assert_eq!(&read(&text)[0].events, &[(2.0, LogEvent::Line(said))]);
        }
    }
}
