//! Outputs of Terraform and OpenTofu, as `terraform output -json` prints them.
//!
//! Three shapes are read: an output that has the inventory's own keys, the
//! outputs that KubeOne's modules have, and any others by a mapping.

mod kubeone;
mod mapping;
mod native;

use std::cell::RefCell;
use std::rc::Rc;

pub use mapping::{Mapping, Target};

use super::imported::{Imported, Source};
use super::{Draft, imported};
use crate::cluster::Name;
use crate::inventory::finding::{Finding, Span, quoted};
use crate::inventory::reader::{Reader, nearest};
use crate::inventory::yaml::{self, Node, Value};

/// What is taken from the outputs.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The output with the inventory's own keys; `kdiy` by default.
    pub output: Option<String>,
    /// Which outputs are what; then no such output is looked for.
    pub mappings: Vec<Mapping>,
}

/// Outputs by their names.
struct Outputs<'n> {
    reader: &'n Reader<'n>,
    json: &'n serde_json::Value,
    root: &'n Node,
    list: Vec<Output<'n>>,
}

/// One output.
struct Output<'n> {
    name: &'n str,
    span: Span,
    value: &'n Node,
    sensitive: bool,
}

/// Reads outputs; `name` is that of the file.
#[must_use]
pub fn import(name: &str, text: &str, wanted: &Wanted) -> Imported {
    let mut findings = Vec::new();
    let read = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => yaml::parse(text, &mut findings).map(|root| (json, root)),
        Err(error) => Err(syntax(text, &error)),
    };
    let (json, root) = match read {
        Ok(read) => read,
        Err(fatal) => {
            findings.push(fatal);
            // What may be secret is not known where nothing could be read.
            let all = Span {
                start: 0,
                end: text.len(),
            };
            return Imported::new(None, vec![Source::new(name, text, findings, &[all])]);
        }
    };
    let unread = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let reader = Reader {
        findings: RefCell::new(findings),
        read: &unread,
    };
    let mut secrets = Vec::new();
    let draft = outputs(&reader, &json, &root).and_then(|outputs| {
        let sensitive = outputs.list.iter().filter(|output| output.sensitive);
        secrets.extend(sensitive.map(|output| output.value.span));
        draft(&outputs, wanted)
    });
    let findings = reader.findings.into_inner();
    Imported::new(draft, vec![Source::new(name, text, findings, &secrets)])
}

/// Where JSON ends being JSON.
fn syntax(text: &str, error: &serde_json::Error) -> Finding {
    let before = text.split_inclusive('\n').take(error.line().max(1) - 1);
    let start = before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let (message, help) = if text.trim().is_empty() {
        (
            "nothing was read".to_owned(),
            "pipe it in: terraform output -json | kdiy inventory import terraform",
        )
    } else if text.trim_start().starts_with(['{', '[']) {
        (
            format!("this is not valid JSON: {message}"),
            "take it as `terraform output -json` prints it, to its last line",
        )
    } else {
        (
            format!("this is not JSON: {message}"),
            "take what `terraform output -json` prints; without -json it is for people",
        )
    };
    let start = start.min(text.len());
    Finding::error("json-syntax", Span { start, end: start }, message).help(help)
}

fn outputs<'n>(
    reader: &'n Reader<'n>,
    json: &'n serde_json::Value,
    root: &'n Node,
) -> Option<Outputs<'n>> {
    const HELP: &str = "take what `terraform output -json` prints";
    let parse_error = |message: &str| {
        reader.report(Finding::error("wrong-type", root.span, message).help(HELP));
        None
    };
    let Value::Mapping(entries) = &root.value else {
        return parse_error("outputs are a JSON object with a key for each");
    };
    let field = |key: &str| entries.iter().find(|(own, _)| own.text == key);
    if field("format_version").is_some() {
        return parse_error("this is a state or a plan, not the outputs");
    }
    let mut list = Vec::new();
    for (key, node) in entries {
        let Value::Mapping(parts) = &node.value else {
            return parse_error("this is no list of outputs: each has a `value`");
        };
        let part = |name: &str| parts.iter().find(|(own, _)| own.text == name);
        let Some((_, value)) = part("value") else {
            return parse_error("this is no list of outputs: each has a `value`");
        };
        let sensitive = part("sensitive").is_some_and(
            |(_, value)| matches!(&value.value, Value::Scalar { text, .. } if text == "true"),
        );
        list.push(Output {
            name: &key.text,
            span: key.span,
            value,
            sensitive,
        });
    }
    if list.is_empty() {
        return parse_error("there are no outputs");
    }
    Some(Outputs {
        reader,
        json,
        root,
        list,
    })
}

fn draft(outputs: &Outputs<'_>, wanted: &Wanted) -> Option<Draft> {
    if !wanted.mappings.is_empty() {
        return mapping::draft(outputs, &wanted.mappings);
    }
    let name = wanted.output.as_deref().unwrap_or("kdiy");
    if let Some(output) = outputs.find(name) {
        return native::draft(outputs.reader, outputs.open(output)?);
    }
    if wanted.output.is_none() && outputs.find("kubeone_hosts").is_some() {
        return kubeone::draft(outputs);
    }
    let names: Vec<&str> = outputs.list.iter().map(|output| output.name).collect();
    let near = nearest(name, names.iter().copied());
    let meant = near.map_or_else(String::new, |near| format!("is `{near}` meant? "));
    let message = format!("no output is named {}", quoted(name));
    let start = outputs
        .list
        .first()
        .map_or(outputs.root.span, |output| output.span);
    outputs.reader.report(
        Finding::error("missing-output", start, message).help(format!(
            "{meant}choose one with --from-output NAME, or say which are what: \
             --map control-plane=OUTPUT. There are {}",
            names.join(", ")
        )),
    );
    None
}

impl<'n> Outputs<'n> {
    fn find(&self, name: &str) -> Option<&Output<'n>> {
        self.list.iter().find(|output| output.name == name)
    }

    /// The value of an output that may be shown.
    fn open(&self, output: &Output<'n>) -> Option<&'n Node> {
        if output.sensitive {
            let message = format!(
                "the output {} is sensitive, and an inventory is no secret",
                quoted(output.name)
            );
            self.reader.report(
                Finding::error("sensitive-output", output.span, message).help(
                    "make an output of addresses only, with nonsensitive(...) around what came \
                     from elsewhere",
                ),
            );
            return None;
        }
        Some(output.value)
    }
}

/// The value of a key that is there and neither null nor empty.
fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Rc<Node>> {
    let Value::Mapping(entries) = &node.value else {
        return None;
    };
    let found = entries.iter().find(|(own, _)| own.text == key);
    found
        .map(|(_, value)| value)
        .filter(|value| !is_empty(value))
}

fn is_empty(node: &Node) -> bool {
    node.is_null() || matches!(&node.value, Value::Scalar { text, .. } if text.is_empty())
}

/// The text of a scalar.
fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } if !is_empty(node) => Some(text),
        _ => None,
    }
}

/// A draft that still lacks its hosts.
fn begun(name: Option<Name>) -> Option<Draft> {
    let name = name.or_else(|| imported::Names::default().like("demo"))?;
    Some(Draft::new(name, "`kdiy inventory import terraform`"))
}

#[cfg(test)]
mod tests;
