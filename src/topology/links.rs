//! Who connects to whom.

use super::tiers::KUBELET_PORT;
use super::{Link, Place, Tier};
use crate::cluster::{Balancer, Cluster, LoadBalancer};
use crate::etcd::CLIENT_PORT;
use crate::kubeadm::API_PORT;

pub fn of(cluster: &Cluster, tiers: &[Tier]) -> Vec<Link> {
    let there = |place| tiers.iter().any(|tier| tier.place == place);
    let (endpoint, nodes) = (cluster.endpoint.port, cluster.node_endpoint());
    let link = |from, to, port, label: String| Link {
        from,
        to,
        port,
        label,
    };
    let mut links = vec![link(
        Place::Clients,
        Place::Endpoint,
        endpoint,
        format!("TLS {endpoint}"),
    )];
    if there(Place::LoadBalancers) {
        let checked = match &cluster.load_balancer {
            LoadBalancer::Hosts {
                kind: Balancer::Haproxy,
                ..
            } => ", each asked for /readyz",
            _ => "",
        };
        links.push(link(
            Place::Endpoint,
            Place::LoadBalancers,
            endpoint,
            format!("TCP {endpoint}"),
        ));
        links.push(link(
            Place::LoadBalancers,
            Place::ControlPlanes,
            API_PORT,
            format!("TCP {API_PORT} of all{checked}"),
        ));
    } else {
        let (port, whom) = match &cluster.load_balancer {
            // Every balancer is on a control plane.
            LoadBalancer::Hosts { kind, .. } => (endpoint, format!(" of {}", kind.as_str())),
            LoadBalancer::KubeVip { .. } => (API_PORT, " of the one that holds it".to_owned()),
            _ => (API_PORT, String::new()),
        };
        links.push(link(
            Place::Endpoint,
            Place::ControlPlanes,
            port,
            format!("TCP {port}{whom}"),
        ));
    }
    if there(Place::Etcd) {
        links.push(link(
            Place::ControlPlanes,
            Place::Etcd,
            CLIENT_PORT,
            format!("API servers: TLS {CLIENT_PORT}"),
        ));
    }
    if there(Place::Workers) {
        links.push(link(
            Place::ControlPlanes,
            Place::Workers,
            KUBELET_PORT,
            format!("API servers: TLS {KUBELET_PORT}"),
        ));
        links.push(match cluster.load_balancer {
            LoadBalancer::Local { .. } => link(
                Place::Workers,
                Place::ControlPlanes,
                API_PORT,
                format!("kubelets, by their haproxy at {nodes}: TCP {API_PORT} of all"),
            ),
            _ => link(
                Place::Workers,
                Place::Endpoint,
                endpoint,
                format!("kubelets: TLS {endpoint}"),
            ),
        });
    }
    links
}
