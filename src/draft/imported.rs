//! What another tool's files came to.

use std::collections::BTreeSet;

use super::Draft;
use crate::cluster::Name;
use crate::inventory::finding::{Finding, Severity, Span};

/// What files of another tool came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The draft; there exactly when no finding is an error.
    pub draft: Option<Draft>,
    /// What was read, with what was found in it.
    pub sources: Vec<Source>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name, for messages.
    pub name: String,
    /// Its text, secrets as asterisks: it may be shown.
    pub text: String,
    /// What is wrong in it, or was not taken over, in the order of the text.
    pub findings: Vec<Finding>,
}

impl Source {
    /// A file of which the parts at `secrets` must not be shown.
    #[must_use]
    pub(super) fn new(
        name: &str,
        text: &str,
        mut findings: Vec<Finding>,
        secrets: &[Span],
    ) -> Self {
        findings.sort_by_key(|finding| (finding.span.start, finding.severity));
        findings.dedup();
        Self {
            name: name.to_owned(),
            text: masked(text, secrets),
            findings,
        }
    }
}

impl Imported {
    /// The draft is kept only if nothing is wrong.
    #[must_use]
    pub(super) fn new(draft: Option<Draft>, sources: Vec<Source>) -> Self {
        let findings = sources.iter().flat_map(|source| &source.findings);
        let mut errors = findings.filter(|finding| finding.severity == Severity::Error);
        let sound = errors.next().is_none();
        Self {
            draft: draft.filter(|_| sound),
            sources,
        }
    }
}

/// A text with parts of it as asterisks, byte for byte, so that places stay.
fn masked(text: &str, secrets: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in secrets {
        for byte in bytes.get_mut(span.range()).unwrap_or_default() {
            if !byte.is_ascii_whitespace() {
                *byte = b'*';
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Gives hosts of other tools names that kdiy takes.
#[derive(Debug, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// A name like this text: itself, its first label, or with `-` for what
    /// must not be in a name. `None` when nothing of it is left, or the name is
    /// taken.
    pub fn like(&mut self, text: &str) -> Option<Name> {
        let lower = text.to_lowercase();
        let label = lower.split('.').next().unwrap_or_default();
        let candidates = [clean(label), clean(&lower)];
        let free = candidates
            .into_iter()
            .find(|name| !name.is_empty() && !self.0.contains(name))?;
        self.0.insert(free.clone());
        Name::try_from(free).ok()
    }

    /// The first of `cp-1`, `cp-2` and so on that is free.
    pub fn next(&mut self, prefix: &str) -> Option<Name> {
        let mut names = (1..).map(|number| format!("{prefix}-{number}"));
        let free = names.find(|name| !self.0.contains(name))?;
        self.0.insert(free.clone());
        Name::try_from(free).ok()
    }
}

fn clean(text: &str) -> String {
    let fixed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let text: String = text.chars().map(fixed).take(63).collect();
    text.trim_matches('-').to_owned()
}
