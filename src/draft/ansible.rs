//! Ansible inventories, also those of kubespray: INI and YAML, with the
//! variables of groups and hosts beside them.
//!
//! ```text
//! files -> groups, hosts, variables -> variables of each host -> draft
//!  (ini, yaml)      (inventory)           (precedence)          (meaning)
//! ```

mod cluster;
mod ini;
mod inventory;
mod login;
mod meaning;
mod range;
mod yaml;

use super::imported::{Imported, Source};
use crate::cluster::Role;
use crate::inventory::finding::{Finding, Span, quoted};
use inventory::Inventory;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Hosts and groups, as INI.
    Ini,
    /// Hosts and groups, as YAML.
    Yaml,
    /// Variables of a group, as YAML.
    GroupVars(String),
    /// Variables of a host, as YAML.
    HostVars(String),
}

/// A file of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What it holds.
    pub kind: Kind,
}

/// A group that has a role beside those that are known by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRole {
    /// What its hosts do.
    pub role: Role,
    /// The group.
    pub group: String,
}

/// Why a text is no such group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write ROLE=GROUP, where ROLE is control-plane, worker, etcd or load-balancer")]
pub struct NotAGroup;

impl std::str::FromStr for GroupRole {
    type Err = NotAGroup;

    fn from_str(text: &str) -> Result<Self, NotAGroup> {
        let (role, group) = text.split_once('=').ok_or(NotAGroup)?;
        let roles = crate::inventory::hosts::ROLES;
        let (_, role) = *roles
            .iter()
            .find(|(word, _)| *word == role)
            .ok_or(NotAGroup)?;
        let group = group.to_owned();
        match group.is_empty() {
            true => Err(NotAGroup),
            false => Ok(Self { role, group }),
        }
    }
}

/// Where something was written: the file and the part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: usize,
    start: usize,
    end: usize,
}

impl Place {
    const fn new(file: usize, span: Span) -> Self {
        Self {
            file,
            start: span.start,
            end: span.end,
        }
    }

    const fn span(self) -> Span {
        Span {
            start: self.start,
            end: self.end,
        }
    }
}

/// What is found while reading, by file.
#[derive(Debug, Default)]
struct Notes {
    findings: Vec<(usize, Finding)>,
    secrets: Vec<Place>,
}

impl Notes {
    fn error(&mut self, code: &'static str, at: Place, message: impl Into<String>, help: &str) {
        let finding = Finding::error(code, at.span(), message).help(help);
        self.findings.push((at.file, finding));
    }

    fn warning(&mut self, code: &'static str, at: Place, message: impl Into<String>, help: &str) {
        let finding = Finding::warning(code, at.span(), message).help(help);
        self.findings.push((at.file, finding));
    }

    /// One thing that was written twice.
    fn twice(&mut self, at: Place, first: Place, message: String, help: &str) {
        let mut finding = Finding::error("duplicate", at.span(), message).help(help);
        if at.file == first.file {
            finding = finding.related(first.span(), "first written here");
        }
        self.findings.push((at.file, finding));
    }
}

/// Reads an inventory of these files, the one with the hosts first.
#[must_use]
pub fn import(files: &[File], groups: &[GroupRole]) -> Imported {
    let mut notes = Notes::default();
    let mut inventory = Inventory::default();
    for (number, file) in files.iter().enumerate() {
        match &file.kind {
            Kind::Ini => ini::read(number, &file.text, &mut inventory, &mut notes),
            Kind::Yaml => yaml::inventory(number, &file.text, &mut inventory, &mut notes),
            Kind::GroupVars(group) => {
                let vars = yaml::variables(number, &file.text, &mut notes);
                inventory.group(group, None).file_vars.extend(vars);
            }
            Kind::HostVars(host) => {
                let vars = yaml::variables(number, &file.text, &mut notes);
                // Hosts that no group has are none.
                if let Some(host) = inventory.hosts.get_mut(host) {
                    host.file_vars.extend(vars);
                }
            }
        }
    }
    let draft = meaning::draft(&inventory, groups, &mut notes);
    let Notes { findings, secrets } = notes;
    let sources = files.iter().enumerate().map(|(number, file)| {
        let own = findings.iter().filter(|(file, _)| *file == number);
        let secrets = secrets.iter().filter(|place| place.file == number);
        let secrets: Vec<Span> = secrets.map(|place| place.span()).collect();
        let own = own.map(|(_, finding)| finding.clone()).collect();
        Source::new(&file.name, &file.text, own, &secrets)
    });
    Imported::new(draft, sources.collect())
}

/// Whether a text is for Jinja, which only Ansible evaluates.
fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

fn shown(text: &str) -> String {
    quoted(text)
}

#[cfg(test)]
mod tests;
