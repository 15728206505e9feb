//! Settings to start from: a piece of an inventory without nodes, such as a
//! company's mirrors.

use crate::inventory::finding::{Finding, Severity, quoted};
use crate::inventory::yaml::{self, Value};

/// Settings that replace those of a draft, with their comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Each key at the top with the text that belongs to it, in order.
    settings: Vec<(String, String)>,
}

impl Base {
    /// Reads settings: a mapping of an inventory's keys, without `nodes`. What
    /// they mean is judged with the whole inventory.
    ///
    /// # Errors
    /// When the text is no such mapping; all findings, in order.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let root = match yaml::parse(text, &mut findings) {
            Ok(root) => root,
            Err(fatal) => {
                findings.push(fatal);
                return Err(findings);
            }
        };
        let Value::Mapping(entries) = &root.value else {
            let finding = Finding::error("wrong-type", root.span, "this is no mapping");
            findings.push(finding.help("write keys of an inventory, such as `packages:`"));
            return Err(findings);
        };
        let mut starts: Vec<(String, usize)> = Vec::new();
        let mut end = 0;
        for (key, value) in entries {
            let line = text[..key.span.start].rfind('\n').map_or(0, |at| at + 1);
            if line != key.span.start {
                let message = format!("{} does not begin its line", quoted(&key.text));
                findings.push(
                    Finding::error("wrong-type", key.span, message)
                        .help("write each key on a line of its own, without blanks before it"),
                );
                continue;
            }
            if key.text == "nodes" {
                let finding = Finding::error("unknown-key", key.span, "a base has no nodes");
                findings.push(finding.help("take `nodes` out; the hosts come from elsewhere"));
            }
            starts.push((key.text.clone(), comments_above(text, end, line)));
            end = value.span.end.max(key.span.end);
        }
        if findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
        {
            findings.sort_by_key(|finding: &Finding| finding.span.start);
            return Err(findings);
        }
        let ends = starts.iter().skip(1).map(|(_, start)| *start);
        let ends: Vec<usize> = ends.chain([text.len()]).collect();
        let settings = starts.into_iter().zip(ends);
        let settings = settings
            .map(|((key, start), end)| (key, without_marks(&text[start..end])))
            .collect();
        Ok(Self { settings })
    }

    /// The text of a key, with its comments; ends with a newline.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let setting = self.settings.iter().find(|(own, _)| own == key);
        setting.map(|(_, text)| text.as_str())
    }

    /// Keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|(key, _)| key.as_str())
    }
}

/// Where the comments begin that stand above a line, after what ends at `end`.
/// A comment that is indented belongs to what it stands in.
fn comments_above(text: &str, end: usize, line: usize) -> usize {
    let mut start = line;
    while start > end {
        let above = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        let content = &text[above..start];
        let belongs = content.starts_with('#') || content.trim().is_empty();
        if above < end || !belongs || start == 0 {
            break;
        }
        start = above;
        if start == 0 {
            break;
        }
    }
    start
}

/// Without blank lines around it and marks of a document's begin and end.
fn without_marks(text: &str) -> String {
    let mark = |line: &&str| matches!(line.trim_end(), "---" | "...");
    let lines: Vec<&str> = text.lines().filter(|line| !mark(line)).collect();
    let text = lines.join("\n");
    format!("{}\n", text.trim_matches('\n').trim_end())
}
