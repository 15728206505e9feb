//! Plans of a cluster with external etcd: bootstrapped, finished, one member
//! lost, half joined, changed; and what is refused.

mod harm;
mod version;

use super::*;
use crate::cluster::{Version, external_etcd_version};
use crate::etcd::members::{MemberView, View};
use crate::kubeadm::tests::external;
use crate::plan::etcd::{EtcdFacts, HostState, Marker};

const ALL: [&str; 3] = ["e1", "e2", "e3"];

fn entry(name: &str, learner: bool) -> MemberView {
    MemberView {
        id: format!("1{name}"),
        name: name.to_owned(),
        peer_urls: Vec::new(),
        learner,
    }
}

fn marker(bootstrapping: bool) -> Option<Marker> {
    let token = TOKEN.to_owned();
    Some(Marker {
        bootstrapping,
        token,
    })
}

/// A member with its data that knows a leader and these members.
fn serving(members: &[MemberView]) -> EtcdFacts {
    EtcdFacts {
        data: true,
        marker: marker(false),
        runs: true,
        distribution_unit: false,
        view: Some(View {
            cluster: "7".to_owned(),
            id: String::new(),
            version: Some(external_etcd_version(VERSION.minor)),
            led: true,
            learner: false,
            members: members.to_vec(),
        }),
        program: None,
        packaged: None,
    }
}

/// A member with its data that does not run.
fn stopped(bootstrapping: bool) -> EtcdFacts {
    EtcdFacts {
        data: true,
        marker: marker(bootstrapping),
        program: Some(external_etcd_version(VERSION.minor)),
        ..EtcdFacts::default()
    }
}

fn whole() -> EtcdFacts {
    serving(&ALL.map(|name| entry(name, false)))
}

/// Hosts of a cluster that runs (or not yet), with what is said of etcd. A
/// host that is not whole is blank where `blank` says so.
fn hosts(running: bool, etcd: impl Fn(&str) -> EtcdFacts, blank: &[&str]) -> Hosts {
    hosts_of(external(VERSION), running, etcd, blank)
}

fn hosts_of(
    resolved: ResolvedCluster,
    running: bool,
    etcd: impl Fn(&str) -> EtcdFacts,
    blank: &[&str],
) -> Hosts {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = match running {
            true => member(resolved, host),
            false => facts(resolved, host),
        };
        facts.etcd = host.starts_with('e').then(|| etcd(host));
        facts
    };
    let seen = |host: &Name, resource: &Resource| match running && !blank.contains(&host.as_str()) {
        true => as_wanted(resource),
        false => absent(resource),
    };
    Hosts::of(resolved, facts, seen)
}

fn steps_of(plan: &Plan, title: &str) -> Vec<String> {
    let titled = plan.steps.iter().filter(|step| step.title == title);
    titled.map(|step| step.actor.to_string()).collect()
}

#[test]
fn a_plan_names_certificates_and_holds_none() {
    let plans = [(); 2].map(|()| hosts(false, |_| EtcdFacts::default(), &[]).plan());
    let [one, other] = plans.map(|plan| serde_json::to_string(&plan).unwrap());
    assert_eq!(one, other);
    assert!(one.contains("/etc/etcd/pki/server.key") && !one.contains("PRIVATE KEY"));
    // The key of etcd's authority is for control planes, never for its hosts.
    let keys: Vec<_> = hosts(false, |_| EtcdFacts::default(), &[])
        .plan()
        .steps
        .iter()
        .flat_map(|step| {
            step.changes()
                .iter()
                .map(|c| (step.actor.clone(), c.resource.key()))
        })
        .filter(|(_, key)| key.ends_with("ca.key"))
        .map(|(host, _)| host.to_string())
        .collect();
    assert_eq!(keys, ["cp1", "cp2"]);
}

#[test]
fn a_host_with_both_roles_has_no_key_of_etcds_authority() {
    let mut resolved = external(VERSION);
    resolved.cluster.nodes[3].roles =
        crate::cluster::Roles::new(vec![Role::ControlPlane, Role::Etcd]).unwrap();
    let mut trust = trust();
    trust.files.push(HostFile::secret(
        "/etc/kubernetes/pki/etcd/ca.key",
        KEY.to_owned(),
    ));
    let blueprint = blueprint(
        &resolved,
        &trust,
        &Observed::default(),
        &mut SecretStore::new(),
    );
    let has = |host: &str| {
        let all = blueprint.resources(&name(host));
        all.iter()
            .any(|resource| resource.name() == "/etc/kubernetes/pki/etcd/ca.key")
    };
    assert_eq!(["cp1", "cp2", "e1"].map(has), [false, true, false]);
}

#[test]
fn a_learner_that_was_left_comes_before_others_that_join() {
    let members = [entry("e1", false), entry("e2", false), entry("e3", true)];
    let hosts = hosts(
        true,
        |host| match host {
            "e1" => serving(&members),
            "e2" => EtcdFacts::default(),
            _ => stopped(false),
        },
        &["e2"],
    );
    let plan = hosts.plan();
    assert_eq!(steps_of(&plan, "join etcd"), ["e3", "e2"]);
    let join = plan
        .steps
        .iter()
        .rposition(|step| step.title == "join etcd")
        .unwrap();
    let first = plan
        .steps
        .iter()
        .position(|step| step.title == "join etcd")
        .unwrap();
    assert!(plan.steps[join].needs.contains(&first), "one at a time");
}

#[test]
fn who_joins_later_does_not_take_those_before_it_for_lost() {
    let hosts = hosts(
        true,
        |host| match host {
            "e1" => whole(),
            _ => EtcdFacts::default(),
        },
        &["e2", "e3"],
    );
    let joins: Vec<_> = hosts
        .plan()
        .steps
        .iter()
        .filter(|step| step.title == "join etcd")
        .map(|step| serde_json::to_string(step).unwrap())
        .collect();
    assert!(joins[0].contains("2379 'e2 e3'"), "{}", joins[0]);
    assert!(joins[1].contains("2379 e3"), "{}", joins[1]);
}

#[test]
fn a_bootstrap_that_broke_off_is_continued() {
    let hosts = hosts(
        false,
        |host| match host {
            "e1" => stopped(true),
            _ => EtcdFacts::default(),
        },
        &[],
    );
    assert_eq!(hosts.codes(), []);
    let plan = hosts.plan();
    assert_eq!(steps_of(&plan, "start etcd"), ALL);
    let text = serde_json::to_string(&plan).unwrap();
    assert!(
        text.contains("kdiy_start new 'e1=https://192.0.2.11:2380,e2="),
        "{text}"
    );
}

#[test]
fn a_limit_leaves_out_no_bootstrap_node() {
    let limit = BTreeSet::from(["e1", "cp1"].map(name));
    let left_out = |hosts: &Hosts| {
        let group = &hosts.observed.cluster_state.etcd;
        group
            .left_out(&limit)
            .into_iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    let unfounded = hosts(false, |_| EtcdFacts::default(), &[]);
    assert_eq!(left_out(&unfounded), ["e2", "e3"].map(name));
    assert_eq!(left_out(&hosts(true, |_| whole(), &[])), []);
}

#[test]
fn a_bootstrap_that_came_to_serve_is_noted_as_such() {
    let hosts = Hosts::of(
        external(VERSION),
        |resolved, host| {
            let mut facts = member(resolved, host);
            facts.etcd = host.starts_with('e').then(|| EtcdFacts {
                marker: marker(true),
                ..whole()
            });
            facts
        },
        |_, resource| match resource {
            Resource::Command(command) if command.name == "the first start of etcd" => {
                absent(resource)
            }
            _ => as_wanted(resource),
        },
    );
    let plan = hosts.plan();
    assert_eq!(steps_of(&plan, "configure etcd"), ALL);
    assert_eq!(plan.steps.len(), 3, "{}", lines(&plan));
}

#[test]
fn no_member_restarts_while_another_is_unreachable() {
    let of = |host: &str| match host {
        "e3" => stopped(false),
        _ => whole(),
    };
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = member(resolved, host);
        facts.etcd = host.starts_with('e').then(|| of(host));
        facts
    };
    let mut hosts = Hosts::of(external(VERSION), facts, |_, resource| match resource {
        Resource::File(file) if file.path == crate::etcd::member::CONFIG => absent(resource),
        _ => as_wanted(resource),
    });
    let waits_for_e3 = |plan: &Plan| {
        let begins = |title: &str| plan.steps.iter().position(|step| step.title == title);
        let restart = &plan.steps[begins("restart etcd").unwrap()];
        let wait = &plan.steps[restart.needs[0]];
        assert_eq!((wait.actor.as_str(), restart.actor.as_str()), ("e1", "e1"));
        let text = serde_json::to_string(wait).unwrap();
        assert!(text.contains("https://192.0.2.13:2379/health"), "{text}");
        wait.needs.clone()
    };
    let plan = hosts.plan();
    let healed = plan
        .steps
        .iter()
        .position(|step| step.actor.host() == Some(&name("e3")) && step.title == "wait for etcd");
    assert!(
        waits_for_e3(&plan).contains(&healed.unwrap()),
        "{}",
        lines(&plan)
    );
    // So it is where kdiy cannot reach e3, and it may be down.
    hosts.seen.remove(&name("e3"));
    let limit = BTreeSet::from(["e1", "e2"].map(name));
    let limited = Plan::new(&hosts.blueprint, &hosts.seen, Some(&limit)).unwrap();
    assert!(waits_for_e3(&limited).len() <= 1, "{}", lines(&limited));
}

#[test]
fn all_members_stopped_are_started_before_anything_is_said_of_the_nodes() {
    let silent = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = member(resolved, host);
        if matches!(facts.api, ApiView::Nodes { .. }) {
            facts.api = ApiView::Silent("connection refused".to_owned());
        }
        facts.etcd = host.starts_with('e').then(|| stopped(false));
        facts
    };
    let hosts = Hosts::of(external(VERSION), silent, |_, resource| as_wanted(resource));
    assert_eq!(hosts.codes(), []);
    let plan = hosts.plan();
    let elsewhere = plan
        .steps
        .iter()
        .find(|step| !step.actor.as_str().starts_with('e'));
    assert_eq!(elsewhere, None);
    assert_eq!(steps_of(&plan, "start etcd"), ALL);
    let needed = bootstrap::required_hosts(&hosts.resolved, &hosts.observed.cluster_state);
    assert!(needed.is_empty(), "so --limit may name hosts of etcd alone");
}

#[test]
fn answers_of_the_gateway_are_read() {
    let text = "asked\ndata yes\nmarker member kdiy-0123456789abcdef\nruns yes\n\
        status {\"header\":{\"cluster_id\":\"7\",\"member_id\":\"1\"},\"version\":\"3.4.23\",\"leader\":\"2\"}\n\
        members {\"header\":{},\"members\":[{\"ID\":\"1\",\"name\":\"e1\",\"peerURLs\":[\"https://192.0.2.11:2380\"]},\
        {\"ID\":\"2\",\"peerURLs\":[\"https://192.0.2.12:2380\"],\"isLearner\":true}]}\n";
    let answer = format!("@etcd {}\n{text}\n", text.len());
    let answers = crate::resource::Answers::parse(answer.as_bytes()).unwrap();
    let facts = EtcdFacts::parse(&answers).unwrap().unwrap();
    let view = facts.view.as_ref().unwrap();
    assert!(view.led && !view.learner && facts.marker == marker(false));
    assert_eq!(view.members[1].name, "");
    assert!(view.members[1].learner && !view.members[0].learner);
    let states = [whole(), facts].map(|facts| {
        let mut all = hosts(true, move |_| facts.clone(), &[])
            .observed
            .cluster_state
            .etcd;
        all.hosts.remove(&name("e3"));
        all.hosts.into_values().collect::<Vec<_>>()
    });
    assert_eq!(states[0], [HostState::Serving; 2]);
    // Its list knows e1 alone by name.
    assert_eq!(states[1], [HostState::Serving, HostState::Joining]);
}
