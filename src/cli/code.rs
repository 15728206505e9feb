//! The stable name of an error on its way to the user: its entry in
//! `docs/troubleshooting.md`.

use std::error::Error;

use crate::execute::survey::HostError;
use crate::execute::trust;
use crate::plan::resolve::Unresolved;
use crate::{pki, state, transport};

/// The name of the outermost error that has one.
#[must_use]
pub fn of(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(code)
}

fn code(error: &(dyn Error + 'static)) -> Option<&'static str> {
    None.or_else(|| error.downcast_ref().map(trust::Error::code))
        .or_else(|| error.downcast_ref().map(state::Error::code))
        .or_else(|| error.downcast_ref().map(pki::Error::code))
        .or_else(|| error.downcast_ref().map(transport::Error::code))
        .or_else(|| error.downcast_ref().map(HostError::code))
        .or_else(|| error.downcast_ref().map(Unresolved::code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_behind_what_was_added() {
        let missing = || pki::Error::Missing {
            file: "ca.key".to_owned(),
        };
        let kept = state::Error::Pki {
            path: "pki".into(),
            source: missing(),
        };
        for error in [
            anyhow::Error::new(missing()),
            anyhow::Error::new(kept).context("merge"),
            anyhow::Error::new(trust::Error::Pki(missing())),
        ] {
            assert_eq!(of(&error), Some("pki-file-missing"), "{error:#}");
        }
        assert_eq!(of(&anyhow::anyhow!("something else")), None);
    }
}
