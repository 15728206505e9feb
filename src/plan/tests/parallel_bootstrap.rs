//! Control planes that come up together: how a run that broke off is gone on
//! with, from every state that a kill or a reboot can leave.

use super::planes::told;
use super::*;
use crate::plan::bootstrap;

/// What is known of one control plane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plane {
    /// Nothing is there.
    Blank,
    /// It has its certificates.
    Prepared,
    /// It was killed while it started.
    Starting,
    /// It was started, and does not answer.
    Started,
    /// Its API server answers.
    Answers,
    /// It is a whole member.
    Done,
}

use Plane::{Answers, Blank, Done, Prepared, Started, Starting};

const PLANES: [&str; 3] = ["cp1", "cp2", "cp3"];

/// The hash of a host's bootstrap, as its own script notes it.
fn hash(plan: &Plan, host: &str) -> String {
    let steps = plan.steps.iter().filter(|step| step.actor.as_str() == host);
    let scripts =
        steps
            .flat_map(|step| step.changes())
            .filter_map(|change| match &change.resource {
                Resource::Command(command) => Some(command.script.as_str()),
                _ => None,
            });
    let noted =
        |script: &str| Some(script.rsplit_once("kdiy_progress prepared ")?.1[..16].to_owned());
    let mut hashes = scripts.filter_map(noted);
    hashes.next().expect("it is prepared")
}

/// The small cluster in this state; its workers have all but a cluster.
fn state(planes: [Plane; 3]) -> Hosts {
    told_by(planes, &|_| {})
}

/// The same, with another answer of its API servers.
fn told_by(planes: [Plane; 3], other: &dyn Fn(&mut ApiView)) -> Hosts {
    let fresh = Hosts::fresh();
    let members = bootstrap::initial_cluster(&fresh.resolved);
    let hashes = PLANES.map(|host| hash(&fresh.plan(), host));
    let answered = planes.iter().any(|plane| matches!(plane, Answers | Done));
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let Some(place) = PLANES.iter().position(|plane| *plane == host) else {
            return facts(resolved, host);
        };
        let (plane, hash) = (planes[place], &hashes[place]);
        let mut facts = match plane {
            Blank => return facts(resolved, host),
            _ => member(resolved, host),
        };
        let note = format!("bootstrap {members} prepared {hash}");
        facts.unfinished = match plane {
            Prepared => Some(note),
            Starting => Some(format!("{note} starting {hash}")),
            Started | Answers => Some(format!("{note} starting {hash} started {hash} ")),
            Blank | Done => None,
        };
        match &mut facts.api {
            ApiView::Nodes { nodes, .. } if matches!(plane, Answers | Done) => {
                nodes.retain(|node| node.name.starts_with("cp"));
                for (node, plane) in nodes.iter_mut().zip(planes) {
                    if plane != Done {
                        node.labels.clear();
                    }
                }
            }
            api => *api = ApiView::Silent("connection refused".to_owned()),
        }
        other(&mut facts.api);
        facts
    };
    let blank = |host: &Name| {
        let place = PLANES.iter().position(|plane| *plane == host.as_str());
        place.is_some_and(|place| planes[place] == Blank)
    };
    let hosts = Hosts::of(few(VERSION), facts, |host, resource| match blank(host) {
        true => absent(resource),
        false => as_wanted(resource),
    });
    assert_eq!(hosts.codes(), []);
    let cluster_state = &hosts.observed.cluster_state;
    assert_eq!(!cluster_state.answering.is_empty(), answered);
    hosts
}

/// `host: title` of the steps that are not about packages and the like, and
/// not about workers.
fn left(planes: [Plane; 3]) -> Vec<String> {
    const SHOWN: [&str; 8] = [
        "prepare the control plane",
        "start the control plane",
        "set up the cluster",
        "complete the control plane",
        "initialise the control plane",
        "join the cluster",
        "forget cp3",
        "make a bootstrap token",
    ];
    let plan = state(planes).plan();
    let shown = |step: &&PlannedStep| {
        SHOWN.contains(&step.title.as_str()) && step.actor.as_str().starts_with("cp")
    };
    let steps = plan.steps.iter().filter(shown);
    steps
        .map(|step| format!("{}: {}", step.actor, step.title))
        .collect()
}

fn each(title: &str, hosts: &[&str]) -> Vec<String> {
    hosts
        .iter()
        .map(|host| format!("{host}: {title}"))
        .collect()
}

#[test]
fn a_plan_after_a_kill_shows_what_is_left() {
    let prepare = |hosts: &[&str]| each("prepare the control plane", hosts);
    let start = |hosts: &[&str]| each("start the control plane", hosts);
    let set_up = |host: &str| each("set up the cluster", &[host]);
    let complete = |hosts: &[&str]| each("complete the control plane", hosts);
    let rows = [
        (
            [Prepared, Blank, Prepared],
            [
                prepare(&["cp2"]),
                start(&PLANES),
                set_up("cp1"),
                complete(&PLANES),
            ],
        ),
        (
            [Starting, Prepared, Prepared],
            [vec![], start(&PLANES), set_up("cp1"), complete(&PLANES)],
        ),
        (
            [Started, Started, Starting],
            [vec![], start(&["cp3"]), set_up("cp1"), complete(&PLANES)],
        ),
        // A quorum without the first.
        (
            [Prepared, Answers, Answers],
            [vec![], start(&["cp1"]), set_up("cp2"), complete(&PLANES)],
        ),
        (
            [Answers, Answers, Answers],
            [vec![], vec![], set_up("cp1"), complete(&PLANES)],
        ),
        // All were rebooted.
        (
            [Started, Started, Started],
            [vec![], vec![], set_up("cp1"), complete(&PLANES)],
        ),
    ];
    for (planes, wanted) in rows {
        assert_eq!(left(planes), wanted.concat());
    }
}

#[test]
fn who_is_not_done_when_others_are_finishes_its_phases() {
    let wanted = [
        each("start the control plane", &["cp3"]),
        each("complete the control plane", &["cp1", "cp3"]),
    ];
    assert_eq!(left([Started, Done, Starting]), wanted.concat());
    insta::assert_snapshot!(told(&state([Answers, Answers, Done]).plan()));
}

#[test]
fn a_member_that_is_left_of_a_lost_host_is_forgotten_though_it_never_was_a_node() {
    let hosts = told_by([Blank, Answers, Answers], &|api| {
        if let ApiView::Nodes { nodes, .. } = api {
            nodes.retain(|node| node.name != "cp1");
        }
    });
    let plan = hosts.plan();
    let forget = plan
        .steps
        .iter()
        .position(|step| step.title == "forget cp1");
    let join = |step: &&PlannedStep| {
        step.title == "join the cluster" && step.actor.host() == Some(&name("cp1"))
    };
    let join = plan.steps.iter().find(join).unwrap();
    assert!(join.needs.contains(&forget.unwrap()), "{}", lines(&plan));
}

#[test]
fn who_has_lost_its_disk_joins_after_the_others_have_bootstrapped() {
    let plan = state([Answers, Answers, Blank]).plan();
    let of = |host: &str, title: &str| {
        let found = |step: &PlannedStep| step.actor.as_str() == host && step.title == title;
        plan.steps
            .iter()
            .position(found)
            .unwrap_or_else(|| panic!("{title}:\n{}", lines(&plan)))
    };
    let join = &plan.steps[of("cp3", "join the cluster")];
    for (host, title) in [
        ("cp1", "forget cp3"),
        ("cp1", "set up the cluster"),
        ("cp1", "complete the control plane"),
        ("cp2", "complete the control plane"),
    ] {
        assert!(
            join.needs.contains(&of(host, title)),
            "{title}:\n{}",
            lines(&plan)
        );
    }
    assert!(of("cp1", "set up the cluster") < of("cp1", "forget cp3"));
    let joined = left([Done, Done, Blank]);
    assert!(
        joined.contains(&"cp3: join the cluster".to_owned()),
        "{joined:?}"
    );
    assert!(
        !joined.iter().any(|step| step.contains("start")),
        "{joined:?}"
    );
}

#[test]
fn nobody_is_done_before_the_cluster_is_set_up() {
    let plan = Hosts::fresh().plan();
    let set_up = plan
        .steps
        .iter()
        .position(|step| step.title == "set up the cluster");
    for step in &plan.steps {
        if step.title == "complete the control plane" {
            assert!(step.needs.contains(&set_up.unwrap()), "{}", step.actor);
        }
    }
}

#[test]
fn one_control_plane_bootstraps_alone_in_the_same_way() {
    let mut resolved = few(VERSION);
    resolved
        .cluster
        .nodes
        .retain(|node| !["cp2", "cp3"].contains(&node.name.as_str()));
    let hosts = Hosts::of(resolved, facts, |_, resource| absent(resource));
    let plan = hosts.plan();
    let told = told(&plan);
    assert!(told.contains("start it and its etcd\n"), "{told}");
    assert!(!told.contains("initialise"), "{told}");
}

#[test]
fn the_phase_that_makes_etcd_alone_names_all_members() {
    let plan = Hosts::fresh().plan();
    let all = "\
        \n    - name: initial-cluster\
        \n      value: cp1=https://192.0.2.11:2380,cp2=https://192.0.2.12:2380,cp3=https://192.0.2.13:2380\
        \n    - name: initial-cluster-state\
        \n      value: new\n";
    let changes = plan.steps.iter().flat_map(|step| step.changes());
    let commands = changes.filter_map(|change| match &change.resource {
        Resource::Command(command) => Some(command),
        _ => None,
    });
    let inputs: Vec<_> = commands.flat_map(|command| &command.inputs).collect();
    let names = |input: &&&crate::resource::Input| match &input.content {
        Content::Plain(text) | Content::Filled(text) => text.contains(all),
        Content::Secret { .. } => false,
    };
    let named: Vec<_> = inputs
        .iter()
        .filter(names)
        .map(|input| &input.name)
        .collect();
    assert_eq!(named, ["etcd.yaml"; 3]);
}

#[test]
fn a_bootstrap_with_other_members_is_not_continued() {
    let with = |progress: &'static str| {
        let facts = move |resolved: &ResolvedCluster, host: &str| {
            let mut facts = facts(resolved, host);
            if host == "cp1" {
                facts.unfinished =
                    Some(format!("bootstrap cp1=https://192.0.2.11:2380 {progress}"));
                facts.kubelet_conf = true;
            }
            facts
        };
        Hosts::with(facts, |_, resource| absent(resource))
    };
    let begun = with("prepared 1 starting 1");
    assert_eq!(begun.codes(), [("cp1".to_owned(), "bootstrap-changed")]);
    let found = problems(
        &begun.resolved,
        &begun.observed.cluster_state,
        TOKEN,
        &begun.seen,
    );
    insta::assert_snapshot!(found[0].what);
    assert_eq!(with("prepared 1").codes(), [], "nothing has started");
}

#[test]
fn a_worker_that_joined_before_the_power_failed_is_no_unknown_node() {
    let bootstrap_nodes = state([Started, Started, Starting]);
    let facts = move |resolved: &ResolvedCluster, host: &str| match host {
        "w1" => member(resolved, host),
        _ => bootstrap_nodes.seen[&name(host)].facts.clone(),
    };
    let hosts = Hosts::with(facts, |_, resource| as_wanted(resource));
    assert_eq!(hosts.codes(), []);
    let joins = |step: &PlannedStep| {
        step.actor.host() == Some(&name("w1")) && step.title == "join the cluster"
    };
    assert!(hosts.plan().steps.iter().any(joins));
}

#[test]
fn a_bootstrap_needs_all_its_hosts_and_a_cluster_none() {
    let needed = |hosts: &Hosts| {
        let needed = bootstrap::required_hosts(&hosts.resolved, &hosts.observed.cluster_state);
        needed
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(needed(&Hosts::fresh()), PLANES);
    assert_eq!(needed(&state([Starting, Blank, Blank])), PLANES);
    assert_eq!(needed(&state([Answers, Blank, Answers])), ["cp1", "cp3"]);
    assert_eq!(needed(&state([Done, Started, Blank])), [""; 0]);
    let one_by_one = Hosts::of(serial(few(VERSION)), facts, |_, resource| absent(resource));
    assert_eq!(needed(&one_by_one), ["cp1"]);
}

#[test]
fn a_control_plane_that_is_unreachable_holds_up_a_bootstrap_until_there_is_a_quorum() {
    let mut fresh = state([Starting, Started, Blank]);
    fresh.seen.remove(&name("cp3"));
    assert_eq!(fresh.codes(), [("cp1".to_owned(), "control-plane-unseen")]);
    let mut quorum = state([Answers, Started, Blank]);
    quorum.seen.remove(&name("cp3"));
    assert_eq!(quorum.codes(), []);
}
