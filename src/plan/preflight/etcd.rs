//! Problems of an external etcd: its data is the cluster, so nothing is
//! bootstrapped over it, beside it or in place of it.

use std::collections::BTreeMap;

use super::{HostProblem, port_taken};
use crate::cluster::{
    EtcdSource, Name, Node, OLDEST_ETCD, ResolvedCluster, Role, Topology, Version,
    external_etcd_version, stepping_stone,
};
use crate::etcd::CLIENT_PORT;
use crate::etcd::member::{DATA, DISTRIBUTION_UNIT, PEER_PORT, UNIT};
use crate::plan::etcd::{EtcdCluster, EtcdClusterState, EtcdFacts, HostState, Packaged};
use crate::plan::{ClusterState, Facts, Observation};

/// The etcd of distributions, for hosts whose apt has no lists yet.
///
/// Source: packages.debian.org and packages.ubuntu.com, November 2026.
const DISTRIBUTIONS: [(&str, &str, Version); 5] = [
    ("debian", "11", Version::new(3, 3, 25)),
    ("debian", "12", Version::new(3, 4, 23)),
    ("debian", "13", Version::new(3, 5, 16)),
    ("ubuntu", "22.04", Version::new(3, 3, 25)),
    ("ubuntu", "24.04", Version::new(3, 4, 30)),
];

pub(super) fn problems(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    token: &str,
    seen: &BTreeMap<Name, Observation>,
    problems: &mut Vec<HostProblem>,
) {
    if !resolved.runs_external_etcd(node) {
        return;
    }
    let facts = &seen[&node.name].facts;
    let Some(etcd) = &facts.etcd else { return };
    too_old(resolved, facts, etcd, problems);
    step(resolved, facts, etcd, token, seen, problems);
    let other = match &etcd.marker {
        Some(marker) if marker.token == token => None,
        Some(_) => Some("of another cluster that kdiy made"),
        None => Some("of a member that kdiy did not make"),
    };
    if let Some(whose) = other.filter(|_| etcd.data) {
        problems.push(HostProblem {
            code: "etcd-foreign-data",
            kubeadm: "",
            what: format!("{DATA} holds the data {whose}"),
            fix: format!(
                "if nothing in it is needed any more, stop that member and move {DATA} away; if it \
                 is this cluster's, put the cluster's own pki folder back into the state directory"
            ),
        });
    }
    if etcd.distribution_unit {
        problems.push(HostProblem {
            code: "etcd-foreign-unit",
            kubeadm: "",
            what: format!("{DISTRIBUTION_UNIT} runs: a member that kdiy did not make"),
            fix: format!(
                "if nothing needs it, run `systemctl disable --now {DISTRIBUTION_UNIT}` there"
            ),
        });
    } else if !etcd.runs {
        for port in [CLIENT_PORT, PEER_PORT] {
            port_taken(port, None, facts, problems);
        }
    }
    let group = &cluster_state.etcd;
    match group.state {
        EtcdClusterState::Blank | EtcdClusterState::Bootstrapping => {
            bootstrap(resolved, cluster_state, seen, problems)
        }
        EtcdClusterState::Leaderless => leaderless(resolved, group, problems),
        EtcdClusterState::Live(_) => {}
    }
    split(node, seen, problems);
}

/// The distribution's package that a host has or would get.
fn packaged(facts: &Facts, etcd: &EtcdFacts) -> Option<(Version, &'static str)> {
    match etcd.packaged {
        Some(Packaged::Installed(version)) => Some((version, "the package that is installed")),
        Some(Packaged::Offered(version)) => Some((version, "the package that apt has")),
        None => {
            let mut known = DISTRIBUTIONS.iter();
            let known = known.find(|(os, of, _)| facts.os == *os && facts.os_version == *of);
            known.map(|(_, _, version)| (*version, "the distribution's package"))
        }
    }
}

/// Packages that kubeadm would not take.
fn too_old(
    resolved: &ResolvedCluster,
    facts: &Facts,
    etcd: &EtcdFacts,
    problems: &mut Vec<HostProblem>,
) {
    if resolved.cluster.topology != Topology::External(EtcdSource::Distribution) {
        return;
    }
    let Some((version, of)) = packaged(facts, etcd) else {
        return;
    };
    if version < OLDEST_ETCD {
        problems.push(HostProblem {
            code: "etcd-version",
            kubeadm: "ExternalEtcdVersion",
            what: format!(
                "etcd {version} of {of} is too old: kubeadm takes {} and later",
                OLDEST_ETCD
            ),
            fix: format!(
                "set `controlPlane.etcd.source: release`, which installs etcd {} from upstream's \
                 archive; a mirror of it is named by `source: {{url: ...}}`",
                external_etcd_version(resolved.version.minor)
            ),
        });
    }
}

/// The newest etcd of the cluster's members, wherever it can be told.
fn newest(seen: &BTreeMap<Name, Observation>, token: &str) -> Option<Version> {
    let etcds = seen.values().filter_map(|seen| seen.facts.etcd.as_ref());
    let ours = etcds.filter(|etcd| etcd.holds(token));
    ours.filter_map(EtcdFacts::version).max()
}

/// etcd goes from one minor version to the next, and never back. A member whose
/// own version cannot be told is judged by the others; what cannot be judged at
/// all is refused, unless no cluster has ever come of it.
fn step(
    resolved: &ResolvedCluster,
    facts: &Facts,
    etcd: &EtcdFacts,
    token: &str,
    seen: &BTreeMap<Name, Observation>,
    problems: &mut Vec<HostProblem>,
) {
    let Topology::External(source) = &resolved.cluster.topology else {
        return;
    };
    let held = etcd.holds(token);
    if !held && etcd.view.is_none() {
        return joining(source, facts, etcd, newest(seen, token), problems);
    }
    let begun = etcd
        .marker
        .as_ref()
        .is_some_and(|marker| marker.bootstrapping);
    let Some(runs) = etcd.version().or_else(|| newest(seen, token)) else {
        if !begun {
            problems.push(HostProblem {
                code: "etcd-step",
                kubeadm: "",
                what: format!("nobody can tell which version of etcd the data in {DATA} are of"),
                fix: format!(
                    "bring a member back that answers, or put {UNIT} and the program that it names \
                     back: etcd does not read data of a newer version"
                ),
            });
        }
        return;
    };
    let Some(wanted) = wanted(source, facts, etcd) else {
        problems.push(HostProblem {
            code: "etcd-step",
            kubeadm: "",
            what: format!(
                "its member is of etcd {runs}, and apt does not say which one the distribution has"
            ),
            fix: format!(
                "run `apt-get update` there, or {}: etcd is not taken back",
                write(source, runs)
            ),
        });
        return;
    };
    let fix = if wanted < runs {
        format!("{}: etcd is not taken back", write(source, runs))
    } else if let Some(stone) = stepping_stone(wanted, runs) {
        format!(
            "{} (or a later patch), apply, and come back: etcd goes from one minor version to the \
             next",
            write(source, stone)
        )
    } else {
        return;
    };
    let does = if etcd.view.is_some() { "runs" } else { "is of" };
    problems.push(HostProblem {
        code: "etcd-step",
        kubeadm: "",
        what: format!("its member {does} etcd {runs}, and {wanted} is asked for"),
        fix,
    });
}

/// A member that is to be made: a program of an older minor version than the
/// cluster's does not start in it.
fn joining(
    source: &EtcdSource,
    facts: &Facts,
    etcd: &EtcdFacts,
    others: Option<Version>,
    problems: &mut Vec<HostProblem>,
) {
    let (Some(wanted), Some(others)) = (wanted(source, facts, etcd), others) else {
        return;
    };
    if others.is_later_minor_than(wanted) {
        problems.push(HostProblem {
            code: "etcd-step",
            kubeadm: "",
            what: format!("the other members are of etcd {others}, and {wanted} is asked for"),
            fix: format!("{}: etcd is not taken back", write(source, others)),
        });
    }
}

/// The etcd that a host is to have, where that is known before.
fn wanted(source: &EtcdSource, facts: &Facts, etcd: &EtcdFacts) -> Option<Version> {
    match source {
        EtcdSource::Archive(archive) => Some(archive.version),
        EtcdSource::Distribution => packaged(facts, etcd).map(|(version, _)| version),
    }
}

/// What to write in the inventory for a version.
fn write(source: &EtcdSource, version: Version) -> String {
    match source {
        EtcdSource::Archive(_) => format!("set `controlPlane.etcd.source.version: {version}`"),
        EtcdSource::Distribution => {
            format!("set `controlPlane.etcd.source: {{version: {version}}}`")
        }
    }
}

/// A blank etcd under a cluster that was in use would be the loss of all its
/// objects, and one without all its hosts would not be the one that is meant.
fn bootstrap(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    seen: &BTreeMap<Name, Observation>,
    problems: &mut Vec<HostProblem>,
) {
    let missing: Vec<_> = resolved
        .with_role(Role::Etcd)
        .filter(|other| !seen.contains_key(&other.name))
        .map(|other| other.name.to_string())
        .collect();
    if !missing.is_empty() {
        problems.push(HostProblem {
            code: "etcd-incomplete",
            kubeadm: "",
            what: format!(
                "etcd is to be bootstrapped, and {} could not be looked at",
                missing.join(", ")
            ),
            fix: "all its hosts have to be there: data may lie on the one that is away".to_owned(),
        });
    }
    let joined: Vec<_> = resolved
        .with_role(Role::ControlPlane)
        .filter(|plane| {
            let known = cluster_state.joined_nodes.contains(&plane.name);
            let facts = seen.get(&plane.name).map(|seen| &seen.facts);
            known || facts.is_some_and(|facts| facts.kubelet_conf && facts.unfinished.is_none())
        })
        .map(|plane| plane.name.to_string())
        .collect();
    if !joined.is_empty() {
        problems.push(HostProblem {
            code: "etcd-lost",
            kubeadm: "",
            what: format!(
                "etcd is to be bootstrapped, while {} of this cluster is there",
                joined.join(", ")
            ),
            fix: format!(
                "restore a snapshot into {DATA} of these hosts; or, to begin anew, run `kubeadm \
                 reset` on the control planes"
            ),
        });
    }
}

fn leaderless(resolved: &ResolvedCluster, group: &EtcdCluster, problems: &mut Vec<HostProblem>) {
    let quorum = resolved.cluster.quorum();
    if group.recoverable(quorum) {
        return;
    }
    let held = group.which(HostState::Stopped).count();
    problems.push(HostProblem {
        code: "etcd-quorum",
        kubeadm: "",
        what: format!(
            "etcd has no leader: {} of {} members must agree, and data is left on {held}",
            quorum.needed(),
            quorum.members
        ),
        fix: format!(
            "bring the lost hosts back with their {DATA}; if they are gone for good, restore a \
             snapshot as a new cluster. kdiy bootstraps no other in its place"
        ),
    });
}

/// Members of one inventory that answer as two clusters.
fn split(node: &Node, seen: &BTreeMap<Name, Observation>, problems: &mut Vec<HostProblem>) {
    let of = |facts: &Facts| Some(facts.etcd.as_ref()?.view.as_ref()?.cluster.clone());
    let Some(own) = of(&seen[&node.name].facts) else {
        return;
    };
    let others: Vec<_> = seen
        .iter()
        .filter(|(_, other)| of(&other.facts).is_some_and(|other| other != own))
        .map(|(name, _)| name.to_string())
        .collect();
    if !others.is_empty() {
        problems.push(HostProblem {
            code: "etcd-split",
            kubeadm: "",
            what: format!(
                "its member is of another etcd cluster than {}",
                others.join(", ")
            ),
            fix: format!(
                "find out which one the API servers use; on the others stop the member and move \
                 {DATA} away"
            ),
        });
    }
}
