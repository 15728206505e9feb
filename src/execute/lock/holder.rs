//! Who holds a host.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cluster::Name;
use crate::resource::AnswerError;
use crate::transport::sanitise::sanitise;

/// Letters of a text that a host gave, at most: it may be anybody's.
const MOST: usize = 200;

/// Who applies, as it is written down on hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The user who runs kdiy.
    pub user: String,
    /// The machine that kdiy runs on.
    pub machine: String,
    /// kdiy's process, where it can be told from others.
    pub process: Option<Process>,
    /// The cluster.
    pub cluster: Name,
    /// The run.
    pub run: Name,
    /// When it began, by the owner's clock (RFC 3339).
    pub since: String,
}

/// A process, told from all others of all machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// What tells the machine, its boot and the set of processes apart.
    pub among: String,
    /// Its number among them.
    pub id: u32,
    /// When it began, in ticks since the boot.
    pub started: u64,
}

/// Who holds a host, as the host told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub(super) number: String,
    /// Seconds since it was last heard of.
    pub silent: u64,
    /// Who; `None` when what is written there says nothing.
    pub owner: Option<Owner>,
}

impl Owner {
    /// One line without line breaks.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
impl Holder {
    /// Made up for tests.
    pub(crate) fn of(owner: Option<Owner>) -> Self {
        let (number, silent) = (String::new(), 0);
        Self {
            number,
            silent,
            owner,
        }
    }
}

/// What a host answers to who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is ours.
    Taken {
        /// Tells this boot of the host from all others.
        boot: String,
        /// A step of an earlier run is still at work there.
        busy: bool,
    },
    /// It is another's.
    Locked(Holder),
}

/// What a host answers to who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Beat {
    /// It still is ours.
    Ours,
    /// It is another's.
    Locked(Holder),
    /// It was another's, and is nobody's now.
    Gone,
}

impl Answer {
    pub(super) fn parse(answer: &[u8]) -> Result<Self, AnswerError> {
        let text = String::from_utf8_lossy(answer);
        let words: Vec<_> = text.trim().split(' ').collect();
        let (boot, busy) = match words[..] {
            ["taken", boot] => (boot, false),
            ["taken", boot, "busy"] => (boot, true),
            _ => return Holder::parse(&text).map(Self::Locked),
        };
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if boot.len() > 80 || !boot.contains('-') || !boot.chars().all(sound) {
            return Err(AnswerError::Form(0));
        }
        let boot = boot.to_owned();
        Ok(Self::Taken { boot, busy })
    }
}

impl Beat {
    pub(super) fn parse(answer: &[u8]) -> Result<Self, AnswerError> {
        let text = String::from_utf8_lossy(answer);
        match text.trim() {
            "ours" => Ok(Self::Ours),
            "gone" => Ok(Self::Gone),
            text => Holder::parse(text).map(Self::Locked),
        }
    }
}

impl Holder {
    fn parse(text: &str) -> Result<Self, AnswerError> {
        let held = || {
            let mut words = text.trim().strip_prefix("held ")?.splitn(3, ' ');
            let number = words.next()?;
            let sound = number.len() <= 64 && number.chars().all(|c| c.is_ascii_alphanumeric());
            Some(Self {
                number: sound.then(|| number.to_owned())?,
                silent: words.next()?.parse().ok()?,
                owner: serde_json::from_str(words.next().unwrap_or_default()).ok(),
            })
        };
        held().ok_or(AnswerError::Form(0))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(owner) = &self.owner else {
            return write!(f, "nobody knows who, heard of {} s ago", self.silent);
        };
        let plain = |text: &str| sanitise(&text.chars().take(MOST).collect::<String>());
        write!(
            f,
            "{}@{} applies {} since {} (run {}, heard of {} s ago)",
            plain(&owner.user),
            plain(&owner.machine),
            owner.cluster,
            plain(&owner.since),
            owner.run,
            self.silent
        )
    }
}
