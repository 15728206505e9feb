//! Answers of members as they came, and some that nobody should give.

use super::*;
use proptest::prelude::*;

/// As etcd 3.6.8 answered, blanks and all.
pub(crate) const STATUS: &str = r#"{"header":{"cluster_id":"12521319786038175563", "member_id":"149099725883030476", "revision":"725", "raft_term":"5"}, "version":"3.6.8", "dbSize":"1347584", "leader":"149099725883030476", "raftIndex":"904", "raftTerm":"5", "raftAppliedIndex":"904", "dbSizeInUse":"1335296", "storageVersion":"3.6.0", "dbSizeQuota":"8589934592", "downgradeInfo":{}}"#;
pub(crate) const MEMBERS: &str = r#"{"header":{"cluster_id":"12521319786038175563", "member_id":"149099725883030476", "raft_term":"5"}, "members":[{"ID":"149099725883030476", "name":"cp-1", "peerURLs":["https://172.29.1.31:2380"], "clientURLs":["https://172.29.1.31:2379"]}, {"ID":"7206029275751187854", "name":"cp-2", "peerURLs":["https://172.29.1.32:2380"], "clientURLs":["https://172.29.1.32:2379"]}, {"ID":"7584991388025100256", "name":"cp-3", "peerURLs":["https://172.29.1.33:2380"], "clientURLs":["https://172.29.1.33:2379"]}]}"#;
const ALARMS: &str = r#"{"header":{"cluster_id":"12521319786038175563", "member_id":"149099725883030476", "revision":"725", "raft_term":"5"}}"#;
const HEALTH: &str = r#"{"health":"true","reason":""}"#;
/// As 3.7.0 answered, with its alarm, without its leader, of its learner.
const STATUS_37: &str = r#"{"header":{"cluster_id":"7797801124135783237","member_id":"17663474746117404156","revision":"5","raft_term":"4"},"version":"3.7.0","dbSize":"24576","leader":"17663474746117404156","raftIndex":"23","raftTerm":"4","raftAppliedIndex":"23","errors":["memberID:17663474746117404156 alarm:NOSPACE"],"dbSizeInUse":"16384","storageVersion":"3.7.0","dbSizeQuota":"8589934592","downgradeInfo":{}}"#;
const ALARMS_37: &str = r#"{"header":{"cluster_id":"7797801124135783237","member_id":"17663474746117404156","revision":"5","raft_term":"4"},"alarms":[{"memberID":"17663474746117404156","alarm":"NOSPACE"}]}"#;
const HEALTH_37: &str = "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}\n";
const LEADERLESS_37: &str = r#"{"header":{"cluster_id":"7797801124135783237","member_id":"17663474746117404156","revision":"1","raft_term":"3"},"version":"3.7.0","dbSize":"24576","raftIndex":"15","raftTerm":"3","raftAppliedIndex":"15","errors":["etcdserver: no leader"],"dbSizeInUse":"16384","storageVersion":"3.7.0","dbSizeQuota":"8589934592","downgradeInfo":{}}"#;
const LEARNER_37: &str = r#"{"header":{"cluster_id":"7797801124135783237","member_id":"13866678765557523799","revision":"5","raft_term":"4"},"version":"3.7.0","dbSize":"20480","leader":"17663474746117404156","raftIndex":"27","raftTerm":"4","raftAppliedIndex":"27","dbSizeInUse":"16384","isLearner":true,"storageVersion":"3.5.0","dbSizeQuota":"8589934592","downgradeInfo":{}}"#;
const REFUSED_37: &str = r#"{"code":9,"message":"etcdserver: rpc not supported for learner"}"#;
pub(crate) const URL: &str = "https://172.29.1.31:2379";

/// An answer of these sections.
pub(crate) fn output(sections: &[(&str, &str)]) -> Vec<u8> {
    let section = |(name, text): &(&str, &str)| format!("@{name} {}\n{text}\n", text.len());
    let text: String = sections.iter().map(section).collect();
    text.into_bytes()
}

fn parse(sections: &[(&str, &str)]) -> Reply {
    Answer::parse(&output(sections)).unwrap().reply.unwrap()
}

#[test]
fn a_healthy_member_is_read() {
    let said = parse(&[
        ("url", URL),
        ("status", STATUS),
        ("members", MEMBERS),
        ("health", HEALTH),
        ("alarms", ALARMS),
    ]);
    let expected = Status {
        cluster: 12_521_319_786_038_175_563,
        member: 149_099_725_883_030_476,
        leader: 149_099_725_883_030_476,
        term: 5,
        index: 904,
        version: "3.6.8".to_owned(),
        size: 1_347_584,
        in_use: 1_335_296,
        learner: false,
    };
    assert_eq!(said.status, expected);
    assert_eq!(said.health, Health::Good);
    assert_eq!(said.alarms, []);
    let members = said.members.unwrap();
    assert_eq!(members.len(), 3);
    assert_eq!(members[2].id, 7_584_991_388_025_100_256);
    assert_eq!(members[2].name, "cp-3");
    assert_eq!(members[2].peers, ["https://172.29.1.33:2380"]);
}

#[test]
fn alarms_are_read_from_either_place_and_reported_once() {
    let mine = Alarm {
        member: 17_663_474_746_117_404_156,
        kind: "NOSPACE".to_owned(),
    };
    let said = |alarms: &str| {
        parse(&[
            ("url", URL),
            ("status", STATUS_37),
            ("members", MEMBERS),
            ("health", HEALTH_37),
            ("alarms", alarms),
        ])
    };
    for alarms in [ALARMS_37, ALARMS, "curl: (28) timed out"] {
        let said = said(alarms);
        assert_eq!(said.alarms, std::slice::from_ref(&mine), "{alarms}");
        assert_eq!(said.health, Health::Bad("ALARM NOSPACE".to_owned()));
    }
    let two = ALARMS_37.replace("}]}", r#"},{"memberID":"8","alarm":"CORRUPT"}]}"#);
    assert_eq!(said(&two).alarms.len(), 2);
}

#[test]
fn a_refusal_to_tell_of_alarms_is_not_taken_for_none() {
    for refused in [
        r#"{"code":14,"message":"etcdserver: request timed out"}"#,
        r#"{"error":"etcdserver: request timed out","code":14,"message":"etcdserver: request timed out"}"#,
    ] {
        let said = parse(&[
            ("url", URL),
            ("status", STATUS),
            ("members", MEMBERS),
            ("health", HEALTH),
            ("alarms", refused),
        ]);
        let Health::Bad(why) = said.health else {
            panic!("healthy")
        };
        assert!(why.contains("request timed out"), "{why}");
    }
}

#[test]
fn a_member_without_a_leader_is_not_healthy() {
    let said = parse(&[
        ("url", URL),
        ("status", LEADERLESS_37),
        ("members", MEMBERS),
    ]);
    assert_eq!(said.health, Health::Bad("there is no leader".to_owned()));
    assert_eq!((said.status.leader, said.status.term), (0, 3));
}

#[test]
fn a_learner_does_not_tell_whom_it_knows() {
    let said = parse(&[
        ("url", URL),
        ("status", LEARNER_37),
        ("members", REFUSED_37),
        ("health", HEALTH),
        ("alarms", REFUSED_37),
    ]);
    assert!(said.status.learner);
    assert_eq!(said.members, None);
    assert_eq!(said.health, Health::Good);
}

#[test]
fn silence_has_its_reason() {
    let said = |sections| Answer::parse(&output(sections)).unwrap().reply;
    assert_eq!(said(&[("url", URL)]), Err(NoReply::NotInstalled));
    let refused = "curl: (7) Failed to connect to 172.29.1.31 port 2379: refused";
    assert_eq!(
        said(&[("url", URL), ("status", refused)]),
        Err(NoReply::NoAnswer(refused.to_owned()))
    );
}

#[test]
fn an_endless_list_is_not_believed() {
    let many = r#"{"ID":"1"},"#.repeat(MOST) + r#"{"ID":"1"}"#;
    let many = format!(r#"{{"members":[{many}]}}"#);
    let answer = output(&[("url", URL), ("status", STATUS), ("members", &many)]);
    assert!(Answer::parse(&answer).is_err());
}

#[test]
fn the_url_is_of_the_inventory_or_of_the_interface() {
    let fixed = AddressSpec::Fixed("fd00::1".parse().unwrap());
    let text = script(&Topology::Stacked, &fixed).to_string();
    assert!(
        text.contains("kdiy_url='https://[fd00::1]:2379'\n"),
        "{text}"
    );
    let interface = AddressSpec::Interface("lo".to_owned());
    let client = client(&Topology::Stacked, &interface);
    let body = client.functions().then(&url(&client, &interface));
    // An `ip` of the test's own.
    for (address, expected) in [
        ("10.0.0.7/24", "https://10.0.0.7:2379"),
        ("fd00::7/64", "https://[fd00::7]:2379"),
    ] {
        let body = Script::of("ip() { echo '2: lo    inet'  ")
            .arg(address)
            .lit("; }\n")
            .then(&body)
            .lit("echo \"$kdiy_url\"");
        let sh = std::process::Command::new("sh");
        let out = { sh }.arg("-c").arg(body.as_str()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), expected);
    }
}

#[test]
fn a_host_without_etcd_says_so_in_a_real_shell() {
    let address = AddressSpec::Fixed("192.0.2.1".parse().unwrap());
    let script = script(&Topology::Stacked, &address);
    let sh = std::process::Command::new("sh");
    let out = { sh }.arg("-c").arg(script.as_str()).output().unwrap();
    assert!(out.status.success());
    let answer = Answer::parse(&out.stdout).unwrap();
    assert_eq!(answer.reply, Err(NoReply::NotInstalled));
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status in ".{0,80}", members in ".{0,80}") {
        for status in [status.as_str(), STATUS] {
            let _ = Answer::parse(&output(&[("url", URL), ("status", status), ("members", &members)]));
        }
    }
}
