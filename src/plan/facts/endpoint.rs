//! What is at the endpoint and at a virtual address before the cluster is.

use std::net::IpAddr;

use crate::cluster::{Cluster, Endpoint, EndpointHost, Node, Role};
use crate::lb;
use crate::resource::{AnswerError, Answers};
use crate::shell::{Script, sh};

/// What a host is asked about the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointQuestions {
    /// The endpoint, and the certificate of the authority by which its server
    /// is known. Asked only of a host that is in no cluster yet.
    pub served: Option<(Endpoint, String)>,
    /// A virtual address that the host may come to hold, and a port there.
    pub vip: Option<(IpAddr, u16)>,
}

/// What a host saw at the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointView {
    /// A server answers there that another authority vouches for; why that
    /// is known.
    pub other_cluster: Option<String>,
    /// Somebody else answers for the virtual address; who.
    pub vip_holder: Option<String>,
}

impl EndpointQuestions {
    /// What a node is asked.
    #[must_use]
    pub fn of(cluster: &Cluster, ca_certificate: &str, node: &Node) -> Self {
        let served = node
            .roles
            .has(Role::ControlPlane)
            .then(|| (cluster.endpoint.clone(), ca_certificate.to_owned()));
        let carried = lb::carried(cluster).filter(|(_, role)| node.roles.has(*role));
        Self {
            served,
            vip: carried.map(|(vip, _)| (vip.address, cluster.endpoint.port)),
        }
    }

    pub(super) fn script(&self) -> Script {
        let mut script = Script::new();
        if let Some((endpoint, ca)) = &self.served {
            let words = [ca, &url_host(&endpoint.host), &endpoint.port.to_string()];
            script = script
                .with(OTHER_CLUSTER_FUNCTION)
                .with(sh!("probe/endpoint.sh"))
                .call("kdiy_at_endpoint", words);
        }
        if let Some((address, port)) = self.vip {
            script = script
                .with(HOLDER_FUNCTION)
                .call("kdiy_holder", [address.to_string(), port.to_string()]);
        }
        script
    }
}

impl EndpointView {
    pub(super) fn parse(answers: &Answers) -> Result<Self, AnswerError> {
        let said = |key| {
            let line = answers.line("endpoint", key)?;
            Ok(line.map(|text| text.trim().to_owned()))
        };
        Ok(Self {
            other_cluster: said("other_cluster")?,
            vip_holder: said("vip")?,
        })
    }
}

/// A host as URLs have it: an IPv6 address in brackets.
#[must_use]
pub fn url_host(host: &EndpointHost) -> String {
    match host {
        EndpointHost::Address(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_string(),
    }
}

/// Defines `kdiy_other_cluster CA HOST PORT`: says why the server there is not
/// one that this authority vouches for. It says nothing about a server that is
/// none of TLS, refuses, or is not there, and nothing when the chain is right
/// but another name or time is not.
pub const OTHER_CLUSTER_FUNCTION: &str = sh!("probe/other-cluster.sh");

/// Defines `kdiy_holder ADDRESS PORT`: who answers for an address that this
/// host does not have. A neighbour that was heard of some time ago is no
/// proof: the kernel is given the time to ask it again.
const HOLDER_FUNCTION: &str = sh!("probe/holder.sh");

#[cfg(test)]
mod tests;
