//! What `kdiy plan` would change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cluster::Name;
use crate::plan::{Action, Actor, Plan};
use crate::resource::Verb;

/// What `kdiy plan` would change, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", untagged)]
pub enum Drift {
    /// Hosts were compared with the inventory.
    Known {
        /// Changes, of all hosts.
        changes: usize,
        /// Changes by host, of those that have any, and of `cluster`.
        hosts: BTreeMap<Actor, usize>,
        /// What keeps `kdiy apply` from beginning.
        problems: Vec<String>,
        /// Hosts that could not be compared.
        left_out: BTreeSet<Name>,
    },
    /// They were not.
    Unknown {
        /// Why the hosts could not be compared, as a fragment.
        why: String,
    },
}

impl Drift {
    /// What a plan comes to; `None` when something must not be replaced,
    /// which is among the problems.
    #[must_use]
    pub fn of(plan: Option<&Plan>, problems: Vec<String>, left_out: BTreeSet<Name>) -> Self {
        let mut hosts = BTreeMap::<Actor, usize>::new();
        for step in plan.iter().flat_map(|plan| &plan.steps) {
            let changes = step.changes().iter().map(|change| {
                let waits = change.difference.verb == Verb::Wait;
                usize::from(!waits) + change.difference.removes.len()
            });
            let operations = match &step.action {
                Action::Do(operation) => usize::from(operation.verb() != Verb::Wait),
                Action::Converge(_) => 0,
            };
            *hosts.entry(step.actor.clone()).or_default() += operations + changes.sum::<usize>();
        }
        hosts.retain(|_, changes| *changes > 0);
        Self::Known {
            changes: hosts.values().sum(),
            hosts,
            problems,
            left_out,
        }
    }

    /// Not known, for this reason.
    #[must_use]
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }
}
