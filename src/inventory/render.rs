//! Findings as text, in the manner of rustc.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::finding::{Finding, Severity, Span};
use super::secrets::without_secrets;

/// How findings are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// A finding for programs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Stable name, listed in [`super::CODES`].
    pub code: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The inventory's file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and why.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// All findings for programs, in the order of the file.
#[must_use]
pub fn rows(findings: &[Finding], file_name: &str, text: &str) -> Vec<Row> {
    let row = |finding: &Finding| {
        let (line, column) = finding.span.line_column(text);
        Row {
            code: finding.code,
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            file: file_name.to_owned(),
            line,
            column,
            message: finding.message.clone(),
            help: finding.help.clone(),
        }
    };
    findings.iter().map(row).collect()
}

/// Most findings that are drawn; a file with more is another kind of file.
const MOST_DRAWN: usize = 200;

/// Draws findings with the source lines they are about, then a line that
/// counts them. Empty when there are none. What may be secret is drawn as asterisks.
#[must_use]
pub fn render(findings: &[Finding], file_name: &str, text: &str, style: Style) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let text = &masked(findings, text);
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer
        .term_width(style.width.max(40))
        .decor_style(DecorStyle::Ascii);
    let mut drawn: Vec<String> = findings
        .iter()
        .take(MOST_DRAWN)
        .map(|finding| draw(finding, file_name, text, &renderer))
        .collect();
    let more = match findings.len().saturating_sub(MOST_DRAWN) {
        0 => String::new(),
        more => format!("; {more} more are not shown"),
    };
    drawn.push(format!("{file_name}: {}{more}", count(findings)));
    drawn.join("\n\n") + "\n"
}

fn draw(finding: &Finding, file_name: &str, text: &str, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let related = finding.related.iter().map(|(span, label)| {
        AnnotationKind::Context
            .span(underlined(*span, text))
            .label(label.as_str())
    });
    let snippet = Snippet::source(text)
        .path(file_name)
        .annotation(AnnotationKind::Primary.span(underlined(finding.span, text)))
        .annotations(related);
    let mut group = level
        .primary_title(finding.message.as_str())
        .id(finding.code)
        .element(snippet);
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The text with what may be secret as asterisks, byte for byte, so that
/// places stay what they are.
fn masked(findings: &[Finding], text: &str) -> String {
    let mut masked = without_secrets(text);
    for finding in findings.iter().filter(|finding| finding.secret) {
        let range = finding.span.range();
        if let Some(secret) = masked.get(range.clone()) {
            // Lines and indentation stay, or all places after them would be others.
            let star = |byte: u8| {
                if byte.is_ascii_whitespace() {
                    char::from(byte)
                } else {
                    '*'
                }
            };
            let stars: String = secret.bytes().map(star).collect();
            masked.replace_range(range, &stars);
        }
    }
    masked
}

/// The part of a span that is underlined: its first line, whole characters
/// only, and at least one where there is one.
fn underlined(span: Span, text: &str) -> std::ops::Range<usize> {
    let boundary = |mut index: usize| {
        index = index.min(text.len());
        while !text.is_char_boundary(index) {
            index -= 1;
        }
        index
    };
    let start = boundary(span.start);
    let line = text[start..]
        .split(['\n', '\r'])
        .next()
        .unwrap_or_default()
        .trim_end();
    let end = boundary(span.end).clamp(start, start + line.len());
    let least = line.chars().next().map_or(0, char::len_utf8);
    start..end.max(start + least)
}

fn count(findings: &[Finding]) -> String {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let words = [(errors, "error"), (findings.len() - errors, "warning")];
    let words = words.into_iter().filter(|(number, _)| *number > 0);
    let words = words.map(|(number, word)| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    });
    words.collect::<Vec<_>>().join(", ")
}
