//! Settings that the cluster remembers, beside what the inventory says: a
//! change that kdiy would not carry out is refused, or told.

use super::ClusterState;
use crate::cluster::Cluster;
use crate::cluster::change::{self, Change};
use crate::transport::sanitise::sanitise_short;

/// A setting that is another one than the cluster was set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its path in the inventory.
    pub path: String,
    /// What the cluster remembers, JSON.
    pub was: String,
    /// What the inventory says, JSON.
    pub is: String,
    /// What the change does.
    pub change: Change,
}

/// All that have changed; none in a cluster that remembers nothing yet.
#[must_use]
pub fn changed(cluster: &Cluster, state: &ClusterState) -> Vec<Changed> {
    let Some(kept) = &state.settings else {
        return Vec::new();
    };
    let differs = |(path, is): (String, String)| {
        let was = kept.get(&path).filter(|was| **was != is)?;
        Some(Changed {
            change: change::of(&path)?,
            was: sanitise_short(was),
            path,
            is,
        })
    };
    change::settings(cluster)
        .into_iter()
        .filter_map(differs)
        .collect()
}

/// A line for each change that holds for new nodes alone.
#[must_use]
pub fn warnings(cluster: &Cluster, state: &ClusterState) -> Vec<String> {
    let changed = changed(cluster, state).into_iter();
    let of_new_nodes = changed.filter_map(|changed| match changed.change {
        Change::New(why) => Some(format!(
            "{} has changed from {} to {}, which holds for nodes that join from now on: {why}",
            changed.path, changed.was, changed.is
        )),
        _ => None,
    });
    of_new_nodes.collect()
}
