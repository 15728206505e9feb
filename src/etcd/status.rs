//! What all members say, put together: who is there, what that tolerates.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::gateway::{Answer, Health, Member, NoReply, Reply, Status};
use crate::cluster::{Name, Quorum};

/// One host that a member is expected on, and what came of asking it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The host's name in the inventory.
    pub name: Name,
    /// Its address, where the inventory has it.
    pub address: Option<IpAddr>,
    /// Its answer, or why it could not be asked.
    pub answer: Result<Answer, String>,
}

/// How a cluster of etcd is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All members are.
    Healthy,
    /// It serves, but something is missing or wrong.
    Degraded,
    /// It takes no writes: there is no quorum.
    Down,
    /// No host could be asked.
    Unknown,
}

/// The whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdStatus {
    /// Whether the etcd cluster serves and is complete.
    pub verdict: Verdict,
    /// Its number.
    #[serde(serialize_with = "hex_option")]
    pub cluster_id: Option<u64>,
    /// What its members' votes come to.
    pub votes: Votes,
    /// Members, then hosts without one.
    pub members: Vec<Row>,
}

/// What votes come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Votes {
    /// Members with a vote.
    pub members: usize,
    /// Members that must agree.
    pub quorum: usize,
    /// Members with a vote that serve.
    pub alive: usize,
    /// More failures that it tolerates now.
    pub tolerates: usize,
}

/// One member, or a host that should have one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Name of the member, or of the host where that is not known.
    pub name: String,
    /// The host of the inventory, if it is one's.
    pub host: Option<Name>,
    /// Its number.
    #[serde(serialize_with = "hex_option")]
    pub id: Option<u64>,
    /// Where clients reach it.
    pub endpoint: Option<String>,
    /// Where other members reach it.
    pub peers: Vec<String>,
    /// State of the member.
    pub state: State,
    /// Whether it leads.
    pub leader: bool,
    /// What it says of itself.
    pub measured: Option<Measured>,
    /// Alarms that it raised.
    pub alarms: Vec<String>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// What a member says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Its version.
    pub version: String,
    /// Raft's term.
    pub raft_term: u64,
    /// The last entry that it knows to be agreed upon.
    pub raft_index: u64,
    /// Entries that it is behind the foremost, which was asked a moment
    /// before or after.
    pub lag: u64,
    /// Bytes of its database file.
    pub db_size: u64,
    /// Bytes of it that hold something.
    pub db_size_in_use: u64,
}

/// How a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It serves.
    Healthy,
    /// It answers, but cannot serve.
    Unhealthy,
    /// It only listens, without a vote.
    Learner,
    /// It was added, and has never started.
    NotStarted,
    /// Its host is there, the member does not answer.
    NoAnswer,
    /// Its host is not to be reached.
    Unreachable,
    /// A host that should have a member, and has none.
    NoMember,
    /// A member of another cluster.
    OtherCluster,
    /// A member on no host of the inventory.
    Unlisted,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Learner => "learner",
            Self::NotStarted => "not started",
            Self::NoAnswer => "no answer",
            Self::Unreachable => "unreachable",
            Self::NoMember => "no member",
            Self::OtherCluster => "other-cluster",
            Self::Unlisted => "unlisted",
        }
    }
}

impl Host {
    fn reply(&self) -> Option<&Reply> {
        self.answer.as_ref().ok()?.reply.as_ref().ok()
    }

    /// Whether a member is the one on this host.
    fn has(&self, member: &Member) -> bool {
        match self.reply() {
            Some(said) => said.status.member == member.id,
            None => {
                let urls = member.peers.iter().chain(&member.clients);
                member.name == self.name.as_str()
                    || self.address.is_some_and(|address| {
                        urls.filter_map(|url| address_of(url))
                            .any(|of| of == address)
                    })
            }
        }
    }
}

/// The address in `https://10.0.0.1:2380`.
fn address_of(url: &str) -> Option<IpAddr> {
    let (_, place) = url.split_once("://")?;
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    host.trim_matches(['[', ']']).parse().ok()
}

impl EtcdStatus {
    /// Puts the answers of all hosts together.
    #[must_use]
    pub fn of(hosts: &[Host]) -> Self {
        let believed = believed(hosts);
        let cluster_id = believed.map(|said| said.status.cluster);
        let leader = believed.map_or(0, |said| said.status.leader);
        let list = believed.and_then(|said| said.members.as_deref());
        let list = list.unwrap_or_default();
        let shared = Shared {
            cluster_id,
            leader,
            foremost: hosts
                .iter()
                .filter_map(Host::reply)
                .filter(|said| Some(said.status.cluster) == cluster_id)
                .map(|said| said.status.index)
                .max()
                .unwrap_or_default(),
            alarms: alarms(hosts, cluster_id),
        };
        let host_of = |member: &Member| hosts.iter().find(|host| host.has(member));
        let mut members: Vec<_> = list
            .iter()
            .map(|member| shared.row(Some(member), host_of(member)))
            .collect();
        let alone = hosts.iter().filter(|h| !list.iter().any(|m| h.has(m)));
        members.extend(alone.map(|host| shared.row(None, Some(host))));
        members.sort_by(|a, b| a.name.cmp(&b.name));

        // Nobody tells the list: then all hosts that should be in it count.
        let voters = match list {
            [] => hosts.len(),
            list => list.iter().filter(|member| !member.learner).count(),
        };
        let serving = |row: &&Row| match row.state {
            State::Healthy => true,
            // An alarm stops writes; the member is there for all that.
            State::Unhealthy => leader != 0 && !shared.alarms.is_empty(),
            _ => false,
        };
        let quorum = Quorum::of(voters).needed();
        let seen = members.iter().filter(serving).count();
        // A member that is healthy has just agreed with so many, even if we
        // do not reach them.
        let agreed = members.iter().any(|row| row.state == State::Healthy);
        let alive = seen.max(if agreed { quorum } else { 0 });
        let verdict = if members.iter().all(|row| row.state == State::Unreachable) {
            Verdict::Unknown
        } else if alive < quorum {
            Verdict::Down
        } else if members.iter().all(|row| row.state == State::Healthy) && shared.alarms.is_empty()
        {
            Verdict::Healthy
        } else {
            Verdict::Degraded
        };
        Self {
            verdict,
            cluster_id,
            votes: Votes {
                members: voters,
                quorum,
                alive,
                tolerates: alive.saturating_sub(quorum),
            },
            members,
        }
    }

    /// The member to read from at length: a healthy one, not the leader if
    /// there is a choice, and the one that is least behind. An alarm makes all
    /// members unhealthy, and a backup the more wanted: then one that raised
    /// none itself is preferred.
    #[must_use]
    pub fn reader(&self) -> Option<&Row> {
        let unwell = |row: &Row| row.state != State::Healthy;
        let able = |row: &&Row| match row.state {
            State::Healthy => row.host.is_some(),
            State::Unhealthy => self.verdict == Verdict::Degraded && row.measured.is_some(),
            _ => false,
        };
        let lag = |row: &Row| row.measured.as_ref().map_or(u64::MAX, |of| of.lag);
        let members = self.members.iter().filter(able);
        members.min_by_key(|row| (!row.alarms.is_empty(), unwell(row), row.leader, lag(row)))
    }
}

/// The member that knows most, of the cluster that most members are of.
fn believed(hosts: &[Host]) -> Option<&Reply> {
    let said = || hosts.iter().filter_map(Host::reply);
    let mut clusters = BTreeMap::<u64, usize>::new();
    for said in said() {
        *clusters.entry(said.status.cluster).or_default() += 1;
    }
    said().max_by_key(|said| {
        let Status {
            cluster,
            term,
            index,
            leader,
            ..
        } = said.status;
        (
            clusters[&cluster],
            said.members.is_some(),
            term,
            leader != 0,
            index,
        )
    })
}

/// All alarms of a cluster, by member.
fn alarms(hosts: &[Host], cluster_id: Option<u64>) -> BTreeMap<u64, Vec<String>> {
    let mut alarms = BTreeMap::<u64, Vec<String>>::new();
    let said = hosts.iter().filter_map(Host::reply);
    for said in said.filter(|said| Some(said.status.cluster) == cluster_id) {
        for alarm in &said.alarms {
            let known = alarms.entry(alarm.member).or_default();
            if !known.contains(&alarm.kind) {
                known.push(alarm.kind.clone());
            }
        }
    }
    alarms
}

/// What is the same for all members.
struct Shared {
    cluster_id: Option<u64>,
    leader: u64,
    foremost: u64,
    alarms: BTreeMap<u64, Vec<String>>,
}

impl Shared {
    fn row(&self, member: Option<&Member>, host: Option<&Host>) -> Row {
        let said = host.and_then(Host::reply);
        let id = member
            .map(|member| member.id)
            .or(said.map(|said| said.status.member));
        let (state, problem) = self.state(member, host);
        let name = member.map(|member| member.name.clone());
        let name = name.filter(|name| !name.is_empty());
        let of_host = host.map(|host| host.name.to_string());
        let url = host.and_then(|host| host.answer.as_ref().ok());
        let listed = member.and_then(|member| member.clients.first().cloned());
        Row {
            name: name.or(of_host).unwrap_or_else(|| "?".to_owned()),
            host: host.map(|host| host.name.clone()),
            id,
            endpoint: url.map(|answer| answer.url.clone()).or(listed),
            peers: member.map_or_else(Vec::new, |member| member.peers.clone()),
            state,
            leader: id == Some(self.leader) && state != State::OtherCluster,
            measured: said.map(|said| self.measured(&said.status)),
            alarms: id
                .filter(|_| state != State::OtherCluster)
                .and_then(|id| self.alarms.get(&id).cloned())
                .unwrap_or_default(),
            problem,
        }
    }

    fn measured(&self, status: &Status) -> Measured {
        Measured {
            version: status.version.clone(),
            raft_term: status.term,
            raft_index: status.index,
            lag: self.foremost.saturating_sub(status.index),
            db_size: status.size,
            db_size_in_use: status.in_use,
        }
    }

    fn state(&self, member: Option<&Member>, host: Option<&Host>) -> (State, Option<String>) {
        let Some(host) = host else {
            let what = "a member on no host of the inventory, which kdiy cannot ask";
            return (State::Unlisted, Some(what.to_owned()));
        };
        let never_started = member.is_some_and(|member| member.name.is_empty());
        let said = match &host.answer {
            Err(why) => return (State::Unreachable, Some(why.clone())),
            Ok(Answer {
                reply: Err(no_reply),
                ..
            }) => {
                return match (no_reply, member) {
                    _ if never_started => (State::NotStarted, None),
                    (NoReply::NoAnswer(why), _) => (State::NoAnswer, Some(why.clone())),
                    (NoReply::NotInstalled, Some(_)) => (
                        State::NoAnswer,
                        Some("nothing of etcd is on the host; was it wiped?".to_owned()),
                    ),
                    (NoReply::NotInstalled, None) => (
                        State::NoMember,
                        Some("nothing of etcd is on the host; kdiy apply brings it up".to_owned()),
                    ),
                };
            }
            Ok(Answer {
                reply: Ok(reply), ..
            }) => reply,
        };
        if Some(said.status.cluster) != self.cluster_id {
            let what = format!(
                "it belongs to another cluster, {:x}, than most members",
                said.status.cluster
            );
            return (State::OtherCluster, Some(what));
        }
        if said.status.learner {
            return (State::Learner, None);
        }
        match &said.health {
            Health::Good => (State::Healthy, None),
            Health::Bad(why) if why.is_empty() => (State::Unhealthy, None),
            Health::Bad(why) => (State::Unhealthy, Some(why.clone())),
        }
    }
}

/// As etcdctl writes the numbers of members and clusters.
fn hex_option<S: Serializer>(id: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.serialize_some(&format!("{id:x}")),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
