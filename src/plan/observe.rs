//! What was seen of a host, from one script in one exec.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::Questions;
use super::{Blueprint, Facts};
use crate::cluster::Name;
use crate::resource::{self, AnswerError, Answers, Done, Key, Resource, SECTION_FUNCTION, Seen};
use crate::shell::Script;

/// Everything that was seen of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What the host is.
    pub facts: Facts,
    /// How far its clock is away from ours at least.
    pub skew: Duration,
    seen: BTreeMap<Key, Seen>,
}

/// The script that asks a host about itself and everything that a blueprint
/// has for it.
#[must_use]
pub fn script(blueprint: &Blueprint, host: &Name, questions: &Questions) -> Script {
    Script::of(SECTION_FUNCTION)
        .then(&questions.script())
        .then(&resource::probe(&blueprint.resources(host)))
        .run(":")
}

/// Our clock around a probe, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When the probe was sent.
    pub from: f64,
    /// When the answer was there.
    pub to: f64,
}

impl Observation {
    /// Made up for tests.
    #[cfg(test)]
    pub(super) fn new(facts: Facts, skew: Duration, seen: BTreeMap<Key, Seen>) -> Self {
        Self { facts, skew, seen }
    }

    /// Reads the answer to [`script`] for the same blueprint.
    ///
    /// # Errors
    /// When it is not in the probe's form.
    pub fn parse(
        blueprint: &Blueprint,
        host: &Name,
        output: &[u8],
        window: Window,
    ) -> Result<Self, AnswerError> {
        let answers = Answers::parse(output)?;
        let facts = Facts::parse(&answers)?;
        let seen = resource::parse(&blueprint.resources(host), &answers)?;
        let away = (window.from - facts.clock)
            .max(facts.clock - window.to)
            .max(0.0);
        let skew = Duration::try_from_secs_f64(away).unwrap_or(Duration::MAX);
        Ok(Self { facts, skew, seen })
    }

    /// What was seen of a resource.
    ///
    /// # Panics
    /// When it was not asked about: a bug of the caller.
    #[must_use]
    pub fn of(&self, resource: &Resource) -> Seen {
        if let Resource::Command(command) = resource
            && let Done::Known(done) = command.done
        {
            return Seen::Command(done);
        }
        let key = resource.key();
        self.seen
            .get(&key)
            .cloned()
            .unwrap_or_else(|| panic!("{key} was not asked about"))
    }
}
