//! Rules that need more than one place of the inventory.

mod access;
mod balance;
mod network;
mod topology;

use super::document::Inventory;
use super::reader::Reader;

/// Reports every rule that is broken.
pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    access::check(reader, inventory);
    topology::check(reader, inventory);
    balance::check(reader, inventory);
    network::check(reader, inventory);
}
