//! Control planes, component by component.

use serde::Serialize;

use super::Hosts;
use super::answer::{Answer, Lease, Probe};
use super::problem::{Problem, Severity};
use super::rows::first_known;
use crate::cluster::{Cluster, LeaderElection, Name, Role};

/// What runs on a control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaneRow {
    /// Its host.
    pub name: Name,
    /// Its API server, asked at its own address.
    pub api_server: Component,
    /// Its controller-manager.
    pub controller_manager: Component,
    /// Its scheduler.
    pub scheduler: Component,
}

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// State of the component.
    pub state: State,
    /// Whether it leads; `None` of API servers, which all work at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<bool>,
    /// What is wrong with it.
    pub why: Option<String>,
}

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It works.
    Ok,
    /// It answers, and says that something is wrong.
    Failing,
    /// It does not answer.
    Silent,
    /// Nothing of it was installed.
    Absent,
    /// Its host cannot be asked.
    Unreachable,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Silent => "no answer",
            Self::Absent => "absent",
            Self::Unreachable => "unreachable",
        }
    }
}

impl Component {
    fn of(
        answer: Option<&Answer>,
        probe: impl Fn(&Answer) -> Option<&Probe>,
        leader: Option<bool>,
    ) -> Self {
        let (state, why) = match answer.map(probe) {
            None => (State::Unreachable, None),
            Some(None) => (State::Absent, None),
            Some(Some(probe)) => match probe.problem() {
                None => (State::Ok, None),
                Some(why) if matches!(probe, Probe::Code(..)) => (State::Failing, Some(why)),
                Some(why) => (State::Silent, Some(why)),
            },
        };
        Self { state, leader, why }
    }
}

/// All control planes, in inventory order.
pub(super) fn planes(cluster: &Cluster, hosts: &Hosts) -> Vec<PlaneRow> {
    let leases = first_known(hosts, |answer| answer.leases.as_ref());
    let rows = cluster.with_role(Role::ControlPlane).map(|node| {
        let answer = hosts.get(&node.name).and_then(|host| host.as_ref().ok());
        let leads = |lease: &str| holder(leases, lease) == Some(node.name.as_str());
        PlaneRow {
            name: node.name.clone(),
            api_server: Component::of(answer, |a| a.api.as_ref(), None),
            controller_manager: Component::of(
                answer,
                |a| a.controller_manager.as_ref(),
                Some(leads("kube-controller-manager")),
            ),
            scheduler: Component::of(
                answer,
                |a| a.scheduler.as_ref(),
                Some(leads("kube-scheduler")),
            ),
        }
    });
    rows.collect()
}

fn holder<'a>(leases: Option<&'a Vec<Lease>>, name: &str) -> Option<&'a str> {
    let lease = leases?.iter().find(|lease| lease.name == name)?;
    lease.holder.as_deref()
}

/// What is wrong with them.
pub(super) fn problems(cluster: &Cluster, rows: &[PlaneRow], hosts: &Hosts) -> Vec<Problem> {
    let mut all = Vec::new();
    let degraded = |host: &Name, what: String| Problem::of(Severity::Degraded, host, what);
    for row in rows {
        if row.api_server.state == State::Absent {
            let what = "it has not joined the cluster as a control plane".to_owned();
            all.push(degraded(&row.name, what).fix("kdiy apply joins it"));
            continue;
        }
        let components = [
            ("API server", &row.api_server),
            ("controller-manager", &row.controller_manager),
            ("scheduler", &row.scheduler),
        ];
        // Where nothing answers, one thing is wrong and not three.
        let silent = components.iter().all(|(_, of)| of.state == State::Silent);
        if silent {
            let what = "no component of its control plane answers".to_owned();
            let fix = "see whether its containers run: crictl ps -a, journalctl -u kubelet there";
            all.push(degraded(&row.name, what).fix(fix));
            continue;
        }
        for (name, component) in components {
            if let Some(why) = &component.why {
                let what = format!("its {name} does not work: {why}");
                all.push(degraded(&row.name, what).fix("see what it says: crictl logs there"));
            }
        }
    }
    let Some(leases) = first_known(hosts, |answer| answer.leases.as_ref()) else {
        return all;
    };
    let settings = &cluster.control_plane;
    for (name, lease, election) in [
        (
            "controller-manager",
            "kube-controller-manager",
            settings.controller_manager_election,
        ),
        ("scheduler", "kube-scheduler", settings.scheduler_election),
    ] {
        let LeaderElection { enabled, .. } = election;
        if enabled && holder(Some(leases), lease).is_none() {
            let what = format!("no {name} leads: its lease has run out");
            all.push(Problem::whole(Severity::Degraded, what));
        }
    }
    all
}
