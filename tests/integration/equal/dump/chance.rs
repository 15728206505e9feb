//! What is different each time, in objects of the API.

use serde_json::{Map, Value};

/// Fields of metadata that tell of this object's making only.
const OF_ITS_MAKING: [&str; 5] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
];

/// Annotations that are made of times, of what is compared itself, or of who
/// was quicker.
const BY_CHANCE: [&str; 5] = [
    "kubernetes.io/config.hash",
    "kubernetes.io/config.mirror",
    "kubernetes.io/config.seen",
    "kubernetes.io/service-account.uid",
    "control-plane.alpha.kubernetes.io/leader",
];

/// Takes it out of an object; its name then, without what is random in it.
pub fn without(object: &mut Value) -> String {
    let node = object["spec"]["nodeName"].as_str().map(str::to_owned);
    let account = "kubernetes.io/service-account.name";
    let account = object["metadata"]["annotations"][account]
        .as_str()
        .map(str::to_owned);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    object.as_object_mut().expect("an object").remove("status");
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for field in OF_ITS_MAKING {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        for name in BY_CHANCE {
            annotations.remove(name);
        }
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    if let Some(owners) = metadata
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut)
    {
        for owner in owners {
            owner.as_object_mut().expect("an owner").remove("uid");
        }
    }
    let name = take(metadata, "name");
    let prefix = take(metadata, "generateName");
    match (kind.as_str(), prefix.as_str(), node, account) {
        ("Secret", _, _, Some(account)) => format!("{account}-token-*"),
        (_, "", _, _) => words(&name),
        (_, prefix, Some(node), _) => format!("{prefix}* on {node}"),
        (_, prefix, None, _) => format!("{prefix}*"),
    }
}

fn take(metadata: &mut Map<String, Value>, field: &str) -> String {
    let value = metadata.remove(field);
    let text = value.as_ref().and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// A text without the random ends of names in it.
pub fn words(text: &str) -> String {
    const ENDS: [(&str, usize); 4] = [
        ("-token-", 5),
        ("bootstrap-token-", 6),
        ("jws-kubeconfig-", 6),
        ("system:bootstrap:", 6),
    ];
    for (start, length) in ENDS {
        if let Some((before, after)) = text.split_once(start)
            && after.len() == length
            && after
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        {
            return format!("{before}{start}*");
        }
    }
    text.to_owned()
}

/// The same in all texts and keys of a document.
pub fn words_of(value: &mut Value) {
    match value {
        Value::String(text) => *text = words(text),
        Value::Array(items) => items.iter_mut().for_each(words_of),
        Value::Object(fields) => {
            let taken = std::mem::take(fields);
            for (key, mut value) in taken {
                words_of(&mut value);
                fields.insert(words(&key), value);
            }
        }
        _ => {}
    }
}
