//! A kernel parameter, as it is now. That it is so after a reboot is a file.

use serde::Serialize;

use super::{AnswerError, Answers, Difference, Verb, section};
use crate::shell::{Script, sh};

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

    pub(super) fn parse(&self, answers: &Answers) -> Result<Option<String>, AnswerError> {
        let path = self.path();
        let value = |line: &str| {
            Some(
                line.strip_prefix(&path)?
                    .strip_prefix(':')?
                    .trim()
                    .to_owned(),
            )
        };
        Ok(answers.get("sysctl")?.lines().find_map(value))
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
        Script::new().call("kdiy_set_parameter", [&self.path(), &self.value])
    }
}

/// Defines `kdiy_set_parameter`.
pub(super) const FUNCTIONS: &str = sh!("resource/sysctl.sh");

pub(super) fn probe(all: &[&Sysctl]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    // One process for all. Not the shell's own read: it takes a byte at a
    // time, and the kernel gives a number's first byte only.
    let words = ["-sH", "", "--"].map(str::to_owned).into_iter();
    let words = words.chain(all.iter().map(|sysctl| sysctl.path()));
    let body = Script::new().call("grep", words);
    section("sysctl", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_read_and_compared() {
        let value = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap();
        let known = Sysctl {
            key: "kernel.pid_max".to_owned(),
            value: value.trim().to_owned(),
        };
        let unknown = Sysctl {
            key: "kernel.no-such".to_owned(),
            value: "1".to_owned(),
        };
        let script = Script::of(super::super::SECTION_FUNCTION).then(&probe(&[&known, &unknown]));
        let out = std::process::Command::new("sh")
            .arg("-c")
            .arg(script.as_str())
            .output()
            .unwrap();
        let answers = Answers::parse(&out.stdout).unwrap();
        assert_eq!(known.diff(known.parse(&answers).unwrap().as_deref()), None);
        assert_eq!(unknown.parse(&answers).unwrap(), None, "{script}");
        let other = Sysctl {
            value: "other".to_owned(),
            ..known.clone()
        };
        let difference = other
            .diff(other.parse(&answers).unwrap().as_deref())
            .unwrap();
        assert_eq!(difference.details, [format!("{} -> other", known.value)]);
    }
}
