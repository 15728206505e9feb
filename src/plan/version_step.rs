//! How far a node is from the version that the inventory asks for.

use super::ClusterState;
use crate::cluster::{Name, Node, ResolvedCluster, Version};

/// What is to be done about the version of a node that has joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionStep {
    /// Nothing: it is the wanted one.
    None,
    /// A later patch of the same minor version: its pods stay.
    Patch(Version),
    /// The next minor version, from this one.
    Minor(Version),
    /// More than one minor version, from this one: that is refused.
    TooFar(Version),
    /// The node runs a later version, this one: nothing goes back.
    Back(Version),
}

/// The step of the kubelet of a node that has joined, by what its Node says;
/// none of other nodes, and where that cannot be read.
#[must_use]
pub fn of_kubelet(
    resolved: &ResolvedCluster,
    state: &ClusterState,
    node: &Node,
) -> Option<VersionStep> {
    if !state.joined_nodes.contains(&node.name) {
        return None;
    }
    let known = state.nodes.get(node.name.as_str())?;
    Some(between(known.version.parse().ok()?, resolved.version))
}

/// Nodes that are drained when they are upgraded: their kubelets go to another
/// minor version, and may start pods anew.
#[must_use]
pub fn drained(resolved: &ResolvedCluster, state: &ClusterState) -> Vec<Name> {
    let kubelets = resolved.cluster.kubelets();
    let steps = |node: &&Node| {
        let step = of_kubelet(resolved, state, node);
        matches!(step, Some(VersionStep::Minor(_)))
    };
    kubelets
        .filter(steps)
        .map(|node| node.name.clone())
        .collect()
}

fn between(from: Version, to: Version) -> VersionStep {
    match (from.major_minor(), to.major_minor()) {
        _ if from == to => VersionStep::None,
        _ if from > to => VersionStep::Back(from),
        (is, wanted) if is == wanted => VersionStep::Patch(from),
        ((major, minor), wanted) if (major, minor + 1) == wanted => VersionStep::Minor(from),
        _ => VersionStep::TooFar(from),
    }
}

impl VersionStep {
    /// The version that is left behind, where that can be done.
    #[must_use]
    pub const fn upgraded_from(self) -> Option<Version> {
        match self {
            Self::Patch(from) | Self::Minor(from) => Some(from),
            Self::None | Self::TooFar(_) | Self::Back(_) => None,
        }
    }
}

/// The versions on the way, one minor version at a time: `1.35, 1.36, 1.37.2`.
#[must_use]
pub fn path(from: Version, to: Version) -> String {
    let between = (from.minor + 1..to.minor).map(|minor| format!("{}.{minor}", to.major));
    let all: Vec<_> = between.chain([to.to_string()]).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_patch_or_one_minor_version() {
        let at = |minor, patch| Version::new(1, minor, patch);
        let step = |from| between(from, at(37, 2));
        assert_eq!(step(at(37, 2)), VersionStep::None);
        assert_eq!(step(at(37, 0)), VersionStep::Patch(at(37, 0)));
        assert_eq!(step(at(36, 9)), VersionStep::Minor(at(36, 9)));
        assert_eq!(step(at(35, 9)), VersionStep::TooFar(at(35, 9)));
        assert_eq!(step(at(37, 3)), VersionStep::Back(at(37, 3)));
        assert_eq!(step(at(38, 0)), VersionStep::Back(at(38, 0)));
        assert_eq!(path(at(34, 4), at(37, 2)), "1.35, 1.36, 1.37.2");
    }
}
