//! Documents as YAML, and the inventory's own settings merged over them.

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::template::NOTICE;

/// One document, as programs of Kubernetes read it.
pub fn yaml(document: &impl Serialize) -> Zeroizing<String> {
    let text = Zeroizing::new(serde_yaml::to_string(document).expect("plain structs are YAML"));
    unmistakable(&text)
}

/// Quotes the texts that are something else in YAML 1.1, which Go's programs
/// read, than in 1.2, which is written: the value `yes` of a taint is a text.
/// It relies on how serde_yaml writes: in blocks, one scalar at a line's end.
fn unmistakable(text: &str) -> Zeroizing<String> {
    // As large as it gets, so that no copy of a token is left by growing.
    let room = text.len() + 4 * text.lines().count();
    let mut quoted = Zeroizing::new(String::with_capacity(room));
    let mut literal: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start_matches(' ');
        let indent = line.len() - rest.len();
        if literal.is_some_and(|at| indent > at || rest == "\n") {
            quoted.push_str(line);
            continue;
        }
        literal = None;
        let rest = rest.strip_suffix('\n').unwrap_or(rest);
        let item = rest.trim_start_matches("- ");
        let (key, value) = parted(item);
        if value.starts_with(['|', '>']) {
            // The text is indented by its key or, without one, by the last dash.
            let at = indent + rest.len() - item.len();
            literal = Some(match key {
                Some(_) => at,
                None => at.saturating_sub("- ".len()),
            });
        }
        quoted.push_str(&line[..indent + rest.len() - item.len()]);
        if let Some(key) = key {
            scalar(&mut quoted, key);
            quoted.push(':');
            if !value.is_empty() {
                quoted.push(' ');
            }
        }
        scalar(&mut quoted, value);
        if line.ends_with('\n') {
            quoted.push('\n');
        }
    }
    quoted
}

/// The key of a line, if it has one, and what comes after it.
fn parted(item: &str) -> (Option<&str>, &str) {
    let quote = item
        .chars()
        .next()
        .filter(|first| ['\'', '"'].contains(first));
    let parted = match quote {
        Some(quote) if item.ends_with(quote) => None,
        // The value after a quoted key is no mapping, so the last colon is it.
        Some(_) => item.rsplit_once(": "),
        None => item.split_once(": "),
    };
    match (parted, item.strip_suffix(':')) {
        (Some((key, value)), _) => (Some(key), value),
        (None, Some(key)) => (Some(key), ""),
        (None, None) => (None, item),
    }
}

fn scalar(text: &mut String, scalar: &str) {
    match is_mistakable(scalar) {
        true => text.extend(["'", scalar, "'"]),
        false => text.push_str(scalar),
    }
}

/// Whether a plain scalar is a truth value or a number in YAML 1.1 alone.
fn is_mistakable(scalar: &str) -> bool {
    let words = ["y", "yes", "on", "n", "no", "off"];
    let number = scalar.contains('_')
        && scalar.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && scalar
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
    number || words.iter().any(|word| scalar.eq_ignore_ascii_case(word))
}

/// Documents one after the other, under kdiy's notice.
pub fn stream(documents: &[Zeroizing<String>]) -> Zeroizing<String> {
    // As large as it gets, so that no copy of a token is left by growing.
    let length = documents.iter().map(|text| text.len() + 4).sum::<usize>();
    let mut stream = Zeroizing::new(String::with_capacity(NOTICE.len() + length));
    stream.push_str(NOTICE);
    for (place, text) in documents.iter().enumerate() {
        if place > 0 {
            stream.push_str("---\n");
        }
        stream.push_str(text);
    }
    stream
}

/// What kdiy sets, with the inventory's settings over it.
pub fn merged(ours: &impl Serialize, theirs: &Map<String, Value>) -> Value {
    let mut value = serde_json::to_value(ours).expect("plain structs are JSON");
    if let Value::Object(ours) = &mut value {
        merge(ours, theirs);
    }
    value
}

/// Maps are merged, everything else is replaced.
fn merge(ours: &mut Map<String, Value>, theirs: &Map<String, Value>) {
    for (key, value) in theirs {
        match (ours.get_mut(key), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) => merge(ours, theirs),
            _ => {
                ours.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_are_merged_and_the_rest_replaced() {
        let ours = json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"});
        let theirs = json!({"a": {"c": [3], "e": null}, "d": {"f": true}});
        let result = merged(&ours, theirs.as_object().unwrap());
        assert_eq!(
            result,
            json!({"a": {"b": 1, "c": [3], "e": null}, "d": {"f": true}})
        );
    }

    #[test]
    fn text_that_go_takes_for_another_type_is_quoted() {
        let text = yaml(&json!({
            "a": "yes", "b": ["No", "no way", ["off"]], "c": {"on": "Y", "null": "y"},
            "d": "1_000", "e": "a_1", "f": [{"value": "on", "key": "n: y"}], "g": true,
            "h": "first\ny: no\n  on\n\nlast", "i": "yes", "j": "'yes'", "k": [],
            "l": ["x\nno\n", "no"], "m": "on: off",
            "n": [{"b": "x\n", "c": "no"}, ["x\nno", "off"], [{"b": "x\n  no", "on": "no"}]],
        }));
        insta::assert_snapshot!(*text);
    }

    /// Texts that YAML 1.1 takes for truth values, being neither quoted nor in
    /// a block. The regular expression of its type `bool`, spelled out.
    fn truths(text: &str, node: &crate::inventory::yaml::Node, found: &mut Vec<String>) {
        use crate::inventory::yaml::Value;
        let words = "y Y yes Yes YES n N no No NO on On ON off Off OFF";
        let is_truth = |text: &str| words.split(' ').any(|word| word == text);
        match &node.value {
            Value::Scalar { text, plain: true } if is_truth(text) => found.push(text.clone()),
            Value::Scalar { .. } | Value::Broken => {}
            Value::Sequence(items) => items.iter().for_each(|item| truths(text, item, found)),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    let quoted = text[key.span.start..].starts_with(['\'', '"']);
                    if !quoted && is_truth(&key.text) {
                        found.push(key.text.clone());
                    }
                    truths(text, value, found);
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn quotes_change_no_text_and_leave_no_truth_value(
            text in "[-a-z: '\"|>#\n_0-9]{0,12}",
            key in "[a-z:' _0-9]{0,5}",
            word in "y|no|on|OFF",
        ) {
            let value = json!({
                "a": {key.clone(): text.clone(), "c": word.clone()},
                "b": [text.clone(), [text.clone(), word.clone()], word.clone()],
                "d": [{"b": text.clone(), word.clone(): word.clone()}, [[{"b": text, "c": word}]]],
            });
            let written = yaml(&value);
            let read: Value = serde_yaml::from_str(&written).unwrap();
            proptest::prop_assert_eq!(read, value);
            let (mut findings, mut found) = (Vec::new(), Vec::new());
            let tree = crate::inventory::yaml::parse(&written, &mut findings).unwrap();
            truths(&written, &tree, &mut found);
            proptest::prop_assert_eq!(found, [""; 0], "{}", *written);
        }
    }

    #[test]
    fn text_that_looks_like_another_type_stays_text() {
        let text = yaml(&json!({"leader-elect": "false", "version": "1.20", "null": "null"}));
        assert_eq!(
            *text,
            "leader-elect: 'false'\nversion: '1.20'\n'null': 'null'\n"
        );
    }
}
