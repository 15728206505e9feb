//! Manifests: documents of YAML, applied by the API server under kdiy's own
//! field manager, so that fields of others stay theirs.

mod apply;
mod difference;
mod kinds;
mod parse;

use std::fmt;

use serde_json::Value;

pub use apply::{Applied, Conflict, Conflicts, Verb, apply};
pub use difference::{Difference, FieldChange, difference};
pub use parse::parse;

/// One object of a manifest.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    /// What it is the object of.
    pub object: Object,
    /// All of it. May be a Secret, and is left out of `Debug`.
    value: Value,
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// The namespace that it names, if any.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// `Kind namespace/name`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}
