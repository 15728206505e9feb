//! The diagram as SVG: one file without scripts or fonts, light or dark as the
//! reader's system is.

use std::fmt::Write as _;

use super::drawing::{Drawing, Kind, Line, Role, Shape, Text};
use super::layout::lay_out;
use super::metrics::SVG;
use crate::topology::Diagram;
use crate::ui::sanitise::sanitise;

/// What tells the file from diagrams that somebody else made.
pub const MARK: &str = "<!-- made by kdiy topology -->";

/// Columns of text that the diagram may be wide.
const COLUMNS: usize = 150;
/// From the upper edge of a line of text to its base line.
const BASE: i32 = 14;
/// Height of the headline.
const HEADLINE: i32 = 34;
/// Length and half the width of an arrow's head.
const HEAD: (i32, i32) = (9, 5);

/// Light by default; the second half is for readers whose system is dark. The
/// diagram has its own ground, so it is legible wherever it is put.
const CSS: &str = "\
text{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#24292f}
.ground{fill:#ffffff}
.words{fill:#eef3fb;stroke:#4a6fa5}
.frame{fill:#f6f8fa;stroke:#afb8c1}
.host{fill:#ffffff;stroke:#57606a}
.member{fill:#fff8e6;stroke:#9a6700}
.title,.headline{font-weight:bold}
.name{font-weight:bold;fill:#0b4f9e}
.safe{fill:#116329}
.risk{fill:#a33100;font-weight:bold}
.label{fill:#57606a}
.link{fill:none;stroke:#57606a;stroke-width:1.5}
.head{fill:#57606a}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.ground{fill:#0d1117}
.words{fill:#14233a;stroke:#6ea0e0}
.frame{fill:#161b22;stroke:#484f58}
.host{fill:#0d1117;stroke:#8b949e}
.member{fill:#2b2210;stroke:#d29922}
.name{fill:#79b8ff}
.safe{fill:#56d364}
.risk{fill:#ffa657}
.label{fill:#a5afba}
.link{stroke:#a5afba}
.head{fill:#a5afba}
}";

/// The diagram as SVG.
#[must_use]
pub fn svg(map: &Diagram) -> String {
    let drawing = lay_out(map, COLUMNS, &SVG);
    let headline = sanitise(&map.headline());
    let letters = SVG.across(headline.chars().count()) + 2 * SVG.margin;
    let (width, height) = (drawing.width.max(letters), drawing.height + HEADLINE);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         {MARK}\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>\n{CSS}\n</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <text class=\"headline\" x=\"{}\" y=\"{}\">{}</text>\n",
        escaped(&headline),
        escaped(&description(map)),
        SVG.margin,
        SVG.margin + BASE,
        escaped(&headline),
    );
    let across = (width - drawing.width) / 2;
    body(&drawing, across, &mut out);
    out.push_str("</svg>\n");
    out
}

fn body(drawing: &Drawing, across: i32, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<g transform=\"translate({across} {HEADLINE})\">");
    for shape in &drawing.boxes {
        rectangle(shape, out);
    }
    for line in &drawing.lines {
        link(line, out);
    }
    for text in &drawing.texts {
        letters(text, out);
    }
    out.push_str("</g>\n");
}

fn rectangle(shape: &Shape, out: &mut String) {
    let class = match shape.kind {
        Kind::Words => "words",
        Kind::Frame => "frame",
        Kind::Host => "host",
        Kind::Member => "member",
    };
    let rect = shape.rect;
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\"/>",
        rect.x, rect.y, rect.w, rect.h
    );
}

fn letters(text: &Text, out: &mut String) {
    let class = match text.role {
        Role::Title => "title",
        Role::Name => "name",
        Role::Detail => "detail",
        Role::Safe => "safe",
        Role::Risk => "risk",
        Role::Label => "label",
    };
    let (x, y) = (text.rect.x, text.rect.y + BASE);
    let words = escaped(&text.text);
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{words}</text>"
    );
}

fn link(line: &Line, out: &mut String) {
    let mut points = line.points.clone();
    let mut head = None;
    if let (true, [.., from, to]) = (line.arrow, points.as_mut_slice()) {
        let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let tip = *to;
        // The stroke must not show beyond the tip.
        *to = (tip.0 - dx * HEAD.0, tip.1 - dy * HEAD.0);
        let side = |sign: i32| (to.0 + sign * dy * HEAD.1, to.1 + sign * dx * HEAD.1);
        head = Some([tip, side(1), side(-1)]);
    }
    let _ = writeln!(
        out,
        "<polyline class=\"link\" points=\"{}\"/>",
        places(&points)
    );
    if let Some(head) = head {
        let _ = writeln!(
            out,
            "<polygon class=\"head\" points=\"{}\"/>",
            places(&head)
        );
    }
}

fn places(points: &[(i32, i32)]) -> String {
    let points: Vec<_> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
    points.join(" ")
}

/// The diagram in words, for those who do not see it.
fn description(map: &Diagram) -> String {
    let tiers = map.tiers.iter().map(|tier| {
        let mut words = vec![tier.title.clone()];
        words.extend(tier.tolerates.map(|tolerates| tolerates.text()));
        words.extend(tier.facts.iter().map(|fact| fact.text.clone()));
        let hosts = tier.boxes.iter().flat_map(|block| &block.nodes);
        let hosts: Vec<&str> = hosts.map(|name| name.as_str()).collect();
        if !hosts.is_empty() {
            words.push(format!("hosts {}", hosts.join(", ")));
        }
        words.join("; ")
    });
    let tiers: Vec<_> = tiers.collect();
    sanitise(&(tiers.join(". ") + "."))
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
