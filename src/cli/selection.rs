//! `--on`: nodes by role or by name.

use std::str::FromStr;

use super::{CliError, Exit};
use crate::cluster::{Cluster, Name, Node, Role};
use crate::inventory::reader::nearest;

/// Names in a hint at most.
const NAMED: usize = 12;

/// One word of `--on`, such as `cp-1`, `worker` or `all`. Whether it is a
/// node's name is only known beside an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(String);

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("there is a word missing: write node names, roles or all".to_owned());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning<'c> {
    All,
    Role(Role),
    Node(&'c Name),
}

impl Meaning<'_> {
    fn has(self, node: &Node) -> bool {
        match self {
            Self::All => true,
            Self::Role(role) => node.roles.has(role),
            Self::Node(name) => node.name == *name,
        }
    }
}

/// The nodes that any of the words stands for, in the inventory's order and
/// each once; without a word all of them.
///
/// # Errors
/// When a word stands for no node; exit 64.
pub fn select<'c>(cluster: &'c Cluster, words: &[Word]) -> Result<Vec<&'c Node>, CliError> {
    let meanings = words
        .iter()
        .map(|word| meaning(cluster, word))
        .collect::<Result<Vec<_>, _>>()?;
    let chosen =
        |node: &&Node| meanings.is_empty() || meanings.iter().any(|meaning| meaning.has(node));
    Ok(cluster.nodes.iter().filter(chosen).collect())
}

/// One node by its name.
///
/// # Errors
/// When there is none of that name; exit 64.
pub fn node<'c>(cluster: &'c Cluster, name: &str) -> Result<&'c Node, CliError> {
    let found = cluster.nodes.iter().find(|node| node.name.as_str() == name);
    found.ok_or_else(|| {
        let names: Vec<_> = names(cluster).collect();
        let what = format!("there is no node {name:?} in the inventory");
        CliError::message(Exit::Usage, what).hint(hint(name, &names))
    })
}

/// A node's own name goes before a role of the same name.
fn meaning<'c>(cluster: &'c Cluster, Word(word): &Word) -> Result<Meaning<'c>, CliError> {
    let named = cluster.nodes.iter().find(|node| node.name.as_str() == word);
    if let Some(node) = named {
        return Ok(Meaning::Node(&node.name));
    }
    if word == "all" {
        return Ok(Meaning::All);
    }
    let role = Role::ALL.into_iter().find(|role| role.as_str() == word);
    let Some(role) = role else {
        let roles = Role::ALL.iter().map(|role| role.as_str());
        let known: Vec<_> = names(cluster).chain(roles).chain(["all"]).collect();
        let what = format!("{word:?} is neither a node of the inventory nor a role");
        return Err(CliError::message(Exit::Usage, what).hint(hint(word, &known)));
    };
    if cluster.with_role(role).next().is_none() {
        let what = format!("no node of the inventory has the role {word}");
        let names: Vec<_> = names(cluster).collect();
        return Err(CliError::message(Exit::Usage, what).hint(listed(&names)));
    }
    Ok(Meaning::Role(role))
}

fn names(cluster: &Cluster) -> impl Iterator<Item = &str> {
    cluster.nodes.iter().map(|node| node.name.as_str())
}

fn hint(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => listed(known),
    }
}

fn listed(known: &[&str]) -> String {
    let rest = known.len().saturating_sub(NAMED);
    // Roles stand at the end, and are what helps in a large inventory.
    let skipped = if rest > 0 { ", .." } else { "" };
    let (first, last) = known.split_at(known.len().min(NAMED / 2));
    let last = &last[last.len().saturating_sub(NAMED - NAMED / 2)..];
    let first = first.join(", ");
    match last {
        [] => format!("known are {first}"),
        _ => format!("known are {first}{skipped}, {}", last.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory;
    use proptest::prelude::*;

    fn cluster() -> Cluster {
        let text = include_str!("../../inventories/stacked-ha.yaml");
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        inventory::load(text, &read).cluster.unwrap()
    }

    fn chosen(words: &[&str]) -> Result<Vec<String>, String> {
        let words: Vec<Word> = words.iter().map(|word| word.parse().unwrap()).collect();
        let cluster = cluster();
        let nodes = select(&cluster, &words).map_err(|failed| {
            assert_eq!(failed.exit, Exit::Usage);
            format!("{}; {}", failed.error, failed.hint.unwrap())
        })?;
        Ok(nodes.iter().map(|node| node.name.to_string()).collect())
    }

    #[test]
    fn words_are_roles_names_or_all() {
        let all = chosen(&[]).unwrap();
        assert!(all.len() > 4, "{all:?}");
        assert_eq!(chosen(&["all"]).unwrap(), all);
        let planes = chosen(&["control-plane"]).unwrap();
        assert_eq!(planes.len(), 3);
        let both = chosen(&[&all[1], "control-plane", &all[1]]).unwrap();
        assert_eq!(both.iter().filter(|name| **name == all[1]).count(), 1);
        assert_eq!(chosen(&[&all[0].to_uppercase()]).unwrap(), [all[0].clone()]);
    }

    #[test]
    fn unknown_words_get_the_nearest_word() {
        assert_eq!(
            chosen(&["wroker"]).unwrap_err(),
            "\"wroker\" is neither a node of the inventory nor a role; did you mean worker?"
        );
        let lost = chosen(&["nonsense"]).unwrap_err();
        assert!(
            lost.contains("control-plane") && lost.contains("all"),
            "{lost}"
        );
        let none = chosen(&["etcd"]).unwrap_err();
        assert!(none.contains("has the role etcd"), "{none}");
        let cluster = cluster();
        let name = cluster.nodes[0].name.as_str();
        let typo = node(&cluster, &format!("{name}x")).unwrap_err();
        assert_eq!(typo.hint, Some(format!("did you mean {name}?")));
    }

    #[test]
    fn many_names_are_not_all_listed() {
        let many: Vec<String> = (0..40).map(|place| format!("node-{place}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let shown = listed(&many);
        assert!(
            shown.contains("node-0, ") && shown.ends_with("node-39"),
            "{shown}"
        );
        assert!(shown.len() < 140, "{shown}");
        assert_eq!(listed(&["a", "b"]), "known are a, b");
    }

    proptest! {
        #[test]
        fn any_word_selects_or_is_refused(word in "\\PC{1,20}") {
            if let Ok(word) = word.parse::<Word>() {
                match select(&cluster(), &[word]) {
                    Ok(nodes) => prop_assert!(!nodes.is_empty()),
                    Err(failed) => prop_assert!(failed.hint.is_some()),
                }
            }
        }
    }
}
