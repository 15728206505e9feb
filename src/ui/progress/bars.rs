//! A line for each step that runs and one for the whole, redrawn in place.

use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use super::{Board, Renderer};
use crate::execute::Event;
use crate::ui::failure;
use crate::ui::style::{Style, Terminal, Tone};
use crate::ui::text::{cut, duration, retried, step};

/// Turns ten times a second.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// Columns of the time at the end of a line.
const TIME: usize = 7;
/// Columns of a line at most: the eye loses a time that is far away.
const WIDEST: usize = 110;
/// Columns of the bar of the whole.
const BAR: usize = 20;
/// Rows where nobody says how many there are.
const ROWS: usize = 24;

/// Shows what is going on at the bottom of a terminal, failures above it.
pub struct Bars {
    screen: MultiProgress,
    style: Style,
    /// Columns of the widest host name.
    hosts: usize,
    board: Board,
    lines: Vec<ProgressBar>,
    /// Failures and retries that are not on the screen yet.
    told: Vec<String>,
    /// Held while the user is asked something. The screen is left alone then,
    /// and nobody waits for it: a question may stand for an hour.
    asking: Arc<Mutex<()>>,
}

impl Bars {
    /// Lines at the bottom of a screen, host names padded to `hosts` columns. It
    /// is left alone while `asking` is held.
    #[must_use]
    pub fn new(screen: MultiProgress, style: Style, hosts: usize, asking: Arc<Mutex<()>>) -> Self {
        Self {
            screen,
            style,
            hosts,
            board: Board::default(),
            lines: Vec::new(),
            told: Vec::new(),
            asking,
        }
    }

    fn draw(&mut self, now: Instant) {
        let asking = Arc::clone(&self.asking);
        let free = asking.try_lock();
        if matches!(free, Err(TryLockError::WouldBlock)) {
            return;
        }
        self.tell();
        // The window may have another size by now.
        let (width, rows) = Terminal::size_now().unwrap_or((self.style.width, ROWS));
        let style = Style {
            width: width.max(40),
            ..self.style
        };
        let frame = frame(&self.board, now, self.hosts, rows, &style);
        while self.lines.len() > frame.len() {
            self.lines
                .pop()
                .iter()
                .for_each(ProgressBar::finish_and_clear);
        }
        while self.lines.len() < frame.len() {
            let message = ProgressStyle::with_template("{msg}").expect("a valid template");
            let line = ProgressBar::new_spinner().with_style(message);
            self.lines.push(self.screen.add(line));
        }
        for (line, text) in self.lines.iter().zip(frame) {
            line.set_message(text);
        }
    }

    fn tell(&mut self) {
        for text in self.told.drain(..) {
            // A terminal that went away must not stop the run.
            let _ = self.screen.println(text);
        }
    }
}

impl Renderer for Bars {
    fn on(&mut self, event: &Event, now: Instant) {
        self.board.on(event, now);
        match event {
            Event::StepFailed {
                actor,
                title,
                took,
                failure,
                ..
            } => {
                let text = failure::render(actor, title, *took, failure, &self.style);
                self.told.push(text);
            }
            Event::StepRetried {
                actor,
                title,
                what,
                wait,
                ..
            } => {
                let room = self.style.width.saturating_sub(self.hosts + 9).max(20);
                let text = retried(title, what, *wait, room);
                let (style, hosts) = (&self.style, self.hosts);
                let host = style.paint(Tone::Active, &format!("{actor:<hosts$}"));
                let retry = style.paint(Tone::Notable, "retry");
                self.told.push(format!("{retry} {host}  {text}"));
            }
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        self.draw(now);
    }

    fn end(&mut self) {
        self.tell();
        self.lines
            .drain(..)
            .for_each(|line| line.finish_and_clear());
        let _ = self.screen.clear();
    }
}

/// The lines at a moment, none wider than the style's columns, and fewer than
/// `rows`: a frame that scrolls could not be redrawn.
#[must_use]
pub fn frame(board: &Board, now: Instant, hosts: usize, rows: usize, style: &Style) -> Vec<String> {
    let Some(since) = board.since else {
        return Vec::new();
    };
    let mut lines: Vec<_> = board
        .connecting
        .iter()
        .map(|(host, &since)| (host.as_str(), "reading its state".to_owned(), since))
        .collect();
    lines.extend(board.running.values().map(|running| {
        let text = step(&running.title, running.resource.as_deref());
        (running.actor.as_str(), text, running.since)
    }));
    let room = rows.saturating_sub(4).max(1);
    let hidden = lines.len().saturating_sub(room);
    let shown = lines.iter().take(room);
    let mut out: Vec<_> = shown
        .map(|(host, text, since)| line(host, text, now.duration_since(*since), hosts, style))
        .collect();
    if hidden > 0 {
        out.push(style.paint(Tone::Faint, &format!("  and {hidden} more")));
    }
    out.push(whole(board, now.duration_since(since), style));
    out
}

fn line(host: &str, text: &str, since: Duration, hosts: usize, style: &Style) -> String {
    let turn = SPINNER[(since.as_millis() / 100 % 10) as usize];
    let width = style.width.min(WIDEST);
    let room = width.saturating_sub(2 + hosts + 2 + TIME + 1).max(8);
    let text = cut(text, room);
    let pad = " ".repeat(room - text.width().min(room));
    format!(
        "{} {}  {text}{pad}{}",
        style.paint(Tone::Active, turn),
        style.paint(Tone::Strong, &format!("{host:<hosts$}")),
        style.paint(Tone::Faint, &format!("{:>TIME$}", duration(since))),
    )
}

/// The line of the whole.
fn whole(board: &Board, since: Duration, style: &Style) -> String {
    let Some(steps) = board.steps else {
        let observed = board.observed.len();
        let waiting = { board.connecting.keys() }.filter(|host| !board.observed.contains(*host));
        let all = observed + waiting.count();
        let text = format!("{observed} of {all} hosts read  {}", duration(since));
        return style.paint(Tone::Strong, &text);
    };
    let ended = board.done + board.failed;
    let full = (BAR * ended).checked_div(steps).unwrap_or(BAR).min(BAR);
    let bar = "━".repeat(full);
    let rest = "─".repeat(BAR - full);
    let mut text = format!("{ended} of {steps} steps");
    if board.failed > 0 {
        text.push_str(&format!(", {} failed", board.failed));
    }
    let tone = if board.failed > 0 {
        Tone::Bad
    } else {
        Tone::Good
    };
    format!(
        "{}{} {}  {}",
        style.paint(tone, &bar),
        style.paint(Tone::Faint, &rest),
        style.paint(Tone::Strong, &text),
        style.paint(Tone::Faint, &duration(since)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::tests::story;

    fn shown(seconds: f64, rows: usize, style: &Style) -> Vec<String> {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs_f64(seconds);
        let mut board = Board::default();
        for (when, event) in story().into_iter().filter(|(when, _)| *when <= seconds) {
            board.on(&event, at(when));
        }
        frame(&board, at(seconds), 8, rows, style)
    }

    #[test]
    fn moments_of_a_run() {
        let moments = [0.1, 0.4, 5.15, 60.0, 131.0].map(|seconds| {
            let lines = shown(seconds, 24, &Style::test(80, false));
            assert!(lines.iter().all(|line| line.width() <= 80), "{lines:#?}");
            format!("at {seconds}\n{}\n", lines.join("\n"))
        });
        insta::assert_snapshot!("run-bars", moments.join("\n"));
    }

    #[test]
    fn a_small_window_is_not_overrun() {
        let lines = shown(5.0, 5, &Style::test(40, false));
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "  and 1 more");
        assert!(lines.iter().all(|line| line.width() <= 40), "{lines:#?}");
    }

    #[test]
    fn times_stay_near_in_a_wide_window() {
        let lines = shown(5.0, 24, &Style::test(200, false));
        let times = &lines[..lines.len() - 1];
        assert!(!times.is_empty());
        assert!(times.iter().all(|line| line.width() < WIDEST), "{lines:#?}");
    }

    #[test]
    fn nothing_before_the_first_event() {
        let style = Style::test(80, false);
        assert!(frame(&Board::default(), Instant::now(), 8, 24, &style).is_empty());
    }
}
