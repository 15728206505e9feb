//! Runs of made-up plans on made-up hosts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::*;
use crate::cluster::{Login, Name};
use crate::plan::{Change, Plan, PlannedStep};
use crate::resource::{Command, Content, Difference, Done, Input, Resource, Seen, Verb};
use crate::shell::Script;
use crate::transport::fake::{Answer, Fake, Link};
use crate::transport::{Connector, Error};
use crate::vault::{self, Vault};

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn step(host: &str, title: &'static str, needs: &[usize]) -> PlannedStep {
    let command = Command {
        name: title.to_owned(),
        verb: Verb::Run,
        details: Vec::new(),
        done: Done::Known(false),
        script: Script::of("run ").arg(title),
        inputs: vec![Input {
            name: "token".to_owned(),
            content: Content::Filled(format!("token: {}", vault::TOKEN)),
        }],
    };
    PlannedStep {
        host: name(host),
        title: title.to_owned(),
        changes: vec![Change {
            resource: Resource::Command(command),
            difference: Difference::plain(Verb::Run),
            seen: Seen::Command(false),
        }],
        needs: needs.to_vec(),
    }
}

async fn links(fake: &Fake, hosts: &[&str]) -> BTreeMap<Name, Arc<Link>> {
    let login = Login::to("");
    let mut links = BTreeMap::new();
    for host in hosts {
        let host = name(host);
        links.insert(
            host.clone(),
            Arc::new(fake.connect(&host, &login).await.unwrap()),
        );
    }
    links
}

struct Ran {
    report: Report,
    events: Vec<Event>,
    scripts: Vec<(Name, String)>,
}

async fn ran(plan: &Plan, fake: &Fake, width: usize, stop: bool) -> Ran {
    let mut vault = Vault::new();
    vault.set_token("abcdef.0123456789abcdef");
    let hosts: Vec<_> = plan.hosts().into_iter().map(Name::as_str).collect();
    let links = links(fake, &hosts).await;
    let (_stopping, stop) = watch::channel(stop);
    let options = Options {
        width,
        limit: Duration::from_secs(60),
        scripts: true,
        guard: Script::new(),
        stop,
    };
    let (send, mut receive) = mpsc::unbounded_channel();
    let report = run(plan, &links, &vault, &options, &send).await;
    drop(send);
    let mut events = Vec::new();
    let mut scripts = Vec::new();
    while let Some(event) = receive.recv().await {
        match event {
            Event::Script { host, text, .. } => scripts.push((host, text)),
            event => events.push(event),
        }
    }
    Ran {
        report,
        events,
        scripts,
    }
}

fn plan(steps: Vec<PlannedStep>) -> Plan {
    Plan { steps }
}

#[tokio::test]
async fn what_needs_a_failed_step_does_not_run_and_others_go_on() {
    let fake = Fake::default();
    let (one, two) = (name("one"), name("two"));
    fake.always(&one, "run first", Answer::says(""));
    fake.always(
        &one,
        "run broken",
        Answer::exits(7, "", "E: no 0123456789abcdef for you\n"),
    );
    fake.always(&two, "run other", Answer::says(""));
    let plan = plan(vec![
        step("one", "first", &[]),
        step("one", "broken", &[0]),
        step("two", "dependent", &[1]),
        step("two", "other", &[0]),
    ]);
    let ran = ran(&plan, &fake, 8, false).await;
    let done: Vec<_> = ran.report.done.iter().map(|(place, _)| *place).collect();
    assert_eq!(done, [0, 3]);
    assert_eq!((ran.report.failed, ran.report.left), (vec![1], vec![2]));
    let failure = ran.events.iter().find_map(|event| match event {
        Event::StepFailed { failure, .. } => Some(failure),
        _ => None,
    });
    let failure = failure.unwrap();
    assert_eq!(failure.what, "exit code 7");
    assert_eq!(failure.last_lines, ["E: no ******** for you"]);
    assert!(failure.hint.contains("kdiy apply again"));
}

#[tokio::test(start_paused = true)]
async fn independent_steps_run_side_by_side_within_the_width() {
    let hosts = ["a", "b", "c", "d"];
    let took = async |width| {
        let fake = Fake::default();
        for host in hosts {
            let answer = Answer::says("").after(Duration::from_secs(10));
            fake.always(&name(host), "run work", answer);
        }
        let plan = plan(hosts.map(|host| step(host, "work", &[])).into());
        ran(&plan, &fake, width, false).await.report.took.as_secs()
    };
    assert_eq!(took(4).await, 10);
    assert_eq!(took(2).await, 20);
    assert_eq!(took(1).await, 40);
}

#[tokio::test]
async fn a_cut_step_is_taken_up_once() {
    let fake = Fake::default();
    let lost = || {
        Answer::fails(Error::Lost {
            address: "one:22".to_owned(),
            why: "cut".to_owned(),
        })
    };
    fake.once(&name("one"), "run work", lost());
    fake.once(&name("one"), "run work", Answer::says(""));
    fake.always(&name("two"), "run work", lost());
    let plan = plan(vec![step("one", "work", &[]), step("two", "work", &[])]);
    let ran = ran(&plan, &fake, 2, false).await;
    assert_eq!(ran.report.done.len(), 1);
    assert_eq!(ran.report.failed, [1]);
    assert_eq!(fake.runs(&name("two")).len(), 2);
}

#[tokio::test]
async fn nothing_begins_once_it_was_stopped() {
    let fake = Fake::default();
    let plan = plan(vec![step("one", "work", &[])]);
    let ran = ran(&plan, &fake, 2, true).await;
    assert_eq!(ran.report.left, [0]);
    assert_eq!(fake.runs(&name("one")), []);
}

#[tokio::test]
async fn scripts_are_shown_before_they_run_and_without_secrets() {
    let fake = Fake::default();
    fake.always(&name("one"), "run work", Answer::says(""));
    let ran = ran(&plan(vec![step("one", "work", &[])]), &fake, 2, false).await;
    let [(host, text)] = &ran.scripts[..] else {
        panic!("{:?}", ran.scripts);
    };
    assert_eq!(*host, name("one"));
    assert!(text.contains("run work"), "{text}");
    assert!(!text.contains("0123456789abcdef"), "{text}");
    assert!(
        !text.contains("flock"),
        "what all scripts have is left out: {text}"
    );
}

#[tokio::test]
async fn tokens_are_filled_in_on_the_way_only() {
    let fake = Fake::default();
    fake.always(&name("one"), "run work", Answer::says(""));
    let plan = plan(vec![step("one", "work", &[])]);
    assert!(
        !serde_json::to_string(&plan)
            .unwrap()
            .contains("0123456789abcdef")
    );
    ran(&plan, &fake, 1, false).await;
    let runs = fake.runs(&name("one"));
    assert!(runs[0].script.contains("token: abcdef.0123456789abcdef"));
}
