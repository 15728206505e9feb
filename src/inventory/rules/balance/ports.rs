//! Ports that the programs of a cluster have on its hosts.

use super::super::super::address::DEFAULT_PORT;
use super::super::super::hosts::RawNode;
use crate::cluster::Role;

/// Who listens on a port, and the roles whose hosts it is on. Those that listen
/// on the loopback address alone count, too: who listens on all addresses wants
/// that one with them.
pub fn owner(port: u16) -> Option<(&'static str, &'static [Role])> {
    const PLANE: &[Role] = &[Role::ControlPlane];
    const ETCD: &[Role] = &[Role::Etcd, Role::ControlPlane];
    const KUBELET: &[Role] = &[Role::ControlPlane, Role::Worker];
    const ANY: &[Role] = &[
        Role::LoadBalancer,
        Role::ControlPlane,
        Role::Worker,
        Role::Etcd,
    ];
    Some(match port {
        22 => ("sshd", ANY),
        DEFAULT_PORT => ("the API server", PLANE),
        2379..=2381 => ("etcd", ETCD),
        10248 | 10250 => ("the kubelet", KUBELET),
        10249 | 10256 => ("kube-proxy", KUBELET),
        10257 => ("the controller-manager", PLANE),
        10259 => ("the scheduler", PLANE),
        _ => return None,
    })
}

/// Who has a port of this node, and for which of its roles.
pub fn taken(node: &RawNode, port: u16) -> Option<(&'static str, Role)> {
    let (program, roles) = owner(port)?;
    let role = roles.iter().find(|role| node.role(**role).is_some())?;
    Some((program, *role))
}
