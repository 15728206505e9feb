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
    /// How often a host was put into a group.
    placed: usize,
}

/// Most hosts of all groups together: a short text may name billions.
const MOST: usize = 50_000;

impl Inventory {
    /// Whether so many hosts more can be put into groups; tells of it if not.
    pub fn has_room(&mut self, more: usize, at: Place, notes: &mut Notes) -> bool {
        let before = self.placed;
        self.placed = before.saturating_add(more);
        if before <= MOST && self.placed > MOST {
            let message = format!("from here on there are more than {MOST} hosts in groups");
            notes.error("too-large", at, message, "is this really an inventory?");
        }
        self.placed <= MOST
    }

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

    /// How far groups are from those that are in no other. Those of a circle
    /// are as far as the way into it.
    fn depths(&self) -> BTreeMap<&str, usize> {
        let children = |name: &str| {
            let group = self.groups.get(name).filter(|_| name != "all");
            let children = group.into_iter().flat_map(|group| &group.children);
            children.map(|(child, _)| child.as_str())
        };
        let mut parents = BTreeMap::<&str, usize>::new();
        for child in self.groups.keys().flat_map(|name| children(name)) {
            *parents.entry(child).or_default() += 1;
        }
        let mut depths = BTreeMap::<&str, usize>::new();
        let names = self.groups.keys().map(String::as_str);
        let mut open: Vec<&str> = names.filter(|name| !parents.contains_key(name)).collect();
        while let Some(name) = open.pop() {
            let below = depths.get(name).copied().unwrap_or_default() + 1;
            for child in children(name) {
                let depth = depths.entry(child).or_default();
                *depth = below.max(*depth);
                let Some(left) = parents.get_mut(child) else {
                    continue;
                };
                *left -= 1;
                if *left == 0 {
                    open.push(child);
                }
            }
        }
        depths
    }

    /// Groups that have a host, be it by their children.
    fn groups_of(&self, host: &str) -> BTreeSet<&str> {
        let own = self.groups.iter();
        let own = own.filter(|(_, group)| group.hosts.iter().any(|own| own == host));
        let mut open: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
        let mut found = BTreeSet::new();
        while let Some(child) = open.pop() {
            if !found.insert(child) {
                continue;
            }
            let parents = self.groups.iter().filter(|(_, group)| {
                let mut children = group.children.iter();
                children.any(|(name, _)| name == child)
            });
            open.extend(parents.map(|(name, _)| name.as_str()));
        }
        found
    }

    /// The variables that hold for a host. The later win: of groups, `all`
    /// first and those further down last; of files over what stands inline;
    /// then the host's own.
    pub fn variables(&self, host: &str) -> BTreeMap<&str, &Var> {
        let (depths, own) = (self.depths(), self.groups_of(host));
        let depth = |name: &str| depths.get(name).copied().unwrap_or_default();
        let mut groups: Vec<(usize, &str, &Group)> = self
            .groups
            .iter()
            .filter(|(name, _)| *name != "all" && own.contains(name.as_str()))
            .map(|(name, group)| (depth(name), name.as_str(), group))
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
