//! Tables that fit: what does not is put on a line below each row.

use unicode_width::UnicodeWidthStr as _;

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{pack, wrap};

/// What a cell shows where there is nothing to show.
pub const NOTHING: &str = "-";

/// A cell; its text has been sanitised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// Text in the terminal's own colour; empty text is shown as [`NOTHING`].
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text: if text.is_empty() {
                NOTHING.to_owned()
            } else {
                text
            },
            tone: None,
        }
    }

    /// Text that may be a host's, made harmless.
    pub fn sanitised(text: impl AsRef<str>) -> Self {
        Self::plain(sanitise(text.as_ref()))
    }

    /// The same in the colour of a tone.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        let tone = Some(tone);
        Self { tone, ..self }
    }

    /// Text in the colour of a tone.
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone: Some(tone),
            ..Self::plain(text)
        }
    }

    fn painted(&self, style: &Style) -> String {
        self.tone
            .map_or_else(|| self.text.clone(), |tone| style.paint(tone, &self.text))
    }
}

/// Rows below a head. As many columns as fit stand side by side; of the others
/// those that hold something stand below, each after its head's word.
#[must_use]
pub fn table<const N: usize>(head: [&str; N], rows: &[[Cell; N]], style: &Style) -> String {
    let head = head.map(|word| Cell::toned(Tone::Faint, word));
    let mut widths = [0; N];
    for row in std::iter::once(&head).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    let mut shown = 0;
    let mut whole = 0;
    while shown < N && whole + widths[shown] <= style.width {
        whole += widths[shown] + 2;
        shown += 1;
    }
    // A name that is wider than the terminal has to be told all the same.
    let shown = shown.max(1);
    let mut out = line(&head[..shown], &widths, style);
    for row in rows {
        out.push_str(&line(&row[..shown], &widths, style));
        let rest: Vec<_> = (shown..N)
            .filter(|&at| row[at].text != NOTHING)
            .map(|at| format!("{} {}", head[at].text.to_lowercase(), row[at].text))
            .collect();
        let room = style.width.saturating_sub(2);
        for line in pack(&rest, "  ", room) {
            out.push_str(&format!("  {}\n", style.paint(Tone::Faint, &line)));
        }
    }
    out
}

fn line(cells: &[Cell], widths: &[usize], style: &Style) -> String {
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        out.push_str(&cell.painted(style));
        out.push_str(&" ".repeat(width + 2 - cell.text.width()));
    }
    format!("{}\n", out.trim_end())
}

/// Wrapped text; lines after the first are indented by `indent` more columns.
#[must_use]
pub fn paragraph(text: &str, indent: usize, style: &Style) -> String {
    let mut out = String::new();
    for (place, line) in wrap(text, style.width - indent).into_iter().enumerate() {
        let indent = if place == 0 { 0 } else { indent };
        out.push_str(&format!("{:indent$}{line}\n", ""));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_stands_below() {
        let rows = [["cp-1", "ok", "10.0.0.1"], ["a-long-name", "not ready", ""]];
        let rows = rows.map(|row| row.map(Cell::plain));
        let shown = |width| {
            table(
                ["NAME", "STATUS", "ADDRESS"],
                &rows,
                &Style::test(width, false),
            )
        };
        insta::assert_snapshot!(shown(40), @r"
        NAME         STATUS     ADDRESS
        cp-1         ok         10.0.0.1
        a-long-name  not ready  -
        ");
        insta::assert_snapshot!(shown(25), @r"
        NAME         STATUS
        cp-1         ok
          address 10.0.0.1
        a-long-name  not ready
        ");
    }
}
