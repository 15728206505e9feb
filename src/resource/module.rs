//! A kernel module, or the built-in feature that it stands for: a monolithic
//! kernel has no module to load, and needs none.

use serde::Serialize;

use super::{AnswerError, Answers, section};
use crate::shell::Script;

/// A kernel module that is loaded now. That it is loaded after a reboot is a
/// file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Module {
    /// Its name for modprobe.
    pub name: String,
    /// What shows that its feature is there.
    pub provides: Provides,
}

/// What shows that a module's feature is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provides {
    /// A path exists.
    Path(String),
    /// A line of /proc/filesystems, which the shell reads by itself: a program
    /// costs a host more.
    FileSystem(String),
}

impl Module {
    fn test(&self) -> Script {
        match &self.provides {
            Provides::Path(path) => Script::of("[ -e ").arg(path).lit(" ]"),
            Provides::FileSystem(name) => {
                Script::of("{ while read -r kdiy_dev kdiy_fs && [ \"${kdiy_fs:-$kdiy_dev}\" != ")
                    .arg(name)
                    .lit(" ]; do :; done </proc/filesystems && [ \"${kdiy_fs:-$kdiy_dev}\" = ")
                    .arg(name)
                    .lit(" ]; }")
            }
        }
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<bool, AnswerError> {
        Ok(answers.line("module", &self.name)?.is_some())
    }

    pub(super) fn apply(&self) -> Script {
        Script::of("if ! ")
            .then(&self.test())
            .lit("; then modprobe -- ")
            .arg(&self.name)
            .lit("; ")
            .then(&self.test())
            .lit(" || { echo ")
            .arg(format!("the kernel has no {}", self.name))
            .lit(" >&2; exit 1; }; fi\n")
    }
}

pub(super) fn probe(all: &[&Module]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let body = all.iter().fold(Script::new(), |body, module| {
        body.then(&module.test())
            .lit(" && echo ")
            .arg(format!("{} present", module.name))
            .lit("\n")
    });
    section("module", &body)
}
