//! Runs of made-up plans on made-up hosts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use super::lock::{Hold, LockLoss, Number};
use super::operate::Operator;
use super::*;
use crate::cluster::{Login, Name};
use crate::plan::gate::Gate;
use crate::plan::rolling::Member;
use crate::plan::{Action, Actor, Change, Operation, Plan, PlannedStep, RollingGroup};
use crate::resource::{Command, Content, Difference, Done, Input, Resource, Seen, Verb};
use crate::secret_store::{self, SecretStore};
use crate::shell::Script;
use crate::transport::fake::{Answer, Fake, Link};
use crate::transport::{ByteStream, Connection, Connector, Error, Exit, Output, Request, Stream};

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
            content: Content::Filled(format!("token: {}", secret_store::TOKEN)),
        }],
    };
    PlannedStep {
        actor: name(host).into(),
        title: title.to_owned(),
        action: Action::Converge(vec![Change {
            resource: Resource::Command(command),
            difference: Difference::plain(Verb::Run),
            seen: Seen::Command(false),
        }]),
        needs: needs.to_vec(),
        gate: None,
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

/// A cluster that nobody scripted anything for.
struct NoOperator;

#[async_trait]
impl Operator for NoOperator {
    async fn operate(
        &self,
        operation: &Operation,
        _: &(dyn Fn(String) + Sync),
    ) -> Result<(), crate::api::Error> {
        panic!("nobody scripted {operation:?}")
    }
}

struct Ran {
    report: Report,
    events: Vec<Event>,
    scripts: Vec<(Actor, String)>,
}

fn options() -> Options {
    Options {
        width: 2,
        limit: Duration::from_secs(60),
        scripts: true,
        hold: Hold::new(Number::generate().unwrap(), BTreeMap::new()),
        stop: watch::channel(false).1,
    }
}

async fn ran(plan: &Plan, fake: &Fake, width: usize, stop: bool) -> Ran {
    let hosts: Vec<_> = plan.hosts().into_iter().map(Name::as_str).collect();
    let links = links(fake, &hosts).await;
    let options = Options {
        width,
        stop: watch::channel(stop).1,
        ..options()
    };
    ran_over(plan, &links, &options).await
}

async fn ran_over<C: Connection>(
    plan: &Plan,
    links: &BTreeMap<Name, Arc<C>>,
    options: &Options,
) -> Ran {
    let mut secrets = SecretStore::new();
    secrets.set_token("abcdef.0123456789abcdef");
    let (send, mut receive) = mpsc::unbounded_channel();
    let tell = |event| send.send(event).unwrap();
    let report = run(plan, links, &NoOperator, &secrets, options, &tell).await;
    drop(send);
    let mut events = Vec::new();
    let mut scripts = Vec::new();
    while let Some(event) = receive.recv().await {
        match event {
            Event::Script { actor, text, .. } => scripts.push((actor, text)),
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
    Plan {
        steps,
        ..Plan::default()
    }
}

#[tokio::test]
async fn what_needs_a_failed_step_does_not_run_and_others_go_on() {
    let fake = Fake::default();
    let (one, two) = (name("one"), name("two"));
    fake.always(&one, "run first", Answer::output(""));
    fake.always(
        &one,
        "run broken",
        Answer::exits(7, "", "E: no 0123456789abcdef for you\n"),
    );
    fake.always(&two, "run other", Answer::output(""));
    let plan = plan(vec![
        step("one", "first", &[]),
        step("one", "broken", &[0]),
        step("two", "dependent", &[1]),
        step("two", "other", &[0]),
    ]);
    let ran = ran(&plan, &fake, 8, false).await;
    let done: Vec<_> = ran.report.done.iter().map(|(place, _)| *place).collect();
    assert_eq!(done, [0, 3]);
    assert_eq!(
        (&ran.report.failed[..], &ran.report.left[..]),
        (&[1][..], &[2][..])
    );
    let failure = failure(&ran);
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
            let answer = Answer::output("").after(Duration::from_secs(10));
            fake.always(&name(host), "run work", answer);
        }
        let plan = plan(hosts.map(|host| step(host, "work", &[])).into());
        ran(&plan, &fake, width, false).await.report.took.as_secs()
    };
    assert_eq!(took(4).await, 10);
    assert_eq!(took(2).await, 20);
    assert_eq!(took(1).await, 40);
}

fn lost() -> Answer {
    Answer::fails(Error::Lost {
        address: "one:22".to_owned(),
        why: "cut".to_owned(),
    })
}

/// Seconds of each wait before another try.
fn waits(ran: &Ran) -> Vec<u64> {
    let wait = |event: &Event| match event {
        Event::StepRetried { wait, .. } => Some(wait.as_secs()),
        _ => None,
    };
    ran.events.iter().filter_map(wait).collect()
}

fn failure(ran: &Ran) -> &Failure {
    let failure = ran.events.iter().find_map(|event| match event {
        Event::StepFailed { failure, .. } => Some(failure),
        _ => None,
    });
    failure.expect("a failure")
}

/// A step on `cp-1` that waits for nodes in vain.
fn gate(names: &[&str]) -> PlannedStep {
    PlannedStep {
        gate: Some(Gate::Nodes {
            asked: name("cp-1"),
            server: "https://192.0.2.1:6443".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }),
        ..step("cp-1", "wait for the nodes", &[])
    }
}

#[tokio::test]
async fn a_gate_that_fails_says_what_is_not_well_and_its_last_words() {
    let fake = Fake::default();
    let (plane, worker) = (name("cp-1"), name("w-1"));
    let vain = "waited 300 s in vain for the nodes to be ready\n";
    fake.always(
        &plane,
        "run 'wait for the nodes'",
        Answer::exits(1, "", vain),
    );
    let nodes = r#"{"items": [{"metadata": {"name": "cp-1"}, "status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "cni plugin not initialized"}]}}]}"#;
    fake.always(&plane, "get nodes -o json", Answer::output(nodes));
    let pods = r#"{"items": [{"metadata": {"name": "flannel-x", "namespace": "kube-flannel"},
        "spec": {"nodeName": "cp-1", "hostNetwork": true},
        "status": {"phase": "Pending", "initContainerStatuses": [{"name": "install-cni", "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}]}"#;
    fake.always(&plane, "spec.nodeName=cp-1", Answer::output(pods));
    fake.always(&plane, "spec.nodeName=w-1", Answer::exits(1, "", "no"));
    let words = "cp: no 0123456789abcdef here";
    let words = format!("@words-0 {}\n{words}\n", words.len());
    fake.always(&plane, "kdiy_words_of_container 0 ", Answer::output(&words));
    let journal = "E1130 02:22:57.1 1 run.go:72] \"command failed\" err=\"cgroup v1\"";
    let host = format!(
        "@kubelet 10\nactivating\n@journal {}\n{journal}\n",
        journal.len()
    );
    fake.always(&worker, "kdiy_section kubelet", Answer::output(&host));
    let links = links(&fake, &["cp-1", "w-1"]).await;
    let ran = ran_over(&plan(vec![gate(&["cp-1", "w-1"])]), &links, &options()).await;
    assert_eq!(
        failure(&ran).why,
        [
            "cp-1: KubeletNotReady: cni plugin not initialized",
            "w-1: there is no such node: its kubelet has not registered it",
            "kube-flannel/flannel-x on cp-1: Init:CrashLoopBackOff, 3 restarts",
            "  install-cni: cp: no ******** here",
            "w-1: kubelet.service is activating",
            "w-1: the kubelet's last errors (journalctl -u kubelet has all):",
            "w-1:   \"command failed\" err=\"cgroup v1\"",
        ]
    );
    assert_eq!(failure(&ran).last_lines, [vain.trim_end()]);
}

/// What is told of an endpoint that was waited for in vain, where these are the
/// answers of the one who waits.
async fn of_endpoint(ready: Answer, host: Answer) -> (Vec<String>, u64) {
    let fake = Fake::default();
    let plane = name("cp-1");
    let vain = Answer::exits(1, "", "in vain\n");
    fake.always(&plane, "run 'wait for the endpoint'", vain);
    fake.always(&plane, "https://192.0.2.1:6443/readyz", ready);
    fake.always(&plane, "kdiy_section kubelet", host);
    let step = PlannedStep {
        gate: Some(Gate::Endpoint {
            server: "https://192.0.2.1:6443".to_owned(),
            balancers: vec!["lb-1".to_owned(), "lb-2".to_owned()],
        }),
        ..step("cp-1", "wait for the endpoint", &[])
    };
    let ran = ran(&plan(vec![step]), &fake, 2, false).await;
    (failure(&ran).why.clone(), ran.report.took.as_secs())
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_is_distinguished_from_its_api_server() {
    let host = || Answer::output("@kubelet 10\nactivating\n");
    let (why, _) = of_endpoint(Answer::output("ready\n"), host()).await;
    assert_eq!(
        why,
        [
            "the API server of cp-1 is ready; what leads to the endpoint is not: look at what \
          balances it on lb-1, lb-2, its address and firewalls between"
        ]
    );
    let (why, _) = of_endpoint(Answer::output("no\n"), host()).await;
    assert_eq!(
        why,
        [
            "the API server of cp-1 itself is not ready",
            "kubelet.service is activating"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_why_has_half_a_minute_for_all() {
    let slow = |seconds| Answer::output("ready\n").after(Duration::from_secs(seconds));
    let (why, took) = of_endpoint(slow(15), slow(3600)).await;
    assert_eq!((why.len(), took), (1, 20));
    let fake = Fake::default();
    let plane = name("cp-1");
    let vain = Answer::exits(1, "", "in vain\n");
    fake.always(&plane, "run 'wait for the nodes'", vain);
    let names = ["cp-1", "w-1", "w-2", "w-3"];
    let nodes = Answer::output(r#"{"items": []}"#).after(Duration::from_secs(15));
    fake.always(&plane, "get nodes -o json", nodes);
    for host in names {
        fake.always(&plane, &format!("spec.nodeName={host}"), slow(3600));
        fake.always(&name(host), "kdiy_section kubelet", slow(3600));
    }
    let links = links(&fake, &names).await;
    let ran = ran_over(&plan(vec![gate(&names)]), &links, &options()).await;
    let why = failure(&ran).why.join("\n");
    assert!(why.contains("no such node"), "{why}");
    assert_eq!(ran.report.took.as_secs(), 30);
}

#[tokio::test]
async fn a_gate_whose_cluster_says_nothing_fails_as_any_step_does() {
    let fake = Fake::default();
    let plane = name("cp-1");
    fake.always(
        &plane,
        "run 'wait for the nodes'",
        Answer::exits(1, "", "in vain\n"),
    );
    fake.always(&plane, "get nodes -o json", Answer::exits(1, "", "refused"));
    fake.always(&plane, "kdiy_section kubelet", Answer::output("nonsense"));
    let ran = ran(&plan(vec![gate(&["cp-1"])]), &fake, 2, false).await;
    let none: [&str; 0] = [];
    assert_eq!(failure(&ran).why, none);
    assert_eq!(failure(&ran).last_lines, ["in vain"]);
}

#[tokio::test(start_paused = true)]
async fn a_cut_step_is_taken_up() {
    let fake = Fake::default();
    fake.once(&name("one"), "run work", lost());
    fake.once(&name("one"), "run work", Answer::output(""));
    let ran = ran(&plan(vec![step("one", "work", &[])]), &fake, 2, false).await;
    assert_eq!((ran.report.done.len(), waits(&ran)), (1, vec![2]));
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_tried_again_with_longer_waits_and_then_given_up() {
    let fake = Fake::default();
    fake.always(&name("one"), "run work", lost());
    let ran = ran(&plan(vec![step("one", "work", &[])]), &fake, 2, false).await;
    assert_eq!(ran.report.failed, [0]);
    assert_eq!(waits(&ran), [2, 4, 8, 16, 30, 30, 30]);
    let what = &failure(&ran).what;
    assert_eq!(what, "lost the connection to one:22: cut, tried 8 times");
}

/// A host that comes to the first change of each script, says a line, and
/// fails.
struct Talks(Mutex<VecDeque<&'static str>>);

#[async_trait]
impl Connection for Talks {
    async fn run(
        &self,
        request: Request<'_>,
        lines: &mut (dyn for<'l> FnMut(Stream, &'l str) + Send),
    ) -> Result<Output, Error> {
        let mark = request.script.split('\'').find(|word| word.ends_with(" 0"));
        lines(Stream::Out, mark.expect("a script announces its changes"));
        let said = self.0.lock().unwrap().pop_front();
        lines(Stream::Err, said.expect("another script than was wanted"));
        Ok(Output {
            exit: Exit::Code(1),
            stdout: Vec::new(),
            stderr: Vec::new(),
        })
    }

    async fn stream(&self, _: Request<'_>, _: &mut (dyn Write + Send)) -> Result<Output, Error> {
        unreachable!("steps are run, not streamed")
    }

    async fn open_stream(&self, _: SocketAddr) -> Result<ByteStream, Error> {
        unreachable!("steps open no byte streams")
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_reports_a_transient_error_is_tried_again() {
    let said = [
        "Error from server: etcdserver: leader changed",
        "no space left on device",
    ];
    let talks = Talks(Mutex::new(said.into()));
    let links = BTreeMap::from([(name("one"), Arc::new(talks))]);
    let plan = plan(vec![step("one", "work", &[])]);
    let ran = ran_over(&plan, &links, &options()).await;
    assert_eq!(waits(&ran), [2]);
    let what = ran.events.iter().find_map(|event| match event {
        Event::StepRetried { what, next, .. } => Some((what.as_str(), *next)),
        _ => None,
    });
    let wanted = "the API server is not there for the moment: Error from server: etcdserver: \
                  leader changed";
    assert_eq!(what, Some((wanted, 2)));
    let Failure { what, resource, .. } = failure(&ran);
    assert_eq!(what, "exit code 1, tried 2 times");
    assert_eq!(resource.as_deref(), Some("command work"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_another_try_ends_with_the_run() {
    let fake = Fake::default();
    fake.always(&name("one"), "run work", lost());
    let (stopping, stop) = watch::channel(false);
    let options = Options { stop, ..options() };
    let links = links(&fake, &["one"]).await;
    let plan = plan(vec![step("one", "work", &[])]);
    let (events, mut received) = mpsc::unbounded_channel();
    let secrets = SecretStore::new();
    let tell = |event| events.send(event).unwrap();
    let running = run(&plan, &links, &NoOperator, &secrets, &options, &tell);
    let stops = async {
        while !matches!(
            received.recv().await,
            Some(Event::StepRetried { next: 3, .. })
        ) {}
        tokio::time::sleep(Duration::from_secs(1)).await;
        stopping.send(true).unwrap();
    };
    let (report, ()) = tokio::join!(running, stops);
    assert_eq!((report.failed, report.took.as_secs()), (vec![0], 3));
    assert_eq!(fake.runs(&name("one")).len(), 2);
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
    fake.always(&name("one"), "run work", Answer::output(""));
    let ran = ran(&plan(vec![step("one", "work", &[])]), &fake, 2, false).await;
    let [(host, text)] = &ran.scripts[..] else {
        panic!("{:?}", ran.scripts);
    };
    assert_eq!(*host, name("one").into());
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
    fake.always(&name("one"), "run work", Answer::output(""));
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

/// Members of a rolling group of two steps each, and how many were at work at
/// a time, with the hosts that began.
async fn rolled(at_once: usize, broken: &str) -> (usize, Vec<String>, Report) {
    let fake = Fake::default();
    let hosts = ["w-1", "w-2", "w-3", "w-4", "w-5"];
    let mut steps = Vec::new();
    let mut members = Vec::new();
    for (place, host) in hosts.into_iter().enumerate() {
        let first = 2 * place;
        steps.push(step(host, "drain", &[]));
        steps.push(step(host, "upgrade", &[first]));
        members.push(Member {
            host: name(host),
            steps: vec![first, first + 1],
        });
        // Members take different times.
        let takes = Duration::from_secs(5 + 3 * (place as u64 % 3));
        let drained = Answer::output("").after(takes);
        fake.always(&name(host), "run drain", drained);
        let upgraded = match host == broken {
            true => Answer::exits(1, "", "E: broken\n"),
            false => Answer::output(""),
        };
        fake.always(&name(host), "run upgrade", upgraded.after(takes));
    }
    let plan = Plan {
        steps,
        rolling: vec![RollingGroup {
            title: "upgrade workers".to_owned(),
            at_once: NonZeroUsize::new(at_once).unwrap(),
            members,
        }],
    };
    let ran = ran(&plan, &fake, 8, false).await;
    let (mut at_work, mut most, mut began) = (BTreeSet::new(), 0, Vec::new());
    for event in &ran.events {
        match event {
            Event::StepStarted { actor, title, .. } if title == "drain" => {
                began.push(actor.to_string());
                at_work.insert(actor.clone());
                most = most.max(at_work.len());
            }
            Event::StepDone { actor, title, .. } if title == "upgrade" => {
                at_work.remove(actor);
            }
            _ => {}
        }
    }
    (most, began, ran.report)
}

#[tokio::test(start_paused = true)]
async fn members_of_a_rolling_group_are_worked_on_a_few_at_a_time() {
    for at_once in 1..=5 {
        let (most, began, report) = rolled(at_once, "none").await;
        assert_eq!(most, at_once);
        assert_eq!(began, ["w-1", "w-2", "w-3", "w-4", "w-5"]);
        assert_eq!(report.done.len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolling_group_stops_at_the_first_member_that_fails() {
    let (_, began, report) = rolled(1, "w-2").await;
    assert_eq!(began, ["w-1", "w-2"]);
    assert_eq!(report.failed, [3]);
    assert_eq!(report.left, [4, 5, 6, 7, 8, 9]);
    // Who is at work then comes to its end.
    let (_, began, report) = rolled(2, "w-1").await;
    assert_eq!(began, ["w-1", "w-2"]);
    assert_eq!(report.failed, [1]);
    let done: Vec<_> = report.done.iter().map(|(step, _)| *step).collect();
    assert_eq!(done, [0, 2, 3]);
}

/// Defect 3: what a run that has lost its hosts would still have done.
mod defect_03 {
    use super::*;

    fn operation() -> PlannedStep {
        PlannedStep {
            actor: Actor::Cluster,
            action: Action::Do(Operation::BootstrapToken),
            ..step("one", "make a token", &[])
        }
    }

    /// An operator that is never done.
    struct Endless(watch::Sender<bool>);

    #[async_trait]
    impl Operator for Endless {
        async fn operate(
            &self,
            _: &Operation,
            _: &(dyn Fn(String) + Sync),
        ) -> Result<(), crate::api::Error> {
            let _ = self.0.send(true);
            std::future::pending().await
        }
    }

    fn loss() -> LockLoss {
        LockLoss::NotOurs { host: name("one") }
    }

    #[tokio::test]
    async fn nothing_begins_once_the_hosts_are_lost() {
        let plan = plan(vec![step("one", "work", &[]), operation()]);
        let links = links(&Fake::default(), &["one"]).await;
        let options = options();
        options.hold.lose(loss());
        let ran = ran_over(&plan, &links, &options).await;
        assert_eq!(ran.report.left, [0, 1]);
    }

    #[tokio::test]
    async fn a_step_that_its_host_stops_stops_the_run() {
        let fake = Fake::default();
        let said = "this run does not have this host any more";
        fake.once(&name("one"), "run first", Answer::exits(76, "", said));
        let plan = plan(vec![
            step("one", "first", &[]),
            step("two", "second", &[]),
            operation(),
        ]);
        let links = links(&fake, &["one", "two"]).await;
        let options = Options {
            width: 1,
            ..options()
        };
        let ran = ran_over(&plan, &links, &options).await;
        assert_eq!(
            (failure(&ran).code, &ran.report.left[..]),
            ("step-lock-lost", &[1, 2][..])
        );
        assert!(options.hold.loss().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_asked_before_an_operation() {
        let fake = Fake::default();
        fake.always(&name("one"), "kdiy_guard /run", Answer::exits(76, "", "no"));
        let lost = lost();
        fake.always(&name("two"), "kdiy_guard /run", lost);
        let links = links(&fake, &["one", "two"]).await;
        let ran = ran_over(&plan(vec![operation()]), &links, &options()).await;
        assert_eq!(failure(&ran).code, "step-lock-lost");
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_ends_when_the_hosts_are_lost() {
        let fake = Fake::default();
        fake.always(&name("one"), "kdiy_guard /run", Answer::output(""));
        let links = links(&fake, &["one"]).await;
        let (plan, options) = (plan(vec![operation()]), options());
        let (begun, mut begins) = watch::channel(false);
        let (operator, secrets) = (Endless(begun), SecretStore::new());
        let running = run(&plan, &links, &operator, &secrets, &options, &|_| {});
        let robber = async {
            begins.wait_for(|begun| *begun).await.unwrap();
            options.hold.lose(loss());
        };
        let (report, ()) = tokio::join!(running, robber);
        assert_eq!(report.failed, [0]);
    }
}
