//! Documents as YAML, and the inventory's own settings merged over them.

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::template::NOTICE;

/// One document.
pub fn yaml(document: &impl Serialize) -> Zeroizing<String> {
    Zeroizing::new(serde_yaml::to_string(document).expect("plain structs are YAML"))
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
    fn text_that_looks_like_another_type_stays_text() {
        let text = yaml(&json!({"leader-elect": "false", "version": "1.20", "null": "null"}));
        assert_eq!(
            *text,
            "leader-elect: 'false'\nversion: '1.20'\n'null': 'null'\n"
        );
    }
}
