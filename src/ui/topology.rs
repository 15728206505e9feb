//! The cluster drawn: laid out once, as text for a terminal or as SVG.

mod canvas;
mod drawing;
mod layout;
mod measure;
mod metrics;
mod svg;

use super::style::{Style, Tone};
use crate::topology::Diagram;
use canvas::Canvas;
use drawing::{Kind, Role};
use layout::lay_out;
use metrics::TERMINAL;

pub use svg::{MARK, svg};

use super::sanitise::sanitise;
use super::text::fit;

/// Characters that boxes and lines are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Box drawing.
    Unicode,
    /// `+`, `-` and `|`, for terminals that know no more.
    Ascii,
}

/// The diagram for a terminal.
#[must_use]
pub fn text(map: &Diagram, glyphs: Glyphs, style: &Style) -> String {
    let drawing = lay_out(map, style.width, &TERMINAL);
    let mut canvas = Canvas::new(drawing.width, drawing.height);
    for shape in &drawing.boxes {
        let tone = match shape.kind {
            Kind::Words | Kind::Host => None,
            Kind::Frame | Kind::Member => Some(Tone::Faint),
        };
        canvas.rectangle(&shape.rect, tone);
    }
    for line in &drawing.lines {
        canvas.line(&line.points, line.arrow);
    }
    for text in &drawing.texts {
        let tone = match text.role {
            Role::Title => Some(Tone::Strong),
            Role::Name => Some(Tone::Active),
            Role::Detail => None,
            Role::Safe => Some(Tone::Good),
            Role::Risk => Some(Tone::Notable),
            Role::Label => Some(Tone::Faint),
        };
        canvas.text(&text.rect, &text.text, tone);
    }
    let mut out = String::new();
    for line in fit(&sanitise(&map.headline()), style.width) {
        out.push_str(&format!("{}\n", style.paint(Tone::Strong, &line)));
    }
    out.push('\n');
    out + &canvas.render(glyphs, style)
}

#[cfg(test)]
mod tests;
