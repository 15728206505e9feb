//! The script of one step: what every fragment may use, then its changes.

use zeroize::Zeroizing;

use crate::plan::PlannedStep;
use crate::plan::install::POLL_FUNCTION;
use crate::resource::{APT_FUNCTION, Content, PUT_FUNCTION};
use crate::shell::Script;
use crate::vault::Vault;

/// Stops at the first error; one script at a time on a host, since one whose
/// connection was cut may still be at work; a private directory, removed at
/// the end.
const HEAD: &str = r#"set -eu
umask 022
exec 9>/run/kdiy.lock
if ! flock -w 600 9; then
  echo 'another run of kdiy has been at work on this host for ten minutes' >&2
  exit 1
fi
kdiy_tmp=$(mktemp -d /run/kdiy.XXXXXXXX)
trap 'rm -rf -- "$kdiy_tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
"#;

/// The script of a step. `mark` begins the line that announces a change; the
/// place of the change follows. `guard` comes before all changes.
#[must_use]
pub fn of_step(step: &PlannedStep, vault: &Vault, mark: &str, guard: &Script) -> Zeroizing<String> {
    let mut script = Script::of(HEAD)
        .then(guard)
        .lit(PUT_FUNCTION)
        .lit(APT_FUNCTION)
        .lit(POLL_FUNCTION);
    for (place, change) in step.changes.iter().enumerate() {
        script = script
            .lit("echo ")
            .arg(format!("{mark}{place}"))
            .lit("\n")
            .then(
                &change
                    .resource
                    .apply(&change.seen, &|content| vault.text(content)),
            );
    }
    Zeroizing::new(script.as_str().to_owned())
}

/// What is particular to the script of a step, for people: without what every
/// script begins with, and with names in the place of secrets.
#[must_use]
pub fn shown(step: &PlannedStep) -> String {
    let named = |content: &Content| {
        Zeroizing::new(match content {
            Content::Plain(text) | Content::Filled(text) => text.clone(),
            Content::Secret { sha256 } => format!("(secret with SHA-256 {sha256})\n"),
        })
    };
    let mut script = Script::new();
    for change in &step.changes {
        script = script.then(&change.resource.apply(&change.seen, &named));
    }
    script.to_string()
}
