//! A guarded command: run when its guard says that something is left to do.

use serde::Serialize;
use zeroize::Zeroizing;

use super::{AnswerError, Answers, Content, Difference, Verb, section};
use crate::shell::{Script, sh};

/// A guarded command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What it does, in the plan and in errors.
    pub name: String,
    /// Runs, or only waits.
    pub verb: Verb,
    /// Particulars for the plan.
    pub details: Vec<String>,
    /// How it is known that nothing is left to do.
    pub done: Done,
    /// What is run. Its inputs are in `"$kdiy_tmp"`.
    pub script: Script,
    /// Files for it alone, in a private directory that is removed after it.
    pub inputs: Vec<Input>,
}

/// How it is known that nothing is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// A script that the host runs in its probe and again before the
    /// command: exit 0 when nothing is left to do.
    Ask(Script),
    /// Known from the cluster's state when the blueprint was made.
    Known(bool),
}

/// A file for a command alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Name within the private directory.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

impl Input {
    /// A file that holds no secret and is as it is.
    #[must_use]
    pub fn plain(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            content: Content::Plain(text.into()),
        }
    }
}

/// Defines `kdiy_input` and `kdiy_do_unless_done`.
pub(super) const FUNCTIONS: &str = sh!("resource/command.sh");

pub(super) fn probe(all: &[&Command]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let told = |body: Script, command: &&Command| match &command.done {
        Done::Ask(ask) => body
            .define("kdiy_is_done", ask)
            .call("kdiy_tell_done", [&command.name]),
        Done::Known(_) => body,
    };
    let body = all.iter().fold(Script::of(sh!("resource/done.sh")), told);
    section("command", &body)
}

impl Command {
    /// A wait for something that nobody can know before: a gate.
    #[must_use]
    pub fn wait(name: String, script: Script) -> Self {
        Self {
            name,
            verb: Verb::Wait,
            details: Vec::new(),
            done: Done::Known(false),
            script,
            inputs: Vec::new(),
        }
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<bool, AnswerError> {
        match self.done {
            Done::Known(done) => Ok(done),
            Done::Ask(_) => Ok(answers.line("command", &self.name)?.is_some()),
        }
    }

    pub(super) fn diff(&self, done: bool) -> Option<Difference> {
        (!done).then(|| Difference::with(self.verb, self.details.clone()))
    }

    pub(super) fn apply(&self, fill: &dyn Fn(&Content) -> Zeroizing<String>) -> Script {
        let inputs = self.inputs.iter().fold(Script::new(), |script, input| {
            let text = fill(&input.content);
            script.call("kdiy_input", [input.name.as_str(), text.as_str()])
        });
        let run = inputs.then(&self.script);
        match &self.done {
            Done::Ask(ask) => Script::new()
                .define("kdiy_is_done", ask)
                .define("kdiy_command", &run)
                .run("kdiy_do_unless_done"),
            Done::Known(_) => run,
        }
    }
}
