//! Gates: steps that wait for something that kdiy cannot do itself,
//! and what is looked at when they wait in vain.

pub mod endpoint;
pub mod host;
pub mod nodes;
pub mod pods;

use serde::Serialize;

use crate::cluster::Name;

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// That the API answers at the cluster's endpoint, asked by a control
    /// plane.
    Endpoint {
        /// URL of the step's host's own API server.
        server: String,
        /// Hosts that lead to the endpoint; none where kdiy sets up none.
        balancers: Vec<String>,
    },
    /// That the API server of the step's host is ready, and the member of etcd
    /// beside it where it has one.
    ControlPlane,
    /// That the kubelet of the step's host registers its node.
    Kubelet,
    /// That nodes are ready.
    Nodes {
        /// A control plane, which is asked why they are not.
        asked: Name,
        /// URL of its own API server.
        server: String,
        /// Their names.
        names: Vec<String>,
    },
}

/// Lines that are told of a gate, at most.
const LINES: usize = 30;

/// The most relevant lines come first; so many are kept.
#[must_use]
pub fn bounded(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES {
        let gone = lines.len() - (LINES - 1);
        lines.truncate(LINES - 1);
        lines.push(format!("and {gone} lines more"));
    }
    lines
}
