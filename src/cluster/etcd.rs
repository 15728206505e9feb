//! Where etcd runs and where it comes from.

use super::packages::Download;

/// Where etcd runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// On the control planes, as static pods that kubeadm makes.
    Stacked,
    /// On the hosts with the role etcd, as a unit of systemd, from here.
    External(EtcdSource),
}

/// Where the program of an external etcd comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtcdSource {
    /// The distribution's packages (`etcd-server`, `etcd-client`).
    Distribution,
    /// A release archive, from upstream or a mirror of it.
    Archive(Download),
}
