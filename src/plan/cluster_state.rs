//! What the observations of all hosts come to: which nodes have joined, what
//! is unfinished, what etcd is. API servers are asked; files on hosts alone
//! prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::bootstrap::BootstrapProgress;
use super::etcd::{EtcdCluster, EtcdClusterState};
use super::facts::{ApiView, NodeView, ca_hash};
use super::install::Trust;
use super::membership::{Membership, Signs};
use crate::cluster::{Cluster, Name, Role};
use crate::etcd::members::MemberView;
use crate::kubeadm::CONTROL_PLANE_LABEL;

/// The state of the cluster, derived from the facts of its hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterState {
    /// What the inventory's nodes are to the cluster; empty where no API
    /// server could tell its nodes.
    pub memberships: BTreeMap<Name, Membership>,
    /// Nodes that belong to the cluster.
    pub joined_nodes: BTreeSet<Name>,
    /// Nodes as the API server knows them.
    pub nodes: BTreeMap<String, NodeView>,
    /// Stacked etcd's members; empty where none that has a vote could tell
    /// them.
    pub etcd_members: Vec<MemberView>,
    /// Control planes whose member of stacked etcd has a vote and answers.
    pub living_voters: BTreeSet<Name>,
    /// The control plane on which `kubeadm init` began and has not ended.
    pub unfinished_init: Option<Name>,
    /// Control planes whose parallel bootstrap began and has not ended.
    pub bootstrapping: BTreeMap<Name, BootstrapProgress>,
    /// Control planes whose own API server answers.
    pub answering: BTreeSet<Name>,
    /// Hash of the applied network manifest.
    pub manifest: Option<String>,
    /// The settings that the cluster remembers; see [`crate::cluster::change`].
    pub settings: Option<BTreeMap<String, String>>,
    /// Control planes that have joined some cluster, while no API server
    /// answers: nothing may be bootstrapped then. With the reason of one.
    pub silent: BTreeMap<Name, String>,
    /// State of an external etcd.
    pub etcd: EtcdCluster,
}

impl ClusterState {
    /// Derives the state of a cluster from the facts of its hosts.
    #[must_use]
    pub fn of(cluster: &Cluster, facts: &BTreeMap<Name, Facts>, trust: &Trust) -> Self {
        Self {
            etcd: EtcdCluster::of(cluster, facts, &trust.etcd_token),
            ..Self::of_nodes(cluster, facts, &ca_hash(&trust.ca_certificate))
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

    fn of_nodes(cluster: &Cluster, facts: &BTreeMap<Name, Facts>, ca: &str) -> Self {
        let control_planes: Vec<_> = cluster
            .with_role(Role::ControlPlane)
            .filter_map(|node| Some((&node.name, facts.get(&node.name)?)))
            .collect();
        let begun = |(name, facts): &(&Name, &Facts)| {
            let note = facts.unfinished.as_deref()?;
            Some(((*name).clone(), BootstrapProgress::read(note)?))
        };
        let unfinished_init = control_planes
            .iter()
            .find(|(_, facts)| facts.unfinished.as_deref() == Some("init"))
            .map(|(name, _)| (*name).clone());
        let mut state = Self {
            unfinished_init,
            bootstrapping: control_planes.iter().filter_map(begun).collect(),
            etcd_members: members(&control_planes),
            ..Self::default()
        };
        for (name, facts) in &control_planes {
            if let ApiView::Nodes {
                nodes,
                manifest,
                settings,
            } = &facts.api
            {
                state.answering.insert((*name).clone());
                state.settings = state.settings.or_else(|| settings.clone());
                state.manifest = state.manifest.or_else(|| manifest.clone());
                for node in nodes {
                    state.nodes.insert(node.name.clone(), node.clone());
                }
            }
        }
        if state.answering.is_empty() {
            state.silent = control_planes.iter().filter_map(silent).collect();
        }
        if state.knows_nodes() {
            state.decide(cluster, facts, ca);
        }
        state
    }

    /// What each node is to the cluster.
    fn decide(&mut self, cluster: &Cluster, facts: &BTreeMap<Name, Facts>, ca: &str) {
        for node in cluster.kubelets() {
            let name = node.name.clone();
            let signs = Signs {
                node,
                topology: &cluster.topology,
                facts: facts.get(&name),
                answers: !self.answering.is_empty(),
                known: self.nodes.get(name.as_str()),
                members: &self.etcd_members,
                ca,
            };
            let membership = Membership::of(&signs);
            if signs.has_living_voter() {
                self.living_voters.insert(name.clone());
            }
            if membership.has_joined() {
                self.joined_nodes.insert(name.clone());
            }
            self.memberships.insert(name, membership);
        }
    }
}

/// The list of stacked etcd's members, from the first that can tell it.
fn members(control_planes: &[(&Name, &Facts)]) -> Vec<MemberView> {
    let mut views = { control_planes.iter() }
        .filter_map(|(_, facts)| facts.stacked_etcd.view.as_ref())
        .filter(|view| view.knows_members());
    views
        .next()
        .map_or_else(Vec::new, |view| view.members.clone())
}

/// A control plane that holds what only one of a cluster has, while no API
/// server answers.
fn silent((name, facts): &(&Name, &Facts)) -> Option<(Name, String)> {
    let holds = facts.kubelet_conf || facts.api_server_manifest || facts.stacked_etcd.data;
    let why = match &facts.api {
        ApiView::Silent(why) => why.clone(),
        _ => "its API server does not run".to_owned(),
    };
    // A join that began tells of a cluster that was there to be joined.
    let joined = matches!(facts.unfinished.as_deref(), None | Some("join"));
    (holds && joined).then(|| ((*name).clone(), why))
}

impl NodeView {
    /// Whether it has the label of a control plane.
    #[must_use]
    pub fn is_control_plane(&self) -> bool {
        let mut labels = self.labels.iter();
        labels.any(|label| {
            let value = label.strip_prefix(CONTROL_PLANE_LABEL);
            value.is_some_and(|value| value.starts_with('='))
        })
    }
}
