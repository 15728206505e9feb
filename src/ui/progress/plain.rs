//! A line for each thing that happens: for logs, pipes and `NO_COLOR`.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{Board, Renderer};
use crate::execute::Event;
use crate::ui::failure;
use crate::ui::sanitise::{sanitise, sanitise_output};
use crate::ui::style::{Style, Tone, Verbosity};
use crate::ui::text::{count, cut, duration, names, step};

/// Silence of a step or a host until it is said that it still goes on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

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
    /// When the hosts that are being connected to were last spoken of.
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
        let at = clock(now.duration_since(self.start));
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
            Event::Line {
                step, host, text, ..
            } if verbose => {
                // A step that speaks needs no other sign of life.
                if let Some(running) = self.board.running.get_mut(step) {
                    running.told = now;
                }
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
            | Event::StepFailed { .. } => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.style.verbosity == Verbosity::Quiet {
            return;
        }
        let silent = |told: Instant| now.saturating_duration_since(told) >= SIGN_OF_LIFE;
        let mut lines = Vec::new();
        for running in self.board.running.values_mut() {
            if silent(running.told) {
                running.told = now;
                let since = duration(now.duration_since(running.since));
                let step = step(&running.title, running.resource.as_deref());
                lines.push((
                    running.host.clone(),
                    format!("still running after {since}: {step}"),
                ));
            }
        }
        for (host, text) in lines {
            self.line(now, host.as_str(), Tone::Faint, "wait", &text);
        }
        let late = self
            .board
            .connecting
            .iter()
            .filter(|(_, since)| silent(**since));
        let late: std::collections::BTreeSet<_> = late.map(|(host, _)| host).collect();
        if !late.is_empty() && silent(self.told) {
            let text = cut(&names(&late), self.style.width);
            self.told = now;
            self.line(
                now,
                "",
                Tone::Faint,
                "wait",
                &format!("still no answer from {text}"),
            );
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
        for second in 0..50 {
            plain.tick(start + Duration::from_secs(second));
        }
        let shown = String::from_utf8(out).unwrap();
        let wanted = "00:20.0        wait  still no answer from cp-1\n\
                      00:40.0        wait  still no answer from cp-1\n";
        assert_eq!(shown, wanted);
    }
}
