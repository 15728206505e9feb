//! What one host answers to [`super::script()`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::backend::{self, Backend};
use super::certificate::{self, Certificate};
use super::script;
use crate::cluster::{Cluster, Node};
use crate::etcd;
use crate::plan::gate::nodes::Condition;
use crate::plan::resolve;
use crate::resource::{AnswerError, Answers};

/// More nodes than a cluster may have: such a list is not believed.
const MOST: usize = 10_000;
/// Characters of what a host says that are kept.
const LONGEST: usize = 300;

/// What one host answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Whether a kubelet has joined a cluster here.
    pub joined: bool,
    /// Its clock, in seconds since 1970.
    pub clock: Option<i64>,
    /// Units that it shall run, and how systemd says they are.
    pub units: Vec<(&'static str, String)>,
    /// What its own API server says; `None` where none is to be, or none was
    /// installed.
    pub api: Option<Probe>,
    /// The nodes that its API server knows, when that answered.
    pub nodes: Option<Vec<NodeSeen>>,
    /// Who holds the leases of kube-system, when its API server answered.
    pub leases: Option<Vec<Lease>>,
    /// What its controller-manager says of itself.
    pub controller_manager: Option<Probe>,
    /// What its scheduler says of itself.
    pub scheduler: Option<Probe>,
    /// What the member of etcd on it says.
    pub etcd: Option<etcd::Answer>,
    /// API servers as the balancer on it sees them, or why that is not known.
    pub backends: Option<Result<Vec<Backend>, String>>,
    /// Whether the API answers from here where nodes reach it.
    pub endpoint: Option<Probe>,
    /// Whether it does where clients reach it, if that is elsewhere.
    pub clients: Option<Probe>,
    /// Whether it holds the virtual address.
    pub holds_vip: Option<bool>,
    /// Certificates on it.
    pub certificates: Vec<Certificate>,
    /// What resolves the cluster.
    pub resolution: resolve::Answer,
}

/// What came of an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It answered with this code; the lines that say what is wrong.
    Code(u16, Vec<String>),
    /// It did not; curl's words.
    Silent(String),
}

/// A node as an API server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeSeen {
    /// Name of the Node object.
    pub name: String,
    /// `True`, `False` or `Unknown`; empty before its first report.
    pub ready: String,
    /// Why it is not ready.
    pub why: String,
    /// Whether no pods are scheduled to it.
    pub cordoned: bool,
    /// Whether it is labelled as a control plane.
    pub control_plane: bool,
    /// Its kubelet's version.
    pub version: String,
    /// Its runtime with its version, such as `containerd://1.7.2`.
    pub runtime: String,
    /// Its address inside of the cluster.
    pub address: Option<IpAddr>,
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name, such as `kube-scheduler`.
    pub name: String,
    /// The host that holds it; `None` when it has run out.
    pub holder: Option<String>,
}

impl Probe {
    /// Whether it says that all is well. Who refuses a client that did not say
    /// who it is, works.
    #[must_use]
    pub fn answers(&self) -> bool {
        matches!(self, Self::Code(200 | 401 | 403, _))
    }

    /// What is wrong, in words; `None` when nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        match self {
            _ if self.answers() => None,
            Self::Code(code, lines) if lines.is_empty() => Some(format!("it answers {code}")),
            Self::Code(_, lines) => Some(format!("not ready: {}", lines.join(", "))),
            Self::Silent(why) => Some(why.clone()),
        }
    }

    fn read(text: &str) -> Self {
        let (body, code) = text.rsplit_once('\n').unwrap_or(("", text));
        match code.parse() {
            Ok(code) if code != 0 => {
                let failed = body.lines().filter_map(|line| line.strip_prefix("[-]"));
                let failed = failed.map(|line| line.split(" failed").next().unwrap_or(line));
                Self::Code(code, failed.map(short).take(8).collect())
            }
            _ => Self::Silent(curl(text)),
        }
    }
}

/// curl's own words out of what it wrote.
fn curl(text: &str) -> String {
    let said = text.lines().find_map(|line| {
        let (_, said) = line.split_once("curl: (")?.1.split_once(") ")?;
        Some(short(said))
    });
    said.unwrap_or_else(|| match text.lines().next() {
        Some(line) if !line.trim_start_matches('0').is_empty() => short(line),
        _ => "it said nothing".to_owned(),
    })
}

fn short(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

impl Answer {
    /// Reads what a host answered.
    ///
    /// # Errors
    /// When it is not in the form of sections, or says what cannot be.
    pub fn parse(cluster: &Cluster, node: &Node, output: &[u8]) -> Result<Self, AnswerError> {
        let answers = Answers::parse(output)?;
        let section = |name: &str| answers.get(name).ok();
        let probe = |name: &str| section(name).map(Probe::read);
        let clock = section("clock").and_then(|text| text.trim().parse().ok());
        let states = section("units").unwrap_or_default().lines();
        let units = script::units(cluster, node);
        let etcd = match section("url") {
            Some(_) => Some(etcd::Answer::parse(output)?),
            None => None,
        };
        let backends = match (section("haproxy"), section("nginx")) {
            (Some(text), _) => Some(backend::of_haproxy(text)),
            (None, Some(text)) => Some(backend::of_nginx(text)),
            (None, None) => None,
        };
        Ok(Self {
            joined: section("joined").is_some(),
            clock,
            units: units
                .into_iter()
                .zip(states)
                .map(|(unit, state)| (unit, short(state)))
                .collect(),
            api: probe("ready"),
            nodes: section("nodes").and_then(nodes),
            leases: section("leases").and_then(|text| leases(text, clock)),
            controller_manager: probe("controller-manager"),
            scheduler: probe("scheduler"),
            etcd,
            backends,
            endpoint: probe("endpoint"),
            clients: probe("clients"),
            holds_vip: section("vip").map(|text| !text.trim().is_empty()),
            certificates: certificate::read(section("certificates").unwrap_or_default()),
            resolution: resolve::Answer::read(&answers)?,
        })
    }
}

fn nodes(text: &str) -> Option<Vec<NodeSeen>> {
    let list: List<RawNode> = serde_json::from_str(text).ok()?;
    let nodes = list.items.into_iter().take(MOST).map(|node| {
        let ready = node.status.conditions.iter().find(|c| c.kind == "Ready");
        let info = node.status.node_info;
        let address = node.status.addresses.iter();
        let address = address.filter(|address| address.kind == "InternalIP");
        let label = |name: &str| {
            let name = format!("node-role.kubernetes.io/{name}");
            node.metadata.labels.contains_key(&name)
        };
        NodeSeen {
            control_plane: label("control-plane") || label("master"),
            name: node.metadata.name,
            ready: ready.map_or_else(String::new, |c| c.status.clone()),
            why: ready.map_or_else(
                || "its kubelet has not reported yet".to_owned(),
                |c| {
                    short(if c.message.is_empty() {
                        &c.reason
                    } else {
                        &c.message
                    })
                },
            ),
            cordoned: node.spec.unschedulable,
            version: short(&info.kubelet_version),
            runtime: short(&info.container_runtime_version),
            address: address.filter_map(|a| a.address.parse().ok()).next(),
        }
    });
    Some(nodes.collect())
}

/// Seconds after its end that a lease is still taken for held: clocks differ.
const GRACE: i64 = 10;

fn leases(text: &str, clock: Option<i64>) -> Option<Vec<Lease>> {
    let list: List<RawLease> = serde_json::from_str(text).ok()?;
    let leases = list.items.into_iter().take(MOST).map(|lease| {
        let spec = lease.spec;
        let renewed = OffsetDateTime::parse(&spec.renew_time, &Rfc3339);
        let ended = renewed.ok().zip(clock).is_some_and(|(renewed, clock)| {
            let seconds = renewed.unix_timestamp();
            seconds
                .saturating_add(spec.lease_duration_seconds)
                .saturating_add(GRACE)
                < clock
        });
        // `HOST_UUID`; kube-vip writes the host alone.
        let host = match spec.holder_identity.rsplit_once('_') {
            Some((host, _)) => host,
            None => &spec.holder_identity,
        };
        Lease {
            name: lease.metadata.name,
            holder: (!ended && !host.is_empty()).then(|| short(host)),
        }
    });
    Some(leases.collect())
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawNode {
    metadata: Metadata,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Deserialize, Default)]
struct NodeSpec {
    #[serde(default)]
    unschedulable: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NodeStatus {
    conditions: Vec<Condition>,
    addresses: Vec<Address>,
    node_info: NodeInfo,
}

#[derive(Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NodeInfo {
    kubelet_version: String,
    container_runtime_version: String,
}

#[derive(Deserialize)]
struct RawLease {
    metadata: Metadata,
    #[serde(default)]
    spec: LeaseSpec,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct LeaseSpec {
    holder_identity: String,
    lease_duration_seconds: i64,
    renew_time: String,
}

#[cfg(test)]
mod tests;
