//! One host answers wrongly to who wants it, and to who has it: it harms
//! neither the others nor the terminal.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kdiy::cluster::{Login, Name};
use kdiy::execute::lock::{self, LockError, Number, Owner};
use kdiy::execute::survey::Connections;
use kdiy::transport::Connector as _;
use kdiy::transport::fake::{Answer, Fake};
use proptest::prelude::*;
use proptest::sample::select;

use super::fuzz;
use super::mutate::{edited, edits};

const HOSTS: [&str; 3] = ["a", "b", "c"];
/// Words of the scripts that take a host, keep it, and give it back.
const TAKES: &str = "kdiy_take /run";
const BEATS: &str = "kdiy_beat /run";
const GIVES: &str = "kdiy_release /run";

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn owner() -> Owner {
    Owner {
        user: "ops".to_owned(),
        machine: "laptop".to_owned(),
        process: None,
        cluster: name("prod"),
        run: name("r1"),
        since: "2026-11-21T14:03:00Z".to_owned(),
    }
}

/// What became of one apply.
struct Ended {
    /// Who was in the way, as it is told.
    said: Option<String>,
    /// Scripts of the hosts, in order.
    runs: Vec<Vec<String>>,
}

/// Takes three hosts, of which one answers so to the first two questions and
/// to all later ones; has them for three beats, and gives them back.
fn ended(number: &Number, hostile: &str, answers: [&str; 3], push: bool) -> Ended {
    let fake = Fake::default();
    for host in HOSTS.map(name) {
        if host.as_str() == hostile {
            fake.once(&host, TAKES, Answer::output(answers[0]));
            fake.once(&host, TAKES, Answer::output(answers[1]));
            fake.once(&host, BEATS, Answer::output(answers[2]));
            fake.once(&host, BEATS, Answer::output(answers[1]));
            fake.always(&host, BEATS, Answer::output(answers[0]));
        } else {
            fake.always(&host, TAKES, Answer::output("taken b-1\n"));
            fake.always(&host, BEATS, Answer::output("ours\n"));
        }
        fake.always(&host, GIVES, Answer::output(answers[2]));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let said = runtime.block_on(async {
        let mut all = Connections::new();
        for host in HOSTS.map(name) {
            let link = fake.connect(&host, &Login::to("")).await.unwrap();
            all.insert(host, Arc::new(link));
        }
        match lock::take(&all, number.clone(), &owner(), |_| push).await {
            Err(held @ LockError::Locked { .. }) => Some(held.to_string()),
            Err(LockError::HostErrors(host_errors)) => {
                assert_eq!(host_errors.keys().collect::<Vec<_>>(), [&name(hostile)]);
                Some(host_errors[&name(hostile)].to_string())
            }
            Ok(lock) => {
                tokio::time::sleep(Duration::from_secs(70)).await;
                let loss = lock.hold().loss();
                lock.release().await;
                loss.map(|loss| {
                    let loss = loss.to_string();
                    assert!(loss.starts_with(&format!("{hostile} ")), "{loss}");
                    loss
                })
            }
        }
    });
    let scripts = |host: Name| fake.runs(&host).into_iter().map(|run| run.script);
    let runs = HOSTS.map(name).map(|host| scripts(host).collect());
    Ended {
        said,
        runs: runs.into(),
    }
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn answers_about_the_lock() {
    let number = Number::generate().unwrap();
    let taken = "taken b-1\n";
    let ours = "ours\n";
    let honest = ended(&number, "b", [taken, ours, ours], false);
    assert_eq!(honest.said, None);
    // One to take it, one a beat, one to give it back.
    assert_eq!(honest.runs[0].len(), 5);
    let known: BTreeSet<_> = honest.runs.iter().flatten().cloned().collect();
    assert_eq!(known.len(), 3, "{known:#?}");

    let held = format!(
        "held 0123abcd 12 {}\n",
        serde_json::to_string(&owner()).unwrap()
    );
    let refused = ended(&number, "b", [&held; 3], false);
    assert!(refused.said.expect("it is held").contains("ops@laptop"));

    let seeds = vec![
        taken.to_owned(),
        "taken b-1 busy\n".to_owned(),
        ours.to_owned(),
        "gone\n".to_owned(),
        held,
    ];
    let answer =
        || (select(seeds.clone()), edits()).prop_map(|(seed, edits)| edited(&seed, &edits));
    let cases = (
        select(&HOSTS[..]),
        [answer(), answer(), answer()],
        any::<bool>(),
    );
    fuzz(1000, &cases, |(hostile, answers, push)| {
        let ended = ended(
            &number,
            hostile,
            answers.each_ref().map(String::as_str),
            push,
        );
        for (host, runs) in HOSTS.iter().zip(&ended.runs) {
            if *host == hostile {
                continue;
            }
            // They are asked what they are always asked, and given back.
            assert!(runs.iter().all(|run| known.contains(run)), "{runs:#?}");
            let gave = |run: &String| run.contains(GIVES);
            assert!(runs.last().is_none_or(gave), "{host} is left held");
        }
        if let Some(said) = ended.said {
            let shown = kdiy::transport::sanitise::sanitise(&said);
            assert_eq!(said, shown, "a terminal would obey it");
            assert!(said.len() < 8000, "{}", said.len());
        }
    });
}
