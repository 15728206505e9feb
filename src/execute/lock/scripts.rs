//! What is run on a host for its lock: shell text, and what it is given.
//!
//! Beside the owner there is `last-owner`: the number of who took the host
//! last since it booted. It stays when the host is given back, so that a run
//! that was cut off meanwhile sees that it is not its own any more.

use crate::resource::hex;
use crate::shell::Script;

/// Who has the host; it goes away with a reboot.
pub(super) const FILE: &str = "/run/kdiy/owner";

/// What tells one boot of a host from all others. The first process has begun
/// anew also where the kernel has not: in a container.
const BOOT: &str = r#"kdiy_boot() {
kdiy_first=$(cat /proc/1/stat)
set -- ${kdiy_first##*) }
echo "$(cat /proc/sys/kernel/random/boot_id)-${20}"
}
"#;

/// Reads who has it, into `kdiy_old`, `kdiy_beat` and `kdiy_owner`: file.
const READ: &str = r#"kdiy_read() {
kdiy_old= kdiy_beat= kdiy_owner=
if [ -f "$1" ]; then
{ IFS= read -r kdiy_old && IFS= read -r kdiy_beat && IFS= read -r kdiy_owner; } <"$1" || :
fi
case $kdiy_beat in ''|*[!0-9]*) kdiy_beat=0 ;; esac
}
"#;

/// Whether it is ours, once it was read: file, own number, the boot in which
/// it was taken. An owner who is gone is not us: we may have been taken for
/// dead, and who took it has given it back. After a reboot nobody is there; it
/// is ours as long as nobody else took it since.
const OURS: &str = r#"kdiy_ours() {
[ "$kdiy_old" != "$2" ] || return 0
[ -z "$kdiy_old" ] && [ ! -e "${1%/*}/last-owner" ] && [ "$(kdiy_boot)" != "$3" ]
}
"#;

/// One at a time: file.
const ALONE: &str = r#"kdiy_alone() {
umask 077
mkdir -p "${1%/*}"
exec 8>"$1.guard"
flock -w 10 8 || { echo 'the lock itself is locked' >&2; return 1; }
}
"#;

/// Writes an owner down: file, number, owner.
const PUT: &str = r#"kdiy_put_owner() {
printf '%s\n' "$2" >"${1%/*}/last-owner.new"
mv -f "${1%/*}/last-owner.new" "${1%/*}/last-owner"
printf '%s\n%s\n%s\n' "$2" "$(cut -d. -f1 /proc/uptime)" "$3" >"$1.new"
mv -f "$1.new" "$1"
}
kdiy_held() {
printf 'held %s %s %s\n' "$kdiy_old" "$(($(cut -d. -f1 /proc/uptime) - kdiy_beat))" "$kdiy_owner"
}
"#;

/// Puts down an owner, unless another is there that was not silent for long
/// enough. The words: file, own number, number that may be replaced, seconds
/// after which any may be, owner.
const TAKE: &str = r#"kdiy_take() {
kdiy_alone "$1" || return 1
kdiy_read "$1"
case $kdiy_old in
''|"$2"|"$3") ;;
*) if [ "$(($(cut -d. -f1 /proc/uptime) - kdiy_beat))" -lt "$4" ]; then kdiy_held; return; fi ;;
esac
kdiy_put_owner "$1" "$2" "$5"
kdiy_busy=
[ ! -e "${1%/*}/at-work" ] || { exec 7<"${1%/*}/at-work"; flock -n 7 || kdiy_busy=1; exec 7<&-; }
echo "taken $(kdiy_boot)${kdiy_busy:+ busy}"
}
"#;

/// Says that the owner is still there, where it is ours; it takes nothing
/// from nobody. The words: file, own number, the boot in which it was taken,
/// owner.
const BEAT: &str = r#"kdiy_beat() {
kdiy_alone "$1" || return 1
kdiy_read "$1"
if kdiy_ours "$1" "$2" "$3"; then
kdiy_put_owner "$1" "$2" "$4"
echo ours
elif [ -n "$kdiy_old" ]; then kdiy_held
else echo gone
fi
}
"#;

/// Takes away what is ours: file, own number.
const RELEASE: &str = r#"kdiy_release() {
[ -d "${1%/*}" ] || return 0
kdiy_alone "$1" || return 1
kdiy_read "$1"
[ "$kdiy_old" != "$2" ] || rm -f "$1"
}
"#;

/// Stops who has lost the host: file, own number, the boot in which it was
/// taken.
const GUARD: &str = r#"kdiy_guard() {
kdiy_read "$1"
! kdiy_ours "$1" "$2" "$3" || return 0
echo 'this run does not have this host any more: another kdiy has taken it' >&2
exit 76
}
"#;

/// The exit code of a guard that stops a run.
pub const LOCK_LOST: u32 = 76;

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
    Script::of(BOOT)
        .lit(ALONE)
        .lit(READ)
        .lit(PUT)
        .lit(TAKE)
        .lit("kdiy_take ")
        .lit(FILE)
        .lit(" ")
        .args([
            number.0.as_str(),
            replaces.unwrap_or("-"),
            &expiry.to_string(),
            owner,
        ])
        .lit("\n")
}

pub(super) fn beat(number: &Number, boot: &str, owner: &str) -> Script {
    Script::of(BOOT)
        .lit(ALONE)
        .lit(READ)
        .lit(OURS)
        .lit(PUT)
        .lit(BEAT)
        .lit("kdiy_beat ")
        .lit(FILE)
        .lit(" ")
        .args([number.0.as_str(), boot, owner])
        .lit("\n")
}

pub(super) fn release(number: &Number) -> Script {
    Script::of(ALONE)
        .lit(READ)
        .lit(RELEASE)
        .lit("kdiy_release ")
        .lit(FILE)
        .lit(" ")
        .arg(&number.0)
        .lit("\n")
}

pub(super) fn guard(number: &Number, boot: &str) -> Script {
    Script::of(BOOT)
        .lit(READ)
        .lit(OURS)
        .lit(GUARD)
        .lit("kdiy_guard ")
        .lit(FILE)
        .lit(" ")
        .args([number.0.as_str(), boot])
        .lit("\n")
}
