//! Rules that need more than one place of the inventory.

mod access;
mod balance;
mod etcd;
mod members;
mod network;
mod runtime;
mod topology;

use super::document::Inventory;
use super::finding::Finding;
use super::hosts::RawNode;
use super::reader::Reader;
use crate::cluster::Role;

/// Reports every rule that is broken.
pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    access::check(reader, inventory);
    topology::check(reader, inventory);
    balance::check(reader, inventory);
    network::check(reader, inventory);
    runtime::check(reader, inventory);
    etcd::check(reader, inventory);
}

/// How many of the further places are shown with a finding.
const SHOWN: usize = 3;

/// A finding with the places where the first of further nodes have a role.
fn related_nodes(mut finding: Finding, nodes: &[&RawNode], role: Role, label: &str) -> Finding {
    for node in nodes.iter().take(SHOWN) {
        finding = finding.related(node.role(role).unwrap_or(node.start), label);
    }
    finding
}
