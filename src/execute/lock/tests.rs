use super::*;
use crate::cluster::Login;
use crate::transport::Error;
use crate::transport::fake::{Answer, Fake};

use std::process::Command;

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
        let script = script.as_str().replace(FILE, &file);
        let output = Command::new("sh").arg("-ec").arg(script).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    }

    fn take(&self, number: &Number, replaces: Option<&str>, expiry: u64) -> Option<Holder> {
        let (code, said) = self.sh(&taking(number, replaces, expiry, &owner("a").line()));
        assert_eq!(code, 0, "{said}");
        match holder::Answer::parse(said.as_bytes()).unwrap() {
            holder::Answer::Taken { .. } => None,
            holder::Answer::Locked(holder) => Some(holder),
        }
    }
}

#[test]
fn one_has_it_until_it_is_given_back_or_silent_for_long() {
    let host = Host(tempfile::tempdir().unwrap());
    let (ours, theirs) = (number("aaaa"), number("bbbb"));
    assert_eq!(host.take(&ours, None, 90), None);
    assert_eq!(host.take(&ours, None, 90), None, "ours already");
    let held = host.take(&theirs, None, 90).expect("it is ours");
    assert_eq!(held.owner, Some(owner("a")));
    assert_eq!(held.number, "aaaa");
    assert!(held.silent < 5);
    // Another than the one that was seen is not pushed aside.
    assert!(host.take(&theirs, Some("cccc"), 90).is_some());
    assert!(host.sh(&ours.guard()).0 == 0 && host.sh(&theirs.guard()).0 == 76);

    assert_eq!(host.take(&theirs, Some("aaaa"), 90), None, "pushed aside");
    assert_eq!(host.sh(&ours.guard()).0, 76);
    assert!(
        host.take(&ours, None, u64::from(u32::MAX)).is_some(),
        "a beat"
    );

    let release = |number: &Number| {
        let script = Script::of(RELEASE).lit("kdiy_release ").lit(FILE);
        host.sh(&script.lit(" ").arg(&number.0).lit("\n"))
    };
    assert_eq!(release(&ours).0, 0);
    assert!(host.take(&ours, None, 90).is_some(), "it was not ours");
    assert_eq!(release(&theirs).0, 0);
    assert_eq!(host.sh(&ours.guard()).0, 0, "nobody's");
    assert_eq!(host.take(&ours, None, 90), None);
    assert_eq!(host.take(&theirs, None, 0), None, "silent for too long");
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
    ] {
        assert!(holder::Answer::parse(text.as_bytes()).is_err(), "{text}");
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

async fn connections(fake: &Fake) -> Connections<crate::transport::fake::Link> {
    use crate::transport::Connector as _;
    let mut all = Connections::new();
    for host in ["a", "b", "c"] {
        let link = fake.connect(&name(host), &Login::to("")).await.unwrap();
        all.insert(name(host), Arc::new(link));
    }
    all
}

fn held() -> Answer {
    let line = format!("held ffff 12 {}\n", owner("eve").line());
    Answer::output(&line)
}

#[tokio::test]
async fn what_was_taken_is_given_back_when_not_all_can_be() {
    let fake = Fake::default();
    for host in ["a", "c"] {
        fake.always(&name(host), "kdiy_take", Answer::output("taken\n"));
        fake.always(&name(host), "kdiy_release", Answer::output(""));
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
        fake.always(&name(host), "kdiy_take", Answer::output("taken\n"));
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
        fake.once(&name(host), "kdiy_take", Answer::output("taken\n"));
    }
    let lost = Error::Lost {
        address: "x".to_owned(),
        why: "test".to_owned(),
    };
    for host in ["a", "c"] {
        fake.once(&name(host), "kdiy_take", Answer::output("taken\n"));
        fake.always(&name(host), "kdiy_take", Answer::output("taken\n"));
    }
    // One beat that does not come through is not the end.
    fake.once(&name("b"), "kdiy_take", Answer::fails(lost));
    fake.always(&name("b"), "kdiy_take", held());
    let all = connections(&fake).await;
    let lock = take(&all, number("aaaa"), &owner("a"), |_| false).await;
    let lock = lock.unwrap_or_else(|error| panic!("{error}"));
    let mut lost = lock.lost();
    lost.changed().await.expect("it is told");
    let (host, holder) = lost.borrow().clone().expect("somebody");
    assert_eq!(host, name("b"));
    assert!(holder.to_string().starts_with("eve@laptop"));
}

#[tokio::test(start_paused = true)]
async fn no_beat_comes_after_a_host_was_given_back() {
    let fake = Fake::default();
    let slow = Duration::from_secs(5);
    for host in ["a", "b", "c"] {
        fake.once(&name(host), "kdiy_take", Answer::output("taken\n"));
        let beat = Answer::output("taken\n").after(slow);
        fake.once(&name(host), "kdiy_take", beat);
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
