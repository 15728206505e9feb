//! The parallel bootstrap: which control planes take part, and how far
//! each host has come, as it noted itself.

use std::collections::BTreeSet;

use super::ClusterState;
use crate::cluster::{Bootstrap, Name, Node, ResolvedCluster, Role, Topology};
use crate::etcd::member;

/// What a host notes while it bootstraps a cluster with the others: pairs of
/// words, `bootstrap INITIAL-CLUSTER`, then `prepared HASH`, `starting HASH`,
/// `started HASH`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootstrapProgress {
    /// Initial cluster of the etcd that it bootstraps, names and peer URLs.
    pub initial_cluster: String,
    /// With what its certificates and kubeconfigs were made.
    pub prepared: Option<String>,
    /// Whether its etcd may have started.
    pub begun: bool,
    /// With what all of it was started, unless it was begun once more.
    pub started: Option<String>,
}

/// The first word of the note.
pub const BOOTSTRAP: &str = "bootstrap";

impl BootstrapProgress {
    /// Reads a host's note; `None` when it is about something else.
    #[must_use]
    pub fn read(note: &str) -> Option<Self> {
        let mut words = note.split_whitespace();
        if words.next() != Some(BOOTSTRAP) {
            return None;
        }
        let mut progress = Self {
            initial_cluster: words.next()?.to_owned(),
            ..Self::default()
        };
        while let (Some(word), Some(hash)) = (words.next(), words.next()) {
            match word {
                "prepared" => progress.prepared = Some(hash.to_owned()),
                "starting" => (progress.begun, progress.started) = (true, None),
                "started" => progress.started = Some(hash.to_owned()),
                _ => {}
            }
        }
        Some(progress)
    }
}

/// The initial cluster of stacked etcd; `-` where etcd is
/// external.
#[must_use]
pub fn initial_cluster(resolved: &ResolvedCluster) -> String {
    if resolved.cluster.topology != Topology::Stacked {
        return "-".to_owned();
    }
    let url = |node: &Node| format!("{}={}", node.name, member::peer_url(resolved.address(node)));
    let all: BTreeSet<_> = resolved.with_role(Role::ControlPlane).map(url).collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}

/// The control planes that bootstrap a cluster together, or have begun to and
/// are not done; none where one of them bootstraps it alone, or none is to be
/// bootstrapped. Once an API server answers, who lacks the note has lost its
/// disk or is new, and joins.
#[must_use]
pub fn bootstrap_nodes<'s>(
    resolved: &'s ResolvedCluster,
    cluster_state: &ClusterState,
) -> Vec<&'s Node> {
    if cluster_state.unfinished_init.is_some() {
        return Vec::new();
    }
    let fresh = cluster_state.joined_nodes.is_empty() && cluster_state.answering.is_empty();
    let parallel = resolved.cluster.bootstrap == Bootstrap::Parallel
        || !cluster_state.bootstrapping.is_empty();
    let bootstraps =
        |node: &&Node| cluster_state.bootstrapping.contains_key(&node.name) || (fresh && parallel);
    resolved
        .with_role(Role::ControlPlane)
        .filter(bootstraps)
        .collect()
}

/// Hosts without which no cluster is bootstrapped; none when there is one, or
/// when that is not known before its etcd serves again.
#[must_use]
pub fn required_hosts<'s>(
    resolved: &'s ResolvedCluster,
    cluster_state: &ClusterState,
) -> Vec<&'s Name> {
    let lead = lead(resolved, cluster_state);
    if cluster_state.joined_nodes.contains(&lead.name) || cluster_state.waits_for_etcd() {
        return Vec::new();
    }
    let bootstrap_nodes = bootstrap_nodes(resolved, cluster_state);
    match bootstrap_nodes.is_empty() {
        true => vec![&lead.name],
        false => bootstrap_nodes.iter().map(|node| &node.name).collect(),
    }
}

/// The control plane through which kdiy speaks to the API: one that has joined,
/// or one that bootstraps the cluster. One that answers goes first.
///
/// # Panics
/// When the cluster has no control plane, which its validation excludes.
#[must_use]
pub fn lead<'s>(resolved: &'s ResolvedCluster, cluster_state: &ClusterState) -> &'s Node {
    let planes = || resolved.with_role(Role::ControlPlane);
    let among = |group: &dyn Fn(&Name) -> bool| {
        let answers = |node: &&Node| cluster_state.answering.contains(&node.name);
        let mut first = planes().filter(|node| group(&node.name));
        let answering = planes().filter(|node| group(&node.name)).find(answers);
        answering.or_else(|| first.next())
    };
    among(&|name| cluster_state.joined_nodes.contains(name))
        .or_else(|| among(&|name| cluster_state.unfinished_init.as_ref() == Some(name)))
        .or_else(|| among(&|name| cluster_state.bootstrapping.contains_key(name)))
        .or_else(|| planes().next())
        .expect("a cluster has a control plane")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_note_tells_how_far_a_host_has_come() {
        let read = |note: &str| BootstrapProgress::read(note).unwrap();
        assert_eq!(read("bootstrap a=b,c=d").initial_cluster, "a=b,c=d");
        let prepared = read("bootstrap m prepared 1 ");
        assert_eq!(prepared.prepared.as_deref(), Some("1"));
        assert!(!prepared.begun);
        let started = read("bootstrap m prepared 1 starting 1 started 1");
        assert!(started.begun && started.started.as_deref() == Some("1"));
        let again = read("bootstrap m prepared 1 starting 1 started 1 prepared 2 starting 2");
        assert!(
            again.begun && again.started.is_none(),
            "it was killed in the second start"
        );
        assert_eq!(again.prepared.as_deref(), Some("2"));
        for other in ["", "init", "join", "found"] {
            assert_eq!(BootstrapProgress::read(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_note_is_read(note in "\\PC{0,80}") {
            let _ = BootstrapProgress::read(&note);
            if let Some(progress) = BootstrapProgress::read(&format!("bootstrap m {note}")) {
                prop_assert_eq!(progress.initial_cluster, "m");
            }
        }
    }
}
