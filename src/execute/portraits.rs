//! Looks at hosts one by one, whatever cluster they are or are not in.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::Event;
use super::survey::{self, Faults, ask, side_by_side, split, wall};
use crate::cluster::{Name, Node};
use crate::plan::facts::portrait::{self, Portrait};
use crate::plan::observe::Window;
use crate::transport::{Connector, User};

/// Asks nodes about themselves, side by side, one connection and one exec for
/// each. Changes nothing.
pub async fn portraits<C: Connector>(
    connector: &C,
    nodes: &[&Node],
    width: usize,
    events: &UnboundedSender<Event>,
) -> (BTreeMap<Name, Portrait>, Faults) {
    let (connections, mut faults) = survey::connect(connector, nodes, width, events).await;
    let reached: Vec<_> = nodes
        .iter()
        .copied()
        .filter(|node| connections.contains_key(&node.name))
        .collect();
    let script = portrait::script();
    let results = side_by_side(&reached, width, async |node: &&Node| {
        let (began, from) = (Instant::now(), wall());
        let output = ask(connections[&node.name].as_ref(), &script, User::Root).await?;
        let window = Window { from, to: wall() };
        let portrait = Portrait::parse(&node.name, &output, window)?;
        let (host, took) = (node.name.clone(), began.elapsed());
        let _ = events.send(Event::Observed { host, took });
        Ok((node.name.clone(), portrait))
    })
    .await;
    let (portraits, more) = split(&reached, results);
    faults.extend(more);
    (portraits, faults)
}
