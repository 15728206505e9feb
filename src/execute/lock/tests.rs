use super::hold::{Clock, Reading};
use super::holder::Beat;
use super::*;
use crate::cluster::Login;
use crate::transport::Error;
use crate::transport::fake::{Answer, Fake, Link};

use std::process::Command;
use std::sync::Mutex;
use std::time::{Instant, SystemTime};

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn owner(user: &str) -> Owner {
    Owner {
        user: user.to_owned(),
        machine: "laptop".to_owned(),
        process: None,
        cluster: name("prod"),
        run: name("r1"),
        since: "2026-11-21T14:03:00Z".to_owned(),
    }
}

fn number(text: &str) -> Number {
    Number(text.to_owned())
}

/// A host's file in a folder of this machine.
struct Host(tempfile::TempDir);

impl Host {
    fn sh(&self, script: &Script) -> (i32, String) {
        let file = self.0.path().join("owner").display().to_string();
        let script = script.as_str().replace(scripts::FILE, &file);
        let output = Command::new("sh").arg("-ec").arg(script).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    }

    fn take(&self, number: &Number, replaces: Option<&str>, expiry: u64) -> Option<Holder> {
        let (code, said) = self.sh(&scripts::take(number, replaces, expiry, &owner("a").line()));
        assert_eq!(code, 0, "{said}");
        match holder::Answer::parse(said.as_bytes()).unwrap() {
            holder::Answer::Taken { .. } => None,
            holder::Answer::Locked(holder) => Some(holder),
        }
    }

    /// This boot, as it is told to who takes the host.
    fn boot(&self) -> String {
        let number = number("boot");
        let (_, said) = self.sh(&scripts::take(&number, None, 90, "{}"));
        self.release(&number);
        let holder::Answer::Taken { boot, .. } = holder::Answer::parse(said.as_bytes()).unwrap()
        else {
            panic!("{said}");
        };
        boot
    }

    fn beat(&self, number: &Number, boot: &str) -> Beat {
        let (code, said) = self.sh(&scripts::beat(number, boot, &owner("a").line()));
        assert_eq!(code, 0, "{said}");
        Beat::parse(said.as_bytes()).unwrap()
    }

    /// Whether a step may begin.
    fn admits(&self, number: &Number, boot: &str) -> bool {
        match self.sh(&scripts::guard(number, boot)).0 {
            0 => true,
            76 => false,
            other => panic!("{other}"),
        }
    }

    fn release(&self, number: &Number) {
        assert_eq!(self.sh(&scripts::release(number)).0, 0);
    }

    /// Nothing of its last boot is there.
    fn reboot(&self) {
        for left in std::fs::read_dir(self.0.path()).unwrap() {
            std::fs::remove_file(left.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn one_has_it_until_it_is_given_back_or_silent_for_long() {
    let host = Host(tempfile::tempdir().unwrap());
    let boot = host.boot();
    let (ours, theirs) = (number("aaaa"), number("bbbb"));
    assert_eq!(host.take(&ours, None, 90), None);
    assert_eq!(host.take(&ours, None, 90), None, "ours already");
    assert_eq!(host.beat(&ours, &boot), Beat::Ours);
    let held = host.take(&theirs, None, 90).expect("it is ours");
    assert_eq!(held.owner, Some(owner("a")));
    assert_eq!(held.number, "aaaa");
    assert!(held.silent < 5);
    // Another than the one that was seen is not pushed aside.
    assert!(host.take(&theirs, Some("cccc"), 90).is_some());
    assert!(host.admits(&ours, &boot) && !host.admits(&theirs, &boot));

    assert_eq!(host.take(&theirs, Some("aaaa"), 90), None, "pushed aside");
    assert!(!host.admits(&ours, &boot));
    assert!(matches!(host.beat(&ours, &boot), Beat::Locked(holder) if holder.number == "bbbb"));

    host.release(&ours);
    assert!(host.take(&ours, None, 90).is_some(), "it was not ours");
    host.release(&theirs);
    assert_eq!(host.take(&ours, None, 90), None);
    assert_eq!(host.take(&theirs, None, 0), None, "silent for too long");
}

/// Defect 3: who was taken for dead went on once the other had ended, and its
/// beat took the host anew.
#[test]
fn defect_03_who_lost_a_host_does_not_have_it_again_when_the_other_has_ended() {
    let host = Host(tempfile::tempdir().unwrap());
    let boot = host.boot();
    let (ours, theirs) = (number("aaaa"), number("bbbb"));
    assert_eq!(host.take(&ours, None, 90), None);
    assert_eq!(host.take(&theirs, None, 0), None, "ours was silent");
    host.release(&theirs);
    assert!(!host.admits(&ours, &boot));
    assert_eq!(host.beat(&ours, &boot), Beat::Gone);
    assert!(!host.admits(&ours, &boot), "a beat takes nothing");
    assert_eq!(host.take(&theirs, None, 90), None, "nor is it in the way");
}

/// Defect 3: an owner that is gone is not us, whoever took it away.
#[test]
fn defect_03_a_beat_that_comes_late_takes_nothing() {
    let host = Host(tempfile::tempdir().unwrap());
    let boot = host.boot();
    let ours = number("aaaa");
    assert_eq!(host.take(&ours, None, 90), None);
    host.release(&ours);
    assert_eq!(host.beat(&ours, &boot), Beat::Gone);
    assert!(!host.admits(&ours, &boot));
    host.reboot();
    assert_eq!(host.beat(&ours, &boot), Beat::Gone, "it is the same boot");
}

#[test]
fn after_a_reboot_a_host_is_still_ours_unless_another_took_it_since() {
    let host = Host(tempfile::tempdir().unwrap());
    // Taken in the boot before this one.
    let boot = "12345678-1";
    let (ours, theirs) = (number("aaaa"), number("bbbb"));
    assert!(host.admits(&ours, boot), "a step may come before a beat");
    assert_eq!(host.beat(&ours, boot), Beat::Ours);
    assert!(host.take(&theirs, None, 90).is_some(), "it is held again");
    assert!(host.admits(&ours, boot));

    host.reboot();
    assert_eq!(host.take(&theirs, None, 90), None, "nobody has it");
    assert!(matches!(host.beat(&ours, boot), Beat::Locked(_)));
    host.release(&theirs);
    assert_eq!(host.beat(&ours, boot), Beat::Gone);
    assert!(!host.admits(&ours, boot));
}

#[test]
fn of_many_at_once_one_has_it() {
    let host = Host(tempfile::tempdir().unwrap());
    let taken = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16)
            .map(|one| {
                let host = &host;
                scope.spawn(move || host.take(&number(&format!("n{one}")), None, 90).is_none())
            })
            .collect();
        let taken = all.into_iter().map(|one| one.join().unwrap());
        taken.filter(|taken| *taken).count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn what_nobody_wrote_is_no_holder_and_harms_nobody() {
    let host = Host(tempfile::tempdir().unwrap());
    std::fs::write(host.0.path().join("owner"), "x\nnot a number\n\x1b[31m{}\n").unwrap();
    assert_eq!(host.take(&number("aaaa"), None, 90), None, "it never beat");
    for text in [
        "",
        "held",
        "held a",
        "held $(x) 1 {}",
        "held a b {}",
        "taken too",
        "taken",
        "taken b-1 idle",
        "taken $(x)-1",
    ] {
        assert!(holder::Answer::parse(text.as_bytes()).is_err(), "{text}");
        assert!(Beat::parse(text.as_bytes()).is_err(), "{text}");
    }
    let told = |line: &[u8]| match holder::Answer::parse(line).unwrap() {
        holder::Answer::Locked(holder) => holder.to_string(),
        other => panic!("{other:?}"),
    };
    let nobody = told(b"held aa 3 {\"user\":\"x\"}");
    assert_eq!(nobody, "nobody knows who, heard of 3 s ago");
    let mut own = owner("a\u{1b}[2J\nb");
    own.since = "x".repeat(900);
    let line = format!("held aa 3 {}", own.line());
    let told = told(line.as_bytes());
    assert!(
        told.len() < 400 && !told.contains(['\u{1b}', '\n']),
        "{told}"
    );
}

async fn connections(fake: &Fake) -> Connections<Link> {
    use crate::transport::Connector as _;
    let mut all = Connections::new();
    for host in ["a", "b", "c"] {
        let link = fake.connect(&name(host), &Login::to("")).await.unwrap();
        all.insert(name(host), Arc::new(link));
    }
    all
}

fn taken() -> Answer {
    Answer::output("taken b-1\n")
}

fn beats() -> Answer {
    Answer::output("ours\n")
}

fn held() -> Answer {
    let line = format!("held ffff 12 {}\n", owner("eve").line());
    Answer::output(&line)
}

#[tokio::test]
async fn what_was_taken_is_given_back_when_not_all_can_be() {
    let fake = Fake::default();
    for host in ["a", "c"] {
        fake.always(&name(host), "kdiy_take /run", taken());
        fake.always(&name(host), "kdiy_release /run", Answer::output(""));
    }
    fake.always(&name("b"), "kdiy_take", held());
    let all = connections(&fake).await;
    let taken = take(&all, number("aaaa"), &owner("a"), |_| false).await;
    let error = taken.err().expect("b is held").to_string();
    insta::assert_snapshot!(error, @"another kdiy is at work on b: eve@laptop applies prod since 2026-11-21T14:03:00Z (run r1, heard of 12 s ago)");
    for host in ["a", "c"] {
        assert_eq!(fake.runs(&name(host)).len(), 2, "taken and given back");
    }
    assert_eq!(fake.runs(&name("b")).len(), 1);
}

#[tokio::test]
async fn the_first_by_name_decides() {
    let fake = Fake::default();
    fake.always(&name("a"), "kdiy_take", held());
    let all = connections(&fake).await;
    let taken = take(&all, number("aaaa"), &owner("a"), |_| false).await;
    assert!(matches!(taken, Err(LockError::Locked { host, .. }) if host.as_str() == "a"));
    assert!(fake.runs(&name("b")).is_empty());
}

#[tokio::test]
async fn an_owner_that_is_dead_is_pushed_aside_and_no_other() {
    let fake = Fake::default();
    fake.once(&name("a"), "kdiy_take", held());
    for host in ["a", "b", "c"] {
        fake.always(&name(host), "kdiy_take", taken());
        fake.always(&name(host), "kdiy_release", Answer::output(""));
    }
    let all = connections(&fake).await;
    let lock = take(&all, number("aaaa"), &owner("a"), |_| true).await;
    let lock = lock.expect("it is ours");
    let runs = fake.runs(&name("a"));
    assert!(
        runs[1].script.contains("aaaa ffff 90"),
        "{}",
        runs[1].script
    );
    lock.release().await;
    assert_eq!(fake.runs(&name("c")).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_owner_hears_when_it_was_pushed_aside() {
    let fake = Fake::default();
    for host in ["a", "b", "c"] {
        fake.once(&name(host), "kdiy_take /run", taken());
    }
    let lost = Error::Lost {
        address: "x".to_owned(),
        why: "test".to_owned(),
    };
    for host in ["a", "c"] {
        fake.always(&name(host), "kdiy_beat /run", beats());
    }
    // One beat that does not come through is not the end.
    fake.once(&name("b"), "kdiy_beat /run", Answer::fails(lost));
    fake.always(&name("b"), "kdiy_beat /run", held());
    let all = connections(&fake).await;
    let lock = take(&all, number("aaaa"), &owner("a"), |_| false).await;
    let lock = lock.unwrap_or_else(|error| panic!("{error}"));
    let mut lost = lock.hold().watch();
    lost.changed().await.expect("it is told");
    let loss = lock.hold().loss().expect("it is lost").to_string();
    assert!(
        loss.starts_with("b was taken by another kdiy: eve@laptop"),
        "{loss}"
    );
}

/// Defect 19: all hosts were told in one round, which ended with the slowest.
#[tokio::test(start_paused = true)]
async fn defect_19_a_host_that_hangs_holds_up_no_beat_of_another() {
    let fake = Fake::default();
    for host in ["a", "b", "c"] {
        fake.once(&name(host), "kdiy_take /run", taken());
        let slow = Duration::from_secs(if host == "b" { 59 } else { 0 });
        fake.always(&name(host), "kdiy_beat /run", beats().after(slow));
        fake.once(&name(host), "kdiy_release /run", Answer::output(""));
    }
    let all = connections(&fake).await;
    let lock = take(&all, number("aaaa"), &owner("a"), |_| false).await;
    let lock = lock.unwrap_or_else(|error| panic!("{error}"));
    tokio::time::sleep(RENEW_INTERVAL * 4 + Duration::from_secs(5)).await;
    let beats = |host: &str| fake.runs(&name(host)).len() - 1;
    assert_eq!((beats("a"), beats("b"), beats("c")), (4, 2, 4));
    assert_eq!(lock.hold().loss(), None);
    lock.release().await;
}

/// A lock of nobody on host `a`, with clocks that a test sets.
fn of_clocks(fake: &Connections<Link>) -> (Lock<Link>, Arc<Mutex<Reading>>) {
    let now = Reading {
        wall: SystemTime::UNIX_EPOCH,
        steady: Instant::now(),
    };
    let clocks = Arc::new(Mutex::new(now));
    let read = Arc::clone(&clocks);
    let clock = Clock::of(Box::new(move || *read.lock().unwrap()));
    let boots = BTreeMap::from([(name("a"), "b-1".to_owned())]);
    let hold = Hold::by(number("aaaa"), boots, clock);
    let lock = Lock::new(hold, owner("a").line(), fake.clone(), Vec::new());
    (lock, clocks)
}

/// Defect 3: a laptop that slept for longer than an owner may be silent.
#[tokio::test(start_paused = true)]
async fn defect_03_who_slept_for_long_has_nothing_any_more() {
    let fake = Fake::default();
    fake.always(&name("a"), "kdiy_beat /run", beats());
    let mut all = connections(&fake).await;
    all.retain(|host, _| host.as_str() == "a");
    let (lock, clocks) = of_clocks(&all);
    let hold = lock.hold().clone();
    let set = |change: &dyn Fn(&mut Reading)| change(&mut clocks.lock().unwrap());
    // Short sleeps, and clocks that are set back, are nothing.
    for _ in 0..3 {
        set(&|now| now.wall += Duration::from_secs(80));
        assert_eq!(hold.loss(), None);
    }
    set(&|now| now.wall = SystemTime::UNIX_EPOCH);
    assert_eq!(hold.loss(), None);
    let beats = || fake.runs(&name("a")).len();
    tokio::time::sleep(RENEW_INTERVAL + Duration::from_secs(1)).await;
    assert_eq!(beats(), 1);

    set(&|now| now.wall += Duration::from_secs(600));
    tokio::time::sleep(RENEW_INTERVAL * 3).await;
    assert_eq!(beats(), 1, "a beat after a long sleep");
    let loss = hold.loss().expect("it slept").to_string();
    assert!(loss.starts_with("kdiy stood still for 600 s"), "{loss}");
    assert!(hold.watch().borrow().is_some());

    // A process that was stopped sees its own clock jump, too.
    let (lock, clocks) = of_clocks(&all);
    clocks.lock().unwrap().steady += Duration::from_secs(91);
    assert!(lock.hold().loss().is_some(), "who asks first learns it");
}

#[tokio::test(start_paused = true)]
async fn no_beat_comes_after_a_host_was_given_back() {
    let fake = Fake::default();
    let slow = Duration::from_secs(5);
    for host in ["a", "b", "c"] {
        fake.once(&name(host), "kdiy_take", taken());
        fake.once(&name(host), "kdiy_beat /run", beats().after(slow));
        fake.once(&name(host), "kdiy_release", Answer::output(""));
    }
    let all = connections(&fake).await;
    let lock = take(&all, number("aaaa"), &owner("a"), |_| false).await;
    let lock = lock.unwrap_or_else(|error| panic!("{error}"));
    tokio::time::sleep(RENEW_INTERVAL + Duration::from_secs(1)).await;
    assert_eq!(fake.runs(&name("b")).len(), 2, "a beat is under way");
    let began = tokio::time::Instant::now();
    lock.release().await;
    assert_eq!(began.elapsed(), slow - Duration::from_secs(1));
    let runs = fake.runs(&name("b"));
    assert_eq!(runs.len(), 3);
    assert!(runs[2].script.contains("kdiy_release /run"));
}
