//! How many hosts of each kind may fail.

use super::{Cluster, LoadBalancer, Role, Topology};

/// Hosts that may fail while API requests go on to be served, of each kind for
/// itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Control planes.
    pub control_planes: usize,
    /// Hosts of etcd's members, where these are not the control planes.
    pub etcd_hosts: Option<usize>,
    /// Load-balancer hosts, where there are any.
    pub balancers: Option<usize>,
}

impl Cluster {
    /// What the cluster survives.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        let members = self.quorum().tolerated();
        let planes = self.with_role(Role::ControlPlane).count();
        let balancers = self.with_role(Role::LoadBalancer).count();
        let (control_planes, etcd_hosts) = match self.topology {
            Topology::Stacked => (members, None),
            Topology::External(_) => (planes.saturating_sub(1), Some(members)),
        };
        Tolerance {
            control_planes,
            etcd_hosts,
            balancers: match &self.load_balancer {
                LoadBalancer::Hosts { failover, .. } => {
                    // Without an address that moves they fail with their only host.
                    Some(failover.as_ref().map_or(0, |_| balancers.saturating_sub(1)))
                }
                _ => None,
            },
        }
    }
}
