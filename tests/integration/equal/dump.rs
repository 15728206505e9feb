//! What a cluster is like, as lines that can be compared: where, and what is
//! there. What differs each time by chance (names, times, keys) is left out
//! or told by what it stands for.

mod api;
mod certificate;
mod chance;
mod host;
mod kubeconfig;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

pub use self::host::KUBELET;
use super::Grown;

/// Lines by where they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClusterDump(BTreeMap<String, String>);

impl ClusterDump {
    /// Of a cluster, once it has come to rest.
    pub fn of(grown: &Grown) -> Self {
        let mut dump = Self::default();
        host::wait_until_ready(grown);
        api::wait_until_ready(grown);
        api::add(grown, &mut dump);
        for node in super::nodes() {
            host::add(grown, node, &mut dump);
        }
        dump
    }

    /// Where there is a line in either, or where it says something else, with
    /// both of them.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<Difference<'a>> {
        let places: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let both = places.into_iter().map(|at| {
            let line = |dump: &'a Self| dump.0.get(at).map(String::as_str);
            (at.as_str(), line(self), line(other))
        });
        both.filter(|(_, one, other)| one != other).collect()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One line.
    pub fn line(&mut self, at: impl Into<String>, what: impl Into<String>) {
        let at = at.into();
        let before = self.0.insert(at.clone(), what.into());
        assert_eq!(before, None, "two lines for {at}");
    }

    /// A document, a line for each of its ends. Lists whose items have names
    /// go by these, and arguments by theirs, so that one more moves no other.
    fn document(&mut self, at: &str, value: &Value) {
        match value {
            Value::Object(fields) if fields.is_empty() => self.line(at, "{}"),
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.document(&below(at, key), value);
                }
            }
            Value::Array(items) => self.list(at, items),
            Value::String(text) => self.line(at, text),
            other => self.line(at, other.to_string()),
        }
    }

    fn list(&mut self, at: &str, items: &[Value]) {
        let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
        if let Some(texts) = texts {
            let (arguments, others): (Vec<_>, Vec<_>) =
                texts.into_iter().partition(|text| text.starts_with("--"));
            if arguments.is_empty() || !others.is_empty() {
                self.line(at, others.join(", "));
            }
            for argument in arguments {
                let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
                self.line(below(at, name), value);
            }
            return;
        }
        let names = ["name", "key", "mountPath"];
        let names = names.into_iter().find_map(|key| distinct(items, key));
        for (place, item) in items.iter().enumerate() {
            let name = names.as_ref().map(|names| names[place].to_owned());
            let name = name.unwrap_or_else(|| place.to_string());
            self.document(&below(at, &name), item);
        }
    }

    /// Writes it where somebody can read it, below `target/tmp`.
    pub fn keep(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("equivalence");
        std::fs::create_dir_all(&folder).expect("a folder");
        let lines = self.0.iter().map(|(at, what)| format!("{at} = {what}\n"));
        let text: String = lines.collect();
        std::fs::write(folder.join(format!("{name}.txt")), text).expect("a file");
    }
}

/// Where it is, and what the first and the second dump say there.
pub type Difference<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn below(at: &str, name: &str) -> String {
    let dot = if at.ends_with(' ') { "" } else { "." };
    format!("{at}{dot}{name}")
}

/// What a field says in each item, if it is there in all and never the same.
fn distinct<'a>(items: &'a [Value], field: &str) -> Option<Vec<&'a str>> {
    let values: Option<Vec<_>> = items.iter().map(|item| item[field].as_str()).collect();
    let values = values?;
    let once: BTreeSet<_> = values.iter().collect();
    (once.len() == values.len()).then_some(values)
}
