//! A kernel parameter, as it is now. That it is so after a reboot is a file.

use serde::Serialize;

use super::{Answers, Difference, Malformed, Verb, section};
use crate::shell::Script;

/// A kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sysctl {
    /// Dotted name.
    pub key: String,
    /// The value that it shall have.
    pub value: String,
}

impl Sysctl {
    fn path(&self) -> String {
        format!("/proc/sys/{}", self.key.replace('.', "/"))
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Option<String>, Malformed> {
        Ok(answers
            .line("sysctl", &self.key)?
            .map(|value| value.trim().to_owned()))
    }

    pub(super) fn diff(&self, value: Option<&str>) -> Option<Difference> {
        let wanted = &self.value;
        match value {
            Some(value) if value == wanted => None,
            Some(value) => Some(Difference::with(
                Verb::Change,
                vec![format!("{value} -> {wanted}")],
            )),
            None => Some(Difference::with(Verb::Create, vec![wanted.clone()])),
        }
    }

    pub(super) fn apply(&self) -> Script {
        Script::of("printf '%s\\n' ")
            .arg(&self.value)
            .lit(" > ")
            .arg(self.path())
            .lit("\n")
    }
}

pub(super) fn probe(all: &[&Sysctl]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    // read is a builtin: no process is started for a parameter.
    let body = all.iter().fold(Script::new(), |body, sysctl| {
        body.lit("[ -r ")
            .arg(sysctl.path())
            .lit(" ] && read -r v < ")
            .arg(sysctl.path())
            .lit(" && echo ")
            .arg(format!("{} ", sysctl.key))
            .lit("\"$v\"\n")
    });
    section("sysctl", &body)
}
