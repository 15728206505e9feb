//! All answers put together, and what they come to.

use serde::Serialize;
use time::OffsetDateTime;

use super::Hosts;
use super::balancing::{self, Balancing};
use super::expiry::{self, CertificateRow};
use super::planes::{self, PlaneRow, State};
use super::problem::{Problem, Severity};
use super::rows::{self, NodeRow};
use crate::cluster::{AddressSpec, Cluster, LoadBalancer, Role, Topology};
use crate::etcd;
use crate::etcd::status::Host;

/// How a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything is as it shall be.
    Healthy,
    /// It serves, but something is missing or wrong.
    Degraded,
    /// It does not serve.
    Down,
    /// There is none yet.
    Absent,
    /// No host could be asked.
    Unknown,
}

/// The whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// Whether the cluster as a whole serves and is complete.
    pub verdict: Verdict,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// What may fail now, with the cluster still serving.
    pub tolerates: Tolerates,
    /// Its nodes.
    pub nodes: Vec<NodeRow>,
    /// Its control planes.
    pub control_planes: Vec<PlaneRow>,
    /// Its etcd.
    pub etcd: etcd::EtcdStatus,
    /// Its load balancer.
    pub load_balancer: Balancing,
    /// Certificates of its hosts, the one that ends first at the front.
    pub certificates: Vec<CertificateRow>,
}

/// How many may fail now, of each kind for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tolerates {
    /// Control planes; with a stacked etcd no more than members of that.
    pub control_planes: usize,
    /// Members of etcd.
    pub etcd_members: usize,
    /// Hosts with a balancer, where those are hosts of their own.
    pub balancers: Option<usize>,
}

impl ClusterStatus {
    /// Puts together what all hosts answered at `now`.
    #[must_use]
    pub fn of(cluster: &Cluster, hosts: &Hosts, now: OffsetDateTime) -> Self {
        let nodes = rows::nodes(cluster, hosts);
        let control_planes = planes::planes(cluster, hosts);
        let etcd = etcd::EtcdStatus::of(&members(cluster, hosts));
        let load_balancer = balancing::balancing(cluster, hosts);
        let certificates = expiry::certificates(hosts, now);
        let verdict = first_verdict(cluster, hosts);
        let mut problems = unreachable(hosts);
        if verdict.is_none() {
            problems.extend(units(hosts));
            problems.extend(planes::problems(cluster, &control_planes, hosts));
            problems.extend(of_etcd(&etcd, hosts));
            problems.extend(rows::problems(cluster, &nodes, hosts));
            problems.extend(balancing::problems(&load_balancer, &control_planes));
            problems.extend(expiry::problems(&certificates));
            if !balancing::serves(&load_balancer, &control_planes) {
                let what = "no API server can be reached through any control plane";
                problems.push(Problem::whole(Severity::Down, what));
            }
        }
        problems.sort();
        let worst = problems.first().map(|problem| problem.severity);
        let verdict = verdict.unwrap_or(match worst {
            None | Some(Severity::Warning) => Verdict::Healthy,
            Some(Severity::Degraded) => Verdict::Degraded,
            Some(Severity::Down) => Verdict::Down,
        });
        Self {
            verdict,
            problems,
            tolerates: tolerates(cluster, &control_planes, &etcd, &load_balancer),
            nodes,
            control_planes,
            etcd,
            load_balancer,
            certificates,
        }
    }
}

/// Whether there is anything to judge: nobody could be asked, or all control
/// planes were and none has joined.
fn first_verdict(cluster: &Cluster, hosts: &Hosts) -> Option<Verdict> {
    if hosts.values().all(Result::is_err) {
        return Some(Verdict::Unknown);
    }
    let mut planes = cluster.with_role(Role::ControlPlane);
    let absent = planes.all(|node| {
        let answer = hosts.get(&node.name).and_then(|host| host.as_ref().ok());
        answer.is_some_and(|answer| !answer.joined)
    });
    absent.then_some(Verdict::Absent)
}

/// The hosts that etcd's members are expected on.
fn members(cluster: &Cluster, hosts: &Hosts) -> Vec<Host> {
    let members = cluster.etcd_members().map(|node| Host {
        name: node.name.clone(),
        address: match node.address {
            AddressSpec::Fixed(address) => Some(address),
            AddressSpec::Interface(_) => None,
        },
        answer: match hosts.get(&node.name) {
            Some(Ok(answer)) => match &answer.etcd {
                Some(said) => Ok(said.clone()),
                None => Err("the host did not say how its member is".to_owned()),
            },
            Some(Err(unreachable)) => Err(unreachable.what.clone()),
            None => Err("the host was not asked".to_owned()),
        },
    });
    members.collect()
}

fn unreachable(hosts: &Hosts) -> Vec<Problem> {
    let unreachable = hosts.iter().filter_map(|(name, host)| {
        let unreachable = host.as_ref().err()?;
        let problem = Problem::of(Severity::Degraded, name, &unreachable.what);
        Some(match &unreachable.fix {
            Some(fix) => problem.fix(fix),
            None => problem,
        })
    });
    unreachable.collect()
}

/// Units that shall run and do not, on hosts that have joined.
fn units(hosts: &Hosts) -> Vec<Problem> {
    let answers = hosts
        .iter()
        .filter_map(|(name, host)| Some((name, host.as_ref().ok()?)));
    let stopped = answers.flat_map(|(name, answer)| {
        let stopped = answer.units.iter().filter(|(_, state)| state != "active");
        stopped.map(move |(unit, state)| {
            let what = format!("{unit} is {state}");
            let fix = format!("systemctl start {unit} there, or see journalctl -u {unit}");
            Problem::of(Severity::Degraded, name, what).fix(fix)
        })
    });
    stopped.collect()
}

fn of_etcd(etcd: &etcd::EtcdStatus, hosts: &Hosts) -> Vec<Problem> {
    let mut all = Vec::new();
    let votes = etcd.votes;
    if etcd.verdict == etcd::Verdict::Down {
        let what = format!(
            "etcd has no quorum: {} of {} members serve, {} must agree",
            votes.alive, votes.members, votes.quorum
        );
        let fix = "bring the hosts of its members back; see kdiy etcd status";
        all.push(Problem::whole(Severity::Down, what).fix(fix));
    }
    for row in &etcd.members {
        let problem = |what: String| match &row.host {
            Some(host) => Problem::of(Severity::Degraded, host, what),
            None => Problem::whole(Severity::Degraded, format!("{}: {what}", row.name)),
        };
        for alarm in &row.alarms {
            let what = format!("its member of etcd raised the alarm {alarm}");
            all.push(problem(what).fix("see kdiy etcd status"));
        }
        let unreachable = row.state == etcd::status::State::Unreachable;
        if unreachable || row.state == etcd::status::State::Healthy {
            continue;
        }
        let silent = row
            .host
            .as_ref()
            .and_then(|host| hosts.get(host)?.as_ref().ok());
        let silent = silent.is_some_and(|answer| !answer.joined);
        // A host that has not joined is told about as that.
        if silent && row.state == etcd::status::State::NoMember {
            continue;
        }
        let why = row.problem.as_deref().map(|why| format!(": {why}"));
        let what = format!(
            "its member of etcd is {}{}",
            word(row.state),
            why.unwrap_or_default()
        );
        all.push(problem(what));
    }
    all
}

/// The state as a sentence has it.
const fn word(state: etcd::status::State) -> &'static str {
    match state {
        etcd::status::State::NoAnswer => "silent",
        etcd::status::State::NoMember => "missing",
        other => other.as_str(),
    }
}

fn tolerates(
    cluster: &Cluster,
    planes: &[PlaneRow],
    etcd: &etcd::EtcdStatus,
    balancing: &Balancing,
) -> Tolerates {
    let ready = planes
        .iter()
        .filter(|row| row.api_server.state == State::Ok)
        .count();
    let others = ready.saturating_sub(1);
    let votes = etcd.votes.tolerates;
    let works = balancing.balancers.iter().filter(|row| row.works()).count();
    Tolerates {
        control_planes: match cluster.topology {
            Topology::Stacked => others.min(votes),
            Topology::External(_) => others,
        },
        etcd_members: votes,
        balancers: match &cluster.load_balancer {
            LoadBalancer::Hosts { failover, .. } => {
                Some(failover.as_ref().map_or(0, |_| works.saturating_sub(1)))
            }
            _ => None,
        },
    }
}
