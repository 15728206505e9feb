//! Typed values out of the tree. Whatever is wrong is reported and left out,
//! so that reading goes on to the next mistake.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::fields::Mapping;
use super::finding::{Finding, Span, Spanned, quoted};
use super::yaml::{Key, Node, Value};

/// Where findings are collected and named files are read.
pub struct Reader<'r> {
    pub findings: RefCell<Vec<Finding>>,
    pub read: &'r dyn Fn(&Path) -> std::io::Result<String>,
}

/// A mapping whose keys are known.
pub struct Fields<'n, 'r> {
    reader: &'n Reader<'r>,
    pub span: Span,
    entries: &'n [(Key, Rc<Node>)],
    known: &'static Mapping,
}

/// Why a text is refused: the message, and the fix.
pub struct ParseError {
    pub message: String,
    pub help: String,
}

/// Shorthand for a [`ParseError`].
pub fn parse_error<T>(
    message: impl Into<String>,
    help: impl Into<String>,
) -> Result<T, ParseError> {
    Err(ParseError {
        message: message.into(),
        help: help.into(),
    })
}

impl Reader<'_> {
    pub fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    fn wrong_type(&self, node: &Node, wanted: &str, example: &str) {
        if matches!(node.value, Value::Broken) {
            return;
        }
        let message = format!("{} is wanted here, this is {}", wanted, node.kind());
        self.report(
            Finding::error("wrong-type", first_token(node), message)
                .help(format!("write {example}")),
        );
    }

    /// A mapping, its unknown keys reported with the nearest known one.
    pub fn fields<'n>(
        &'n self,
        node: &'n Node,
        known: &'static Mapping,
        example: &str,
    ) -> Option<Fields<'n, 'n>> {
        let Value::Mapping(entries) = &node.value else {
            self.wrong_type(node, "a mapping", example);
            return None;
        };
        for (key, _) in entries
            .iter()
            .filter(|(key, _)| known.field(&key.text).is_none())
        {
            let message = format!("the key {} is not known here", quoted(&key.text));
            let help = if key.text == "<<" {
                "merge keys are not part of YAML 1.2; what all nodes share goes under `ssh:` at the top".to_owned()
            } else {
                match nearest(&key.text, known.names()) {
                    Some(near) => format!("is `{near}` meant?"),
                    None => {
                        let names: Vec<_> = known.names().collect();
                        format!("known here: {}", names.join(", "))
                    }
                }
            };
            self.report(Finding::error("unknown-key", key.span, message).help(help));
        }
        Some(Fields {
            reader: self,
            span: node.span,
            entries,
            known,
        })
    }

    /// A mapping with free keys.
    pub fn entries<'n>(&self, node: &'n Node, example: &str) -> &'n [(Key, Rc<Node>)] {
        match &node.value {
            Value::Mapping(entries) => entries,
            _ => {
                self.wrong_type(node, "a mapping", example);
                &[]
            }
        }
    }

    /// The items of a list.
    pub fn list<'n>(&self, node: &'n Node, example: &str) -> &'n [Rc<Node>] {
        match &node.value {
            Value::Sequence(items) => items,
            _ => {
                self.wrong_type(node, "a list", example);
                &[]
            }
        }
    }

    /// A text that is not empty, quoted or not.
    pub fn text(&self, node: &Node, example: &str) -> Option<Spanned<String>> {
        match &node.value {
            Value::Scalar { text, .. } if !node.is_null() && !text.trim().is_empty() => {
                Some(Spanned {
                    value: text.trim().to_owned(),
                    span: node.span,
                })
            }
            Value::Scalar { .. } if !node.is_null() => {
                let finding = Finding::error("invalid-value", node.span, "this text is empty");
                self.report(finding.help(format!("write {example}, or leave the key out")));
                None
            }
            _ => {
                self.wrong_type(node, "a text", example);
                None
            }
        }
    }

    /// A text that a function understands.
    pub fn parse<T>(
        &self,
        node: &Node,
        code: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, ParseError>,
    ) -> Option<Spanned<T>> {
        let text = self.text(node, example)?;
        match parse(&text.value) {
            Ok(value) => Some(Spanned {
                value,
                span: text.span,
            }),
            Err(ParseError { message, help }) => {
                self.report(Finding::error(code, text.span, message).help(help));
                None
            }
        }
    }

    /// One of several words; `others` are words that may be tried, each with
    /// what to write instead.
    pub fn choice<T: Clone>(
        &self,
        node: &Node,
        choices: &[(&'static str, T)],
        others: &[(&str, &str)],
    ) -> Option<Spanned<T>> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let all = either(&words);
        let text = self.text(node, &all)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned {
                value: value.clone(),
                span: text.span,
            });
        }
        let known = others.iter().find(|(word, _)| *word == text.value);
        let near = nearest(&text.value, words.iter().copied());
        let help = match (known, near) {
            (Some((_, instead)), _) => (*instead).to_owned(),
            (None, Some(near)) => format!("is `{near}` meant? write {all}"),
            (None, None) => format!("write {all}"),
        };
        let message = format!("{} is no choice here", quoted(&text.value));
        let finding = Finding::error("unknown-choice", text.span, message).help(help);
        self.report(finding);
        None
    }

    /// `true` or `false`, unquoted.
    pub fn boolean(&self, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Scalar { text, plain: true } if text == "true" => Some(true),
            Value::Scalar { text, plain: true } if text == "false" => Some(false),
            Value::Scalar { text, .. } if !node.is_null() => {
                let message = format!("{} is neither `true` nor `false`", quoted(text));
                let finding = Finding::error("wrong-type", node.span, message);
                self.report(finding.help("write true or false, without quotes"));
                None
            }
            _ => {
                self.wrong_type(node, "true or false", "true or false");
                None
            }
        }
    }

    /// A TCP port.
    pub fn port(&self, node: &Node) -> Option<u16> {
        self.parse(node, "invalid-port", "a number such as 6443", port)
            .map(|port| port.value)
    }

    /// A list of texts.
    pub fn texts(&self, node: &Node, example: &str) -> Vec<Spanned<String>> {
        self.list(node, example)
            .iter()
            .filter_map(|item| self.text(item, example))
            .collect()
    }

    /// The text of a file that is named in the inventory.
    pub fn file(&self, name: &Spanned<String>) -> Option<String> {
        match (self.read)(Path::new(&name.value)) {
            Ok(text) => Some(text),
            Err(error) => {
                let message = format!("the file {} cannot be read: {error}", quoted(&name.value));
                let finding = Finding::error("unreadable-file", name.span, message);
                self.report(
                    finding.help("paths are taken from the folder that the inventory is in"),
                );
                None
            }
        }
    }
}

impl<'n> Fields<'n, '_> {
    /// The value of a key; `None` where it is absent or left empty.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        debug_assert!(
            self.known.field(key).is_some(),
            "{key} is read but not known"
        );
        let entry = self.entries.iter().find(|(raw, _)| raw.text == key);
        entry
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_null())
    }

    /// Where a key stands, when it is there.
    pub fn key(&self, key: &str) -> Option<Span> {
        self.entries
            .iter()
            .find(|(raw, _)| raw.text == key)
            .map(|(key, _)| key.span)
    }

    /// The value of a key that must be there.
    pub fn require(&self, key: &str, example: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let (span, message) = match self.key(key) {
                Some(span) => (span, format!("`{key}` is left empty")),
                None => (self.start(), format!("`{key}` is missing")),
            };
            self.reader.report(
                Finding::error("missing-key", span, message).help(format!("add {example}")),
            );
        }
        found
    }

    /// Where the mapping begins: its first key.
    pub fn start(&self) -> Span {
        self.entries.first().map_or(self.span, |(key, _)| key.span)
    }

    /// Refuses keys that are known here but mean nothing to the kind that was
    /// chosen.
    pub fn only_for(&self, kind: &str) {
        let fields = self.known.fields.iter();
        let own = fields.filter(|field| field.name != "kind" && field.is_for(kind));
        let own: Vec<_> = own.map(|field| field.name).collect();
        let of_other_kind = |key: &Key| {
            let field = self.known.field(&key.text);
            field.is_some_and(|field| !field.is_for(kind))
        };
        for (key, _) in self.entries.iter().filter(|(key, _)| of_other_kind(key)) {
            let message = format!("`{}` means nothing to `{kind}`", key.text);
            let help = match own.as_slice() {
                [] => format!("take it out; `{kind}` has no keys of its own"),
                own => format!("take it out; `{kind}` knows {}", own.join(", ")),
            };
            self.reader
                .report(Finding::error("foreign-key", key.span, message).help(help));
        }
    }

    /// Refuses two keys that say the same; returns whether both are there.
    pub fn exclusive(&self, one: &str, other: &str) -> bool {
        if let (Some(one_span), Some(other_span)) = (self.key(one), self.key(other)) {
            let message = format!("`{one}` and `{other}` exclude each other");
            let finding = Finding::error("conflicting-keys", other_span, message);
            self.reader.report(
                finding
                    .related(one_span, format!("`{one}` is here"))
                    .help("keep one of the two"),
            );
            return true;
        }
        false
    }
}

/// `a`, `b` or `c`.
fn either(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// A path as written.
pub fn path(text: Spanned<String>) -> PathBuf {
    PathBuf::from(text.value)
}

/// A TCP port.
pub fn port(text: &str) -> Result<u16, ParseError> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => parse_error(
            format!("{} is no TCP port", quoted(text)),
            "write a number from 1 to 65535",
        ),
    }
}

/// The known word that is nearest to a written one, if any is near.
pub fn nearest<'k>(raw: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let raw = plain(&raw.chars().take(64).collect::<String>());
    known
        .map(|word| (strsim::damerau_levenshtein(&raw, &plain(word)), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// What is underlined for a value of the wrong type: a scalar itself, the
/// beginning of a collection.
fn first_token(node: &Node) -> Span {
    match &node.value {
        Value::Mapping(entries) => entries.first().map_or(node.span, |(key, _)| key.span),
        _ => node.span,
    }
}
