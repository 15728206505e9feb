//! A draft of what Vagrant and its machines say.
//!
//! ```text
//! vagrant ssh-config -> machines --+
//!                     names, words -> roles --+
//!                     one script -> seen -> network --+-> Draft
//! ```

pub mod machines;
pub mod network;
pub mod roles;
pub mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Draft, DraftLogin, DraftNode};
use crate::cluster::{Name, Role};
pub use machines::Machine;
pub use network::Wish;
pub use roles::Assignment;
pub use seen::Seen;

/// A machine that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueriedMachine {
    /// What Vagrant says of it.
    pub machine: Machine,
    /// What it is for, at least one.
    pub roles: Vec<Role>,
    /// What it says of itself.
    pub seen: Seen,
    /// Fingerprint of the host key that it showed.
    pub host_key: Option<String>,
}

/// The draft of a cluster of these machines.
///
/// # Errors
/// When their addresses in the cluster cannot be told.
pub fn draft(name: Name, queried: &[QueriedMachine], wish: &Wish) -> Result<Draft, network::Error> {
    let seen: Vec<(Name, Seen)> = queried
        .iter()
        .map(|one| (one.machine.name.clone(), one.seen.clone()))
        .collect();
    let addresses = network::choose(&seen, wish)?;
    let mut draft = Draft::new(name, "`kdiy inventory import vagrant`");
    draft.external_etcd = queried.iter().any(|one| one.roles.contains(&Role::Etcd));
    draft.nodes = queried
        .iter()
        .zip(addresses)
        .map(|(one, address)| {
            let login = &one.machine.login;
            let mut node = DraftNode::new(one.machine.name.clone(), one.roles.clone());
            node.address = Some(address);
            node.ssh = DraftLogin {
                host: Some(login.host.clone()),
                port: login.port,
                user: login.user.clone(),
                identities: login.identities.clone(),
                jumps: login.jumps.clone().unwrap_or_default(),
                host_key: one.host_key.clone(),
                ..DraftLogin::default()
            };
            node
        })
        .collect();
    // As a reader expects them, whatever Vagrant's order is.
    draft.nodes.sort_by_key(|node| rank(&node.roles));
    Ok(draft)
}

fn rank(roles: &[Role]) -> usize {
    let order = [
        Role::LoadBalancer,
        Role::ControlPlane,
        Role::Etcd,
        Role::Worker,
    ];
    let first = order.iter().position(|role| roles.contains(role));
    first.unwrap_or(order.len())
}

/// Machines that have a machine-id in common, which kubelets must not.
#[must_use]
pub fn same_identity(queried: &[QueriedMachine]) -> Vec<Vec<&Name>> {
    let mut by_id: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    for one in queried.iter().filter(|one| !one.seen.machine_id.is_empty()) {
        let names = by_id.entry(&one.seen.machine_id).or_default();
        names.push(&one.machine.name);
    }
    let shared = by_id.into_values().filter(|names| names.len() > 1);
    shared.collect()
}
