//! What happens, made visible: plans, problems, progress, summaries.
//!
//! Renderers are pure functions of a value and a [`Style`]; they never call
//! back. What is written or asked goes through one [`Ui`].

pub mod canvas;
pub mod diff;
pub mod etcd;
pub mod exec_output;
pub mod explain;
pub mod facts;
pub mod failure;
pub mod host_list;
pub mod logs;
pub mod plan;
pub mod problems;
pub mod progress;
pub mod prompt;
pub mod sink;
pub mod status;
pub mod style;
pub mod summary;
pub mod table;
pub mod text;
pub mod topology;
pub mod transfer;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

pub use crate::transport::sanitise::{self, sanitise, sanitise_json, sanitise_output};
pub use canvas::Canvas;
pub use prompt::PromptError;
pub use sink::Sink;
pub use style::{Color, Output, Style, Terminal, Tone, Verbosity};
pub use transfer::Transfer;

use crate::cluster::Name;
use crate::plan::Plan;
use crate::transport::error::UnknownKey;
use progress::{Bars, Json, Plain, Renderer};

/// The one way to the user. Results go to standard output; progress,
/// warnings, errors and questions to standard error. Clones share both.
#[derive(Clone)]
pub struct Ui {
    out: Sink,
    err: Sink,
    out_style: Style,
    err_style: Style,
    terminal: Terminal,
    output: Output,
    /// Bars at the bottom of standard error, if there are any.
    screen: MultiProgress,
    /// One question at a time, whichever host it is about.
    asking: Arc<Mutex<()>>,
    /// Whether kdiy ends in the middle of something.
    abandoned: Arc<AtomicBool>,
}

/// How often it is looked whether a question has ended by itself.
const GIVE_UP: usize = 10;
/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(5);

impl Ui {
    /// Writes to the process's streams.
    #[must_use]
    pub fn new(terminal: Terminal, color: Color, verbosity: Verbosity, output: Output) -> Self {
        Self::with(
            Sink::new(io::stdout()),
            Sink::new(io::stderr()),
            terminal,
            (color, verbosity, output),
        )
    }

    fn with(
        out: Sink,
        err: Sink,
        terminal: Terminal,
        (color, verbosity, output): (Color, Verbosity, Output),
    ) -> Self {
        Self {
            out,
            err,
            out_style: Style::of_stdout(&terminal, color, verbosity),
            err_style: Style::of_stderr(&terminal, color, verbosity),
            terminal,
            output,
            screen: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            asking: Arc::default(),
            abandoned: Arc::default(),
        }
    }

    /// How text on standard output is shown.
    #[must_use]
    pub fn style(&self) -> &Style {
        &self.out_style
    }

    /// How text on standard error is shown.
    #[must_use]
    pub fn err_style(&self) -> &Style {
        &self.err_style
    }

    /// Who reads the output.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output
    }

    /// What boxes and lines are made of, unless the user asks for less.
    #[must_use]
    pub fn glyphs(&self) -> topology::Glyphs {
        match self.terminal.utf8 {
            true => topology::Glyphs::Unicode,
            false => topology::Glyphs::Ascii,
        }
    }

    /// Whether results are shown on a terminal.
    #[must_use]
    pub fn prints_to_terminal(&self) -> bool {
        self.terminal.stdout
    }

    /// Writes a result to standard output, as it stands.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk; a reader that went away
    /// is no error.
    pub fn print(&self, text: &str) -> io::Result<()> {
        self.screen.suspend(|| {
            let mut out = self.out.clone();
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }

    /// Standard output, for results that are no text.
    #[must_use]
    pub fn stdout(&self) -> Sink {
        self.out.clone()
    }

    /// Writes a result as a JSON document to standard output.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut text = sanitise_json(&serde_json::to_string_pretty(value)?);
        text.push('\n');
        self.print(&text)
    }

    /// Writes a result as a JSON document on one line.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub fn json_line(&self, value: &impl Serialize) -> io::Result<()> {
        let mut text = sanitise_json(&serde_json::to_string(value)?);
        text.push('\n');
        self.print(&text)
    }

    /// Whether somebody still reads standard output, as far as writing tells.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.out.is_read()
    }

    /// The whole screen to draw on, where standard output is a terminal that
    /// can be drawn on and text is wanted.
    #[must_use]
    pub fn canvas(&self) -> Option<Canvas> {
        let moves = self.terminal.stdout && !self.terminal.dumb;
        (moves && self.output == Output::Text)
            .then(|| Canvas::new(self.out.clone(), self.out_style))
    }

    /// Writes text to standard error, as it stands.
    pub fn tell(&self, text: &str) {
        let write = || {
            let mut err = self.err.clone();
            // There is nobody left to tell that nobody can be told.
            let _ = err.write_all(text.as_bytes());
            let _ = err.flush();
        };
        // An open question has the screen for itself, until it is given up.
        match self.abandoned.load(Ordering::Relaxed) {
            true => write(),
            false => self.screen.suspend(write),
        }
    }

    /// Gives up what is on the screen: bars, and a question that is open. Only
    /// what ends kdiy is told after this.
    pub fn abandon(&self) {
        if self.abandoned.swap(true, Ordering::Relaxed) {
            return;
        }
        // One for a secret ends by itself, and gives the terminal back first.
        let free = || self.asking.try_lock().is_ok();
        let mut tries = (0..GIVE_UP).map(|_| std::thread::sleep(PAUSE));
        if free() || tries.any(|()| free()) {
            let _ = self.screen.clear();
            self.screen.set_draw_target(ProgressDrawTarget::hidden());
        }
        if self.terminal.stderr {
            // ^C stands there.
            let _ = self.err.clone().write_all(b"\n");
        }
    }

    /// Writes a remark to standard error, unless quiet.
    pub fn note(&self, text: &str) {
        if self.err_style.verbosity > Verbosity::Quiet {
            self.tell(&labelled("", None, text, &self.remarks()));
        }
    }

    /// Writes a warning to standard error.
    pub fn warn(&self, text: &str) {
        self.tell(&labelled(
            "warning: ",
            Some(Tone::Notable),
            text,
            &self.remarks(),
        ));
    }

    /// Writes an error, and what to do about it, to standard error.
    pub fn error(&self, text: &str, hint: Option<&str>) {
        let style = self.remarks();
        let mut shown = labelled("error: ", Some(Tone::Bad), text, &style);
        if let Some(hint) = hint {
            shown.push_str(&labelled("   do: ", Some(Tone::Good), hint, &style));
        }
        self.tell(&shown);
    }

    /// How remarks and errors are shown: wrapped for a terminal, and in one
    /// piece for files and pipes, where somebody may search for them.
    fn remarks(&self) -> Style {
        let width = if self.terminal.stderr {
            self.err_style.width
        } else {
            usize::MAX
        };
        Style {
            width,
            ..self.err_style
        }
    }

    /// What shows the progress of a command that began at `start` on these
    /// hosts: JSON if asked for; bars on a terminal with colours; else lines.
    pub fn renderer<'a>(
        &self,
        start: Instant,
        hosts: impl IntoIterator<Item = &'a Name>,
    ) -> Box<dyn Renderer> {
        let hosts = hosts.into_iter().map(|host| host.as_str().width()).max();
        let hosts = hosts.unwrap_or_default();
        let style = self.err_style;
        match self.output {
            Output::Json => Box::new(Json::new(self.out.clone(), start)),
            Output::Text if self.moves() => {
                self.screen.set_draw_target(ProgressDrawTarget::stderr());
                let asking = Arc::clone(&self.asking);
                Box::new(Bars::new(self.screen.clone(), style, hosts, asking))
            }
            Output::Text => Box::new(Plain::new(self.err.clone(), style, start, hosts)),
        }
    }

    /// The same for a command whose result is one JSON document: that has
    /// standard output for itself, progress is told in lines beside it.
    pub fn renderer_beside_document<'a>(
        &self,
        start: Instant,
        hosts: impl IntoIterator<Item = &'a Name>,
    ) -> Box<dyn Renderer> {
        let lines = Self {
            output: Output::Text,
            ..self.clone()
        };
        lines.renderer(start, hosts)
    }

    /// Writes the plan that is about to run as one JSON object on a line, as
    /// the first of those that [`Self::renderer`] writes.
    pub fn plan_event(&self, plan: &Plan, start: Instant, now: Instant) {
        Json::new(self.out.clone(), start).plan(plan, now);
    }

    /// Shows how far a file has come from a host.
    #[must_use]
    pub fn transfer(&self, host: &Name) -> Transfer {
        if !self.moves() {
            return Transfer::hidden();
        }
        self.screen.set_draw_target(ProgressDrawTarget::stderr());
        Transfer::new(&self.screen, host)
    }

    /// Whether standard error is redrawn in place.
    fn moves(&self) -> bool {
        let style = self.err_style;
        self.terminal.stderr
            && !self.terminal.dumb
            && style.color
            && style.verbosity == Verbosity::Normal
    }

    /// Asks a question that only a full `yes` says yes to. Blocks.
    ///
    /// # Errors
    /// When there is no terminal or no answer.
    pub fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        let instead = "pass --yes to go ahead without a question";
        self.ask(instead, |input, output| {
            prompt::confirm(question, input, output)
        })
    }

    /// Asks whether to trust the unknown key of a host. Blocks.
    ///
    /// # Errors
    /// When there is no terminal or no answer.
    pub fn host_key(&self, key: &UnknownKey) -> Result<bool, PromptError> {
        self.ask(&prompt::instead_of_asking(key), |input, output| {
            prompt::host_key(key, input, output)
        })
    }

    /// Asks until an answer is taken; an empty one is the default. `instead`
    /// tells what to do where nobody can be asked. Blocks.
    ///
    /// # Errors
    /// When there is no terminal or no answer.
    pub fn question<T>(
        &self,
        label: &str,
        default: &str,
        instead: &str,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, PromptError> {
        self.ask(instead, |input, output| {
            let width = self.err_style.width;
            prompt::question(label, default, &check, width, (input, output))
        })
    }

    /// Asks for a secret, which is not shown. Blocks.
    ///
    /// # Errors
    /// When there is no terminal (then `instead` tells what to do) or no
    /// answer.
    pub fn secret(&self, label: &str, instead: &str) -> Result<Zeroizing<String>, PromptError> {
        self.ask(instead, |_, _| {
            Ok(Zeroizing::new(rpassword::prompt_password(format!(
                "{label}: "
            ))?))
        })
    }

    fn ask<T>(
        &self,
        instead: &str,
        question: impl FnOnce(&mut dyn io::BufRead, &mut dyn Write) -> Result<T, PromptError>,
    ) -> Result<T, PromptError> {
        if !(self.terminal.stdin && self.terminal.stderr) {
            let instead = instead.to_owned();
            return Err(PromptError::NoTerminal { instead });
        }
        let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        self.screen
            .suspend(|| question(&mut io::stdin().lock(), &mut self.err.clone()))
    }
}

#[cfg(test)]
impl Ui {
    /// Off a terminal, with what was written to each stream.
    pub(crate) fn memory(verbosity: Verbosity) -> (Self, impl Fn() -> String, impl Fn() -> String) {
        let ((out, out_text), (err, err_text)) = (Sink::memory(), Sink::memory());
        let choice = (Color::Auto, verbosity, Output::Text);
        let ui = Self::with(out, err, Terminal::default(), choice);
        (ui, out_text, err_text)
    }
}

/// Text behind a label, wrapped; its own lines and their indents are kept.
fn labelled(label: &str, tone: Option<Tone>, text: &str, style: &Style) -> String {
    let room = style.width - label.width();
    let lines: Vec<_> = text
        .lines()
        .flat_map(|line| {
            let words = line.trim_start();
            let indent = line.len() - words.len();
            let lines = text::wrap(&sanitise(words), room.saturating_sub(indent));
            lines
                .into_iter()
                .map(move |line| format!("{:indent$}{line}", ""))
        })
        .collect();
    let painted = tone.map_or_else(|| label.to_owned(), |tone| style.paint(tone, label));
    let indent = " ".repeat(label.width());
    let mut out = String::new();
    for (place, line) in lines.iter().enumerate() {
        let line = format!("{}{line}", if place == 0 { &painted } else { &indent });
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;
