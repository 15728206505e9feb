//! Asking a member about itself: one script with curl against etcd's JSON
//! gateway, since a host need not have etcdctl, and what comes back.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Deserializer};

use super::Client;
use crate::cluster::{AddressSpec, Topology};
use crate::resource::{Answers, Malformed, SECTION_FUNCTION};
use crate::shell::Script;

/// More members, alarms or URLs than any cluster has: such an answer is not
/// believed.
const MOST: usize = 64;

/// What a member's host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The client URL that was asked.
    pub url: String,
    /// What the member said.
    pub said: Result<Said, Silence>,
}

/// Why a member said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// The host has no certificate for clients of etcd: none was installed.
    NotInstalled,
    /// Something else came back, such as curl's error.
    NoAnswer(String),
}

/// What a member said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// How it sees itself.
    pub status: Status,
    /// Whom it knows; a learner does not tell.
    pub members: Option<Vec<Member>>,
    /// What its health check came to.
    pub health: Health,
    /// Alarms of all members.
    pub alarms: Vec<Alarm>,
}

/// How a member sees itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Which cluster it belongs to.
    pub cluster: u64,
    /// Which member it is.
    pub member: u64,
    /// Who leads; 0 when nobody does.
    pub leader: u64,
    /// Raft's term.
    pub term: u64,
    /// The last entry of its log that it knows to be agreed upon.
    pub index: u64,
    /// The program's version.
    pub version: String,
    /// Bytes of its database file.
    pub size: u64,
    /// Bytes of it that hold something.
    pub in_use: u64,
    /// Whether it only listens, without a vote.
    pub learner: bool,
}

/// A member as the members' list has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Its number.
    #[serde(rename = "ID", deserialize_with = "number")]
    pub id: u64,
    /// Its name; empty until it has started for the first time.
    #[serde(default)]
    pub name: String,
    /// Where other members reach it.
    #[serde(rename = "peerURLs", default)]
    pub peers: Vec<String>,
    /// Where clients reach it.
    #[serde(rename = "clientURLs", default)]
    pub clients: Vec<String>,
    /// Whether it only listens, without a vote.
    #[serde(rename = "isLearner", default)]
    pub learner: bool,
}

/// What a member's health check came to: a read that needs a quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It was read.
    Good,
    /// It says no, perhaps why.
    Bad(String),
}

/// An alarm that stands until it is disarmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// Whose.
    pub member: u64,
    /// Such as `NOSPACE` or `CORRUPT`.
    pub kind: String,
}

const ASK: &str = r#""$@" 2>&1 | head -c 262144; }
kdiy_said=$(kdiy_etcd -d '{}' "$kdiy_url/v3/maintenance/status")
kdiy_section status "$kdiy_said"
case $kdiy_said in *'"raftTerm"'*)
  kdiy_members=$(kdiy_etcd -d '{"linearizable":false}' "$kdiy_url/v3/cluster/member/list")
  case $kdiy_members in
    *'"members"'*) ;;
    *) kdiy_members=$(kdiy_etcd -d '{}' "$kdiy_url/v3/cluster/member/list") ;;
  esac
  kdiy_section members "$kdiy_members"
  # Both need a quorum and would only wait for it.
  case $kdiy_said in *'no leader'*) ;; *)
    kdiy_section health "$(kdiy_etcd "$kdiy_url/health")"
    kdiy_section alarms "$(kdiy_etcd -d '{"action":"GET"}' "$kdiy_url/v3/maintenance/alarm")"
  esac
esac
fi
:
"#;

/// The script that asks the member on a host, which need not have one.
#[must_use]
pub fn script(topology: &Topology, address: &AddressSpec) -> Script {
    let client = client(topology, address);
    Script::of("export LC_ALL=C\n")
        .lit(SECTION_FUNCTION)
        .then(&url(&client, address))
        .lit("kdiy_section url \"$kdiy_url\"\nif [ -e ")
        .arg(client.certificate)
        .lit(" ]; then\nkdiy_etcd() { curl -sS --noproxy '*' --max-time 4")
        .then(&client.curl())
        .lit(ASK)
}

/// The client of the member on a host; its URL is right only where the
/// inventory names the address.
pub(super) fn client(topology: &Topology, address: &AddressSpec) -> Client {
    let address = match address {
        AddressSpec::Fixed(address) => *address,
        AddressSpec::Interface(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    Client::of(topology, address)
}

/// Sets `kdiy_url` on the host, which knows the address of its interface.
pub(super) fn url(client: &Client, address: &AddressSpec) -> Script {
    match address {
        AddressSpec::Fixed(_) => Script::of("kdiy_url=").arg(&client.url).lit("\n"),
        AddressSpec::Interface(name) => Script::of("set -- $(ip -o addr show scope global dev ")
            .arg(name)
            .lit(
                ")\nkdiy_url=${4%%/*}\ncase $kdiy_url in *:*) kdiy_url=\"[$kdiy_url]\";; esac\n\
                 kdiy_url=https://$kdiy_url:2379\n",
            ),
    }
}

impl Answer {
    /// Reads the answer to [`script`].
    ///
    /// # Errors
    /// When it is not in the form of sections, or says what cannot be.
    pub fn parse(output: &[u8]) -> Result<Self, Malformed> {
        let answers = Answers::parse(output)?;
        let url = answers.get("url")?.to_owned();
        let said = match answers.get("status") {
            Err(_) => Err(Silence::NotInstalled),
            Ok(status) => match serde_json::from_str::<WrittenStatus>(status) {
                Ok(written) => Ok(Said::read(written, &answers)?),
                Err(_) => Err(Silence::NoAnswer(last_line(status))),
            },
        };
        Ok(Self { url, said })
    }
}

impl Said {
    fn read(written: WrittenStatus, answers: &Answers) -> Result<Self, Malformed> {
        let section = |name: &str| answers.get(name).unwrap_or_default();
        let members = section("members");
        let list = serde_json::from_str::<WrittenMembers>(members).ok();
        let list = list.map(|list| list.members);
        if list.as_ref().is_some_and(|list| {
            list.len() > MOST || list.iter().any(|m| m.peers.len() + m.clients.len() > MOST)
        }) {
            return Err(Malformed::text("etcd's members", members));
        }
        let health = match serde_json::from_str::<WrittenHealth>(section("health")) {
            Ok(health) if health.health == "true" => Health::Good,
            Ok(health) => Health::Bad(health.reason),
            Err(_) if written.leader == 0 => Health::Bad("there is no leader".to_owned()),
            Err(_) => Health::Bad(last_line(section("health"))),
        };
        let told = section("alarms");
        let (mut alarms, health) = match serde_json::from_str::<WrittenAlarms>(told) {
            Ok(told) => (told.alarms, health),
            // A learner is not asked. Another's refusal says nothing of alarms,
            // so there may be some.
            Err(_) if !told.is_empty() && !written.is_learner && health == Health::Good => {
                let why = format!("its alarms cannot be read: {}", last_line(told));
                (Vec::new(), Health::Bad(why))
            }
            Err(_) => (Vec::new(), health),
        };
        alarms.extend(written.errors.iter().filter_map(|text| alarm(text)));
        alarms.sort();
        alarms.dedup();
        alarms.truncate(MOST);
        Ok(Self {
            status: Status {
                cluster: written.header.cluster_id,
                member: written.header.member_id,
                leader: written.leader,
                term: written.raft_term,
                index: written.raft_index,
                version: written.version,
                size: written.db_size,
                in_use: written.db_size_in_use,
                learner: written.is_learner,
            },
            members: list,
            health,
            alarms,
        })
    }
}

/// An alarm among a status's errors: `memberID:12 alarm:NOSPACE`.
fn alarm(text: &str) -> Option<Alarm> {
    let (member, kind) = text.strip_prefix("memberID:")?.split_once(" alarm:")?;
    Some(Alarm {
        member: member.trim().parse().ok()?,
        kind: kind.trim().to_owned(),
    })
}

fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or("it said nothing");
    line.chars().take(200).collect()
}

/// The gateway leaves out what is zero, and writes 64 bits as text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenStatus {
    header: WrittenHeader,
    version: String,
    #[serde(default, deserialize_with = "number")]
    db_size: u64,
    #[serde(default, deserialize_with = "number")]
    db_size_in_use: u64,
    #[serde(default, deserialize_with = "number")]
    leader: u64,
    #[serde(default, deserialize_with = "number")]
    raft_index: u64,
    #[serde(default, deserialize_with = "number")]
    raft_term: u64,
    #[serde(default)]
    is_learner: bool,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct WrittenHeader {
    #[serde(deserialize_with = "number")]
    cluster_id: u64,
    #[serde(deserialize_with = "number")]
    member_id: u64,
}

#[derive(Deserialize)]
struct WrittenMembers {
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct WrittenHealth {
    health: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct WrittenAlarms {
    #[serde(rename = "header")]
    _header: WrittenHeader,
    #[serde(default)]
    alarms: Vec<Alarm>,
}

impl<'de> Deserialize<'de> for Alarm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            #[serde(rename = "memberID", default, deserialize_with = "number")]
            member: u64,
            #[serde(rename = "alarm", default)]
            kind: String,
        }
        Written::deserialize(from).map(|Written { member, kind }| Self { member, kind })
    }
}

/// 64 bits, as text of decimal digits or as a number.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    struct Either;
    impl serde::de::Visitor<'_> for Either {
        type Value = u64;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number of 64 bits")
        }
        fn visit_u64<E>(self, value: u64) -> Result<u64, E> {
            Ok(value)
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
            text.parse().map_err(E::custom)
        }
    }
    from.deserialize_any(Either)
}

#[cfg(test)]
pub(crate) mod tests {
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

    fn parse(sections: &[(&str, &str)]) -> Said {
        Answer::parse(&output(sections)).unwrap().said.unwrap()
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
    fn alarms_are_read_from_either_place_and_told_once() {
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
        let said = |sections| Answer::parse(&output(sections)).unwrap().said;
        assert_eq!(said(&[("url", URL)]), Err(Silence::NotInstalled));
        let refused = "curl: (7) Failed to connect to 172.29.1.31 port 2379: refused";
        assert_eq!(
            said(&[("url", URL), ("status", refused)]),
            Err(Silence::NoAnswer(refused.to_owned()))
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
        let body = url(&client(&Topology::Stacked, &interface), &interface);
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
        assert_eq!(answer.said, Err(Silence::NotInstalled));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in ".{0,80}", members in ".{0,80}") {
            for status in [status.as_str(), STATUS] {
                let _ = Answer::parse(&output(&[("url", URL), ("status", status), ("members", &members)]));
            }
        }
    }
}
