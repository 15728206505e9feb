//! What is wrong with an inventory, and where.

use std::ops::Range;

use super::secrets::without_secrets;

/// A range of bytes of the inventory's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Line and column of its start, both counted from 1; the column in characters.
    #[must_use]
    pub fn line_column(self, text: &str) -> (usize, usize) {
        let mut start = self.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// The range as indices.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Its place in the inventory's text, in bytes.
    pub span: Span,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No cluster can be built from this.
    Error,
    /// It works, but perhaps not as meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Stable kebab-case name, listed in [`super::CODES`].
    pub code: &'static str,
    /// What is wrong and why.
    pub message: String,
    /// Where it was written.
    pub span: Span,
    /// What to do about it.
    pub help: Option<String>,
    /// What is at the span may be a secret, so that it is not drawn.
    pub secret: bool,
    /// Other places that belong to it, each with a label.
    pub related: Vec<(Span, String)>,
}

impl Finding {
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            help: None,
            secret: false,
            related: Vec::new(),
        }
    }

    pub(crate) fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(crate) fn related_if(self, there: bool, span: Span, label: &str) -> Self {
        if there {
            self.related(span, label)
        } else {
            self
        }
    }

    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        if span != self.span {
            self.related.push((span, label.into()));
        }
        self
    }
}

/// A text from the file in backticks: shortened, and with control characters
/// escaped so that it cannot drive the terminal.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let shown: String = without_secrets(text)
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    let rest = if text.chars().count() > LONGEST {
        "..."
    } else {
        ""
    };
    format!("`{shown}{rest}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_texts_are_short_and_harmless() {
        assert_eq!(quoted("a'b\"c"), "`a'b\"c`");
        assert_eq!(quoted("\u{1b}[31m"), "`\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(100)).len(), 60 + "`...`".len());
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let text = "a: ü\nbé: x\n";
        let start = text.find('x').expect("an x");
        assert_eq!(
            Span {
                start,
                end: start + 1
            }
            .line_column(text),
            (2, 5)
        );
        assert_eq!(
            Span {
                start: 999,
                end: 999
            }
            .line_column(text),
            (3, 1)
        );
    }
}
