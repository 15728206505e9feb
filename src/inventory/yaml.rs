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
    /// Levels of it, aliases put in, itself counted.
    depth: usize,
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
    /// What could not be read and is reported already.
    Broken,
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    pub text: String,
    pub span: Span,
}

impl Node {
    fn new(value: Value, span: Span) -> Self {
        let (mut size, mut depth, mut end) = (1, 1, span.end.max(span.start));
        let mut add = |child: &Node| {
            size += child.size;
            depth = depth.max(child.depth + 1);
            end = end.max(child.span.end);
        };
        match &value {
            Value::Sequence(items) => items.iter().for_each(|item| add(item)),
            Value::Mapping(entries) => entries.iter().for_each(|(_, value)| add(value)),
            Value::Scalar { .. } | Value::Broken => {}
        }
        Self {
            span: Span {
                start: span.start,
                end,
            },
            value,
            size,
            depth,
        }
    }

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
            Value::Broken => "unreadable",
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
        level: 0,
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
        Finding::error("empty", Span { start: 0, end: 0 }, message).help(
            "`kdiy init --force` writes one here; by hand, begin with `apiVersion: kdiy/v1alpha1`",
        )
    })
}

struct Tree<'t, 'f> {
    text: &'t str,
    events: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Rc<Node>>,
    size: usize,
    /// How many values are open.
    level: usize,
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
                let (start, info) = (self.offset(*error.marker()), error.info());
                let finding = Finding::error(
                    "yaml-syntax",
                    Span { start, end: start },
                    format!("this is not valid YAML: {info}"),
                );
                let finding = finding.help(syntax_help(self.text, start, &info));
                let quote = opened_quote(self.text, start).filter(|_| info.contains("quoted"));
                Err(match quote {
                    Some(quote) => finding.related(quote, "opened here"),
                    None => finding,
                })
            }
        }
    }

    fn offset(&self, marker: Marker) -> usize {
        let mut offset = marker
            .byte_offset()
            .unwrap_or(usize::MAX)
            .min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Rc<Node>, Finding> {
        // The parser has limits of its own, but not for `[a: : : :`.
        self.level += 1;
        self.grow(0, self.level, span)?;
        let node = self.whole_node(event, span);
        self.level -= 1;
        node
    }

    fn whole_node(&mut self, event: Event<'t>, span: Span) -> Result<Rc<Node>, Finding> {
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
            Event::SequenceStart(_, anchor, tag) => (Value::Sequence(self.items()?), anchor, tag),
            Event::MappingStart(_, anchor, tag) => (Value::Mapping(self.entries()?), anchor, tag),
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::UnresolvedAlias(name) => {
                let shown = quoted(&format!("&{name}"));
                let message = format!("nothing above is anchored as {shown}");
                self.findings
                    .push(Finding::error("unknown-anchor", span, message).help(
                        "anchor the value before it is used, or quote the text if a `*` is meant",
                    ));
                (Value::Broken, 0, None)
            }
            // Every other event ends or begins something that `parse`,
            // `items` and `entries` have taken.
            _ => {
                let finding = Finding::error("yaml-syntax", span, "no value where one must be");
                return Err(finding.help("write a value"));
            }
        };
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let message = format!(
                "tags such as {} have no meaning here",
                quoted(&tag.to_string())
            );
            self.findings.push(
                Finding::error("yaml-tag", span, message).help(
                    "leave the tag out; secrets do not belong in an inventory, see `ssh.sudo`",
                ),
            );
        }
        let node = Rc::new(Node::new(value, span));
        self.grow(1, node.depth, span)?;
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn items(&mut self) -> Result<Vec<Rc<Node>>, Finding> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
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
            let message = "this alias is part of what it stands for";
            return Err(Finding::error("unknown-anchor", span, message).help("write the value out"));
        };
        self.grow(node.size, node.depth, span)?;
        Ok(node)
    }

    fn grow(&mut self, size: usize, depth: usize, span: Span) -> Result<(), Finding> {
        self.size = self.size.saturating_add(size);
        let message = if self.size > MOST_VALUES {
            format!("the inventory holds more than {MOST_VALUES} values here")
        } else if depth > DEEPEST {
            format!("values are nested more than {DEEPEST} deep here")
        } else {
            return Ok(());
        };
        Err(Finding::error("too-large", span, message).help(
            "what an alias stands for counts each time it is used; write less, or use fewer of them",
        ))
    }
}

/// The fix, as far as the place and the parser's own words betray it.
fn syntax_help(text: &str, offset: usize, info: &str) -> &'static str {
    let line_start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    if line
        .chars()
        .take_while(|c| c.is_whitespace())
        .any(|c| c == '\t')
    {
        "YAML is indented with spaces; replace the tabs"
    } else if info.contains("quoted") {
        "close the quote that is opened above"
    } else if info.contains("bracket") {
        "close every `{` and `[`"
    } else {
        "keys of one mapping begin in the same column, and a text that holds `: ` or ` #` needs quotes; the rest of the file could not be read"
    }
}

/// The line above an error in a quoted text on which the quote is opened.
fn opened_quote(text: &str, offset: usize) -> Option<Span> {
    const LINES: usize = 20;
    let mut end = offset;
    for _ in 0..LINES {
        let start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &text[start..end];
        for quote in ['"', '\''] {
            if line.matches(quote).count() % 2 == 1 {
                let at = start + line.rfind(quote)?;
                return Some(Span {
                    start: at,
                    end: at + 1,
                });
            }
        }
        end = start.checked_sub(1)?;
    }
    None
}
