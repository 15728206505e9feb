//! What is wrong, and what is going to be.

use serde::Serialize;

use crate::cluster::Name;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The cluster does not serve because of it.
    Down,
    /// Something is missing or wrong, and the cluster serves.
    Degraded,
    /// Nothing is wrong yet, or somebody wanted it so.
    Warning,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The host that has it; `None` when it is the whole cluster's.
    pub host: Option<Name>,
    /// What is wrong, as a fragment.
    pub what: String,
    /// What to do about it, where that is known.
    pub fix: Option<String>,
}

impl Problem {
    /// Something that a host has.
    pub(super) fn of(severity: Severity, host: &Name, what: impl Into<String>) -> Self {
        Self {
            host: Some(host.clone()),
            ..Self::whole(severity, what)
        }
    }

    /// Something that the whole cluster has.
    pub(super) fn whole(severity: Severity, what: impl Into<String>) -> Self {
        Self {
            severity,
            host: None,
            what: what.into(),
            fix: None,
        }
    }

    /// With what to do about it.
    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }
}
