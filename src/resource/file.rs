//! A file with its whole content, owned by root, put in place atomically.

use super::{
    AnswerError, Answers, Difference, ReplaceError, TextChange, Verb, paths, section, sha256_hex,
};
use crate::shell::Script;
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
    /// A command that accepts the new file before it is put in place; the
    /// path of the new file is appended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Script>,
    /// What to do about a file that holds something else.
    pub on_differ: OnDiffer,
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
    let texts = Script::of(OWN_FUNCTION)
        .lit("kdiy_texts() {\nown=1\nfor want in ")
        .args(wanted(own))
        .lit(" -- ")
        .args(wanted(kept))
        .lit("; do\ncase $want in --) own=; continue;; esac\n")
        .lit("case $kdiy_sums in *\"$want\"*) continue;; esac\n")
        .lit("path=${want#*  }\n[ -f \"$path\" ] || continue\n")
        .lit("if [ -z \"$own\" ]; then\nsum=$(sha256sum -- \"$path\")\n")
        .lit("kdiy_own \"$path\" \"${sum%% *}\" ")
        .arg(NOTICE.trim_end())
        .lit(" || continue\nfi\n")
        .lit("text=$(head -c ")
        .arg(SHOWN.to_string())
        .lit(" -- \"$path\"; printf x)\ntext=${text%x}\n")
        .lit("printf '%s %d\\n%s\\n' \"$path\" \"${#text}\" \"$text\"\ndone\n")
        // The shell takes newlines from the end of an answer: not the texts'
        // own.
        .lit("echo end; }\n");
    texts.then(&section("file-text", &Script::of("kdiy_texts\n")))
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
        let put = Script::of("kdiy_put ")
            .args([
                self.path.as_str(),
                &format!("{:04o}", self.mode),
                expected,
                &sha256_hex(text.as_bytes()),
                match self.on_differ {
                    OnDiffer::KeepOriginal => NOTICE.trim_end(),
                    OnDiffer::Replace | OnDiffer::Refuse(_) => "",
                },
            ])
            .lit("\n");
        let check = self.check.as_ref().map_or_else(
            || Script::of("kdiy_check() { :; }\n"),
            |check| {
                Script::of("kdiy_check() { ")
                    .then(check)
                    .lit(" \"$1\"; }\n")
            },
        );
        // printf is a builtin of every sh: its words are on no command line.
        check.lit("printf %s ").arg(text).lit(" | ").then(&put)
    }
}

/// The function `kdiy_own`, also as a part of others' text.
macro_rules! own_function {
    () => {
        r#"kdiy_own() {
[ "$(cat -- "/var/lib/kdiy/written$1" 2>/dev/null)" = "$2" ] || head -n 2 -- "$1" 2>/dev/null | grep -qxF -- "$3"
}
"#
    };
}

/// Defines `kdiy_own PATH SUM LINE`: whether kdiy wrote the file that is there,
/// whose hash this is. Files of kdiy are known by the line; not every format
/// has comments, so the hash of what was written is noted, too.
const OWN_FUNCTION: &str = own_function!();

/// Defines `kdiy_put PATH MODE SEEN NEW OWN` with the content on standard
/// input: re-checks that the file is as it was seen (or already as wanted),
/// writes beside it, has it checked, renames.
///
/// With OWN, the line by which files of kdiy are known, what somebody else
/// wrote is kept first. The note is made before the file is there, for the case
/// that the run ends in between.
pub const PUT_FUNCTION: &str = concat!(
    own_function!(),
    r#"kdiy_put() {
kdiy_now=absent
if [ -e "$1" ] || [ -L "$1" ]; then
  kdiy_now=$(sha256sum -- "$1" 2>/dev/null) && kdiy_now=${kdiy_now%% *} || kdiy_now=unreadable
fi
case $kdiy_now,$3${5:+keep} in
"$3,"*|"$4,"*|*,absentkeep) ;;
*) echo "$1 has changed since the plan was made; run kdiy plan again" >&2; return 75 ;;
esac
kdiy_dir=${1%/*}
[ -d "$kdiy_dir" ] || install -d -o 0 -g 0 -m 0755 -- "$kdiy_dir"
(umask 077; cat > "$1.kdiy-new")
chmod "$2" "$1.kdiy-new"
chown 0:0 "$1.kdiy-new"
if ! kdiy_check "$1.kdiy-new"; then
  rm -f -- "$1.kdiy-new"
  echo "the new $1 was refused by its checker; the old one stays" >&2
  return 1
fi
if [ -n "$5" ]; then
  kdiy_note=/var/lib/kdiy/written$1
  if [ "$kdiy_now" != absent ] && [ ! -e "$1.before-kdiy" ] && ! kdiy_own "$1" "$kdiy_now" "$5"; then
    cp -a -- "$1" "$1.before-kdiy"
  fi
  install -d -m 0755 /var/lib/kdiy
  (umask 077; mkdir -p -- "${kdiy_note%/*}"; printf '%s\n' "$4" > "$kdiy_note")
fi
mv -f -- "$1.kdiy-new" "$1"
}
"#
);

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
