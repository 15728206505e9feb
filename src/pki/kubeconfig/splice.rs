//! A change to a kubeconfig made in its text, so that comments and style stay.

use serde_yaml::{Mapping, Value};

/// The text of `before`, changed as little as needed to mean `after`. `None`
/// where the text has not the plain block style that kubectl writes. The
/// result is read again, so an edit that missed its aim is never handed out.
pub fn splice(text: &str, before: &Mapping, after: &Mapping) -> Option<String> {
    let mut text = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (key, new) in after {
        let field = key.as_str()?;
        match (before.get(key), new) {
            (Some(old), new) if old == new => {}
            (Some(Value::Sequence(old)), Value::Sequence(new)) => {
                for (old, new) in old.iter().zip(new) {
                    text = renew(text, old, new)?;
                }
                let added = new.get(old.len()..).filter(|added| !added.is_empty());
                if let Some(added) = added {
                    text = insert(&text, field, &serde_yaml::to_string(added).ok()?)?;
                }
            }
            (Some(Value::String(old)), Value::String(new)) => {
                text = replace_once(
                    &text,
                    &format!("\n{field}: {old}\n"),
                    &format!("\n{field}: {new}\n"),
                )?;
            }
            (None, Value::String(new)) => text.push_str(&format!("{field}: {new}\n")),
            _ => return None,
        }
    }
    let result: Value = serde_yaml::from_str(&text).ok()?;
    (result.as_mapping() == Some(after)).then_some(text)
}

/// Replaces the strings in which two versions of an entry differ.
fn renew(mut text: String, old: &Value, new: &Value) -> Option<String> {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::String(old), Value::String(new)) => text = replace_once(&text, old, new)?,
        (Value::Mapping(old), Value::Mapping(new)) if old.len() == new.len() => {
            for (key, new) in new {
                text = renew(text, old.get(key)?, new)?;
            }
        }
        _ => return None,
    }
    Some(text)
}

fn replace_once(text: &str, old: &str, new: &str) -> Option<String> {
    (!old.is_empty() && text.matches(old).count() == 1).then(|| text.replace(old, new))
}

/// Puts entries behind the last one of the list `field`, as far indented.
fn insert(text: &str, field: &str, entries: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let head = lines
        .iter()
        .position(|line| line.trim_end() == format!("{field}:"))?;
    let body = &lines[head + 1..];
    let is_item = |line: &&&str| line.trim_start().starts_with("- ");
    let first = body.iter().find(is_item)?;
    let indent = &first[..first.len() - first.trim_start().len()];
    let in_list = |line: &&&str| line.starts_with([' ', '-']);
    // comments and empty lines at the end belong to what follows
    let length = body
        .iter()
        .enumerate()
        .take_while(|(_, line)| in_list(line) || line.is_empty() || line.starts_with('#'))
        .filter(|(_, line)| in_list(line) && !line.trim_start().starts_with('#'))
        .last()
        .map(|(place, _)| place + 1)?;
    let (above, below) = lines.split_at(head + 1 + length);
    let entries = entries.lines().map(|line| format!("{indent}{line}"));
    let whole = above.iter().map(|line| (*line).to_owned()).chain(entries);
    let whole = whole.chain(below.iter().map(|line| (*line).to_owned()));
    Some(whole.map(|line| line + "\n").collect())
}
