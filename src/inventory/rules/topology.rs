//! Which node does what.

use super::super::document::{Inventory, Shape};
use super::super::finding::{Finding, Span};
use super::super::interpret;
use super::super::reader::Reader;
use super::members;
use crate::cluster::Role;

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
    control_planes(reader, inventory, &planes);
    members::check(reader, inventory);
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

fn control_planes(reader: &Reader<'_>, inventory: &Inventory, planes: &[Span]) {
    let [first, others @ ..] = planes else {
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
    if !others.is_empty() {
        for off in &inventory.settings.election_off {
            let message = format!(
                "without leader election {} replicas would act at once, each undoing the others' work",
                planes.len()
            );
            reader.report(
                Finding::error("election-off", *off, message)
                    .help("leave `enabled` out; only a single control plane can do without"),
            );
        }
    } else if interpret::shape(inventory) == Shape::External {
        // Where it holds the only member, that rule says it.
        reader.report(
            Finding::warning(
                "not-ha",
                *first,
                "one control plane is not highly available, whatever etcd tolerates",
            )
            .help("take two control planes or more where an outage matters"),
        );
    }
}
