//! A kernel module, or the built-in feature that it stands for: a monolithic
//! kernel has no module to load, and needs none.

use serde::Serialize;

use super::{AnswerError, Answers, section};
use crate::shell::{Script, sh};

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
    /// A line of /proc/filesystems.
    FileSystem(String),
}

impl Module {
    /// What functions of `module.sh` are called with: its name, a test of its
    /// feature and that test's word.
    fn words(&self) -> [&str; 3] {
        match &self.provides {
            Provides::Path(path) => [&self.name, "kdiy_has_path", path],
            Provides::FileSystem(name) => [&self.name, "kdiy_has_file_system", name],
        }
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<bool, AnswerError> {
        Ok(answers.line("module", &self.name)?.is_some())
    }

    pub(super) fn apply(&self) -> Script {
        Script::new().call("kdiy_load_module", self.words())
    }
}

/// Defines `kdiy_tell_module` and `kdiy_load_module`.
pub(super) const FUNCTIONS: &str = sh!("resource/module.sh");

pub(super) fn probe(all: &[&Module]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let tell = |body: Script, module: &&Module| body.call("kdiy_tell_module", module.words());
    let body = all.iter().fold(Script::of(FUNCTIONS), tell);
    section("module", &body)
}
