//! Who applies: this user, this machine, this process.

use std::fs;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cluster::Name;
use crate::execute::lock::{Holder, Owner, Process};
use crate::resource::sha256_hex;

/// This process as the owner of a run.
#[must_use]
pub fn of(cluster: &Name, run: &Name, now: OffsetDateTime) -> Owner {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    let uname = rustix::system::uname();
    Owner {
        user: user.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw())),
        machine: uname.nodename().to_string_lossy().into_owned(),
        process: this_process(),
        cluster: cluster.clone(),
        run: run.clone(),
        since: now
            .truncate_to_second()
            .format(&Rfc3339)
            .unwrap_or_default(),
    }
}

/// Whether an owner was a process of this machine that has ended: a run that
/// was killed need not expire.
#[must_use]
pub fn has_ended(holder: &Holder) -> bool {
    let process = holder
        .owner
        .as_ref()
        .and_then(|owner| owner.process.as_ref());
    process.and_then(still_runs) == Some(false)
}

/// Stands for this process wherever it is read.
#[must_use]
pub fn mark() -> Option<String> {
    this_process().map(|Process { among, id, started }| format!("{among}/{id}/{started}"))
}

/// Whether the process of a mark still runs; `None` when that cannot be told
/// from here.
#[must_use]
pub fn runs(mark: &str) -> Option<bool> {
    let mut words = mark.split('/');
    let mut word = || words.next();
    still_runs(&Process {
        among: word()?.to_owned(),
        id: word()?.parse().ok()?,
        started: word()?.parse().ok()?,
    })
}

/// `None` of a process of elsewhere.
fn still_runs(process: &Process) -> Option<bool> {
    let is_here = among()? == process.among;
    is_here.then(|| started(process.id) == Some(process.started))
}

fn this_process() -> Option<Process> {
    let id = std::process::id();
    Some(Process {
        among: among()?,
        id,
        started: started(id)?,
    })
}

/// Tells this machine, its boot and its set of processes from all others.
/// Containers of one machine have one boot, but sets of their own.
fn among() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let set = fs::read_link("/proc/self/ns/pid").ok()?;
    let text = format!("{} {}", boot.trim(), set.display());
    Some(sha256_hex(text.as_bytes())[..16].to_owned())
}

/// When a process that has not ended began, in ticks since the boot: the 22nd
/// field of its `stat` (proc(5)); the second may hold anything but ends with
/// `)`, and the third says of one that has ended but was not waited for `Z`.
fn started(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let ended = matches!(fields.next()?, "Z" | "X");
    if ended {
        None
    } else {
        fields.nth(18)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(process: Option<Process>) -> Holder {
        let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
        let now = OffsetDateTime::UNIX_EPOCH;
        let owner = Owner {
            process,
            ..of(&name("prod"), &name("r1"), now)
        };
        Holder::of(Some(owner))
    }

    #[test]
    fn only_what_is_known_to_have_ended_has() {
        let this = this_process().expect("Linux");
        assert!(!has_ended(&holder(Some(this.clone()))), "it is this one");
        assert_eq!(runs(&mark().expect("Linux")), Some(true));
        assert_eq!(runs(&format!("{}/1/{}", this.among, u64::MAX)), Some(false));
        assert_eq!(runs("elsewhere/1/1"), None);
        assert_eq!(runs("x"), None);
        assert!(!has_ended(&holder(None)));
        let reused = Process {
            started: this.started + 1,
            ..this.clone()
        };
        assert!(has_ended(&holder(Some(reused))));
        let elsewhere = Process {
            among: "another machine".to_owned(),
            id: u32::MAX,
            ..this.clone()
        };
        assert!(!has_ended(&holder(Some(elsewhere))));

        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let began = started(child.id()).expect("it runs");
        let other = Process {
            id: child.id(),
            started: began,
            ..this
        };
        assert!(!has_ended(&holder(Some(other.clone()))));
        child.kill().unwrap();
        let ended = || has_ended(&holder(Some(other.clone())));
        while !ended() {
            std::thread::yield_now(); // not waited for yet
        }
        child.wait().unwrap();
        assert!(ended());
    }
}
