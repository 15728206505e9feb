//! A line for each thing that happens: for logs, pipes and `NO_COLOR`.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use super::{Board, Renderer};
use crate::execute::Event;
use crate::ui::failure;
use crate::ui::sanitise::{sanitise, sanitise_output};
use crate::ui::style::{Style, Tone, Verbosity};
use crate::ui::text::{self, count, cut, duration, names, step};

/// How long nothing is said until it is said what is waited for.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Steps that are named then.
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
        }
    }

    /// One line; a host may be nobody.
    fn line(&mut self, now: Instant, host: &str, tone: Tone, word: &str, text: &str) {
        self.told = now;
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
            host,
            title,
            took,
            failure,
            ..
        } = event
        {
            let (host_name, text) = (
                host.as_str(),
                format!("{title}: {}", sanitise(&failure.what)),
            );
            self.line(now, host_name, Tone::Bad, "fail", &text);
            let replay = failure::render(host, title, *took, failure, &self.style);
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
                let text = format!("{} on {}", count(*steps, "step"), count(*hosts, "host"));
                self.line(now, "", Tone::Active, "run", &text);
            }
            Event::StepStarted { host, title, .. } => {
                self.line(now, host.as_str(), Tone::Active, "start", title);
            }
            Event::StepRetried {
                host,
                title,
                what,
                wait,
                ..
            } => {
                let text = text::retried(title, what, *wait, LINE);
                self.line(now, host.as_str(), Tone::Notable, "retry", &text);
            }
            Event::StepDone {
                host, title, took, ..
            } => {
                let steps = self.board.steps.unwrap_or_default();
                let done = self.board.done;
                let text = format!("{title}  {}  ({done}/{steps})", duration(*took));
                self.line(now, host.as_str(), Tone::Good, "done", &text);
            }
            Event::ChangeStarted { host, resource, .. } if verbose => {
                let text = sanitise(resource);
                self.line(now, host.as_str(), Tone::Faint, "·", &text);
            }
            Event::Script { host, text, .. } if verbose => {
                for line in text.lines() {
                    self.line(now, host.as_str(), Tone::Faint, "sh", &sanitise(line));
                }
            }
            Event::Line { host, text, .. } if verbose => {
                let text = cut(&sanitise_output(text), LINE);
                self.line(now, host.as_str(), Tone::Faint, "|", &text);
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
        let silent = now.saturating_duration_since(self.told) >= SIGN_OF_LIFE;
        if self.style.verbosity == Verbosity::Quiet || !silent {
            return;
        }
        let mut running: Vec<_> = self.board.running.values().cloned().collect();
        running.sort_by_key(|running| running.since);
        for running in running.iter().take(NAMED) {
            let since = duration(now.saturating_duration_since(running.since));
            let step = step(&running.title, running.resource.as_deref());
            let text = format!("still running after {since}: {step}");
            self.line(now, running.host.as_str(), Tone::Faint, "wait", &text);
        }
        let others: BTreeSet<_> = running
            .iter()
            .skip(NAMED)
            .map(|other| &other.host)
            .collect();
        if !others.is_empty() {
            let text = cut(&names(&others), self.style.width);
            self.line(
                now,
                "",
                Tone::Faint,
                "wait",
                &format!("steps run on {text}, too"),
            );
        }
        let late: BTreeSet<_> = self.board.connecting.keys().cloned().collect();
        if !late.is_empty() {
            let text = cut(&names(&late.iter().collect()), self.style.width);
            let text = format!("still no answer from {text}");
            self.line(now, "", Tone::Faint, "wait", &text);
        }
    }

    fn end(&mut self) {}
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
    use crate::ui::progress::tests::{name, tell};

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
    fn hosts_that_do_not_answer_are_named() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut plain = Plain::new(&mut out, Style::test(80, false), start, 4);
        plain.on(&Event::Connecting { host: name("cp-1") }, start);
        for second in 0..25 {
            plain.tick(start + Duration::from_secs(second));
        }
        let shown = String::from_utf8(out).unwrap();
        let wanted = "00:10.0        wait  still no answer from cp-1\n\
                      00:20.0        wait  still no answer from cp-1\n";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn many_steps_that_are_silent_take_few_lines() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut plain = Plain::new(&mut out, Style::test(80, false), start, 3);
        for step in 0..9 {
            let host = name(&format!("w-{step}"));
            let title = "packages".to_owned();
            plain.on(&Event::StepStarted { step, host, title }, start);
        }
        plain.tick(start + Duration::from_secs(9));
        plain.tick(start + Duration::from_secs(10));
        plain.tick(start + Duration::from_secs(11));
        let shown = String::from_utf8(out).unwrap();
        let waits: Vec<_> = shown.lines().skip(9).collect();
        assert_eq!(waits.len(), 4, "{shown}");
        assert_eq!(
            waits[0],
            "00:10.0  w-0  wait  still running after 10s: packages"
        );
        assert_eq!(waits[3], "00:10.0       wait  steps run on w-3..w-8, too");
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
            let (step, host) = (0, name("w-1"));
            let text = "echo a\x1b\necho b".to_owned();
            Plain::new(&mut out, style, start, 3).on(&Event::Script { step, host, text }, start);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(Verbosity::Normal), "");
        let wanted = "00:00.0  w-1  sh    echo a␛\n00:00.0  w-1  sh    echo b\n";
        assert_eq!(shown(Verbosity::Verbose), wanted);
    }
}
