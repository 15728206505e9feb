//! YAML as a tree that knows where everything was written.
//!
//! Only the shape is read here, so that one wrong type does not hide the next
//! mistake. A scalar keeps the text as written: `1.30` stays `1.30`.

use std::collections::HashMap;
use std::rc::Rc;

use serde_saphyr::granit_parser::{self, Event, Marker, Parser, ScalarStyle, options};

use super::finding::{Finding, Span, quoted};

/// Longest inventory, in bytes.
pub const LONGEST: usize = 1 << 20;
/// Most values of an inventory once its aliases are put in.
pub const MOST_VALUES: usize = 100_000;
const DEEPEST: usize = 64;

/// A value and where it was written.
#[derive(Debug)]
pub struct Node {
    pub span: Span,
    pub value: Value,
    /// Values in it, aliases put in, itself counted.
    size: usize,
}

/// What a value is.
#[derive(Debug)]
pub enum Value {
    /// A text; `plain` when neither quoted nor a block.
    Scalar { text: String, plain: bool },
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// A mapping without repeated keys.
    Mapping(Vec<(Key, Rc<Node>)>),
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    pub text: String,
    pub span: Span,
}

impl Node {
    /// Whether nothing was written: `key:`, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar { .. } => "a text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Reads the one document of a text. `Err` is what made the rest unreadable.
pub fn parse(text: &str, findings: &mut Vec<Finding>) -> Result<Rc<Node>, Finding> {
    if text.len() > LONGEST {
        let message = format!(
            "the inventory is {} bytes long, more than {LONGEST}",
            text.len()
        );
        let finding = Finding::error("too-large", Span { start: 0, end: 0 }, message);
        return Err(finding.help("is this really an inventory?"));
    }
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let events = Parser::new_from_str_with_options(text, options);
    let mut tree = Tree {
        text,
        events,
        anchors: HashMap::new(),
        size: 0,
        findings,
    };
    let mut document = None;
    loop {
        match tree.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (_, span) if document.is_some() => {
                let message = "a second document begins here; an inventory is one document";
                return Err(Finding::error("several-documents", span, message)
                    .help("keep one cluster in one file and take the `---` out"));
            }
            (event, span) => document = Some(tree.node(event, span)?),
        }
    }
    document.filter(|node| !node.is_null()).ok_or_else(|| {
        let message = "the inventory is empty";
        Finding::error("empty", Span { start: 0, end: 0 }, message)
            .help("begin with `apiVersion: kdiy/v1alpha1`; inventories/ has examples")
    })
}

struct Tree<'t, 'f> {
    text: &'t str,
    events: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Rc<Node>>,
    size: usize,
    findings: &'f mut Vec<Finding>,
}

impl<'t> Tree<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Finding> {
        match self.events.next_event() {
            None => Ok((
                Event::StreamEnd,
                Span {
                    start: self.text.len(),
                    end: self.text.len(),
                },
            )),
            Some(Ok((event, span))) => Ok((
                event,
                Span {
                    start: self.offset(span.start),
                    end: self.offset(span.end),
                },
            )),
            Some(Err(error)) => {
                let start = self.offset(*error.marker());
                let finding =
                    Finding::error("yaml-syntax", Span { start, end: start }, error.info());
                Err(match syntax_help(self.text, start) {
                    Some(help) => finding.help(help),
                    None => finding,
                })
            }
        }
    }

    fn offset(&self, marker: Marker) -> usize {
        marker.byte_offset().unwrap_or(self.text.len())
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Rc<Node>, Finding> {
        let (mut end, mut size) = (span.end, 1);
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (
                    Value::Scalar {
                        text: text.into_owned(),
                        plain,
                    },
                    anchor,
                    tag,
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span)?),
                    }
                }
                size += items.iter().map(|item| item.size).sum::<usize>();
                end = items.last().map_or(end, |item| item.span.end);
                (Value::Sequence(items), anchor, tag)
            }
            Event::MappingStart(_, anchor, tag) => {
                let entries = self.entries()?;
                size += entries.iter().map(|(_, value)| value.size).sum::<usize>();
                end = entries
                    .last()
                    .map_or(end, |(key, value)| value.span.end.max(key.span.end));
                (Value::Mapping(entries), anchor, tag)
            }
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::UnresolvedAlias(name) => {
                self.findings.push(
                    Finding::error(
                        "unknown-anchor",
                        span,
                        format!(
                            "nothing above is anchored as {}",
                            quoted(&format!("&{name}"))
                        ),
                    )
                    .help(
                        "anchor the value before it is used, or quote the text if a `*` is meant",
                    ),
                );
                (
                    Value::Scalar {
                        text: String::new(),
                        plain: true,
                    },
                    0,
                    None,
                )
            }
            // Every other event ends or begins something that `parse`,
            // `entries` and the loop above have taken.
            _ => {
                return Err(Finding::error(
                    "yaml-syntax",
                    span,
                    "no value where one must be",
                ));
            }
        };
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            self.findings.push(
                Finding::error(
                    "yaml-tag",
                    span,
                    format!(
                        "tags such as {} have no meaning here",
                        quoted(&tag.to_string())
                    ),
                )
                .help("leave the tag out; secrets do not belong into an inventory, see `ssh.sudo`"),
            );
        }
        self.grow(1, span)?;
        let node = Rc::new(Node {
            span: Span {
                start: span.start,
                end: end.max(span.start),
            },
            value,
            size,
        });
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn entries(&mut self) -> Result<Vec<(Key, Rc<Node>)>, Finding> {
        let mut entries: Vec<(Key, Rc<Node>)> = Vec::new();
        let mut first_use: HashMap<String, Span> = HashMap::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                next => next,
            };
            let key = self.node(event, span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            let Value::Scalar { text, .. } = &key.value else {
                let message = format!("{} cannot be a key", key.kind());
                self.findings
                    .push(Finding::error("wrong-type", key.span, message).help(
                        "write `key: value`; a text that begins with `{`, `[` or `*` needs quotes",
                    ));
                continue;
            };
            let key = Key {
                text: text.clone(),
                span: key.span,
            };
            if let Some(first) = first_use.get(&key.text) {
                let message = format!("the key {} is used twice", quoted(&key.text));
                self.findings.push(
                    Finding::error("duplicate-key", key.span, message)
                        .related(*first, "first used here")
                        .help("keep one of the two"),
                );
                continue;
            }
            first_use.insert(key.text.clone(), key.span);
            entries.push((key, value));
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Rc<Node>, Finding> {
        let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
            return Err(Finding::error(
                "unknown-anchor",
                span,
                "this alias is part of what it stands for",
            )
            .help("write the value out"));
        };
        self.grow(node.size, span)?;
        Ok(node)
    }

    fn grow(&mut self, size: usize, span: Span) -> Result<(), Finding> {
        self.size = self.size.saturating_add(size);
        if self.size <= MOST_VALUES {
            return Ok(());
        }
        let message = format!("the inventory holds more than {MOST_VALUES} values here");
        Err(Finding::error("too-large", span, message)
            .help("aliases count as often as they are used; write less, or fewer of them"))
    }
}

fn syntax_help(text: &str, offset: usize) -> Option<&'static str> {
    let line_start = text
        .get(..offset)?
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line = text.get(line_start..)?.lines().next().unwrap_or_default();
    if line
        .chars()
        .take_while(|c| c.is_whitespace())
        .any(|c| c == '\t')
    {
        return Some("YAML is indented with spaces; replace the tabs");
    }
    if line.matches('"').count() % 2 == 1 || line.matches('\'').count() % 2 == 1 {
        return Some("a quote is opened and not closed");
    }
    Some(
        "check the indentation, and that a `: ` inside a text is quoted; nothing after this could be read",
    )
}
