//! Hosts, groups and variables in YAML.

use std::rc::Rc;

use super::inventory::{Inventory, Value, Var, Vars};
use super::{Notes, Place, range, shown};
use crate::inventory::finding::{Finding, Severity};
use crate::inventory::yaml::{self, Key, Node};

type Entries = [(Key, Rc<Node>)];

/// Reads hosts and groups.
pub fn inventory(file: usize, text: &str, inventory: &mut Inventory, notes: &mut Notes) {
    let Some(root) = parse(file, text, notes, false) else {
        return;
    };
    let help = "write `all:` with `hosts:` and `children:` in it";
    for (key, node) in entries(file, &root, notes, help) {
        group(file, &key.text, key, node, inventory, notes);
    }
}

/// Reads a file of variables; an empty one has none.
pub fn variables(file: usize, text: &str, notes: &mut Notes) -> Vars {
    let Some(root) = parse(file, text, notes, true) else {
        return Vars::new();
    };
    vars(file, &root, notes)
}

/// Reads a list or mapping on one line.
pub fn flow(text: &str) -> Option<Value> {
    let root = yaml::parse(text, &mut Vec::new()).ok()?;
    value(&root)
}

fn parse(file: usize, text: &str, notes: &mut Notes, may_be_empty: bool) -> Option<Rc<Node>> {
    if text.starts_with("$ANSIBLE_VAULT") {
        let start = crate::inventory::finding::Span { start: 0, end: 1 };
        notes.warning(
            "not-taken",
            Place::new(file, start),
            "this file is encrypted and was not read",
            "what of it kdiy needs to know, say with options (--help)",
        );
        return None;
    }
    let mut findings = Vec::new();
    let root = yaml::parse(text, &mut findings);
    for finding in findings {
        // What Ansible means by its own tags, such as !vault, is its secret.
        let note = match finding.code {
            "yaml-tag" => {
                notes.secrets.push(Place::new(file, finding.span));
                Finding {
                    severity: Severity::Warning,
                    code: "not-taken",
                    ..finding.help("a value that is encrypted or made by Ansible is not read")
                }
            }
            _ => finding,
        };
        notes.findings.push((file, note));
    }
    match root {
        Ok(root) => Some(root),
        Err(fatal) if fatal.code == "empty" => {
            if !may_be_empty {
                let finding = Finding {
                    message: "the inventory is empty".to_owned(),
                    ..fatal
                };
                let finding = finding.help("is this the file with the hosts?");
                notes.findings.push((file, finding));
            }
            None
        }
        Err(fatal) => {
            notes.findings.push((file, fatal));
            None
        }
    }
}

/// Entries of a mapping; anything else is reported.
fn entries<'n>(file: usize, node: &'n Node, notes: &mut Notes, help: &str) -> &'n Entries {
    match &node.value {
        yaml::Value::Mapping(entries) => entries,
        _ if node.is_null() => &[],
        yaml::Value::Broken => &[],
        _ => {
            let message = format!("a mapping is wanted here, this is {}", node.kind());
            notes.error("wrong-type", Place::new(file, node.span), message, help);
            &[]
        }
    }
}

fn group(
    file: usize,
    name: &str,
    key: &Key,
    node: &Node,
    inventory: &mut Inventory,
    notes: &mut Notes,
) {
    inventory.group(name, Some(Place::new(file, key.span)));
    let help = "a group has `hosts`, `children` and `vars`";
    for (part, node) in entries(file, node, notes, help) {
        match part.text.as_str() {
            "hosts" => hosts(file, name, node, inventory, notes),
            "children" => {
                let help = "children are written `name:`, each with its `hosts`";
                for (child, node) in entries(file, node, notes, help) {
                    let at = Place::new(file, child.span);
                    let children = &mut inventory.group(name, None).children;
                    children.push((child.text.clone(), at));
                    group(file, &child.text, child, node, inventory, notes);
                }
            }
            "vars" => {
                let vars = vars(file, node, notes);
                inventory.group(name, None).vars.extend(vars);
            }
            other => {
                let message = format!("{} is no part of a group", shown(other));
                notes.error("unknown-key", Place::new(file, part.span), message, help);
            }
        }
    }
}

fn hosts(file: usize, group: &str, node: &Node, inventory: &mut Inventory, notes: &mut Notes) {
    let help = "hosts are written `name:`, each with its variables under it";
    for (key, node) in entries(file, node, notes, help) {
        let at = Place::new(file, key.span);
        let names = match range::expand(&key.text) {
            Ok(names) => names,
            Err(why) => {
                let message = format!("{}: {why}", shown(&key.text));
                notes.error("invalid-value", at, message, "fix the range");
                continue;
            }
        };
        if !inventory.has_room(names.len(), at, notes) {
            return;
        }
        let vars = vars(file, node, notes);
        for name in names {
            inventory.place(group, &name, at, &vars, notes);
        }
    }
}

fn vars(file: usize, node: &Node, notes: &mut Notes) -> Vars {
    let mut vars = Vars::new();
    let own = entries(file, node, notes, "variables are written `key: value`");
    let merged = own.iter().filter(|(key, _)| key.text == "<<");
    let merged: Vec<&Entries> = merged
        .filter_map(|(_, node)| match &node.value {
            yaml::Value::Mapping(entries) => Some(entries.as_slice()),
            _ => None,
        })
        .collect();
    for (key, node) in merged.into_iter().flatten().chain(own) {
        if let Some(value) = value(node) {
            let place = Place::new(file, node.span);
            vars.insert(key.text.clone(), Var { value, place });
        }
    }
    vars
}

/// A value as far as anything is taken of it.
fn value(node: &Node) -> Option<Value> {
    let text = |node: &Node| match &node.value {
        yaml::Value::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    };
    match &node.value {
        _ if node.is_null() => None,
        yaml::Value::Scalar { text, .. } => Some(Value::Text(text.clone())),
        yaml::Value::Sequence(items) => Some(Value::List(
            items.iter().filter_map(|item| text(item)).collect(),
        )),
        yaml::Value::Mapping(entries) => {
            let pairs = entries.iter();
            let pairs = pairs.filter_map(|(key, node)| Some((key.text.clone(), text(node)?)));
            Some(Value::Mapping(pairs.collect()))
        }
        yaml::Value::Broken => None,
    }
}
