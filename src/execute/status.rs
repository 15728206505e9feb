//! Asking all hosts how the cluster is: one exec for each, side by side, and
//! one more to compare them with the inventory. Nothing is changed, here or
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::survey::{self, Connections, Fault, Faults};
use super::{Event, compare, trust};
use crate::cluster::{Cluster, Encryption, Name, Node, Settled};
use crate::pki::{Authorities, SecretboxKey};
use crate::plan::settle;
use crate::state::{self, State};
use crate::status::{self, Answer, Away, Drift, Hosts, Picture};
use crate::transport::{Connector, User};
use crate::vault::Vault;

/// How long a host may take to answer: its questions have limits of their own,
/// so it hangs then.
const LIMIT: Duration = Duration::from_secs(12);

/// The connections that stand; those that broke are made anew at the next
/// look.
pub struct Observer<'a, C: Connector> {
    cluster: &'a Cluster,
    connector: &'a C,
    width: usize,
    connections: Connections<C::Connection>,
}

impl<'a, C: Connector> Observer<'a, C> {
    /// Connects to nobody yet.
    pub fn new(cluster: &'a Cluster, connector: &'a C, width: usize) -> Self {
        Self {
            cluster,
            connector,
            width,
            connections: Connections::new(),
        }
    }

    /// Asks all hosts; one that cannot be asked is among the answers.
    pub async fn ask(&mut self, events: &UnboundedSender<Event>) -> Hosts {
        let nodes: Vec<_> = self.cluster.nodes.iter().collect();
        let results = survey::side_by_side(&nodes, self.width, async |node: &&Node| {
            Ok((node.name.clone(), self.ask_one(node, events).await))
        })
        .await;
        let (answers, _) = survey::split(&nodes, results);
        let mut hosts = Hosts::new();
        for (name, result) in answers {
            let answer = match result {
                Ok((connection, answer)) => {
                    self.connections.insert(name.clone(), connection);
                    answer.map_err(away)
                }
                Err(fault) => {
                    self.connections.remove(&name);
                    Err(away(fault))
                }
            };
            hosts.insert(name, answer);
        }
        hosts
    }

    /// The connection and what came over it, or why there is none.
    async fn ask_one(
        &self,
        node: &Node,
        events: &UnboundedSender<Event>,
    ) -> Result<(Arc<C::Connection>, Result<Answer, Fault>), Fault> {
        let host = node.name.clone();
        let began = Instant::now();
        let connection = match self.connections.get(&node.name) {
            Some(connection) => Arc::clone(connection),
            None => {
                let _ = events.send(Event::Connecting { host: host.clone() });
                let connected = self.connector.connect(&node.name, &node.login).await;
                Arc::new(connected.inspect_err(|error| {
                    let (code, what) = (error.code(), error.to_string());
                    let host = host.clone();
                    let _ = events.send(Event::Unreachable { host, code, what });
                })?)
            }
        };
        let script = status::script(self.cluster, node);
        let output = survey::ask_within(connection.as_ref(), &script, User::Root, LIMIT).await?;
        let took = began.elapsed();
        let _ = events.send(Event::Observed { host, took });
        let answer = Answer::parse(self.cluster, node, &output).map_err(Fault::from);
        Ok((connection, answer))
    }

    /// What `kdiy plan` would change on the hosts that answered.
    pub async fn drift(
        &self,
        hosts: &Hosts,
        picture: &Picture,
        kept: &Kept,
        events: &UnboundedSender<Event>,
    ) -> Drift {
        let Kept::Here {
            authorities,
            encryption,
        } = kept
        else {
            return Drift::unknown(
                "the cluster's authorities are not kept beside this inventory; kdiy plan reads \
                 them back from a control plane",
            );
        };
        let settled = match settled(self.cluster, hosts, picture) {
            Ok(settled) => settled,
            Err(why) => return Drift::unknown(why.to_string()),
        };
        let trust = trust::trust(authorities, encryption.as_ref());
        let (comparison, faults) =
            compare::look(&settled, &trust, &self.connections, self.width, events).await;
        let seen: BTreeSet<_> = comparison.circumstances.facts.keys().cloned().collect();
        let names = self.cluster.nodes.iter().map(|node| node.name.clone());
        let left_out = names.filter(|name| !seen.contains(name)).collect();
        if seen.is_empty() {
            return Drift::unknown(of_faults(&faults));
        }
        let mut problems: Vec<_> = comparison
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.host, problem.what))
            .collect();
        let plan = comparison.plan(&settled, &trust, Some(&seen), &mut Vault::new());
        if let Err(refused) = &plan {
            problems.extend(refused.iter().map(ToString::to_string));
        }
        Drift::of(plan.ok().as_ref(), problems, left_out)
    }
}

fn of_faults(faults: &Faults) -> String {
    let first = faults.iter().next();
    first.map_or_else(
        || "no host could be compared".to_owned(),
        |(name, fault)| format!("{name}: {fault}"),
    )
}

/// The cluster with the answers of its hosts. Of one that is away the API
/// knows the address.
fn settled(
    cluster: &Cluster,
    hosts: &Hosts,
    picture: &Picture,
) -> Result<Settled, settle::Unsettled> {
    if let Some(settled) = settle::from_text(cluster) {
        return Ok(settled);
    }
    let answers: BTreeMap<Name, settle::Answer> = cluster
        .nodes
        .iter()
        .map(|node| {
            let answer = hosts.get(&node.name).and_then(|host| host.as_ref().ok());
            let mut answer = answer
                .map(|answer| answer.settle.clone())
                .unwrap_or_default();
            let mut rows = picture.nodes.iter();
            let row = rows.find(|row| row.in_inventory && row.name == node.name.as_str());
            answer.address = answer.address.or_else(|| row?.address);
            (node.name.clone(), answer)
        })
        .collect();
    settle::settle(cluster, &answers)
}

/// What is kept here that a comparison needs.
pub enum Kept {
    /// All of it.
    Here {
        /// The authorities.
        authorities: Box<Authorities>,
        /// The key of encryption, where the cluster encrypts.
        encryption: Option<SecretboxKey>,
    },
    /// Not all of it. Reading it back from hosts would be keeping it.
    Elsewhere,
}

/// Looks for what is kept, and makes nothing.
///
/// # Errors
/// When it cannot be used.
pub fn kept(
    state: Option<&State>,
    cluster: &Cluster,
    now: OffsetDateTime,
) -> Result<Kept, state::Error> {
    let Some(state) = state else {
        return Ok(Kept::Elsewhere);
    };
    let Some(authorities) = state.authorities(now)? else {
        return Ok(Kept::Elsewhere);
    };
    let encryption = match cluster.control_plane.encryption {
        Encryption::None => None,
        Encryption::Secretbox => match state.secretbox_key()? {
            Some(key) => Some(key),
            None => return Ok(Kept::Elsewhere),
        },
    };
    let authorities = Box::new(authorities);
    Ok(Kept::Here {
        authorities,
        encryption,
    })
}

fn away(fault: Fault) -> Away {
    Away {
        fix: fault.hint(),
        what: fault.to_string(),
    }
}
