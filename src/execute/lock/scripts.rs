//! What is run on a host for its lock: shell text, and what it is given.
//!
//! Beside the owner there is `last-owner`: the number of who took the host
//! last since it booted. It stays when the host is given back, so that a run
//! that was cut off meanwhile sees that it is not its own any more.

use crate::resource::hex;
use crate::shell::{OwnExit, Script, sh};

/// Who has the host; it goes away with a reboot.
pub(super) const FILE: &str = "/run/kdiy/owner";

/// Defines `kdiy_boot`, `kdiy_read` and `kdiy_ours`.
const STATE: &str = sh!("lock/state.sh");

/// Defines `kdiy_alone`.
const ALONE: &str = sh!("lock/alone.sh");

/// Defines `kdiy_put_owner` and `kdiy_tell_held`.
const OWNER: &str = sh!("lock/owner.sh");

/// The exit code of a guard that stops a run.
pub const LOCK_LOST: u32 = OwnExit::LockLost.code();

/// The number of one apply. Nobody else has it by chance; it is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub(super) String);

impl Number {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }
}

pub(super) fn take(number: &Number, replaces: Option<&str>, expiry: u64, owner: &str) -> Script {
    let expiry = expiry.to_string();
    let words = [FILE, &number.0, replaces.unwrap_or("-"), &expiry, owner];
    Script::of(STATE)
        .with(ALONE)
        .with(OWNER)
        .with(sh!("lock/take.sh"))
        .call("kdiy_take", words)
}

pub(super) fn beat(number: &Number, boot: &str, owner: &str) -> Script {
    Script::of(STATE)
        .with(ALONE)
        .with(OWNER)
        .with(sh!("lock/beat.sh"))
        .call("kdiy_beat", [FILE, &number.0, boot, owner])
}

pub(super) fn release(number: &Number) -> Script {
    Script::of(STATE)
        .with(ALONE)
        .with(sh!("lock/release.sh"))
        .call("kdiy_release", [FILE, &number.0])
}

pub(super) fn guard(number: &Number, boot: &str) -> Script {
    Script::of(STATE)
        .with(sh!("lock/guard.sh"))
        .call("kdiy_guard", [FILE, &number.0, boot])
}
