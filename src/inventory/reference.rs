//! The reference of the inventory as a document: `docs/inventory.md`.

use std::fmt::Write as _;

use super::fields::{Need, Place, Rule, places, top};

const HEAD: &str = "\
# The inventory

<!-- Generated from src/inventory/fields; `KDIY_WRITE=1 cargo test reference` writes it anew. -->

One YAML file says what the cluster shall be. This page has every field that there is; \
`kdiy explain FIELD` shows the same in a terminal, and editors show it while you write:

```yaml
# yaml-language-server: $schema=kdiy.schema.json
```

with the file that `kdiy schema > kdiy.schema.json` writes, in every editor that has \
yaml-language-server, such as VS Code with its YAML extension. `kdiy validate` checks more than a \
schema can say.

Paths of files are taken from the inventory's folder; `~/` is your home. Unknown keys are errors.
";

/// The document.
#[must_use]
pub fn reference() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n| field | what it is |\n|---|---|\n");
    for place in top() {
        let _ = writeln!(
            out,
            "| [`{}`](#{}){} | {} |",
            place.path,
            anchor(&place.path),
            required(&place),
            cell(place.field.summary())
        );
    }
    out.push_str("\nFields with a * must be written.\n");
    for place in places() {
        section(&place, &mut out);
    }
    out.push_str(
        "\n## A full example\n\n\
         [inventories/reference.yaml](../inventories/reference.yaml) has every key at its place; \
         the other files beside it are clusters as one would write them.\n",
    );
    out
}

fn section(place: &Place, out: &mut String) {
    let field = place.field;
    let level = if place.path.contains('.') {
        "###"
    } else {
        "##"
    };
    let _ = writeln!(
        out,
        "\n<a id=\"{}\"></a>\n{level} `{}`\n",
        anchor(&place.path),
        place.path
    );
    let need = match field.need {
        Need::Required => "required".to_owned(),
        Need::Optional => "optional".to_owned(),
        Need::Default(value) => format!("default `{value}`"),
        Need::Derived(words) => format!("by default {words}"),
    };
    let _ = writeln!(out, "*{}; {need}*\n\n{}", field.kind.name(), field.text);
    if !field.kinds.is_empty() {
        let kinds: Vec<_> = field.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = writeln!(out, "\nOnly for {}.", kinds.join(", "));
    }
    let words = field.kind.words();
    if !words.is_empty() {
        out.push_str("\n| word | meaning |\n|---|---|\n");
        for word in words {
            let _ = writeln!(out, "| `{}` | {} |", word.word, cell(word.text));
        }
    }
    // Fences of inventories are held to be whole ones.
    let fence = if field.name == "apiVersion" {
        ""
    } else {
        "yaml"
    };
    let _ = writeln!(out, "\n```{fence}\n{}\n```", place.example().join("\n"));
    let children = place.children();
    if !children.is_empty() {
        out.push_str("\n| field | what it is |\n|---|---|\n");
    }
    for child in &children {
        let _ = writeln!(
            out,
            "| [`{}`](#{}){} | {} |",
            child.field.name,
            anchor(&child.path),
            required(child),
            cell(child.field.summary())
        );
    }
    let rules = field.kind.mapping().map_or(&[][..], |(of, _)| of.rules);
    if !rules.is_empty() {
        let rules: Vec<_> = rules.iter().map(Rule::sentence).collect();
        let _ = writeln!(out, "\n{}", rules.join(" "));
    }
}

fn required(place: &Place) -> &'static str {
    match place.field.need {
        Need::Required => " *",
        _ => "",
    }
}

/// In a table a bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// `nodes.ssh.host`, as a link has it.
fn anchor(path: &str) -> String {
    path.replace("[]", "")
}
