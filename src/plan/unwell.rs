//! Control planes that have joined and do not answer while the cluster does:
//! said in every plan. Nothing is done about them, least of all removed.

use std::collections::BTreeMap;

use super::facts::ApiView;
use super::{ClusterState, Facts};
use crate::cluster::{Cluster, Name, Role};
use crate::runtime;

/// A line for each member of stacked etcd and each API server that is silent.
#[must_use]
pub fn warnings(
    cluster: &Cluster,
    facts: &BTreeMap<Name, Facts>,
    state: &ClusterState,
) -> Vec<String> {
    if state.answering.is_empty() {
        return Vec::new();
    }
    let joined = cluster.with_role(Role::ControlPlane);
    let joined = joined.filter(|node| state.joined_nodes.contains(&node.name));
    let asked = joined.filter_map(|node| Some((&node.name, facts.get(&node.name)?)));
    let line = |(name, facts): (&Name, &Facts)| {
        let votes = { state.etcd_members.iter() }
            .any(|member| member.name == name.as_str() && !member.learner);
        let what = match &facts.api {
            _ if votes && facts.stacked_etcd.view.is_none() => {
                "its member of etcd does not answer, and counts for the quorum".to_owned()
            }
            ApiView::Silent(why) => format!("its API server does not answer: {why}"),
            _ => return None,
        };
        Some(format!(
            "{name}: {what}; the others go on without it. Look at `systemctl status kubelet` and \
             `{}` there; kdiy removes nothing",
            runtime::LIST
        ))
    };
    asked.filter_map(line).collect()
}
