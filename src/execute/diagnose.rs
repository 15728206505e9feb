//! What is told of a gate that was waited for in vain: looks at the step's
//! host and, through it, at the cluster. Nothing is changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::survey::ask_within;
use crate::cluster::Name;
use crate::plan::gate::{Gate, bounded, host, nodes, pods};
use crate::shell::Script;
use crate::transport::{Connection, User};

/// A host or API server that does not answer is not waited for any longer.
const LIMIT: Duration = Duration::from_secs(20);
/// Nodes whose pods, or silent ones whose hosts, are asked: others are most
/// often ill of the same.
const NODES: usize = 4;

/// What can be found out, the most relevant first; harmless to show. Nothing
/// where nobody answers.
pub(super) async fn why<C: Connection>(
    gate: &Gate,
    own: &Name,
    connections: &BTreeMap<Name, Arc<C>>,
) -> Vec<String> {
    let lines = match gate {
        Gate::Endpoint | Gate::ControlPlane | Gate::Kubelet => of_host(own, connections).await,
        Gate::Nodes { server, names } => of_nodes(server, names, own, connections).await,
    };
    bounded(lines)
}

async fn of_host<C: Connection>(name: &Name, connections: &BTreeMap<Name, Arc<C>>) -> Vec<String> {
    let answer = ask(name, connections, &host::script()).await;
    answer
        .and_then(|answer| host::tell(&answer).ok())
        .unwrap_or_default()
}

async fn of_nodes<C: Connection>(
    server: &str,
    names: &[String],
    own: &Name,
    connections: &BTreeMap<Name, Arc<C>>,
) -> Vec<String> {
    let answer = ask(own, connections, &nodes::script(server, names)).await;
    let Some(unready) = answer.and_then(|answer| nodes::unready(&answer, names)) else {
        // Without an API server its own host is what matters.
        return of_host(own, connections).await;
    };
    let mut told = nodes::tell(&unready);
    let mut answers = Vec::new();
    for node in unready.iter().take(NODES) {
        answers.extend(ask(own, connections, &pods::script(server, &node.name)).await);
    }
    let unwell = pods::unwell(&answers);
    if !unwell.is_empty() {
        let script = pods::words_script(server, &unwell);
        let words = ask(own, connections, &script).await.unwrap_or_default();
        told.extend(pods::tell(&unwell, &words));
    }
    // A kubelet that the API has not heard of says on its host why.
    let silent = unready.iter().filter(|node| node.silent).take(NODES);
    for node in silent {
        let Ok(name) = Name::try_from(node.name.clone()) else {
            continue;
        };
        let said = of_host(&name, connections).await;
        told.extend(said.into_iter().map(|line| format!("{name}: {line}")));
    }
    told
}

async fn ask<C: Connection>(
    name: &Name,
    connections: &BTreeMap<Name, Arc<C>>,
    script: &Script,
) -> Option<Vec<u8>> {
    let connection = connections.get(name)?;
    ask_within(connection.as_ref(), script, User::Root, LIMIT)
        .await
        .ok()
}
