//! Where etcd's members are, and what their number means.

use super::super::document::{Inventory, Shape};
use super::super::finding::{Finding, Span};
use super::super::hosts::RawNode;
use super::super::interpret;
use super::super::reader::Reader;
use super::related_nodes;
use crate::cluster::{Quorum, Role};

/// etcd's own advice: more than seven members slow writes down.
const MOST: usize = 7;

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let etcd = &inventory.settings.etcd;
    let planes: Vec<&RawNode> = interpret::with(inventory, Role::ControlPlane).collect();
    let hosts: Vec<&RawNode> = interpret::with(inventory, Role::Etcd).collect();
    match (&inventory.topology, inventory.topology_key) {
        // Which of the two is meant is not known.
        (None, Some(_)) => {}
        (Some(topology), _) if topology.value == Shape::External => {
            if let Some(key) = etcd.config_key {
                let message = "etcd on hosts of its own has no section of kubeadm's that this could be merged into";
                reader.report(
                    Finding::error("owned-config", key, message)
                        .related(topology.span, "the topology")
                        .help("write it under `extraArgs`, which takes the keys of etcd's configuration file"),
                );
            }
            for patch in &inventory.settings.etcd_patches {
                let message =
                    "etcd on hosts of its own is no static pod, so kubeadm has nothing to patch";
                reader.report(
                    Finding::error("unused-patch", *patch, message)
                        .related(topology.span, "the topology")
                        .help("take the patch out; arguments of etcd go under `controlPlane.etcd.extraArgs`"),
                );
            }
            if hosts.is_empty() {
                let message = "`topology: external` is set, but no node has the role etcd";
                reader.report(
                    Finding::error("no-etcd", topology.span, message).help(
                        "give three nodes `role: etcd`, or take the key out: then etcd runs on the control planes",
                    ),
                );
            }
            coupled(reader, &planes, &hosts);
            number(reader, inventory, &spans(&hosts, Role::Etcd), "etcd hosts");
        }
        _ => {
            if let Some(key) = etcd.source_key {
                let message = "`source` is for etcd on hosts of its own; on control planes it is an image that kubeadm chooses";
                reader.report(Finding::error("foreign-key", key, message).help(
                    "take it out, or write `topology: external` and give three nodes `role: etcd`",
                ));
            }
            if let [first, rest @ ..] = hosts.as_slice() {
                let message = format!(
                    "{} has the role etcd, but in a stacked topology etcd runs on the control planes",
                    first.called()
                );
                let finding = Finding::error("unused-etcd", span(first, Role::Etcd), message);
                reader.report(
                    related_nodes(finding, rest, Role::Etcd, "so has this one").help(
                        "write `topology: external` at the top for etcd on hosts of its own, or take the role out",
                    ),
                );
            }
            number(
                reader,
                inventory,
                &spans(&planes, Role::ControlPlane),
                "control planes",
            );
        }
    }
}

fn span(node: &RawNode, role: Role) -> Span {
    node.role(role).unwrap_or(node.start)
}

fn spans(nodes: &[&RawNode], role: Role) -> Vec<Span> {
    nodes.iter().map(|node| span(node, role)).collect()
}

/// One host that is a control plane and a member.
fn coupled(reader: &Reader<'_>, planes: &[&RawNode], hosts: &[&RawNode]) {
    let both: Vec<&RawNode> = hosts
        .iter()
        .copied()
        .filter(|host| host.role(Role::ControlPlane).is_some())
        .collect();
    let [first, rest @ ..] = both.as_slice() else {
        return;
    };
    let message = format!(
        "{} is a control plane and an etcd host: when it fails, both lose one",
        first.called()
    );
    let key = if both.len() == planes.len() {
        "; as every control plane is one, the key of etcd's authority is on no host and only in `.kdiy/`: keep a copy"
    } else {
        ""
    };
    let finding = Finding::warning("coupled-failures", span(first, Role::Etcd), message);
    reader.report(
        related_nodes(finding, rest, Role::Etcd, "so is this one").help(format!(
            "give etcd hosts of its own, or take `topology: stacked`, which is the same with less to run{key}"
        )),
    );
}

/// Warnings and errors about so many members.
fn number(reader: &Reader<'_>, inventory: &Inventory, members: &[Span], what: &str) {
    let quorum = Quorum::of(members.len());
    let (Some(first), Some(last)) = (members.first(), members.last()) else {
        return;
    };
    if quorum.members == 1 {
        let one = what.trim_end_matches('s');
        let message = format!("one {one} is not highly available; etcd: {quorum}");
        reader.report(
            Finding::warning("not-ha", *first, message)
                .help(format!("take three {what} where an outage matters")),
        );
    } else if quorum.members.is_multiple_of(2) {
        even(reader, inventory, quorum, *last, what);
    }
    if quorum.members > MOST {
        let message = format!("more than {MOST} members slow etcd's writes down; etcd: {quorum}");
        let help = match interpret::shape(inventory) {
            Shape::Stacked => "take five or seven control planes and make the others workers",
            Shape::External => "take five or seven etcd hosts",
        };
        reader.report(Finding::warning("many-members", *last, message).help(help));
    }
}

fn even(reader: &Reader<'_>, inventory: &Inventory, quorum: Quorum, last: Span, what: &str) {
    let fewer = Quorum::of(quorum.members - 1);
    let message = format!(
        "{} {what} tolerate no more failures than {}; etcd with {}: quorum floor({}/2)+1 = {}, failures tolerated {}; with {}: quorum {}, failures tolerated {}",
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
    let help = if quorum.members < MOST {
        format!("take {} or {} {what}", fewer.members, quorum.members + 1)
    } else {
        format!("take {MOST} {what}")
    };
    reader.report(if inventory.settings.etcd.allow_even_members {
        Finding::warning("even-members", last, message).help(help)
    } else {
        Finding::error("even-members", last, message).help(format!(
            "{help}; `controlPlane.etcd.allowEvenMembers: true` allows it, say while growing"
        ))
    });
}
