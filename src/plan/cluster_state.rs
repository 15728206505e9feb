//! What the observations of all hosts come to: which nodes have joined, what
//! is unfinished, what etcd is. API servers are asked; files on hosts alone
//! prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::bootstrap::BootstrapProgress;
use super::etcd::{EtcdCluster, EtcdClusterState};
use super::facts::{ApiView, NodeView};
use crate::cluster::{Cluster, Name, Role};

/// The state of the cluster, derived from the facts of its hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterState {
    /// Nodes that have ended `kubeadm init` or `kubeadm join`.
    pub joined_nodes: BTreeSet<Name>,
    /// Nodes as the API server knows them.
    pub nodes: BTreeMap<String, NodeView>,
    /// Names of stacked etcd's members, known only where a control plane is no
    /// node.
    pub etcd_members: BTreeSet<String>,
    /// The control plane on which `kubeadm init` began and has not ended.
    pub unfinished_init: Option<Name>,
    /// Control planes whose parallel bootstrap began and has not ended.
    pub bootstrapping: BTreeMap<Name, BootstrapProgress>,
    /// Control planes whose own API server answers.
    pub answering: BTreeSet<Name>,
    /// Hash of the applied network manifest.
    pub manifest: Option<String>,
    /// Control planes that have joined some cluster, while no API server
    /// answers: nothing may be bootstrapped then. With the reason of one.
    pub silent: BTreeMap<Name, String>,
    /// State of an external etcd.
    pub etcd: EtcdCluster,
}

impl ClusterState {
    /// Derives the state of a cluster from the facts of its hosts. `etcd_token`
    /// is the initial-cluster-token of its external etcd.
    #[must_use]
    pub fn of(cluster: &Cluster, facts: &BTreeMap<Name, Facts>, etcd_token: &str) -> Self {
        Self {
            etcd: EtcdCluster::of(cluster, facts, etcd_token),
            ..Self::of_nodes(cluster, facts)
        }
    }

    /// Whether the API is silent for want of an external etcd: what nodes say
    /// of themselves means nothing until that serves again.
    #[must_use]
    pub fn waits_for_etcd(&self) -> bool {
        let led = matches!(self.etcd.state, EtcdClusterState::Live(_));
        !self.silent.is_empty() && !self.etcd.hosts.is_empty() && !led
    }

    /// Whether all nodes of the cluster are known: an API server answers, or
    /// nothing of the cluster is there yet that could know them.
    #[must_use]
    pub fn knows_nodes(&self) -> bool {
        let begun = self.unfinished_init.is_some()
            || !self.bootstrapping.is_empty()
            || !self.silent.is_empty();
        !self.answering.is_empty() || !begun
    }

    fn of_nodes(cluster: &Cluster, facts: &BTreeMap<Name, Facts>) -> Self {
        let control_planes: Vec<_> = cluster
            .with_role(Role::ControlPlane)
            .filter_map(|node| Some((&node.name, facts.get(&node.name)?)))
            .collect();
        let unfinished_init = control_planes
            .iter()
            .find(|(_, facts)| facts.unfinished.as_deref() == Some("init"))
            .map(|(name, _)| (*name).clone());
        let progress = |(name, facts): &(&Name, &Facts)| {
            let note = facts.unfinished.as_deref()?;
            Some(((*name).clone(), BootstrapProgress::read(note)?))
        };
        let bootstrapping = control_planes.iter().filter_map(progress).collect();
        let answers = control_planes.iter().filter_map(|(name, facts)| {
            let ApiView::Nodes {
                nodes,
                manifest,
                members,
            } = &facts.api
            else {
                return None;
            };
            Some((*name, nodes, manifest, members))
        });
        let Some((_, nodes, manifest, etcd_members)) = answers.clone().next() else {
            let silent = control_planes
                .iter()
                .filter(|(_, facts)| facts.kubelet_conf && facts.unfinished.is_none())
                .map(|(name, facts)| {
                    let why = match &facts.api {
                        ApiView::Silent(why) => why.clone(),
                        _ => "no /etc/kubernetes/admin.conf".to_owned(),
                    };
                    ((*name).clone(), why)
                })
                .collect();
            return Self {
                unfinished_init,
                bootstrapping,
                silent,
                ..Self::default()
            };
        };
        let nodes: BTreeMap<_, _> = nodes.iter().map(|n| (n.name.clone(), n.clone())).collect();
        let joined = |name: &Name, control_plane: bool| {
            let known = nodes
                .get(name.as_str())
                .is_some_and(|node| !control_plane || node.is_control_plane());
            // Not observed (outside the limit, unreachable): the API's word.
            let here = facts
                .get(name)
                .is_none_or(|facts| facts.kubelet_conf && facts.unfinished.is_none());
            known && here
        };
        let joined_nodes = cluster
            .kubelets()
            .filter(|node| joined(&node.name, node.roles.has(Role::ControlPlane)))
            .map(|node| node.name.clone())
            .collect();
        Self {
            joined_nodes,
            answering: answers.map(|(name, ..)| name.clone()).collect(),
            nodes,
            etcd_members: etcd_members.iter().cloned().collect(),
            unfinished_init,
            bootstrapping,
            manifest: manifest.clone(),
            silent: BTreeMap::new(),
            etcd: EtcdCluster::default(),
        }
    }
}

impl NodeView {
    /// Whether it has wholly joined as a control plane. kubeadm puts the label
    /// last.
    #[must_use]
    pub fn is_control_plane(&self) -> bool {
        let mut labels = self.labels.iter();
        labels.any(|label| label.starts_with("node-role.kubernetes.io/control-plane="))
    }
}
