//! No swap, now and after a reboot; undone by removing `#kdiy# ` from
//! /etc/fstab and by unmasking the units.

use serde::Serialize;

use super::{AnswerError, Answers, Difference, Verb, section};
use crate::shell::{Script, sh};

/// No swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Swap;

/// What swaps, or will after a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Devices in use.
    pub active: Vec<String>,
    /// Lines of /etc/fstab.
    pub fstab: Vec<String>,
}

const PROBE: &str = sh!("resource/swap.sh");

const APPLY: &str = sh!("resource/swap-off.sh");

pub(super) fn probe(all: &[&Swap]) -> Script {
    if all.is_empty() {
        Script::new()
    } else {
        section("swap", &Script::of(PROBE))
    }
}

impl Swap {
    pub(super) fn parse(answers: &Answers) -> Result<Seen, AnswerError> {
        let mut seen = Seen::default();
        for line in answers.get("swap")?.lines() {
            match line.split_once(' ') {
                Some(("active", device)) => seen.active.push(device.to_owned()),
                Some(("fstab", device)) => seen.fstab.push(device.to_owned()),
                _ => return Err(AnswerError::text("swap", line)),
            }
        }
        Ok(seen)
    }

    pub(super) fn diff(seen: &Seen) -> Option<Difference> {
        let active = seen
            .active
            .iter()
            .map(|device| format!("{device} is in use"));
        let fstab = seen
            .fstab
            .iter()
            .map(|device| format!("{device} is in /etc/fstab"));
        let details: Vec<_> = active.chain(fstab).collect();
        (!details.is_empty()).then(|| Difference::with(Verb::Change, details))
    }

    pub(super) fn apply() -> Script {
        Script::of(APPLY)
    }
}
