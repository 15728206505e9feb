//! What stands between clients and API servers.

use std::net::IpAddr;
use std::time::Duration;

/// What stands between clients and API servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadBalancer {
    /// Nothing: the endpoint is the single control plane.
    None,
    /// On the hosts with the load-balancer role.
    Hosts {
        /// Which program balances.
        kind: Balancer,
        /// The address that moves between them; there when they are several,
        /// or when one was asked for ahead of the second host.
        failover: Option<Failover>,
    },
    /// kube-vip on the control planes: one of them answers for the address.
    KubeVip {
        /// The address; also the host of the endpoint.
        vip: Vip,
        /// Its image.
        image: String,
        /// How long the address stays with one that is silent.
        lease: Lease,
    },
    /// haproxy on every host with a kubelet, towards all control planes, on
    /// this port of the loopback address. The cluster's endpoint is for
    /// clients outside of it.
    Local {
        /// Port on the loopback address.
        port: u16,
    },
    /// Somebody else's.
    External,
}

/// The program on load-balancer hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balancer {
    /// haproxy, which asks each API server for /readyz.
    Haproxy,
    /// nginx with its stream module, which only counts failed connections.
    Nginx,
}

/// keepalived over several load-balancer hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// The address that moves.
    pub vip: Vip,
    /// VRRP's virtual router id, 1 to 255: unique on the hosts' network.
    pub router_id: u8,
}

/// The lease by which kube-vip holds an address, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How long it is valid; longer than `renew_deadline`.
    pub duration: Duration,
    /// How long its holder tries to renew it; longer than `retry_period`.
    pub renew_deadline: Duration,
    /// How often it is tried.
    pub retry_period: Duration,
}

/// 15 s, 10 s, 2 s, as other elected components have them: what they do to a
/// loaded etcd is known.
impl Default for Lease {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

/// A virtual address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vip {
    /// The address; the endpoint's, or what its name resolves to.
    pub address: IpAddr,
    /// Interface that carries it; `None` is the one with the node's address.
    pub interface: Option<String>,
}

impl Balancer {
    /// Its name in the inventory.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }
}

impl LoadBalancer {
    /// The virtual address that kdiy sets up, where there is one.
    #[must_use]
    pub const fn vip(&self) -> Option<&Vip> {
        match self {
            Self::Hosts {
                failover: Some(failover),
                ..
            } => Some(&failover.vip),
            Self::KubeVip { vip, .. } => Some(vip),
            Self::None | Self::Hosts { .. } | Self::Local { .. } | Self::External => None,
        }
    }
}
