//! The JSON Schema of the inventory, for editors.
//!
//! Draft 7: what VS Code's YAML extension and yaml-language-server know best.
//! It says less than `kdiy validate`, which knows how fields go together. What
//! it refuses is refused there, too, but for a key without a value: where the
//! key is optional, that is taken as absent there.

use serde_json::{Map, Value, json};

use super::fields::{Field, Form, Kind, Mapping, Need, ROOT, Rule, Word};

/// The schema as a document.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    schema.insert(
        "description".to_owned(),
        json!("What a Kubernetes cluster shall be. `kdiy explain` says the same in a terminal."),
    );
    schema.extend(mapping(ROOT));
    Value::Object(schema)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn field(field: &Field) -> Value {
    let mut schema = kind(&field.kind);
    schema.insert("description".to_owned(), json!(description(field)));
    if let Need::Default(value) = field.need {
        schema.insert("default".to_owned(), literal(value));
    }
    // Editors offer an example as it stands, which goes wrong with mappings;
    // those are in the description.
    let example = literal(field.example);
    if !(example.is_object() || example.is_array()) {
        schema.insert("examples".to_owned(), json!([example]));
    }
    Value::Object(schema)
}

fn description(field: &Field) -> String {
    let mut text = field.text.to_owned();
    match field.need {
        Need::Default(value) => text.push_str(&format!("\n\nDefault: `{value}`.")),
        Need::Derived(words) => text.push_str(&format!("\n\nBy default {words}.")),
        Need::Required | Need::Optional => {}
    }
    if !field.kinds.is_empty() {
        let kinds: Vec<_> = field.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        text.push_str(&format!("\n\nOnly for {}.", kinds.join(", ")));
    }
    if field.example.starts_with(['{', '[']) {
        text.push_str(&format!("\n\nExample: `{}: {}`", field.name, field.example));
    }
    text
}

/// A value of the table as JSON.
fn literal(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).expect("values in the table are YAML")
}

fn kind(kind: &Kind) -> Map<String, Value> {
    match kind {
        Kind::Text(form) => text(form),
        Kind::Words(known) => words(known),
        Kind::Number(least, most) => {
            object(json!({"type": "integer", "minimum": least, "maximum": most}))
        }
        Kind::Boolean => object(json!({"type": "boolean"})),
        Kind::List(item) => object(json!({"type": "array", "items": self::kind(item)})),
        Kind::Mapping(known) => mapping(known),
        Kind::Free(key, value) => {
            let mut schema = object(json!({"type": "object"}));
            if let Some(pattern) = key.pattern {
                schema.insert("propertyNames".to_owned(), json!({"pattern": pattern}));
            }
            let value = Value::Object(self::kind(value));
            schema.insert("additionalProperties".to_owned(), value);
            schema
        }
        Kind::Any => object(json!({"type": "object"})),
        Kind::Either(kinds) => {
            let kinds: Vec<_> = kinds.iter().map(self::kind).collect();
            object(json!({"oneOf": kinds}))
        }
    }
}

fn text(form: &Form) -> Map<String, Value> {
    let types = if form.bare {
        json!(["string", "number", "boolean"])
    } else {
        json!("string")
    };
    let mut schema = object(json!({"type": types}));
    if let Some(pattern) = form.pattern {
        schema.insert("pattern".to_owned(), json!(pattern));
    }
    schema
}

fn words(words: &[Word]) -> Map<String, Value> {
    let names: Vec<_> = words.iter().map(|word| word.word).collect();
    let texts: Vec<_> = words.iter().map(|word| word.text).collect();
    // The last key is VS Code's own: what the words mean, while choosing.
    object(json!({"type": "string", "enum": names, "markdownEnumDescriptions": texts}))
}

fn mapping(mapping: &Mapping) -> Map<String, Value> {
    let fields = mapping.fields;
    let properties: Map<_, _> = fields
        .iter()
        .map(|known| (known.name.to_owned(), field(known)))
        .collect();
    let required: Vec<_> = fields
        .iter()
        .filter(|field| field.need == Need::Required)
        .map(|field| field.name)
        .collect();
    let mut schema = object(json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    }));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    let needs = mapping.rules.iter().filter_map(|rule| match rule {
        Rule::Needs(key, needed) => Some(((*key).to_owned(), json!([needed]))),
        _ => None,
    });
    let needs: Map<_, _> = needs.collect();
    if !needs.is_empty() {
        schema.insert("dependencies".to_owned(), Value::Object(needs));
    }
    let rules = mapping.rules.iter().filter_map(rule);
    let all: Vec<_> = rules.chain(keys_of_other_kinds(mapping)).collect();
    if !all.is_empty() {
        schema.insert("allOf".to_owned(), json!(all));
    }
    schema
}

fn rule(rule: &Rule) -> Option<Value> {
    match rule {
        Rule::NotBoth(one, other) => Some(json!({
            "if": {"required": [one]},
            "then": {"properties": {*other: false}},
        })),
        Rule::OneOf(keys) => {
            let keys: Vec<_> = keys.iter().map(|key| json!({"required": [key]})).collect();
            Some(json!({"anyOf": keys}))
        }
        Rule::Needs(..) => None,
    }
}

/// For each word of `kind`, the keys that mean nothing to it.
fn keys_of_other_kinds(mapping: &Mapping) -> Vec<Value> {
    let Some(kinds) = mapping.field("kind") else {
        return Vec::new();
    };
    let words = kinds.kind.words().iter().map(|word| word.word);
    let rules = words.filter_map(|word| {
        let keys_of_other_kinds = mapping.fields.iter().filter(|field| !field.is_for(word));
        let refused: Map<_, _> = keys_of_other_kinds
            .map(|field| (field.name.to_owned(), json!(false)))
            .collect();
        if refused.is_empty() {
            return None;
        }
        Some(json!({
            "if": {"properties": {"kind": {"const": word}}, "required": ["kind"]},
            "then": {"properties": refused},
        }))
    });
    rules.collect()
}
