//! A line for each thing that happens: for logs, pipes and `NO_COLOR`.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use super::{Board, Renderer};
use crate::execute::Event;
use crate::plan::Actor;
use crate::ui::failure;
use crate::ui::plan::where_to;
use crate::ui::sanitise::{sanitise, sanitise_output};
use crate::ui::style::{Style, Tone, Verbosity};
use crate::ui::text::{self, count, cut, duration, names, sign_of_life, step};

/// Kinds of steps that are named while nothing else is said.
const NAMED: usize = 3;

/// Columns of a line of output. The whole of it is in the logs.
const LINE: usize = 400;

/// Shows events as lines: time since the start, host, what happened.
pub struct Plain<W> {
    out: W,
    style: Style,
    start: Instant,
    /// Columns of the widest host name.
    hosts: usize,
    board: Board,
    /// When something was last said.
    told: Instant,
    /// How often nothing but what is waited for was said, one after the other.
    waits: usize,
}

impl<W: Write + Send> Plain<W> {
    /// Lines that begin with the time since `start` and a host name padded to
    /// `hosts` columns.
    pub fn new(out: W, style: Style, start: Instant, hosts: usize) -> Self {
        Self {
            out,
            style,
            start,
            hosts,
            board: Board::default(),
            told: start,
            waits: 0,
        }
    }

    /// One line; a host may be nobody.
    fn line(&mut self, now: Instant, host: &str, tone: Tone, word: &str, text: &str) {
        self.told = now;
        self.waits = 0;
        let at = clock(now.saturating_duration_since(self.start));
        let line = format!(
            "{}  {}  {} {text}\n",
            self.style.paint(Tone::Faint, &at),
            self.style
                .paint(Tone::Active, &format!("{host:<0$}", self.hosts)),
            self.style.paint(tone, &format!("{word:<5}")),
        );
        self.write(&line);
    }

    /// Progress that nobody can read must not stop the run.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

impl<W: Write + Send> Renderer for Plain<W> {
    fn on(&mut self, event: &Event, now: Instant) {
        self.board.on(event, now);
        if let Event::StepFailed {
            actor,
            title,
            took,
            failure,
            ..
        } = event
        {
            let (host_name, text) = (
                actor.as_str(),
                format!("{title}: {}", sanitise(&failure.what)),
            );
            self.line(now, host_name, Tone::Bad, "fail", &text);
            let replay = failure::render(actor, title, *took, failure, &self.style);
            self.write(&replay);
        }
        if self.style.verbosity == Verbosity::Quiet {
            return;
        }
        let verbose = self.style.verbose();
        match event {
            Event::Observed { host, took } if verbose => {
                self.line(now, host.as_str(), Tone::Good, "read", &duration(*took));
            }
            Event::RunStarted { steps, hosts } => {
                let text = format!("{} on {}", count(*steps, "step"), where_to(*hosts));
                self.line(now, "", Tone::Active, "run", &text);
            }
            Event::StepStarted { actor, title, .. } => {
                self.line(now, actor.as_str(), Tone::Active, "start", title);
            }
            Event::StepRetried {
                actor,
                title,
                what,
                wait,
                ..
            } => {
                let text = text::retried(title, what, *wait, LINE);
                self.line(now, actor.as_str(), Tone::Notable, "retry", &text);
            }
            Event::StepDone {
                actor, title, took, ..
            } => {
                let steps = self.board.steps.unwrap_or_default();
                let done = self.board.done;
                let text = format!("{title}  {}  ({done}/{steps})", duration(*took));
                self.line(now, actor.as_str(), Tone::Good, "done", &text);
            }
            Event::ChangeStarted {
                actor, resource, ..
            } if verbose => {
                let text = sanitise(resource);
                self.line(now, actor.as_str(), Tone::Faint, "·", &text);
            }
            Event::Script { actor, text, .. } if verbose => {
                for line in text.lines() {
                    self.line(now, actor.as_str(), Tone::Faint, "sh", &sanitise(line));
                }
            }
            Event::Line { actor, text, .. } if verbose => {
                let text = cut(&sanitise_output(text), LINE);
                self.line(now, actor.as_str(), Tone::Faint, "|", &text);
            }
            Event::RunEnded {
                done,
                failed,
                left,
                took,
            } => {
                let (tone, word) = if failed + left == 0 {
                    (Tone::Good, "done")
                } else {
                    (Tone::Bad, "fail")
                };
                let text = format!(
                    "{} done, {failed} failed, {left} not run  {}",
                    count(*done, "step"),
                    duration(*took)
                );
                self.line(now, "", tone, word, &text);
            }
            Event::Connecting { .. }
            | Event::Observed { .. }
            | Event::Unreachable { .. }
            | Event::ChangeStarted { .. }
            | Event::Line { .. }
            | Event::Script { .. }
            | Event::StepFailed { .. } => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        let silent = now.saturating_duration_since(self.told) >= sign_of_life(self.waits);
        if self.style.verbosity == Verbosity::Quiet || !silent {
            return;
        }
        let waits = self.waits + 1;
        for (host, text) in waited_for(&self.board, now, self.style.width) {
            self.line(now, &host, Tone::Faint, "wait", &text);
        }
        self.waits = waits;
    }

    fn end(&mut self) {}
}

/// Steps of one title that run.
struct Kind<'b> {
    title: &'b str,
    /// What all of them are at; `None` where they are at different things.
    resource: Option<&'b str>,
    actors: BTreeSet<&'b Actor>,
    /// When the first of them began.
    since: Instant,
}

/// What is waited for: a host, which may be nobody, and what there.
fn waited_for(board: &Board, now: Instant, width: usize) -> Vec<(String, String)> {
    let kinds = kinds(board);
    let mut lines = Vec::new();
    for kind in kinds.iter().take(NAMED) {
        let since = duration(now.saturating_duration_since(kind.since));
        let step = step(kind.title, kind.resource);
        let (host, on) = match (kind.actors.len(), kind.actors.first()) {
            (1, Some(host)) => (host.to_string(), String::new()),
            _ => (String::new(), format!(" on {}", names(&kind.actors))),
        };
        let text = format!("still running after {since}: {step}{on}");
        lines.push((host, cut(&text, LINE)));
    }
    let others: BTreeSet<_> = kinds
        .iter()
        .skip(NAMED)
        .flat_map(|other| other.actors.iter().copied())
        .collect();
    if !others.is_empty() {
        let text = cut(&names(&others), width);
        lines.push((String::new(), format!("steps run on {text}, too")));
    }
    let late: BTreeSet<_> = board.connecting.keys().collect();
    if !late.is_empty() {
        let text = cut(&names(&late), width);
        lines.push((String::new(), format!("still no answer from {text}")));
    }
    lines
}

/// What runs, by its title; what runs longest comes first.
fn kinds(board: &Board) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for running in board.running.values() {
        let resource = running.resource.as_deref();
        match kinds.iter_mut().find(|kind| kind.title == running.title) {
            Some(kind) => {
                kind.resource = kind.resource.filter(|same| Some(*same) == resource);
                kind.actors.insert(&running.actor);
                kind.since = kind.since.min(running.since);
            }
            None => kinds.push(Kind {
                title: &running.title,
                resource,
                actors: BTreeSet::from([&running.actor]),
                since: running.since,
            }),
        }
    }
    kinds.sort_by_key(|kind| kind.since);
    kinds
}

/// Minutes, seconds and tenths, of one width up to 100 minutes.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let tenths = elapsed.subsec_millis() / 100;
    format!("{:02}:{:02}.{tenths}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::tests::{change, name, tell};

    fn shown(style: Style) -> String {
        let mut out = Vec::new();
        let start = Instant::now();
        tell(&mut Plain::new(&mut out, style, start, 8), start);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_in_lines() {
        insta::assert_snapshot!("run-plain", shown(Style::test(80, false)));
        let colored = shown(Style::test(80, true)).replace('\x1b', "␛");
        insta::assert_snapshot!("run-plain-color", colored);
    }

    #[test]
    fn verbose_adds_resources_and_output() {
        let verbosity = Verbosity::Verbose;
        let shown = shown(Style {
            verbosity,
            ..Style::test(80, false)
        });
        insta::assert_snapshot!("run-plain-verbose", shown);
    }

    #[test]
    fn quiet_is_failures_only() {
        let verbosity = Verbosity::Quiet;
        let shown = shown(Style {
            verbosity,
            ..Style::test(80, false)
        });
        let first = shown.lines().next().unwrap();
        assert_eq!(first, "00:05.2  worker-1  fail  packages: exit code 100");
        assert!(!shown.contains("done"), "{shown}");
    }

    #[test]
    fn hosts_that_do_not_answer_are_named_less_and_less_often() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut plain = Plain::new(&mut out, Style::test(80, false), start, 4);
        plain.on(&Event::Connecting { host: name("cp-1") }, start);
        for second in 0..200 {
            plain.tick(start + Duration::from_secs(second));
        }
        let shown = String::from_utf8(out).unwrap();
        let said: Vec<_> = shown.lines().map(|line| &line[..7]).collect();
        assert_eq!(
            said,
            ["00:10.0", "00:30.0", "01:10.0", "02:10.0", "03:10.0"]
        );
        let first = shown.lines().next();
        assert_eq!(
            first,
            Some("00:10.0        wait  still no answer from cp-1")
        );
    }

    #[test]
    fn many_steps_that_are_silent_take_few_lines() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut plain = Plain::new(&mut out, Style::test(80, false), start, 3);
        for step in 0..12 {
            let actor = name(&format!("w-{step}")).into();
            let title = format!("step {}", step.max(7) - 7);
            let after = None;
            plain.on(
                &Event::StepStarted {
                    step,
                    actor,
                    title,
                    after,
                },
                start,
            );
        }
        plain.on(&change(8, "w-8", "file /etc/x"), start);
        for second in [9, 10, 11, 29] {
            plain.tick(start + Duration::from_secs(second));
        }
        let shown = String::from_utf8(out).unwrap();
        let waits: Vec<_> = shown.lines().skip(12).collect();
        let wanted = [
            "00:10.0       wait  still running after 10s: step 0 on w-0..w-7",
            "00:10.0  w-8  wait  still running after 10s: step 1 › file /etc/x",
            "00:10.0  w-9  wait  still running after 10s: step 2",
            "00:10.0       wait  steps run on w-10, w-11, too",
        ];
        assert_eq!(waits, wanted);
    }

    #[test]
    fn scripts_are_shown_to_those_who_want_everything() {
        let shown = |verbosity| {
            let mut out = Vec::new();
            let start = Instant::now();
            let style = Style {
                verbosity,
                ..Style::test(80, false)
            };
            let (step, actor) = (0, name("w-1").into());
            let text = "echo a\x1b\necho b".to_owned();
            Plain::new(&mut out, style, start, 3).on(&Event::Script { step, actor, text }, start);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(Verbosity::Normal), "");
        let wanted = "00:00.0  w-1  sh    echo a␛\n00:00.0  w-1  sh    echo b\n";
        assert_eq!(shown(Verbosity::Verbose), wanted);
    }
}
