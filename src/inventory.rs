//! The file as written, and what it means.
//!
//! [`load`] is pure and reports everything that is wrong in one run:
//!
//! ```text
//! text -> tree -> Inventory -> rules -> Cluster
//!        (yaml)   (document)   (rules)  (interpret)
//! ```
//!
//! The tree knows places and nothing else; reading turns it into typed values
//! and leaves out what is wrong; the rules look at the whole.

pub(crate) mod address;
mod api_server;
mod audit;
mod balancer;
pub mod changes;
mod codes;
mod components;
mod document;
mod etcd;
pub mod fields;
pub(crate) mod finding;
pub(crate) mod hosts;
mod images;
mod interpret;
mod kubeadm;
mod labels;
pub(crate) mod login;
mod network;
mod owned;
pub mod parse;
pub(crate) mod reader;
pub mod reference;
mod release;
mod render;
mod rules;
mod runtime;
pub mod schema;
mod sources;
pub(crate) mod syntax;
pub(crate) mod yaml;

use std::cell::RefCell;
use std::path::Path;

pub use codes::CODES;
pub use finding::{Finding, Severity, Span};
pub use render::{Row, Style, render, rows};

pub use crate::cluster::version::NEWEST_MINOR;
use crate::cluster::{Cluster, Name, Role};
use reader::Reader;

/// What a file came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The cluster; there exactly when no finding is an error.
    pub cluster: Option<Cluster>,
    /// Everything that is wrong, in the order of the file.
    pub findings: Vec<Finding>,
}

/// Reads an inventory.
///
/// `read` gives the text of a file that the inventory names (keys of
/// package repositories, CNI manifest, audit policy, patches of kubeadm), by
/// its path as written; relative paths are meant relative to the inventory's
/// folder.
pub fn load(text: &str, read: &dyn Fn(&Path) -> std::io::Result<String>) -> Loaded {
    let mut findings = Vec::new();
    let root = match yaml::parse(text, &mut findings) {
        Ok(root) => root,
        Err(fatal) => {
            findings.push(fatal);
            return Loaded {
                cluster: None,
                findings: sorted(findings),
            };
        }
    };
    let reader = Reader {
        findings: RefCell::new(findings),
        read,
    };
    let inventory = document::read(&reader, &root);
    if let Some(inventory) = &inventory {
        rules::check(&reader, inventory);
    }
    let findings = sorted(reader.findings.into_inner());
    let sound = findings
        .iter()
        .all(|finding| finding.severity == Severity::Warning);
    Loaded {
        cluster: inventory.filter(|_| sound).and_then(interpret::cluster),
        findings,
    }
}

/// The nodes of a file that may be unfinished or wrong, as far as they can be
/// read, and what each does.
#[must_use]
pub fn names(text: &str) -> Vec<(Name, Vec<Role>)> {
    let Ok(root) = yaml::parse(text, &mut Vec::new()) else {
        return Vec::new();
    };
    let reader = Reader {
        findings: RefCell::default(),
        read: &|_| Err(std::io::ErrorKind::Unsupported.into()),
    };
    let inventory = document::read(&reader, &root);
    let nodes = inventory.into_iter().flat_map(|inventory| inventory.nodes);
    let named = nodes.filter_map(|node| {
        let roles = node.roles.into_iter().flatten();
        Some((node.name?.value, roles.map(|role| role.value).collect()))
    });
    named.collect()
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.span.start, finding.severity));
    findings.dedup();
    findings
}
