//! How a cluster is: what each host is asked, what it answers, and what all
//! answers come to.

pub mod answer;
pub mod backend;
pub mod balancing;
pub mod certificate;
pub mod cluster_status;
pub mod drift;
pub mod expiry;
pub mod planes;
pub mod problem;
pub mod rows;
pub mod script;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

pub use answer::Answer;
pub use cluster_status::{ClusterStatus, Verdict};
pub use drift::Drift;
pub use problem::{Problem, Severity};
pub use script::script;

use crate::cluster::Name;

/// Why a host could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// What failed, as a fragment.
    pub what: String,
    /// What to do about it, where that is known.
    pub fix: Option<String>,
}

/// What all hosts of the inventory answered.
pub type Hosts = BTreeMap<Name, Result<Answer, Unreachable>>;
