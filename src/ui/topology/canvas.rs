//! Characters on a grid. Lines that meet are joined.

use super::Glyphs;
use super::drawing::Rect;
use crate::ui::style::{Style, Tone};

const UP: u8 = 1;
const RIGHT: u8 = 2;
const DOWN: u8 = 4;
const LEFT: u8 = 8;

/// What is at a place.
#[derive(Clone, Copy)]
enum Ink {
    /// Lines to these sides; nothing where there are none.
    Lines(u8),
    /// The end of a link that goes this way.
    Arrow(u8),
    /// A character of a text.
    Letter(char),
}

/// A grid of characters.
pub struct Canvas {
    rows: Vec<Vec<(Ink, Option<Tone>)>>,
}

impl Canvas {
    /// An empty grid.
    pub fn new(width: i32, height: i32) -> Self {
        let size = |length: i32| usize::try_from(length).unwrap_or(0);
        let row = vec![(Ink::Lines(0), None); size(width)];
        Self {
            rows: vec![row; size(height)],
        }
    }

    fn at(&mut self, x: i32, y: i32) -> Option<&mut (Ink, Option<Tone>)> {
        let row = self.rows.get_mut(usize::try_from(y).ok()?)?;
        row.get_mut(usize::try_from(x).ok()?)
    }

    fn add(&mut self, x: i32, y: i32, sides: u8, tone: Option<Tone>) {
        if let Some((Ink::Lines(there), its)) = self.at(x, y) {
            // Where a line meets a box the box stays as it is.
            if *there == 0 {
                *its = tone;
            }
            *there |= sides;
        }
    }

    /// A stroke between two neighbouring corners.
    fn stroke(&mut self, (ax, ay): (i32, i32), (bx, by): (i32, i32), tone: Option<Tone>) {
        if ay == by {
            for x in ax.min(bx)..ax.max(bx) {
                self.add(x, ay, RIGHT, tone);
                self.add(x + 1, ay, LEFT, tone);
            }
        } else {
            for y in ay.min(by)..ay.max(by) {
                self.add(ax, y, DOWN, tone);
                self.add(ax, y + 1, UP, tone);
            }
        }
    }

    /// The edges of a box.
    pub fn rectangle(&mut self, rect: &Rect, tone: Option<Tone>) {
        let (right, bottom) = (rect.right() - 1, rect.bottom() - 1);
        let corners = [
            (rect.x, rect.y),
            (right, rect.y),
            (right, bottom),
            (rect.x, bottom),
            (rect.x, rect.y),
        ];
        for pair in corners.windows(2) {
            self.stroke(pair[0], pair[1], tone);
        }
    }

    /// A line; an arrow ends beside the box that it leads to.
    pub fn line(&mut self, points: &[(i32, i32)], arrow: bool) {
        let tone = Some(Tone::Faint);
        let mut points = points.to_vec();
        let mut head = None;
        if let (true, [.., from, to]) = (arrow, points.as_mut_slice()) {
            let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
            *to = (to.0 - dx, to.1 - dy);
            let way = match (dx, dy) {
                (1, _) => RIGHT,
                (-1, _) => LEFT,
                (_, 1) => DOWN,
                _ => UP,
            };
            head = Some((*to, way));
        }
        for pair in points.windows(2) {
            self.stroke(pair[0], pair[1], tone);
        }
        if let Some(((x, y), way)) = head
            && let Some(place) = self.at(x, y)
        {
            *place = (Ink::Arrow(way), tone);
        }
    }

    /// A text; on an edge it has a blank at either side.
    pub fn text(&mut self, rect: &Rect, text: &str, tone: Option<Tone>) {
        for x in [rect.x - 1, rect.right()] {
            if let Some((ink @ Ink::Lines(_), _)) = self.at(x, rect.y) {
                *ink = Ink::Lines(0);
            }
        }
        for (x, letter) in (rect.x..).zip(text.chars()) {
            if let Some(place) = self.at(x, rect.y) {
                *place = (Ink::Letter(letter), tone);
            }
        }
    }

    /// The lines of text.
    pub fn render(&self, glyphs: Glyphs, style: &Style) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let blank = |(ink, _): &(Ink, _)| matches!(ink, Ink::Lines(0) | Ink::Letter(' '));
            let length = row
                .iter()
                .rposition(|place| !blank(place))
                .map_or(0, |at| at + 1);
            for same in row[..length].chunk_by(|a, b| a.1 == b.1) {
                let text: String = same.iter().map(|(ink, _)| letter(*ink, glyphs)).collect();
                match same[0].1 {
                    Some(tone) if !text.trim().is_empty() => {
                        out.push_str(&style.paint(tone, &text))
                    }
                    _ => out.push_str(&text),
                }
            }
            out.push('\n');
        }
        out
    }
}

fn letter(ink: Ink, glyphs: Glyphs) -> char {
    const JOINED: [char; 16] = [
        ' ', '│', '─', '└', '│', '│', '┌', '├', '─', '┘', '─', '┴', '┐', '┤', '┬', '┼',
    ];
    match (ink, glyphs) {
        (Ink::Letter(letter), Glyphs::Ascii) if !letter.is_ascii() => '?',
        (Ink::Letter(letter), _) => letter,
        (Ink::Lines(sides), Glyphs::Unicode) => JOINED[usize::from(sides & 15)],
        (Ink::Lines(0), Glyphs::Ascii) => ' ',
        (Ink::Lines(sides), Glyphs::Ascii) if sides & (UP | DOWN) == 0 => '-',
        (Ink::Lines(sides), Glyphs::Ascii) if sides & (LEFT | RIGHT) == 0 => '|',
        (Ink::Lines(_), Glyphs::Ascii) => '+',
        (Ink::Arrow(UP), Glyphs::Unicode) => '▲',
        (Ink::Arrow(RIGHT), Glyphs::Unicode) => '▶',
        (Ink::Arrow(DOWN), Glyphs::Unicode) => '▼',
        (Ink::Arrow(_), Glyphs::Unicode) => '◀',
        (Ink::Arrow(UP), Glyphs::Ascii) => '^',
        (Ink::Arrow(RIGHT), Glyphs::Ascii) => '>',
        (Ink::Arrow(DOWN), Glyphs::Ascii) => 'v',
        (Ink::Arrow(_), Glyphs::Ascii) => '<',
    }
}
