//! Asking a member about itself: one script with curl against etcd's JSON
//! gateway, since a host need not have etcdctl, and what comes back.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Deserializer};

use super::Client;
use crate::cluster::{AddressSpec, Topology};
use crate::resource::{AnswerError, Answers, SECTION_FUNCTION};
use crate::shell::{Script, sh};

/// More members, alarms or URLs than any cluster has: such an answer is not
/// believed.
const MOST: usize = 64;

/// What a member's host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The client URL that was asked.
    pub url: String,
    /// What the member said.
    pub reply: Result<Reply, NoReply>,
}

/// Why a member said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoReply {
    /// The host has no certificate for clients of etcd: none was installed.
    NotInstalled,
    /// Something else came back, such as curl's error.
    NoAnswer(String),
}

/// What a member said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
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
    /// Id of the member that raised it.
    pub member: u64,
    /// Such as `NOSPACE` or `CORRUPT`.
    pub kind: String,
}

/// The script that asks the member on a host, which need not have one.
#[must_use]
pub fn script(topology: &Topology, address: &AddressSpec) -> Script {
    let functions = functions(topology, address);
    let script = Script::of(SECTION_FUNCTION).then(&functions);
    script.run("kdiy_gateway")
}

/// Defines `kdiy_gateway`, which asks, for a script that has
/// [`SECTION_FUNCTION`] already.
#[must_use]
pub fn functions(topology: &Topology, address: &AddressSpec) -> Script {
    let client = client(topology, address);
    client
        .functions()
        .with(sh!("etcd/gateway.sh"))
        .then(&url(&client, address))
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

/// Sets `kdiy_url` on the host, which knows the address of its interface; after
/// [`Client::functions`].
pub(super) fn url(client: &Client, address: &AddressSpec) -> Script {
    match address {
        AddressSpec::Fixed(_) => Script::new().set("kdiy_url", &client.url),
        AddressSpec::Interface(name) => Script::new().call("kdiy_member_of", [name]),
    }
}

impl Answer {
    /// Reads the answer to [`script`].
    ///
    /// # Errors
    /// When it is not in the form of sections, or says what cannot be.
    pub fn parse(output: &[u8]) -> Result<Self, AnswerError> {
        let answers = Answers::parse(output)?;
        let url = answers.get("url")?.to_owned();
        let reply = match answers.get("status") {
            Err(_) => Err(NoReply::NotInstalled),
            Ok(status) => match serde_json::from_str::<RawStatus>(status) {
                Ok(raw) => Ok(Reply::read(raw, &answers)?),
                Err(_) => Err(NoReply::NoAnswer(last_line(status))),
            },
        };
        Ok(Self { url, reply })
    }
}

impl Reply {
    fn read(raw: RawStatus, answers: &Answers) -> Result<Self, AnswerError> {
        let section = |name: &str| answers.get(name).unwrap_or_default();
        let members = section("members");
        let list = serde_json::from_str::<RawMembers>(members).ok();
        let list = list.map(|list| list.members);
        if list.as_ref().is_some_and(|list| {
            list.len() > MOST || list.iter().any(|m| m.peers.len() + m.clients.len() > MOST)
        }) {
            return Err(AnswerError::text("etcd's members", members));
        }
        let health = match serde_json::from_str::<RawHealth>(section("health")) {
            Ok(health) if health.health == "true" => Health::Good,
            Ok(health) => Health::Bad(health.reason),
            Err(_) if raw.leader == 0 => Health::Bad("there is no leader".to_owned()),
            Err(_) => Health::Bad(last_line(section("health"))),
        };
        let told = section("alarms");
        let (mut alarms, health) = match serde_json::from_str::<RawAlarms>(told) {
            Ok(told) => (told.alarms, health),
            // A learner is not asked. Another's refusal says nothing of alarms,
            // so there may be some.
            Err(_) if !told.is_empty() && !raw.is_learner && health == Health::Good => {
                let why = format!("its alarms cannot be read: {}", last_line(told));
                (Vec::new(), Health::Bad(why))
            }
            Err(_) => (Vec::new(), health),
        };
        alarms.extend(raw.errors.iter().filter_map(|text| alarm(text)));
        alarms.sort();
        alarms.dedup();
        alarms.truncate(MOST);
        Ok(Self {
            status: Status {
                cluster: raw.header.cluster_id,
                member: raw.header.member_id,
                leader: raw.leader,
                term: raw.raft_term,
                index: raw.raft_index,
                version: raw.version,
                size: raw.db_size,
                in_use: raw.db_size_in_use,
                learner: raw.is_learner,
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
struct RawStatus {
    header: RawHeader,
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
struct RawHeader {
    #[serde(deserialize_with = "number")]
    cluster_id: u64,
    #[serde(deserialize_with = "number")]
    member_id: u64,
}

#[derive(Deserialize)]
struct RawMembers {
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct RawHealth {
    health: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct RawAlarms {
    #[serde(rename = "header")]
    _header: RawHeader,
    #[serde(default)]
    alarms: Vec<Alarm>,
}

impl<'de> Deserialize<'de> for Alarm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(rename = "memberID", default, deserialize_with = "number")]
            member: u64,
            #[serde(rename = "alarm", default)]
            kind: String,
        }
        Raw::deserialize(from).map(|Raw { member, kind }| Self { member, kind })
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
pub(crate) mod tests;
