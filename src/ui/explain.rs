//! Fields of the inventory, explained.

use unicode_width::UnicodeWidthStr as _;

use super::style::{Style, Tone};
use super::text::wrap;
use crate::inventory::fields::{Need, Place, Rule, Word};

/// The widest column of names, so that texts have room.
const NAMES: usize = 24;

/// Text is not wrapped wider than this: long lines are hard to read.
const READABLE: usize = 100;

/// The keys at the top.
#[must_use]
pub fn top(places: &[Place], style: &Style) -> String {
    let mut out = String::new();
    paragraph(
        "The inventory says what the cluster shall be. These are the fields at its top:",
        0,
        &mut out,
        style,
    );
    out.push('\n');
    fields(places, &mut out, style);
    out.push('\n');
    paragraph(
        "Explain one with `kdiy explain nodes`, those below it with `kdiy explain nodes.ssh`.",
        0,
        &mut out,
        style,
    );
    out
}

/// A key: what may stand there, what it is for, what is below it.
#[must_use]
pub fn field(place: &Place, style: &Style) -> String {
    let field = place.field;
    let mut out = format!("{}\n", style.paint(Tone::Strong, &place.path));
    paragraph(&head(place), 2, &mut out, style);
    for text in field.text.split("\n\n") {
        out.push('\n');
        paragraph(text, 0, &mut out, style);
    }
    if !field.kinds.is_empty() {
        out.push('\n');
        paragraph(&only(field.kinds), 0, &mut out, style);
    }
    let words = field.kind.words();
    if !words.is_empty() {
        title("Words", &mut out, style);
        meanings(words, &mut out, style);
    }
    if !field.example.is_empty() {
        title("Example", &mut out, style);
        for line in place.example() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    let children = place.children();
    if !children.is_empty() {
        title("Fields", &mut out, style);
        fields(&children, &mut out, style);
    }
    let rules = field.kind.mapping().map_or(&[][..], |(of, _)| of.rules);
    if !rules.is_empty() {
        out.push('\n');
    }
    for text in rules.iter().map(Rule::sentence) {
        paragraph(&text, 0, &mut out, style);
    }
    out
}

/// Where there are findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingSource {
    /// In an inventory.
    Inventory,
    /// In what an inventory is made of.
    Import,
}

/// The code of a finding.
#[must_use]
pub fn code(code: &str, meaning: &str, found: FindingSource, style: &Style) -> String {
    let mut out = format!("{}\n", style.paint(Tone::Strong, code));
    let (command, place) = match found {
        FindingSource::Inventory => ("kdiy validate", "at its line of the inventory"),
        FindingSource::Import => ("kdiy inventory import", "at its line of what is read"),
    };
    paragraph(
        &format!("A finding of `{command}`: {meaning}."),
        2,
        &mut out,
        style,
    );
    out.push('\n');
    paragraph(
        &format!("Each finding is shown {place}, with what to write instead."),
        0,
        &mut out,
        style,
    );
    out
}

/// What may stand there and whether it must, in one line.
fn head(place: &Place) -> String {
    let field = place.field;
    let need = match field.need {
        Need::Required => "required".to_owned(),
        Need::Optional => "optional".to_owned(),
        Need::Default(value) => format!("default: {value}"),
        Need::Derived(words) => format!("by default {words}"),
    };
    format!("{}; {need}", field.kind.name())
}

/// To which kinds it means something.
#[must_use]
pub fn only(kinds: &[&str]) -> String {
    let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    let kinds = match kinds.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => kinds.concat(),
    };
    format!("It means something to {kinds} only.")
}

fn title(text: &str, out: &mut String, style: &Style) {
    out.push_str(&format!("\n{}\n", style.paint(Tone::Strong, text)));
}

fn meanings(words: &[Word], out: &mut String, style: &Style) {
    let rows = words
        .iter()
        .map(|word| (word.word.to_owned(), word.text.to_owned()));
    table(rows.collect(), out, style);
}

fn fields(places: &[Place], out: &mut String, style: &Style) {
    let rows = places.iter().map(|place| {
        let field = place.field;
        let mark = if field.need == Need::Required {
            " *"
        } else {
            ""
        };
        let default = match field.need {
            Need::Default(value) => format!("; default: {value}"),
            _ => String::new(),
        };
        (
            format!("{}{mark}", field.name),
            format!("{}{default}", field.summary()),
        )
    });
    table(rows.collect(), out, style);
    let required = places
        .iter()
        .any(|place| place.field.need == Need::Required);
    if required {
        out.push_str(&format!(
            "\n{}\n",
            style.paint(Tone::Faint, "* must be written")
        ));
    }
}

/// Names, and beside each its text.
fn table(rows: Vec<(String, String)>, out: &mut String, style: &Style) {
    let widest = rows.iter().map(|(name, _)| name.width()).max();
    let column = widest.unwrap_or(0).min(NAMES);
    let room = style.width.min(READABLE).saturating_sub(column + 4);
    for (name, text) in rows {
        let pad = " ".repeat(column.saturating_sub(name.width()));
        let mut first = format!("{}{pad}", style.paint(Tone::Active, &name));
        for line in wrap(&text, room) {
            out.push_str(&format!("  {first}  {line}\n"));
            first = " ".repeat(column);
        }
    }
}

fn paragraph(text: &str, indent: usize, out: &mut String, style: &Style) {
    for line in wrap(text, style.width.min(READABLE) - indent) {
        out.push_str(&format!("{:indent$}{line}\n", ""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fields::{find, places, top as keys};

    #[test]
    fn fields_are_explained() {
        for name in [
            "nodes",
            "loadBalancer.routerId",
            "topology",
            "nodes.ssh",
            "sudo",
        ] {
            let Ok(place) = find(name) else {
                continue;
            };
            insta::assert_snapshot!(
                name.replace('.', "-"),
                field(&place, &Style::test(80, false))
            );
        }
        insta::assert_snapshot!("top", top(&keys(), &Style::test(80, false)));
        let code = code(
            "no-vip",
            "several hosts share an address",
            FindingSource::Inventory,
            &Style::test(80, false),
        );
        insta::assert_snapshot!(code);
    }

    #[test]
    fn every_field_fits_its_terminal() {
        for width in [40, 80, 200] {
            for place in places() {
                let shown = field(&place, &Style::test(width, false));
                let text = shown.split("\nExample\n").next().unwrap_or_default();
                let words = text.split_whitespace().map(|word| word.width()).max();
                let limit = width.max(words.unwrap_or(0) + NAMES + 4);
                let widest = text.lines().map(|line| line.width()).max();
                assert!(widest <= Some(limit), "{shown}");
            }
        }
    }
}
