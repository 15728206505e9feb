//! What was seen of a host, from one script in one exec.

use std::collections::BTreeMap;

use crate::plan::Facts;
use crate::resource::{Key, Resource, Seen};

/// Everything that was seen of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What the host is.
    pub facts: Facts,
    seen: BTreeMap<Key, Seen>,
}

impl Observation {
    /// Facts of a host with what was seen of its resources.
    #[must_use]
    pub fn new(facts: Facts, seen: BTreeMap<Key, Seen>) -> Self {
        Self { facts, seen }
    }

    /// What was seen of a resource.
    ///
    /// # Panics
    /// When it was not asked about: a bug of the caller.
    #[must_use]
    pub fn of(&self, resource: &Resource) -> &Seen {
        let key = resource.key();
        self.seen
            .get(&key)
            .unwrap_or_else(|| panic!("{key} was not asked about"))
    }
}
