//! What is told of a gate that was waited for in vain: looks at the step's
//! host and, through it, at the cluster. Nothing is changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::time::Instant;

use super::survey::ask_within;
use crate::cluster::Name;
use crate::plan::Actor;
use crate::plan::gate::{Gate, bounded, endpoint, host, nodes, pods};
use crate::shell::Script;
use crate::transport::{Connection, User};

/// A host or API server that does not answer is not waited for any longer.
const LIMIT: Duration = Duration::from_secs(20);
/// Nor for all questions together.
const ALL: Duration = Duration::from_secs(30);
/// Nodes whose pods, or silent ones whose hosts, are asked: others are most
/// often ill of the same.
const NODES: usize = 4;

/// What can be found out, the most relevant first; harmless to show. Nothing
/// where nobody answers.
pub(super) async fn why<C: Connection>(
    gate: &Gate,
    actor: &Actor,
    connections: &BTreeMap<Name, Arc<C>>,
) -> Vec<String> {
    let asker = Asker {
        connections,
        until: Instant::now() + ALL,
    };
    let lines = match (gate, actor) {
        (
            Gate::Nodes {
                asked,
                server,
                names,
            },
            _,
        ) => asker.of_nodes(server, names, asked).await,
        (_, Actor::Cluster) => Vec::new(),
        (Gate::ControlPlane | Gate::Kubelet, Actor::Host(own)) => asker.of_host(own).await,
        (Gate::Endpoint { server, balancers }, Actor::Host(own)) => {
            asker.of_endpoint(server, balancers, own).await
        }
    };
    bounded(lines)
}

/// Asks hosts, up to a moment.
struct Asker<'a, C> {
    connections: &'a BTreeMap<Name, Arc<C>>,
    until: Instant,
}

impl<C: Connection> Asker<'_, C> {
    async fn of_host(&self, name: &Name) -> Vec<String> {
        let answer = self.ask(name, &host::script()).await;
        answer
            .and_then(|answer| host::tell(&answer).ok())
            .unwrap_or_default()
    }

    async fn of_endpoint(&self, server: &str, balancers: &[String], own: &Name) -> Vec<String> {
        let script = endpoint::script(server);
        let (answer, host) = join(self.ask(own, &script), self.of_host(own)).await;
        match answer.map(|answer| endpoint::is_ready(&answer)) {
            // The host's own troubles are not what is waited for.
            Some(true) => vec![endpoint::tell(own, true, balancers)],
            Some(false) => {
                let told = endpoint::tell(own, false, balancers);
                std::iter::once(told).chain(host).collect()
            }
            None => host,
        }
    }

    async fn of_nodes(&self, server: &str, names: &[String], own: &Name) -> Vec<String> {
        let answer = self.ask(own, &nodes::script(server, names)).await;
        let Some(unready) = answer.and_then(|answer| nodes::unready(&answer, names)) else {
            // Without an API server its own host is what matters.
            return self.of_host(own).await;
        };
        let mut told = nodes::tell(&unready);
        let ill = unready.iter().take(NODES);
        let of_pods = async {
            let answers = ill.map(|node| async {
                let script = pods::script(server, &node.name);
                self.ask(own, &script).await
            });
            let answers: Vec<_> = join_all(answers).await.into_iter().flatten().collect();
            let unwell = pods::unwell(&answers);
            if unwell.is_empty() {
                return Vec::new();
            }
            let script = pods::words_script(server, &unwell);
            let words = self.ask(own, &script).await.unwrap_or_default();
            pods::tell(&unwell, &words)
        };
        // A kubelet that the API has not heard of says on its host why.
        let silent = unready.iter().filter(|node| node.silent).take(NODES);
        let of_silent = join_all(silent.map(|node| async {
            let Ok(name) = Name::try_from(node.name.clone()) else {
                return Vec::new();
            };
            let said = self.of_host(&name).await;
            { said.into_iter() }
                .map(|line| format!("{name}: {line}"))
                .collect()
        }));
        let (pods, silent) = join(of_pods, of_silent).await;
        told.extend(pods);
        told.extend(silent.into_iter().flatten());
        told
    }

    async fn ask(&self, name: &Name, script: &Script) -> Option<Vec<u8>> {
        let connection = self.connections.get(name)?;
        let left = self.until.saturating_duration_since(Instant::now());
        let limit = left.min(LIMIT);
        let asked = ask_within(connection.as_ref(), script, User::Root, limit);
        tokio::time::timeout(limit, asked).await.ok()?.ok()
    }
}
