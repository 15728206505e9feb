//! Looks at hosts one by one, whatever cluster they are or are not in.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::Event;
use super::survey::{self, HostErrors, ask, side_by_side, split, wall};
use crate::cluster::{Name, Node};
use crate::plan::facts::host_info::{self, HostInfo};
use crate::plan::observe::Window;
use crate::transport::{Connector, User};

/// Asks nodes about themselves, side by side, one connection and one exec for
/// each. Changes nothing.
pub async fn query_host_info<C: Connector>(
    connector: &C,
    nodes: &[&Node],
    width: usize,
    events: &UnboundedSender<Event>,
) -> (BTreeMap<Name, HostInfo>, HostErrors) {
    let (connections, mut host_errors) = survey::connect(connector, nodes, width, events).await;
    let reached: Vec<_> = nodes
        .iter()
        .copied()
        .filter(|node| connections.contains_key(&node.name))
        .collect();
    let script = host_info::script();
    let results = side_by_side(&reached, width, async |node: &&Node| {
        let (began, from) = (Instant::now(), wall());
        let output = ask(connections[&node.name].as_ref(), &script, User::Root).await?;
        let window = Window { from, to: wall() };
        let host_info = HostInfo::parse(&node.name, &output, window)?;
        let (host, took) = (node.name.clone(), began.elapsed());
        let _ = events.send(Event::Observed { host, took });
        Ok((node.name.clone(), host_info))
    })
    .await;
    let (infos, more) = split(&reached, results);
    host_errors.extend(more);
    (infos, host_errors)
}
