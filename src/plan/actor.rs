//! Who carries out a step.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cluster::{CLUSTER, Name, NotAName};

/// Who carries out a step. Written as one word: a host's name, or `cluster`,
/// which no node may be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A host, by a script over its SSH connection.
    Host(Name),
    /// The cluster: whichever of its API servers answers.
    Cluster,
}

impl Actor {
    /// The word that it is written as.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Cluster => CLUSTER,
            Self::Host(name) => name.as_str(),
        }
    }

    /// The host, if it is one.
    #[must_use]
    pub const fn host(&self) -> Option<&Name> {
        match self {
            Self::Cluster => None,
            Self::Host(name) => Some(name),
        }
    }
}

impl From<Name> for Actor {
    fn from(name: Name) -> Self {
        Self::Host(name)
    }
}

impl TryFrom<String> for Actor {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        match text.as_str() {
            CLUSTER => Ok(Self::Cluster),
            _ => Ok(Self::Host(text.try_into()?)),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.as_str().to_owned()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
