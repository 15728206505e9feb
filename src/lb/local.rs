//! A balancer on every host with a kubelet, on the loopback address: nodes
//! reach every API server, and no host stands between.
//!
//! It is a unit and no pod, so it works before the first kubelet does: init
//! and joins already go through it.

use super::{Software, haproxy};
use crate::cluster::{EndpointHost, ResolvedCluster};

/// haproxy at the nodes' endpoint.
///
/// # Panics
/// When nodes do not reach the API on the loopback address: the balancer is
/// another one, a bug of the caller.
#[must_use]
pub fn on_node(resolved: &ResolvedCluster, ca_certificate: &str) -> Software {
    let endpoint = resolved.cluster.node_endpoint();
    let EndpointHost::Address(address) = endpoint.host else {
        panic!("the nodes' endpoint is not on the loopback address");
    };
    haproxy::at(resolved, (address, endpoint.port).into(), ca_certificate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{LoadBalancer, Version};
    use crate::kubeadm::tests::{few, ipv6};

    #[test]
    fn it_listens_on_the_loopback_address_alone() {
        for (mut resolved, bind) in [
            (few(Version::new(1, 34, 1)), "bind 127.0.0.1:7443\n"),
            (ipv6(Version::new(1, 34, 1)), "bind [::1]:7443\n"),
        ] {
            resolved.cluster.load_balancer = LoadBalancer::Local { port: 7443 };
            let software = on_node(&resolved, "certificate");
            let text = &software.files.last().unwrap().text;
            assert!(text.contains(bind), "{text}");
            assert_eq!(text.matches("bind ").count(), 1, "{text}");
        }
    }
}
