//! `kdiy explain`.

use clap::Args;
use serde::Serialize;

use super::{CliError, Exit, Global};
use crate::draft;
use crate::inventory::CODES;
use crate::inventory::fields::{self, Need, NotFound, Place};
use crate::ui::explain::FindingSource;
use crate::ui::{self, Output, Ui};

/// Explain a field of the inventory
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A field is named by its path, or by the end of it where only one ends so. The
code of a finding is explained, too.

Examples:
  kdiy explain                       the fields at the top
  kdiy explain nodes.ssh             one field, and those below it
  kdiy explain podCIDR               the same as network.podCIDR
  kdiy explain no-vip                what a finding of kdiy validate means"
)]
pub struct Explain {
    /// The field, such as nodes.ssh; or the code of a finding
    #[arg(value_name = "FIELD")]
    pub field: Option<String>,
}

/// A field as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    path: String,
    kind: String,
    required: bool,
    default: Option<&'static str>,
    default_text: Option<&'static str>,
    text: &'static str,
    words: Vec<Meaning>,
    only_for: &'static [&'static str],
    rules: Vec<String>,
    example: &'static str,
    fields: Vec<Child>,
}

/// A word that may stand there.
#[derive(Serialize)]
struct Meaning {
    word: &'static str,
    text: &'static str,
}

/// A field below.
#[derive(Serialize)]
struct Child {
    path: String,
    required: bool,
    summary: &'static str,
}

/// A code as JSON.
#[derive(Serialize)]
struct Code {
    code: &'static str,
    text: &'static str,
}

impl Explain {
    /// Explains it.
    ///
    /// # Errors
    /// When there is no such field or code.
    pub fn run(&self, _: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let Some(name) = &self.field else {
            let top = fields::top();
            match ui.output() {
                Output::Text => ui.print(&ui::explain::top(&top, ui.style()))?,
                Output::Json => ui.json(&serde_json::json!({"fields": children(&top)}))?,
            }
            return Ok(Exit::Ok);
        };
        // Codes are in lower case with hyphens; what is both is a field.
        let place = match fields::find(name) {
            Ok(place) => place,
            Err(unknown) => {
                let of = |codes: &'static [(&str, &str)], found| {
                    let one = codes.iter().find(|(code, _)| code == name)?;
                    Some((one.0, one.1, found))
                };
                let of_imports = || of(draft::CODES, FindingSource::Import);
                let Some((code, text, found)) =
                    of(CODES, FindingSource::Inventory).or_else(of_imports)
                else {
                    return Err(not_found(unknown));
                };
                match ui.output() {
                    Output::Text => ui.print(&ui::explain::code(code, text, found, ui.style()))?,
                    Output::Json => ui.json(&Code { code, text })?,
                }
                return Ok(Exit::Ok);
            }
        };
        match ui.output() {
            Output::Text => ui.print(&ui::explain::field(&place, ui.style()))?,
            Output::Json => ui.json(&document(place))?,
        }
        Ok(Exit::Ok)
    }
}

fn document(place: Place) -> Document {
    let field = place.field;
    let words = field.kind.words().iter();
    let rules = field.kind.mapping().map_or(&[][..], |(of, _)| of.rules);
    Document {
        kind: field.kind.name(),
        required: field.need == Need::Required,
        default: match field.need {
            Need::Default(value) => Some(value),
            _ => None,
        },
        default_text: match field.need {
            Need::Derived(words) => Some(words),
            _ => None,
        },
        text: field.text,
        words: words
            .map(|word| Meaning {
                word: word.word,
                text: word.text,
            })
            .collect(),
        only_for: field.kinds,
        rules: rules.iter().map(fields::Rule::sentence).collect(),
        example: field.example,
        fields: children(&place.children()),
        path: place.path,
    }
}

fn children(places: &[Place]) -> Vec<Child> {
    let children = places.iter().map(|place| Child {
        path: place.path.clone(),
        required: place.field.need == Need::Required,
        summary: place.field.summary(),
    });
    children.collect()
}

fn not_found(error: NotFound) -> CliError {
    let hint = match &error {
        NotFound::Several { paths, .. } => format!("name one of them: {}", paths.join(", ")),
        NotFound::Unknown { near, .. } if near.is_empty() => {
            "see kdiy explain for the fields at the top".to_owned()
        }
        NotFound::Unknown { near, .. } => format!("is {} meant?", near.join(" or ")),
    };
    CliError::new(Exit::Usage, error).hint(hint)
}
