//! Clusters in all states of health.

use super::*;
use crate::etcd::gateway::Alarm;

const CLUSTER: u64 = 0xcdef;

fn name(number: u8) -> Name {
    Name::try_from(format!("cp-{number}")).unwrap()
}

pub(crate) fn member(number: u8) -> Member {
    Member {
        id: 0x3100_0000_0000_0000 + u64::from(number),
        name: name(number).to_string(),
        peers: vec![format!("https://10.0.0.{number}:2380")],
        clients: vec![format!("https://10.0.0.{number}:2379")],
        learner: false,
    }
}

fn said(number: u8, members: u8) -> Reply {
    Reply {
        status: Status {
            cluster: CLUSTER,
            member: member(number).id,
            leader: member(1).id,
            term: 5,
            index: 123_450 + u64::from(number),
            version: "3.5.21".to_owned(),
            size: 21_000_000,
            in_use: 10_500_000,
            learner: false,
        },
        members: Some((1..=members).map(member).collect()),
        health: Health::Good,
        alarms: Vec::new(),
    }
}

pub(crate) fn host(number: u8, answer: Result<Reply, NoReply>) -> Host {
    Host {
        name: name(number),
        address: Some([10, 0, 0, number].into()),
        answer: Ok(Answer {
            url: format!("https://10.0.0.{number}:2379"),
            reply: answer,
        }),
    }
}

/// Hosts cp-1 to cp-`members`, all well; cp-1 leads.
pub(crate) fn well(members: u8) -> Vec<Host> {
    (1..=members)
        .map(|number| host(number, Ok(said(number, members))))
        .collect()
}

pub(crate) fn unreachable(host: &mut Host) {
    host.answer = Err(format!(
        "cannot reach {}:22: no route to the host",
        host.name
    ));
}

pub(crate) fn edit(host: &mut Host, change: impl FnOnce(&mut Reply)) {
    let answer = host.answer.as_mut().unwrap();
    change(answer.reply.as_mut().unwrap());
}

fn row(etcd_status: &EtcdStatus, number: u8) -> Row {
    let named = etcd_status
        .members
        .iter()
        .filter(|row| row.name == name(number).as_str());
    let rows: Vec<_> = named.cloned().collect();
    assert_eq!(rows.len(), 1, "{etcd_status:#?}");
    rows[0].clone()
}

fn votes(etcd_status: &EtcdStatus) -> (usize, usize, usize, usize) {
    let Votes {
        members,
        quorum,
        alive,
        tolerates,
    } = etcd_status.votes;
    (members, quorum, alive, tolerates)
}

#[test]
fn all_is_well() {
    let etcd_status = EtcdStatus::of(&well(3));
    assert_eq!(etcd_status.verdict, Verdict::Healthy);
    assert_eq!(votes(&etcd_status), (3, 2, 3, 1));
    let leaders: Vec<_> = etcd_status.members.iter().map(|row| row.leader).collect();
    assert_eq!(leaders, [true, false, false]);
    let lags = etcd_status
        .members
        .iter()
        .map(|row| row.measured.as_ref().unwrap().lag);
    assert_eq!(lags.collect::<Vec<_>>(), [2, 1, 0]);
    // Not the leader, and the one that is least behind.
    assert_eq!(etcd_status.reader().unwrap().name, "cp-3");
}

#[test]
fn one_of_three_may_be_unreachable() {
    let mut hosts = well(3);
    unreachable(&mut hosts[2]);
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Degraded);
    assert_eq!(votes(&etcd_status), (3, 2, 2, 0));
    let away = row(&etcd_status, 3);
    assert_eq!(away.state, State::Unreachable);
    // What the others know of it is shown.
    assert_eq!(away.id, Some(member(3).id));
    assert_eq!(away.endpoint.as_deref(), Some("https://10.0.0.3:2379"));
    assert_eq!(etcd_status.reader().unwrap().name, "cp-2");
}

#[test]
fn two_of_three_may_not() {
    let mut hosts = well(3);
    unreachable(&mut hosts[1]);
    hosts[2] = host(3, Err(NoReply::NoAnswer("curl: (7) refused".to_owned())));
    edit(&mut hosts[0], |said| {
        said.status.leader = 0;
        said.health = Health::Bad("there is no leader".to_owned());
    });
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Down);
    assert_eq!(votes(&etcd_status), (3, 2, 0, 0));
    let states = etcd_status.members.iter().map(|row| row.state);
    assert_eq!(
        states.collect::<Vec<_>>(),
        [State::Unhealthy, State::Unreachable, State::NoAnswer]
    );
    assert!(etcd_status.members.iter().all(|row| !row.leader));
    assert_eq!(etcd_status.reader(), None);
}

#[test]
fn a_healthy_member_proves_the_quorum_that_we_do_not_reach() {
    let mut hosts = well(5);
    hosts[1..].iter_mut().for_each(unreachable);
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Degraded);
    assert_eq!(votes(&etcd_status), (5, 3, 3, 0));
}

#[test]
fn nobody_can_be_asked() {
    let mut hosts = well(3);
    hosts.iter_mut().for_each(unreachable);
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Unknown);
    assert_eq!(votes(&etcd_status), (3, 2, 0, 0));
    assert_eq!(etcd_status.cluster_id, None);
}

#[test]
fn an_alarm_degrades_and_is_shown_at_its_member() {
    let mut hosts = well(3);
    for host in &mut hosts {
        edit(host, |said| {
            said.health = Health::Bad("ALARM NOSPACE".to_owned());
            said.alarms = vec![Alarm {
                member: member(2).id,
                kind: "NOSPACE".to_owned(),
            }];
        });
    }
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Degraded);
    assert_eq!(votes(&etcd_status), (3, 2, 3, 1));
    assert_eq!(row(&etcd_status, 2).alarms, ["NOSPACE"]);
    assert_eq!(row(&etcd_status, 1).alarms, [""; 0]);
    // Not the leader, not the one without room.
    assert_eq!(etcd_status.reader().unwrap().name, "cp-3");
}

#[test]
fn a_learner_has_no_vote_and_is_not_read_from() {
    let mut hosts = well(4);
    for host in &mut hosts {
        edit(host, |said| {
            if let Some(members) = &mut said.members {
                members[3].learner = true;
            }
        });
    }
    edit(&mut hosts[3], |said| {
        said.status.learner = true;
        said.members = None;
        said.health = Health::Bad(String::new());
    });
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Degraded);
    assert_eq!(votes(&etcd_status), (3, 2, 3, 1));
    assert_eq!(row(&etcd_status, 4).state, State::Learner);
}

#[test]
fn a_member_that_was_added_and_never_started_is_known_by_its_address() {
    let mut hosts = well(3);
    for host in &mut hosts {
        edit(host, |said| {
            if let Some(members) = &mut said.members {
                members[2].name = String::new();
                members[2].clients = Vec::new();
            }
        });
    }
    hosts[2] = host(3, Err(NoReply::NoAnswer("curl: (7) refused".to_owned())));
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(row(&etcd_status, 3).state, State::NotStarted);
    assert_eq!(votes(&etcd_status), (3, 2, 2, 0));
}

#[test]
fn hosts_without_and_members_elsewhere_are_both_seen() {
    let mut hosts = well(3);
    hosts.remove(1);
    hosts.push(host(9, Err(NoReply::NotInstalled)));
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.verdict, Verdict::Degraded);
    assert_eq!(votes(&etcd_status), (3, 2, 2, 0));
    assert_eq!(row(&etcd_status, 2).state, State::Unlisted);
    assert_eq!(row(&etcd_status, 9).state, State::NoMember);
}

#[test]
fn a_member_of_another_cluster_is_not_counted() {
    let mut hosts = well(3);
    edit(&mut hosts[2], |said| {
        // Its numbers are higher, and it leads its own.
        said.status.cluster = 0xbad;
        said.status.term = 99;
        said.status.member = 7;
        said.status.leader = 7;
        said.members = Some(vec![Member { id: 7, ..member(3) }]);
    });
    let etcd_status = EtcdStatus::of(&hosts);
    assert_eq!(etcd_status.cluster_id, Some(CLUSTER));
    assert_eq!(etcd_status.verdict, Verdict::Degraded);
    assert_eq!(votes(&etcd_status), (3, 2, 2, 0));
    let named = etcd_status.members.iter().filter(|row| row.name == "cp-3");
    let states: Vec<_> = named.map(|row| (row.state, row.leader)).collect();
    assert_eq!(
        states,
        [(State::Unlisted, false), (State::OtherCluster, false)]
    );
}

#[test]
fn numbers_are_written_as_etcdctl_does() {
    let json = serde_json::to_string_pretty(&EtcdStatus::of(&well(1))).unwrap();
    insta::assert_snapshot!(json);
}
