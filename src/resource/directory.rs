//! A directory with its mode, owned by root.

use serde::Serialize;

use super::file::Stat;
use super::{AnswerError, Answers, Difference, Verb, paths};
use crate::shell::Script;

/// A directory owned by root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Directory {
    /// Absolute path.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
}

/// What stands at the path.
pub type Seen = Option<Stat>;

impl Directory {
    pub(super) fn parse(&self, answers: &Answers) -> Result<Seen, AnswerError> {
        paths::stat(answers, &self.path)?
            .map(|line| Stat::parse(&self.path, line))
            .transpose()
    }

    pub(super) fn diff(&self, seen: &Seen) -> Option<Difference> {
        match seen {
            None => Some(Difference::with(
                Verb::Create,
                vec![format!("mode {:04o}", self.mode)],
            )),
            Some(stat) => {
                let details = stat.differences(self.mode, "directory");
                (!details.is_empty()).then(|| Difference::with(Verb::Change, details))
            }
        }
    }

    pub(super) fn apply(&self) -> Script {
        let mode = format!("{:04o}", self.mode);
        let owned = ["-d", "-o", "0", "-g", "0", "-m", &mode, "--", &self.path];
        Script::new().call("install", owned)
    }
}
