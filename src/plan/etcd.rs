//! What hosts say of an external etcd, and how far it stands: who is a
//! member, asked of those that answer and not told from files alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use crate::cluster::{
    Cluster, EtcdSource, Name, Node, Quorum, ResolvedCluster, Role, Topology, Version,
};
use crate::etcd::Client;
use crate::etcd::members::{MemberView, View};
use crate::resource::{AnswerError, Answers, section};
use crate::shell::{Script, sh};

/// What one host of an external etcd says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EtcdFacts {
    /// Whether a member's data is there.
    pub data: bool,
    /// Whose data that is, as kdiy noted it.
    pub marker: Option<Marker>,
    /// Whether the member's unit runs or tries to.
    pub runs: bool,
    /// Whether the distribution's own unit runs.
    pub distribution_unit: bool,
    /// What its member answers; `None` when it does not.
    pub view: Option<View>,
    /// The version of the program that the member's unit names; `None` where
    /// there is no data, no unit or no such program.
    pub program: Option<Version>,
    /// The distribution's etcd, where it is to be taken and the host knows of
    /// one.
    pub packaged: Option<Packaged>,
}

/// The distribution's etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packaged {
    /// It is installed.
    Installed(Version),
    /// It would be installed.
    Offered(Version),
}

/// What a host is asked about the member of an external etcd on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberQuestions {
    /// How it speaks to its member.
    pub client: Client,
    /// Whether the version of the distribution's etcd is wanted.
    pub packages: bool,
}

/// What kdiy noted beside a member's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Whether its cluster has never been seen healthy.
    pub bootstrapping: bool,
    /// The token of its cluster.
    pub token: String,
}

/// How far an external etcd stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EtcdCluster {
    /// What the cluster as a whole is.
    pub state: EtcdClusterState,
    /// What the observed hosts are to it. A host that is not here is taken
    /// for one that serves.
    pub hosts: BTreeMap<Name, HostState>,
}

/// What an etcd cluster as a whole is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EtcdClusterState {
    /// There is none, and never was.
    #[default]
    Blank,
    /// Its bootstrap was begun, and it has not been seen healthy.
    Bootstrapping,
    /// It has a leader; these are its members.
    Live(Vec<MemberView>),
    /// It was there, and no member knows a leader.
    Leaderless,
}

/// What a host is to an etcd cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostState {
    /// It has no data, and there is no cluster yet.
    Bootstrapping,
    /// A voting member with its data that does not run, or has not answered.
    Stopped,
    /// A voting member that answers.
    Serving,
    /// It has to be made a member: it never was one, lost its data, was
    /// removed, or has not come to vote.
    Joining,
}

const MEMBER: &str = sh!("probe/etcd-member.sh");

const EXTERNAL: &str = sh!("probe/external-etcd.sh");

const PACKAGED: &str = sh!("probe/etcd-package.sh");

impl MemberQuestions {
    /// What a node is asked; nothing where no member of an external etcd is.
    #[must_use]
    pub fn of(resolved: &ResolvedCluster, node: &Node) -> Option<Self> {
        let topology = &resolved.cluster.topology;
        resolved.runs_external_etcd(node).then(|| Self {
            client: Client::of(topology, resolved.address(node)),
            packages: *topology == Topology::External(EtcdSource::Distribution),
        })
    }
}

/// The fragment that asks a host about the member on it.
#[must_use]
pub fn member_script(questions: &MemberQuestions) -> Script {
    let client = &questions.client;
    let script = client
        .functions()
        .with(MEMBER)
        .with(EXTERNAL)
        .set("kdiy_url", &client.url)
        .run("kdiy_member");
    let script = match questions.packages {
        true => script.with(PACKAGED),
        false => script,
    };
    section("etcd", &script)
}

impl EtcdFacts {
    /// Reads the answer to [`member_script`]; `None` when it was not asked.
    ///
    /// # Errors
    /// When the section is missing.
    pub fn parse(answers: &Answers) -> Result<Option<Self>, AnswerError> {
        if !answers.get("etcd")?.starts_with("asked") {
            return Ok(None);
        }
        let line = |key: &str| answers.line("etcd", key);
        let view = line("status")?.and_then(|status| {
            let members = answers.line("etcd", "members").ok().flatten();
            View::read(status, members.unwrap_or_default())
        });
        Ok(Some(Self {
            data: line("data")?.is_some(),
            marker: line("marker")?.and_then(Marker::read),
            runs: line("runs")?.is_some(),
            distribution_unit: line("distribution")?.is_some(),
            view,
            program: line("program")?.and_then(|version| version.parse().ok()),
            packaged: match line("installed")? {
                Some(version) => version.parse().ok().map(Packaged::Installed),
                None => line("offered")?
                    .and_then(|version| version.parse().ok())
                    .map(Packaged::Offered),
            },
        }))
    }

    /// The version of etcd that its data are of, as far as this host can tell:
    /// what answers, and of a silent member what its unit would start.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let answers = self.view.as_ref().and_then(|view| view.version);
        answers.or(self.program)
    }

    /// Whether it holds data of the cluster with this token.
    #[must_use]
    pub fn holds(&self, token: &str) -> bool {
        self.data && self.marker.as_ref().is_some_and(|m| m.token == token)
    }
}

impl Marker {
    fn read(text: &str) -> Option<Self> {
        let (state, token) = text.trim().split_once(' ')?;
        Some(Self {
            bootstrapping: state == "bootstrapping",
            token: token.to_owned(),
        })
    }
}

impl EtcdCluster {
    /// Tells how far the external etcd of a cluster stands. `token` is the
    /// cluster's own: data of another counts for nothing.
    #[must_use]
    pub fn of(cluster: &Cluster, facts: &BTreeMap<Name, Facts>, token: &str) -> Self {
        if cluster.topology == Topology::Stacked {
            return Self::default();
        }
        let hosts: BTreeMap<_, _> = cluster
            .with_role(Role::Etcd)
            .filter_map(|node| Some((&node.name, facts.get(&node.name)?.etcd.as_ref()?)))
            .collect();
        let state = state(&hosts, token);
        let of_host = |(name, facts): (&&Name, &&EtcdFacts)| {
            let held = facts.holds(token);
            let is = match &state {
                EtcdClusterState::Blank => HostState::Bootstrapping,
                EtcdClusterState::Bootstrapping | EtcdClusterState::Leaderless if held => {
                    HostState::Stopped
                }
                EtcdClusterState::Bootstrapping => HostState::Bootstrapping,
                EtcdClusterState::Leaderless => HostState::Joining,
                EtcdClusterState::Live(members) => {
                    let votes = members
                        .iter()
                        .any(|entry| entry.name == name.as_str() && !entry.learner);
                    match &facts.view {
                        _ if !votes || !held => HostState::Joining,
                        Some(view) if view.led => HostState::Serving,
                        _ => HostState::Stopped,
                    }
                }
            };
            ((*name).clone(), is)
        };
        Self {
            hosts: hosts.iter().map(of_host).collect(),
            state,
        }
    }

    /// Hosts of a cluster that is still to be bootstrapped, outside of a limit:
    /// its members are bootstrapped together or not at all.
    #[must_use]
    pub fn left_out(&self, limit: &BTreeSet<Name>) -> Vec<&Name> {
        match self.state {
            EtcdClusterState::Blank | EtcdClusterState::Bootstrapping => self
                .hosts
                .keys()
                .filter(|name| !limit.contains(*name))
                .collect(),
            EtcdClusterState::Live(_) | EtcdClusterState::Leaderless => Vec::new(),
        }
    }

    /// Hosts in a state.
    pub fn which(&self, state: HostState) -> impl Iterator<Item = &Name> {
        self.hosts
            .iter()
            .filter(move |(_, is)| **is == state)
            .map(|(name, _)| name)
    }

    /// Whether so many members can be brought back as the cluster needs, where
    /// it has no leader.
    #[must_use]
    pub fn recoverable(&self, quorum: Quorum) -> bool {
        self.which(HostState::Stopped).count() >= quorum.needed()
    }
}

fn state(hosts: &BTreeMap<&Name, &EtcdFacts>, token: &str) -> EtcdClusterState {
    let live = hosts
        .values()
        .filter(|facts| facts.holds(token))
        .filter_map(|facts| facts.view.as_ref())
        .find(|view| view.knows_members());
    if let Some(view) = live {
        return EtcdClusterState::Live(view.members.clone());
    }
    let mut held = hosts.values().filter(|facts| facts.holds(token)).peekable();
    if held.peek().is_none() {
        return EtcdClusterState::Blank;
    }
    let bootstrapping = |facts: &&EtcdFacts| facts.marker.as_ref().is_some_and(|m| m.bootstrapping);
    if held.all(bootstrapping) {
        EtcdClusterState::Bootstrapping
    } else {
        EtcdClusterState::Leaderless
    }
}
