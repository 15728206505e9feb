//! Hosts, groups and variables, and which of them hold for a host.

use std::collections::{BTreeMap, BTreeSet};

use super::{Notes, Place, shown};

/// A variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Var {
    pub value: Value,
    pub place: Place,
}

/// What a variable is, as far as anything is taken of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
    Mapping(BTreeMap<String, String>),
}

impl Var {
    /// Its text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

pub type Vars = BTreeMap<String, Var>;

/// A host.
#[derive(Debug, Default)]
pub struct Host {
    pub place: Option<Place>,
    /// As written beside it.
    pub vars: Vars,
    /// Of its file in `host_vars`.
    pub file_vars: Vars,
}

/// A group.
#[derive(Debug, Default)]
pub struct Group {
    pub place: Option<Place>,
    pub hosts: Vec<String>,
    pub children: Vec<(String, Place)>,
    pub vars: Vars,
    pub file_vars: Vars,
}

/// An inventory, as written.
#[derive(Debug, Default)]
pub struct Inventory {
    pub hosts: BTreeMap<String, Host>,
    /// Their names in the order of the files.
    pub order: Vec<String>,
    pub groups: BTreeMap<String, Group>,
}

impl Inventory {
    /// A group, made if it is new.
    pub fn group(&mut self, name: &str, place: Option<Place>) -> &mut Group {
        let group = self.groups.entry(name.to_owned()).or_default();
        group.place = group.place.or(place);
        group
    }

    /// A host of a group with variables; those that it has otherwise already
    /// are told where they say which host it is.
    pub fn place<'v>(
        &mut self,
        group: &str,
        name: &str,
        at: Place,
        vars: impl IntoIterator<Item = (&'v String, &'v Var)>,
        notes: &mut Notes,
    ) {
        let host = self.host(group, name, at);
        for (key, var) in vars {
            let before = host.vars.insert(key.clone(), var.clone());
            let differs = before.filter(|before| before.value != var.value);
            if let (Some(before), "ansible_host" | "ip") = (differs, key.as_str()) {
                let message = format!("{} has two values of `{key}`", shown(name));
                let help = "is this another host? names are unique";
                notes.twice(var.place, before.place, message, help);
            }
        }
    }

    /// A host of a group, made if it is new.
    fn host(&mut self, group: &str, name: &str, place: Place) -> &mut Host {
        let members = &mut self.group(group, None).hosts;
        if !members.iter().any(|own| own == name) {
            members.push(name.to_owned());
        }
        if !self.hosts.contains_key(name) {
            self.order.push(name.to_owned());
        }
        let host = self.hosts.entry(name.to_owned()).or_default();
        host.place = host.place.or(Some(place));
        host
    }

    /// All hosts of a group, those of its children counted.
    pub fn members(&self, group: &str) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let mut hosts = BTreeSet::new();
        let mut open = vec![group];
        while let Some(name) = open.pop() {
            let Some(group) = self.groups.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            hosts.extend(group.hosts.iter().map(String::as_str));
            open.extend(group.children.iter().map(|(child, _)| child.as_str()));
        }
        let order = self.order.iter().map(String::as_str);
        order.filter(|name| hosts.contains(name)).collect()
    }

    /// How far a group is from those that are in no other.
    fn depth(&self, name: &str, above: usize) -> usize {
        // A circle is no deeper than there are groups.
        if above > self.groups.len() {
            return above;
        }
        let parents = self.groups.iter().filter(|(parent, group)| {
            *parent != "all" && group.children.iter().any(|(child, _)| child == name)
        });
        parents
            .map(|(parent, _)| 1 + self.depth(parent, above + 1))
            .max()
            .unwrap_or(0)
    }

    /// The variables that hold for a host. The later win: of groups, `all`
    /// first and those further down last; of files over what stands inline;
    /// then the host's own.
    pub fn variables(&self, host: &str) -> BTreeMap<&str, &Var> {
        let mut groups: Vec<(usize, &str, &Group)> = self
            .groups
            .iter()
            .filter(|(name, _)| *name != "all" && self.members(name).contains(&host))
            .map(|(name, group)| (self.depth(name, 0), name.as_str(), group))
            .collect();
        groups.sort_by_key(|(depth, name, _)| (*depth, *name));
        let all = self.groups.get("all");
        let inline = all
            .into_iter()
            .chain(groups.iter().map(|(_, _, group)| *group));
        let files = inline.clone();
        let mut layers: Vec<&Vars> = inline.map(|group| &group.vars).collect();
        layers.extend(files.map(|group| &group.file_vars));
        if let Some(host) = self.hosts.get(host) {
            layers.extend([&host.vars, &host.file_vars]);
        }
        let pairs = layers.into_iter().flatten();
        pairs.map(|(name, var)| (name.as_str(), var)).collect()
    }
}
