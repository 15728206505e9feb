//! What stands between clients and API servers, and who holds the address.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use super::Hosts;
use super::answer::Answer;
use super::backend::Backend;
use super::planes::{PlaneRow, State};
use super::problem::{Problem, Severity};
use super::script;
use crate::cluster::{Cluster, LoadBalancer, Name, Node, Role};
use crate::lb::carried;

/// The load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balancing {
    /// `haproxy`, `nginx`, `kube-vip`, `local`, `external` or `none`.
    pub kind: &'static str,
    /// Where clients reach the API.
    pub endpoint: String,
    /// Whether it answers, by host that tried.
    pub probes: Vec<EndpointProbe>,
    /// The virtual address, where kdiy sets one up.
    pub vip: Option<VipRow>,
    /// Balancers, one for each host that has one.
    pub balancers: Vec<BalancerRow>,
}

/// Whether an endpoint answers from a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointProbe {
    /// The host that tried.
    pub from: Name,
    /// What it tried.
    pub endpoint: String,
    /// Whether it answers.
    pub answers: bool,
    /// Why not.
    pub why: Option<String>,
}

/// The virtual address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VipRow {
    /// The address.
    pub address: IpAddr,
    /// Hosts that have it; one, if all is well.
    pub holders: Vec<Name>,
    /// Hosts that may have it and could not be asked.
    pub unasked: Vec<Name>,
}

/// A balancer on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BalancerRow {
    /// Its host.
    pub host: Name,
    /// Whether the host could be asked.
    pub reachable: bool,
    /// Its units and how systemd says they are.
    pub services: Vec<Service>,
    /// API servers as it sees them; `null` when it does not tell.
    pub backends: Option<Vec<Backend>>,
    /// Why it does not tell.
    pub why: Option<String>,
}

/// A unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Name of the unit, such as `haproxy.service`.
    pub unit: &'static str,
    /// How it is, such as `active`.
    pub state: String,
}

impl BalancerRow {
    /// Whether it hands on requests.
    #[must_use]
    pub fn works(&self) -> bool {
        let up = |backends: &Vec<Backend>| backends.iter().any(|backend| backend.up);
        self.reachable
            && self
                .services
                .iter()
                .all(|service| service.state == "active")
            && self.backends.as_ref().is_none_or(up)
    }
}

/// The kind of load balancer, in the inventory's word.
const fn kind(balancer: &LoadBalancer) -> &'static str {
    match balancer {
        LoadBalancer::None => "none",
        LoadBalancer::Hosts { kind, .. } => kind.as_str(),
        LoadBalancer::KubeVip { .. } => "kube-vip",
        LoadBalancer::Local { .. } => "local",
        LoadBalancer::External => "external",
    }
}

/// Hosts that a balancer is on.
fn balances(cluster: &Cluster, node: &Node) -> bool {
    match cluster.load_balancer {
        LoadBalancer::Hosts { .. } => node.roles.has(Role::LoadBalancer),
        LoadBalancer::Local { .. } => node.runs_kubelet(),
        LoadBalancer::None | LoadBalancer::KubeVip { .. } | LoadBalancer::External => false,
    }
}

/// Puts together what hosts say about the balancer.
pub(super) fn balancing(cluster: &Cluster, hosts: &Hosts) -> Balancing {
    let nodes = cluster.nodes.iter();
    let answered = |node: &Node| hosts.get(&node.name).and_then(|host| host.as_ref().ok());
    let mut probes = Vec::new();
    for node in cluster.kubelets() {
        let Some(answer) = answered(node) else {
            continue;
        };
        let tried = [
            (&answer.endpoint, cluster.node_endpoint()),
            (&answer.clients, cluster.endpoint.clone()),
        ];
        probes.extend(tried.into_iter().filter_map(|(probe, endpoint)| {
            let probe = probe.as_ref()?;
            Some(EndpointProbe {
                from: node.name.clone(),
                endpoint: endpoint.to_string(),
                answers: probe.answers(),
                why: probe.problem(),
            })
        }));
    }
    let vip = carried(cluster).map(|(vip, role)| {
        let may = || cluster.with_role(role);
        let holds = |node: &&Node| answered(node).is_some_and(|of| of.holds_vip == Some(true));
        let unasked = |node: &&Node| answered(node).is_none_or(|of| of.holds_vip.is_none());
        VipRow {
            address: vip.address,
            holders: may().filter(holds).map(|node| node.name.clone()).collect(),
            unasked: may()
                .filter(unasked)
                .map(|node| node.name.clone())
                .collect(),
        }
    });
    let balancers = nodes
        .filter(|node| balances(cluster, node))
        .map(|node| row(node, answered(node)));
    Balancing {
        kind: kind(&cluster.load_balancer),
        endpoint: cluster.endpoint.to_string(),
        probes,
        vip,
        balancers: balancers.collect(),
    }
}

fn row(node: &Node, answer: Option<&Answer>) -> BalancerRow {
    let backends = answer.and_then(|answer| answer.backends.clone());
    let units = answer
        .map(|answer| answer.units.as_slice())
        .unwrap_or_default();
    let own = units
        .iter()
        .filter(|(unit, _)| script::BALANCING.contains(unit));
    BalancerRow {
        host: node.name.clone(),
        reachable: answer.is_some(),
        services: own
            .map(|(unit, state)| Service {
                unit,
                state: state.clone(),
            })
            .collect(),
        why: backends.clone().and_then(Result::err),
        backends: backends.and_then(Result::ok),
    }
}

/// What is wrong with it.
pub(super) fn problems(balancing: &Balancing, planes: &[PlaneRow]) -> Vec<Problem> {
    let mut all = Vec::new();
    let well = |name: &str| {
        planes
            .iter()
            .any(|row| row.name.as_str() == name && row.api_server.state == State::Ok)
    };
    for row in &balancing.balancers {
        let runs = row.services.iter().all(|service| service.state == "active");
        if let Some(why) = row.why.as_ref().filter(|_| runs) {
            let what = format!("what its balancer thinks of the API servers is not known: {why}");
            all.push(Problem::of(Severity::Warning, &row.host, what));
        }
        // That a server is down which is down is told about there.
        let wrong = row.backends.iter().flatten();
        let wrong = wrong.filter(|backend| !backend.up && well(&backend.name));
        all.extend(wrong.map(|backend| {
            let why = backend.why.as_deref().unwrap_or("it does not say why");
            let what = format!("its balancer takes {} for down: {why}", backend.name);
            Problem::of(Severity::Degraded, &row.host, what)
        }));
    }
    if let Some(vip) = &balancing.vip {
        let address = vip.address;
        match &vip.holders[..] {
            [_] => {}
            [] if vip.unasked.is_empty() => {
                let what = format!("no host holds the virtual address {address}");
                let problem = Problem::whole(Severity::Degraded, what);
                all.push(problem.fix("see what its hosts say: journalctl -u keepalived there"));
            }
            [] => {
                let names: Vec<_> = vip.unasked.iter().map(Name::as_str).collect();
                let what = format!(
                    "who holds the virtual address {address} is not known, as {} cannot be asked",
                    names.join(", ")
                );
                all.push(Problem::whole(Severity::Warning, what));
            }
            several => {
                let names: Vec<_> = several.iter().map(Name::as_str).collect();
                let what = format!(
                    "{} hold the virtual address {address} at once",
                    names.join(" and ")
                );
                let fix =
                    "they do not hear each other: let VRRP (IP protocol 112) through between them";
                all.push(Problem::whole(Severity::Degraded, what).fix(fix));
            }
        }
    }
    let endpoints: BTreeSet<_> = balancing
        .probes
        .iter()
        .map(|probes| &probes.endpoint)
        .collect();
    for endpoint in endpoints {
        let tried = || {
            balancing
                .probes
                .iter()
                .filter(|of| of.endpoint == *endpoint)
        };
        // On each node's own address every failure is that node's.
        let apart = balancing.kind == "local" && *endpoint != balancing.endpoint;
        if !apart && tried().all(|of| !of.answers) {
            let why = tried().find_map(|of| of.why.clone()).unwrap_or_default();
            let what = format!("the API answers no host at {endpoint}: {why}");
            let severity = match balancing.kind {
                // Nodes have a way of their own.
                "local" => Severity::Degraded,
                _ => Severity::Down,
            };
            all.push(Problem::whole(severity, what));
            continue;
        }
        all.extend(tried().filter(|of| !of.answers).map(|of| {
            let why = of.why.as_deref().unwrap_or_default();
            let what = format!("it does not reach the API at {endpoint}: {why}");
            Problem::of(Severity::Degraded, &of.from, what)
        }));
    }
    all
}

/// Whether requests get through to any API server, as far as hosts tell.
pub(super) fn serves(balancing: &Balancing, planes: &[PlaneRow]) -> bool {
    planes.iter().any(|row| row.api_server.state == State::Ok)
        || balancing.probes.iter().any(|of| of.answers)
        || balancing
            .balancers
            .iter()
            .any(|row| row.backends.iter().flatten().any(|backend| backend.up))
}
