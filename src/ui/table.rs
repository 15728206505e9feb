//! Rows of cells. What does not fit beside the others stands on lines below
//! its row, so that nothing is cut off and nothing wraps in the middle.

use unicode_width::UnicodeWidthStr as _;

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{cut, pack};

/// Columns of the first cell at most: a host's name may have 63.
const FIRST: usize = 24;

/// What a cell shows where there is nothing to show.
const NOTHING: &str = "-";

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its head, in capitals.
    pub head: &'static str,
    /// Numbers stand at the right.
    pub right: bool,
}

/// Text of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// Text that may be a host's; none is shown as such.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = sanitise(text.as_ref());
        let text = if text.is_empty() {
            NOTHING.to_owned()
        } else {
            text
        };
        Self { text, tone: None }
    }

    /// In the colour of a tone.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        let tone = Some(tone);
        Self { tone, ..self }
    }
}

/// A table with a row of heads.
#[must_use]
pub fn render<const N: usize>(columns: [Column; N], rows: &[[Cell; N]], style: &Style) -> String {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row[0].text = cut(&row[0].text, FIRST);
    }
    let widths: Vec<_> = (0..N)
        .map(|at| {
            let cells = rows.iter().map(|row| row[at].text.width());
            cells.chain([columns[at].head.width()]).max().unwrap_or(0)
        })
        .collect();
    let mut used = 0;
    let shown = widths
        .iter()
        .take_while(|width| {
            used += *width + 2;
            used - 2 <= style.width
        })
        .count();
    let line = |cell: &dyn Fn(usize) -> (String, Option<Tone>)| {
        let mut text = String::new();
        for at in 0..shown {
            let (cell, tone) = cell(at);
            let pad = " ".repeat(widths[at] - cell.width());
            let cell = tone.map_or_else(|| cell.clone(), |tone| style.paint(tone, &cell));
            let gap = if at == 0 { "" } else { "  " };
            text.push_str(&match columns[at].right {
                true => format!("{gap}{pad}{cell}"),
                false => format!("{gap}{cell}{pad}"),
            });
        }
        format!("{}\n", text.trim_end())
    };
    let mut out = line(&|at| (columns[at].head.to_owned(), Some(Tone::Faint)));
    for row in &rows {
        out.push_str(&line(&|at| (row[at].text.clone(), row[at].tone)));
        let rest: Vec<_> = (shown..N)
            .filter(|&at| row[at].text != NOTHING)
            .map(|at| format!("{} {}", columns[at].head.to_lowercase(), row[at].text))
            .collect();
        for line in pack(&rest, ", ", style.width - 2) {
            out.push_str(&format!("  {}\n", style.paint(Tone::Faint, &line)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column {
            head: "NAME",
            right: false,
        },
        Column {
            head: "SIZE",
            right: true,
        },
        Column {
            head: "WHAT IT IS",
            right: false,
        },
    ];

    fn shown(width: usize) -> String {
        let row = |name: &str, size: &str, what: &str| {
            [Cell::new(name), Cell::new(size), Cell::new(what)]
        };
        let rows = [
            row("a", "10", "a thing with a rather long description"),
            row("a-name-that-is-longer-than-anybody-wants", "9", "\x1b[2J"),
            row("c", "", ""),
        ];
        render(COLUMNS, &rows, &Style::test(width, false))
    }

    #[test]
    fn what_does_not_fit_stands_below() {
        insta::assert_snapshot!(shown(80), @r"
        NAME                      SIZE  WHAT IT IS
        a                           10  a thing with a rather long description
        a-name-that-is-longer-t…     9  ␛[2J
        c                            -  -
        ");
        insta::assert_snapshot!(shown(40), @r"
        NAME                      SIZE
        a                           10
          what it is a thing with a rather long
          description
        a-name-that-is-longer-t…     9
          what it is ␛[2J
        c                            -
        ");
    }
}
