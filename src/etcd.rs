//! External etcd, how a host speaks to the etcd member on it, what members
//! say, and what that comes to.

pub mod ask;
pub mod gateway;
pub mod keys;
pub mod member;
pub mod members;
pub mod script;
pub mod snapshot;
pub mod status;

use std::net::{IpAddr, SocketAddr};

use crate::cluster::Topology;
use crate::shell::{Script, sh};

pub use gateway::Answer;
pub use status::{EtcdStatus, Verdict};

/// Where a member serves its clients.
pub const CLIENT_PORT: u16 = 2379;

/// What a client needs to speak to one member: files on the member's own host,
/// and its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The member's client URL, on the address of its node.
    pub url: String,
    /// Certificate of etcd's authority.
    pub ca: &'static str,
    /// The health check's certificate; its key may do anything that a client
    /// may.
    pub certificate: &'static str,
    /// Its key.
    pub key: &'static str,
}

impl Client {
    /// A client on the host with this node address.
    #[must_use]
    pub fn of(topology: &Topology, address: IpAddr) -> Self {
        let url = format!("https://{}", SocketAddr::new(address, CLIENT_PORT));
        match topology {
            Topology::Stacked => Self {
                url,
                ca: "/etc/kubernetes/pki/etcd/ca.crt",
                certificate: "/etc/kubernetes/pki/etcd/healthcheck-client.crt",
                key: "/etc/kubernetes/pki/etcd/healthcheck-client.key",
            },
            Topology::External(_) => Self {
                url,
                ca: "/etc/etcd/pki/ca.crt",
                certificate: "/etc/etcd/pki/healthcheck-client.crt",
                key: "/etc/etcd/pki/healthcheck-client.key",
            },
        }
    }

    /// curl's options for this client, each as words.
    #[must_use]
    pub const fn options(&self) -> [&'static str; 6] {
        let Self {
            ca,
            certificate,
            key,
            ..
        } = self;
        ["--cacert", ca, "--cert", certificate, "--key", key]
    }

    /// Defines `kdiy_etcd SECONDS CURL-WORD…`, which asks as this client, and
    /// `kdiy_member_of INTERFACE`.
    #[must_use]
    pub fn functions(&self) -> Script {
        Script::of(sh!("etcd/client.sh")).call("kdiy_client", [self.ca, self.certificate, self.key])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::EtcdSource;

    #[test]
    fn each_topology_has_its_own_files() {
        let address = |text: &str| text.parse().unwrap();
        let stacked = Client::of(&Topology::Stacked, address("10.0.0.11"));
        assert_eq!(stacked.url, "https://10.0.0.11:2379");
        let called = |client: &Client| {
            let script = client.functions();
            script.as_str().lines().last().map(str::to_owned).unwrap()
        };
        assert_eq!(
            called(&stacked),
            "kdiy_client /etc/kubernetes/pki/etcd/ca.crt \
             /etc/kubernetes/pki/etcd/healthcheck-client.crt \
             /etc/kubernetes/pki/etcd/healthcheck-client.key"
        );
        let external = Topology::External(EtcdSource::Distribution);
        let external = Client::of(&external, address("fd00::21"));
        assert_eq!(external.url, "https://[fd00::21]:2379");
        assert_eq!(
            called(&external),
            "kdiy_client /etc/etcd/pki/ca.crt /etc/etcd/pki/healthcheck-client.crt \
             /etc/etcd/pki/healthcheck-client.key"
        );
        assert_eq!(
            external.options()[..2],
            ["--cacert", "/etc/etcd/pki/ca.crt"]
        );
    }
}
