//! The endpoint and what stands before it.

use std::net::IpAddr;

use super::super::address::DEFAULT_PORT;
use super::super::balancer::{Kind, RawBalancer};
use super::super::document::Inventory;
use super::super::finding::Spanned;
use super::{address, with};
use crate::cluster::{
    AddressSpec, Balancer, Endpoint, EndpointHost, Failover, LoadBalancer, Role, Vip,
};

/// haproxy where a node balances, nothing otherwise.
pub fn balancing(inventory: &Inventory) -> Kind {
    match &inventory.load_balancer {
        Some(raw) => raw.kind.value,
        None if with(inventory, Role::LoadBalancer).next().is_some() => Kind::Haproxy,
        None => Kind::None,
    }
}

/// The virtual IP: as written, or the endpoint's address where one is needed.
pub fn vip(inventory: &Inventory) -> Option<Spanned<IpAddr>> {
    let needed = match balancing(inventory) {
        Kind::Haproxy | Kind::Nginx => with(inventory, Role::LoadBalancer).nth(1).is_some(),
        Kind::KubeVip => true,
        Kind::None | Kind::Local | Kind::External => return None,
    };
    let raw = inventory.load_balancer.as_ref();
    if raw.is_some_and(|raw| raw.vip_key.is_some()) {
        return raw?.vip.clone();
    }
    let endpoint = inventory.endpoint.as_ref().filter(|_| needed)?;
    match endpoint.value.host {
        EndpointHost::Address(address) => Some(Spanned {
            value: address,
            span: endpoint.span,
        }),
        EndpointHost::Name(_) => None,
    }
}

/// The port of `local` on the loopback address, beside the API server's own.
fn local_port(raw: &RawBalancer) -> u16 {
    raw.port.as_ref().map_or(7443, |port| port.value)
}

/// A release that runs on every version of Kubernetes that kdiy installs.
const KUBE_VIP: &str = "ghcr.io/kube-vip/kube-vip:v1.1.2";

/// What balances the endpoint. `None` when a needed part is missing.
pub fn load_balancer(inventory: &Inventory) -> Option<LoadBalancer> {
    let raw = inventory.load_balancer.as_ref();
    let vip = vip(inventory).map(|vip| Vip {
        address: vip.value,
        interface: raw
            .and_then(|raw| raw.interface.as_ref())
            .map(|interface| interface.value.clone()),
    });
    let hosts = |kind| LoadBalancer::Hosts {
        kind,
        failover: vip.clone().map(|vip| Failover {
            router_id: raw
                .and_then(|raw| raw.router_id.as_ref())
                .map_or_else(|| router_id(vip.address), |id| id.value),
            vip,
        }),
    };
    Some(match balancing(inventory) {
        Kind::None => LoadBalancer::None,
        Kind::Haproxy => hosts(Balancer::Haproxy),
        Kind::Nginx => hosts(Balancer::Nginx),
        Kind::KubeVip => LoadBalancer::KubeVip {
            vip: vip?,
            image: raw
                .and_then(|raw| raw.image.as_ref())
                .map_or_else(|| KUBE_VIP.to_owned(), |image| image.value.clone()),
            lease: raw.and_then(|raw| raw.lease).unwrap_or_default(),
        },
        Kind::Local => LoadBalancer::Local {
            port: local_port(raw?),
        },
        Kind::External => LoadBalancer::External,
    })
}

/// The last octet of the virtual IP, so that two clusters on one network
/// differ without being told to.
fn router_id(vip: IpAddr) -> u8 {
    let last = match vip {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(v6) => v6.octets()[15],
    };
    last.max(1)
}

/// The endpoint; by default the virtual IP, or the fixed address of the one
/// host that must have it: the load balancer, or the single control plane.
pub fn endpoint(inventory: &Inventory) -> Option<Spanned<Endpoint>> {
    if inventory.endpoint_key.is_some() {
        return inventory.endpoint.clone();
    }
    let by_address = |Spanned { value, span }: Spanned<IpAddr>| Spanned {
        value: Endpoint {
            host: EndpointHost::Address(value),
            port: DEFAULT_PORT,
        },
        span,
    };
    if let Some(vip) = vip(inventory) {
        return Some(by_address(vip));
    }
    let mut holders = with(
        inventory,
        match balancing(inventory) {
            Kind::Haproxy | Kind::Nginx => Role::LoadBalancer,
            Kind::None | Kind::Local => Role::ControlPlane,
            Kind::External | Kind::KubeVip => return None,
        },
    );
    let (Some(holder), None) = (holders.next(), holders.next()) else {
        return None;
    };
    match address(holder)? {
        Spanned {
            value: AddressSpec::Fixed(value),
            span,
        } => Some(by_address(Spanned { value, span })),
        _ => None,
    }
}
