//! What a node of the inventory is to the cluster, by all signs together: the
//! Node object, etcd's list of members, what its own member answers, and the
//! files on its host. No single sign decides, and a label none at all.

use crate::cluster::{Node, Role, Topology};
use crate::etcd::members::MemberView;

use super::Facts;
use super::facts::NodeView;

/// What a node is to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// The cluster does not know it, and its host holds nothing of a cluster.
    New,
    /// It has joined.
    Joined,
    /// It has joined, and its kubelet has to be put back into its place.
    Astray(Astray),
    /// Its bootstrap or its join began and has not ended.
    Unfinished,
    /// The cluster knows it, and its host holds nothing of the cluster: the
    /// host was made anew.
    Wiped,
    /// Its host is of another cluster, or was removed from this one.
    Outside(Outside),
}

/// What a kubelet of a node that has joined has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// Its Node object, which a kubelet makes only when it starts, or the end
    /// of its join.
    Unregistered,
    /// Its kubeconfig.
    WithoutKubeconfig,
}

/// Why a host is not this cluster's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// It trusts the CA of another cluster.
    OtherCa,
    /// It has the CA of this cluster, and the cluster knows neither a Node nor
    /// a member of etcd of it.
    Removed,
}

/// All that is known of one node.
pub(super) struct Signs<'a> {
    pub node: &'a Node,
    pub topology: &'a Topology,
    /// What its host says; `None` where it was not asked.
    pub facts: Option<&'a Facts>,
    /// Whether an API server answers; where none does there is no cluster yet.
    pub answers: bool,
    /// Its Node object.
    pub known: Option<&'a NodeView>,
    /// Stacked etcd's list of members; empty where nobody could tell it.
    pub members: &'a [MemberView],
    /// What [`Facts::ca`] is on hosts of this cluster.
    pub ca: &'a str,
}

impl Membership {
    /// Decides in a cluster whose Node objects are known.
    pub(super) fn of(signs: &Signs) -> Self {
        let listed = signs.known.is_some() || signs.member().is_some();
        let Some(facts) = signs.facts else {
            // Outside the limit, or unreachable: the cluster's word.
            return if listed { Self::Joined } else { Self::New };
        };
        if facts.kubelet_conf && facts.ca.as_deref().is_some_and(|ca| ca != signs.ca) {
            return Self::Outside(Outside::OtherCa);
        }
        match facts.unfinished.as_deref() {
            Some("join") if !signs.has_come_to_its_end(facts) => Self::Unfinished,
            Some("join") => signs.joined(facts, Some(Astray::Unregistered)),
            Some(_) => Self::Unfinished,
            None if signs.holds(facts) => match (signs.answers, signs.belongs(facts)) {
                (true, true) => signs.joined(facts, None),
                (true, false) => Self::Outside(Outside::Removed),
                (false, _) => Self::Outside(Outside::OtherCa),
            },
            None if listed => Self::Wiped,
            None => Self::New,
        }
    }

    /// Whether it is one of the cluster's.
    #[must_use]
    pub const fn has_joined(self) -> bool {
        matches!(self, Self::Joined | Self::Astray(_))
    }
}

impl Signs<'_> {
    /// Whether a join whose mark is still there has done all that matters: a
    /// voter that lives is never removed for what is left to do, nor is one
    /// that is silent for a while though its kubelet answers, nor a worker
    /// whose kubelet has registered. A label only ever speaks for a node.
    fn has_come_to_its_end(&self, facts: &Facts) -> bool {
        match (self.has_stacked_member(), self.is_plane()) {
            (true, _) => facts.kubelet_conf && (self.has_living_voter() || self.is_marked_voter()),
            (false, true) => false,
            (false, false) => facts.kubelet_conf && self.known.is_some(),
        }
    }

    /// Whether its host holds anything of a cluster. A certificate to log in
    /// with is made ahead of a join, so it counts only where the node is known.
    fn holds(&self, facts: &Facts) -> bool {
        let etcd = &facts.stacked_etcd;
        facts.kubelet_conf
            || (facts.kubelet_client && self.known.is_some())
            || (self.is_plane() && facts.api_server_manifest)
            || (self.has_stacked_member() && (etcd.data || etcd.view.is_some()))
    }

    /// Whether what its host holds is this cluster's.
    fn belongs(&self, facts: &Facts) -> bool {
        match self.has_stacked_member() && !self.members.is_empty() {
            true => self.member().is_some(),
            false => self.known.is_some() || facts.kubelet_conf,
        }
    }

    fn joined(&self, facts: &Facts, at_least: Option<Astray>) -> Membership {
        let astray = match (facts.kubelet_conf, self.known) {
            (false, _) => Some(Astray::WithoutKubeconfig),
            (true, None) => Some(Astray::Unregistered),
            (true, Some(_)) => at_least,
        };
        astray.map_or(Membership::Joined, Membership::Astray)
    }

    /// Whether its member has a vote, and answers.
    pub fn has_living_voter(&self) -> bool {
        let answers = |facts: &Facts| facts.stacked_etcd.view.is_some();
        let votes = self.member().is_some_and(|member| !member.learner);
        votes && self.facts.is_some_and(answers)
    }

    /// Whether its member has a vote, its kubelet answers, and its Node has
    /// the label that kubeadm sets last of all.
    fn is_marked_voter(&self) -> bool {
        let votes = self.member().is_some_and(|member| !member.learner);
        let marked = |node: &NodeView| node.ready && node.is_control_plane();
        votes && self.known.is_some_and(marked)
    }

    /// Its entry in the list of members.
    fn member(&self) -> Option<&MemberView> {
        let mut members = self.members.iter();
        members.find(|member| member.name == self.node.name.as_str())
    }

    fn is_plane(&self) -> bool {
        self.node.roles.has(Role::ControlPlane)
    }

    fn has_stacked_member(&self) -> bool {
        self.is_plane() && *self.topology == Topology::Stacked
    }
}
