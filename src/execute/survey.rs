//! Looks at all hosts: one connection and one exec for each, side by side.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Event;
use crate::cluster::{Cluster, KubeletServing, Name, Node, ResolvedCluster, Role};
use crate::plan::etcd::MemberQuestions;
use crate::plan::facts::{EndpointQuestions, Questions, software, stacked_etcd};
use crate::plan::observe::{self, Window};
use crate::plan::resolve::{self, Answer, Unresolved};
use crate::plan::{Blueprint, Observation};
use crate::resource::AnswerError;
use crate::shell::{Script, WITHOUT_PROXY};
use crate::transport::sanitise::sanitise_short;
use crate::transport::{self, Connection, Connector, Exit, Output, Request, User};

/// How long a look may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How much of an answer is taken, in bytes.
const KEEP: usize = 4 * 1024 * 1024;
/// The SSH port where the inventory names none.
const SSH_PORT: u16 = 22;

/// Connections to hosts, by name.
pub type Connections<C> = BTreeMap<Name, Arc<C>>;

/// Why a host could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// It could not be reached or entered, or the connection broke.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// Its answer cannot be read.
    #[error(transparent)]
    AnswerError(#[from] AnswerError),
    /// The look itself failed.
    #[error("the probe ended with {exit:?}: {last}")]
    Probe {
        /// Exit code or signal of the script.
        exit: Exit,
        /// The last line that it said.
        last: String,
    },
}

impl HostError {
    /// What to do next, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Transport(error) => Some(error.hint()),
            Self::AnswerError(_) | Self::Probe { .. } => None,
        }
    }
}

impl HostError {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Transport(error) => error.code(),
            Self::AnswerError(_) => "answer-malformed",
            Self::Probe { .. } => "probe-failed",
        }
    }
}

/// Faults by host.
pub type HostErrors = BTreeMap<Name, HostError>;

/// Connects to all nodes, so many at a time.
pub async fn connect<C: Connector>(
    connector: &C,
    nodes: &[&Node],
    width: usize,
    events: &UnboundedSender<Event>,
) -> (Connections<C::Connection>, HostErrors) {
    let results = side_by_side(nodes, width, async |node: &&Node| {
        let connection = connect_one(connector, node, events).await?;
        Ok((node.name.clone(), connection))
    })
    .await;
    split(nodes, results)
}

/// Connects to one node, and tells of it.
pub(super) async fn connect_one<C: Connector>(
    connector: &C,
    node: &Node,
    events: &UnboundedSender<Event>,
) -> Result<Arc<C::Connection>, transport::Error> {
    let host = node.name.clone();
    let _ = events.send(Event::Connecting { host });
    let connected = connector.connect(&node.name, &node.login).await;
    let connected = connected.inspect_err(|error| {
        let (host, code, what) = (node.name.clone(), error.code(), error.to_string());
        let _ = events.send(Event::Unreachable { host, code, what });
    });
    connected.map(Arc::new)
}

/// Answers what the cluster's own text leaves open; no exec where it leaves
/// nothing open.
///
/// # Errors
/// Faults by host, or what cannot be answered.
pub async fn resolve<C: Connection>(
    cluster: &Cluster,
    connections: &Connections<C>,
    width: usize,
) -> Result<ResolvedCluster, ResolveError> {
    if let Some(resolved) = resolve::from_text(cluster) {
        return Ok(resolved);
    }
    let nodes: Vec<_> = cluster
        .nodes
        .iter()
        .filter(|node| connections.contains_key(&node.name))
        .collect();
    let results = side_by_side(&nodes, width, async |node: &&Node| {
        let script = resolve::script(cluster, node);
        // apt's own settings may be for root alone, such as a proxy's password.
        let output = ask(connections[&node.name].as_ref(), &script, User::Root).await?;
        Ok((node.name.clone(), Answer::parse(&output)?))
    })
    .await;
    let (answers, host_errors) = split(&nodes, results);
    if !host_errors.is_empty() {
        return Err(ResolveError::HostErrors(host_errors));
    }
    Ok(resolve::resolve(cluster, &answers)?)
}

/// Why a cluster could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Hosts could not be asked.
    #[error("hosts could not be asked")]
    HostErrors(HostErrors),
    /// They were, in vain.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

/// Observes all connected hosts.
pub async fn observe<C: Connection>(
    resolved: &ResolvedCluster,
    ca_certificate: &str,
    blueprint: &Blueprint,
    connections: &Connections<C>,
    width: usize,
    events: &UnboundedSender<Event>,
) -> (BTreeMap<Name, Observation>, HostErrors) {
    let nodes: Vec<_> = resolved
        .cluster
        .nodes
        .iter()
        .filter(|node| connections.contains_key(&node.name))
        .collect();
    let results = side_by_side(&nodes, width, async |node: &&Node| {
        let began = Instant::now();
        let script = observe::script(
            blueprint,
            &node.name,
            &questions(resolved, ca_certificate, node),
        );
        let from = wall();
        let output = ask(connections[&node.name].as_ref(), &script, User::Root).await?;
        let window = Window { from, to: wall() };
        let observation = Observation::parse(blueprint, &node.name, &output, window)?;
        let took = began.elapsed();
        let _ = events.send(Event::Observed {
            host: node.name.clone(),
            took,
        });
        Ok((node.name.clone(), observation))
    })
    .await;
    split(&nodes, results)
}

/// Every host looks for the control planes and balancers, a member of etcd for
/// the other members; a control plane looks for all.
#[must_use]
pub fn questions(resolved: &ResolvedCluster, ca_certificate: &str, node: &Node) -> Questions {
    let control_plane = node.roles.has(Role::ControlPlane);
    let looked_for = |other: &&Node| {
        other.name != node.name
            && (control_plane
                || (node.runs_kubelet()
                    && (other.roles.has(Role::ControlPlane)
                        || other.roles.has(Role::LoadBalancer)))
                || (resolved.runs_external_etcd(node) && resolved.runs_external_etcd(other)))
    };
    let others = resolved.cluster.nodes.iter().filter(looked_for);
    let peers = others.map(|other| {
        let address = resolved.address(other);
        // The port of another address may be a forwarded one.
        let elsewhere = |host: IpAddr| host != address;
        let own = !other.login.host.parse().is_ok_and(elsewhere);
        let port = other.login.port.filter(|_| own).unwrap_or(SSH_PORT);
        (address, port)
    });
    Questions {
        api_server: control_plane.then(|| resolved.address(node)),
        peers: peers.collect(),
        endpoint: EndpointQuestions::of(&resolved.cluster, ca_certificate, node),
        requests: (control_plane && resolved.cluster.kubelet_serving == KubeletServing::Signed)
            .then(|| resolved.clone()),
        software: node
            .runs_kubelet()
            .then(|| software::Questions::of(resolved)),
        etcd: MemberQuestions::of(resolved, node),
        stacked_etcd: stacked_etcd::client(resolved, node),
    }
}

/// Runs a script that only looks; its standard output.
pub(super) async fn ask<C: Connection>(
    connection: &C,
    script: &Script,
    user: User,
) -> Result<Vec<u8>, HostError> {
    ask_within(connection, script, user, LIMIT).await
}

/// The same, of a host that has to be quick.
pub(super) async fn ask_within<C: Connection>(
    connection: &C,
    script: &Script,
    user: User,
    limit: Duration,
) -> Result<Vec<u8>, HostError> {
    let script = Script::of(WITHOUT_PROXY).then(script);
    let script = Zeroizing::new(script.as_str().to_owned());
    let request = Request {
        script: &script,
        user,
        limit,
        keep: KEEP,
    };
    let Output {
        exit,
        stdout,
        stderr,
    } = connection.run(request, &mut |_, _| {}).await?;
    if exit == Exit::Code(0) {
        return Ok(stdout);
    }
    let said = String::from_utf8_lossy(&stderr);
    let last = sanitise_short(said.lines().last().unwrap_or_default());
    Err(HostError::Probe { exit, last })
}

pub(super) async fn side_by_side<'n, T>(
    nodes: &'n [&'n Node],
    width: usize,
    work: impl AsyncFn(&'n &'n Node) -> Result<(Name, T), HostError>,
) -> Vec<Result<(Name, T), HostError>> {
    futures::stream::iter(nodes)
        .map(|node| work(node))
        .buffered(width.max(1))
        .collect()
        .await
}

pub(super) fn split<T>(
    nodes: &[&Node],
    results: Vec<Result<(Name, T), HostError>>,
) -> (BTreeMap<Name, T>, HostErrors) {
    let mut good = BTreeMap::new();
    let mut host_errors = BTreeMap::new();
    for (node, result) in nodes.iter().zip(results) {
        match result {
            Ok((name, value)) => {
                good.insert(name, value);
            }
            Err(host_error) => {
                host_errors.insert(node.name.clone(), host_error);
            }
        }
    }
    (good, host_errors)
}

/// Our clock, in seconds since 1970.
pub(super) fn wall() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
