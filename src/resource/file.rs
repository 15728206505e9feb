//! A file with its whole content, owned by root, put in place atomically.

use super::{
    AnswerError, Answers, Difference, ReplaceError, TextChange, Verb, paths, section, sha256_hex,
};
use crate::shell::{Script, sh};
use crate::template::NOTICE;
use serde::Serialize;

/// How much of a differing file is fetched to show the difference, in bytes.
const SHOWN: usize = 65_536;

/// A file owned by root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Absolute path.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// What it holds.
    pub content: Content,
    /// What accepts the new file before it is put in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// What to do about a file that holds something else.
    pub on_differ: OnDiffer,
}

/// A command that accepts a new file, whose path is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Functions that it is made of; empty for a program.
    pub functions: &'static str,
    /// Its words.
    pub command: &'static [&'static str],
}

impl Check {
    /// By a program.
    #[must_use]
    pub const fn by(command: &'static [&'static str]) -> Self {
        Self {
            functions: "",
            command,
        }
    }
}

/// Text of a file or of a command's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// May be shown.
    Plain(String),
    /// Known by its hash; its text is in the secret store only.
    Secret {
        /// Hash of the text.
        sha256: String,
    },
    /// May be shown; holds placeholders that the secret store fills when it is
    /// used.
    Filled(String),
}

/// What to do about a file that holds something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDiffer {
    /// Replace it: kdiy wrote it.
    Replace,
    /// Replace it, and keep what somebody else had there first as
    /// `PATH.before-kdiy`; also what a package brought after the plan was made.
    KeepOriginal,
    /// Refuse the plan, for this reason.
    Refuse(String),
}

/// Mode, owner and kind of what stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    mode: u32,
    owner: String,
    kind: String,
}

/// What stands at the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Absent,
    /// Something.
    Present {
        /// Mode, owner and kind.
        stat: Stat,
        /// SHA-256 of a regular file that could be read.
        sha256: Option<String>,
        /// The beginning of a differing file that is no secret.
        text: Option<String>,
    },
}

impl Stat {
    /// Owned by root, with this mode.
    #[cfg(test)]
    pub(super) fn of_root(mode: u32, kind: &str) -> Self {
        Self::of("0:0", mode, kind)
    }

    #[cfg(test)]
    pub(super) fn of(owner: &str, mode: u32, kind: &str) -> Self {
        Self {
            mode,
            owner: owner.to_owned(),
            kind: kind.to_owned(),
        }
    }

    pub(super) fn parse(path: &str, line: &str) -> Result<Self, AnswerError> {
        let mut words = line.splitn(3, ' ');
        let mode = words
            .next()
            .and_then(|word| u32::from_str_radix(word, 8).ok());
        match (mode, words.next(), words.next()) {
            (Some(mode), Some(owner), Some(kind)) => Ok(Self {
                mode,
                owner: owner.to_owned(),
                kind: kind.to_owned(),
            }),
            _ => Err(AnswerError::text(path, line)),
        }
    }

    pub(super) fn differences(&self, mode: u32, kind: &str) -> Vec<String> {
        let mut details = self.differences_of("0:0", mode, kind);
        for detail in &mut details {
            *detail = detail.replace("-> 0:0", "-> root:root");
        }
        details
    }

    /// What is different from an owner and group, written as they were asked.
    pub(super) fn differences_of(&self, owner: &str, mode: u32, kind: &str) -> Vec<String> {
        let mut details = Vec::new();
        if !self.kind.contains(kind) {
            details.push(format!("{} -> {kind}", self.kind));
        } else if self.mode != mode {
            details.push(format!("mode {:04o} -> {mode:04o}", self.mode));
        }
        if self.owner != owner {
            details.push(format!("owner {} -> {owner}", self.owner));
        }
        details
    }
}

pub(super) fn probe(all: &[&File]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    // Contents travel only for files that differ and may be shown.
    let shown = all
        .iter()
        .filter(|file| !matches!(file.content, Content::Secret { .. }));
    // Nor those of somebody else, who may keep passwords there.
    let (kept, own): (Vec<&&File>, _) =
        shown.partition(|file| file.on_differ == OnDiffer::KeepOriginal);
    let wanted = |files: Vec<&&File>| -> Vec<String> {
        let sum = |file: &&&File| format!("{}  {}", file.content.sha256(), file.path);
        files.iter().map(sum).collect()
    };
    let most = SHOWN.to_string();
    let words = [NOTICE.trim_end(), &most].map(str::to_owned).into_iter();
    let words = words.chain(wanted(own)).chain(["--".to_owned()]);
    let body = Script::new().call("kdiy_texts", words.chain(wanted(kept)));
    Script::of(OWN_FUNCTION)
        .with(sh!("resource/texts.sh"))
        .then(&section("file-text", &body))
}

impl File {
    /// A file that may be shown, and that kdiy alone writes.
    #[must_use]
    pub fn plain(path: impl Into<String>, mode: u32, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            mode,
            content: Content::Plain(text.into()),
            check: None,
            on_differ: OnDiffer::Replace,
        }
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Seen, AnswerError> {
        let Some(line) = paths::stat(answers, &self.path)? else {
            return Ok(Seen::Absent);
        };
        let sha256 = paths::sum(answers, &self.path)?;
        let text = find_text(answers.get("file-text")?, &self.path);
        Ok(Seen::Present {
            stat: Stat::parse(&self.path, line)?,
            sha256,
            text,
        })
    }

    pub(super) fn diff(&self, seen: &Seen) -> Result<Option<Difference>, ReplaceError> {
        let mode = format!("mode {:04o}", self.mode);
        match seen {
            Seen::Absent => Ok(Some(Difference {
                verb: Verb::Create,
                details: vec![mode],
                removes: Vec::new(),
                text: self.text_change(Some(String::new())),
            })),
            Seen::Present { stat, sha256, text } => {
                let mut details = stat.differences(self.mode, "regular");
                let same = sha256.as_deref() == Some(&self.content.sha256());
                if !same {
                    if let OnDiffer::Refuse(why) = &self.on_differ {
                        return Err(ReplaceError {
                            what: self.path.clone(),
                            why: why.clone(),
                        });
                    }
                    if matches!(self.content, Content::Secret { .. }) {
                        details.push("content (secret)".to_owned());
                    }
                }
                let kept = self.on_differ == OnDiffer::KeepOriginal && text.is_none();
                if !same && kept && stat.kind.contains("regular") {
                    details.push("replaces what kdiy did not write (not shown)".to_owned());
                }
                if same && details.is_empty() {
                    return Ok(None);
                }
                let text = if same {
                    None
                } else {
                    self.text_change(text.clone())
                };
                Ok(Some(Difference {
                    verb: Verb::Change,
                    details,
                    removes: Vec::new(),
                    text,
                }))
            }
        }
    }

    fn text_change(&self, before: Option<String>) -> Option<TextChange> {
        match &self.content {
            Content::Plain(after) | Content::Filled(after) => Some(TextChange {
                before: before?,
                after: after.clone(),
            }),
            Content::Secret { .. } => None,
        }
    }

    pub(super) fn apply(&self, seen: &Seen, text: &str) -> Script {
        let expected = match seen {
            Seen::Absent => "absent",
            Seen::Present { sha256, .. } => sha256.as_deref().unwrap_or("unreadable"),
        };
        let mode = format!("{:04o}", self.mode);
        let sum = sha256_hex(text.as_bytes());
        let line = match self.on_differ {
            OnDiffer::KeepOriginal => NOTICE.trim_end(),
            OnDiffer::Replace | OnDiffer::Refuse(_) => "",
        };
        let put = [self.path.as_str(), &mode, expected, &sum, line, text];
        let (functions, checker) = self
            .check
            .map_or(("", &[][..]), |check| (check.functions, check.command));
        let words = put.iter().chain(checker);
        Script::new().with(functions).call("kdiy_put", words)
    }
}

/// Defines `kdiy_own PATH SUM LINE`.
pub(super) const OWN_FUNCTION: &str = sh!("resource/own.sh");

/// Defines `kdiy_put PATH MODE SEEN NEW LINE TEXT [CHECKER WORD…]`.
pub(super) const PUT_FUNCTION: &str = sh!("resource/put.sh");

impl Content {
    /// Hash of the content, as far as it is known before it is filled.
    #[must_use]
    pub fn sha256(&self) -> String {
        match self {
            Self::Plain(text) | Self::Filled(text) => sha256_hex(text.as_bytes()),
            Self::Secret { sha256 } => sha256.clone(),
        }
    }
}

/// Finds one file's text among length-prefixed ones.
fn find_text(mut answer: &str, path: &str) -> Option<String> {
    loop {
        let (head, rest) = answer.split_once('\n')?;
        let (at, length) = head.rsplit_once(' ')?;
        let length: usize = length.parse().ok()?;
        if at == path {
            return Some(rest.get(..length)?.to_owned());
        }
        answer = rest.get(length..)?.strip_prefix('\n')?;
    }
}
