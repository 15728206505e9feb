//! Problems that are better seen before the first change than during it.

use serde::Serialize;

use crate::cluster::Name;

/// A reason not to begin, with its fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Where.
    pub host: Name,
    /// Stable name, such as `clock-skew`.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}
