//! Which node does what, and what etcd makes of it.

use super::super::document::Inventory;
use super::super::finding::{Finding, Span};
use super::super::reader::Reader;
use crate::cluster::{Quorum, Role};

/// etcd's own advice: more than seven members slow writes down.
const MOST_MEMBERS: usize = 7;

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let nodes = &inventory.nodes;
    for node in nodes {
        let kubelet = node.role(Role::ControlPlane).or(node.role(Role::Worker));
        if node.roles.is_none() || kubelet.is_some() {
            continue;
        }
        for (key, what) in [(node.labels_key, "labels"), (node.taints_key, "taints")] {
            if let Some(key) = key {
                let message = format!(
                    "{} is no node of Kubernetes, so its {what} go nowhere",
                    node.called()
                );
                reader.report(
                    Finding::warning("no-kubelet", key, message)
                        .help("take them out, or add the role worker"),
                );
            }
        }
    }
    // With a role in doubt the counts below would be guesses.
    if nodes.iter().any(|node| node.roles.is_none()) || nodes.is_empty() {
        return;
    }
    let planes: Vec<Span> = nodes
        .iter()
        .filter_map(|node| node.role(Role::ControlPlane))
        .collect();
    members(reader, inventory, &planes);
    if !planes.is_empty() && nodes.iter().all(|node| node.role(Role::Worker).is_none()) {
        reader.report(
            Finding::warning(
                "no-worker",
                inventory.nodes_span,
                "no node is a worker, so there is no place for workloads",
            )
            .help("add a worker, or give a control plane `roles: [control-plane, worker]`"),
        );
    }
}

fn members(reader: &Reader<'_>, inventory: &Inventory, planes: &[Span]) {
    let quorum = Quorum::of(planes.len());
    let (Some(first), Some(last)) = (planes.first(), planes.last()) else {
        reader.report(
            Finding::error(
                "no-control-plane",
                inventory.nodes_span,
                "no node is a control plane",
            )
            .help("give one node, or better three, `role: control-plane`"),
        );
        return;
    };
    if quorum.members > 1 {
        for off in &inventory.settings.election_off {
            let message = format!(
                "without leader election {} replicas would act at once, each undoing the others' work",
                quorum.members
            );
            reader.report(
                Finding::error("election-off", *off, message)
                    .help("leave `enabled` out; only a single control plane can do without"),
            );
        }
    }
    if quorum.members == 1 {
        reader.report(
            Finding::warning(
                "not-ha",
                *first,
                format!("one control plane is not highly available; etcd: {quorum}"),
            )
            .help("take three control planes where an outage matters"),
        );
    } else if quorum.members.is_multiple_of(2) {
        let fewer = Quorum::of(quorum.members - 1);
        let message = format!(
            "{} control planes tolerate no more failures than {}; etcd with {}: quorum floor({}/2)+1 = {}, failures tolerated {}; with {}: quorum {}, failures tolerated {}",
            quorum.members,
            fewer.members,
            quorum.members,
            quorum.members,
            quorum.needed(),
            quorum.tolerated(),
            fewer.members,
            fewer.needed(),
            fewer.tolerated(),
        );
        let help = if quorum.members < MOST_MEMBERS {
            format!(
                "take {} or {} control planes",
                fewer.members,
                quorum.members + 1
            )
        } else {
            format!("take {MOST_MEMBERS} control planes")
        };
        reader.report(if inventory.settings.allow_even_members {
            Finding::warning("even-members", *last, message).help(help)
        } else {
            Finding::error("even-members", *last, message).help(format!(
                "{help}; `controlPlane.etcd.allowEvenMembers: true` allows it, say while growing"
            ))
        });
    }
    if quorum.members > MOST_MEMBERS {
        reader.report(
            Finding::warning(
                "many-members",
                *last,
                format!("more than {MOST_MEMBERS} members slow etcd's writes down; etcd: {quorum}"),
            )
            .help("take five or seven control planes and make the others workers"),
        );
    }
}
