//! What applying objects would change, as the API server itself sees it.

use std::time::Duration;

use kube::api::{Api, DynamicObject};
use serde_json::Value;

use super::apply::{Conflict, Conflicts, send};
use super::kinds::Kinds;
use super::{Manifest, Object};
use crate::api::client::During as _;
use crate::api::error::ErrorKind;
use crate::api::{Client, Error};

/// What stands in place of a secret value.
const SECRET: &str = "(secret)";

/// Fields that the API server keeps itself.
const KEPT: [&str; 5] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "uid",
];

/// What applying one object would come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// It would be made.
    Create(Object),
    /// These fields would change; none if it is so already.
    Change(Object, Vec<FieldChange>),
    /// Others manage these fields, and have other values in them.
    Conflict(Object, Vec<Conflict>),
}

/// A field that would change.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// A JSON pointer (RFC 6901), such as `/spec/replicas`.
    pub path: String,
    /// Its value; none if it is not there.
    pub before: Option<Value>,
    /// What it would be. Values of Secrets are `(secret)` on both sides.
    pub after: Option<Value>,
}

/// Asks the API server what applying objects would come to, one difference an
/// object. Changes nothing.
///
/// # Errors
/// When the API refuses an object, or does not serve a kind that is not
/// defined among the objects either.
pub async fn difference(client: &Client, manifests: &[Manifest]) -> Result<Vec<Difference>, Error> {
    let mut kinds = Kinds::new(client);
    let mut differences = Vec::new();
    for manifest in manifests {
        let object = &manifest.object;
        let api = kinds.of(object, Duration::ZERO).await?;
        differences.push(match api {
            Some(api) => {
                let difference = one(&api, manifest).await;
                difference.during(|| format!("compare {object}"))?
            }
            None if is_defined(object, manifests) => Difference::Create(object.clone()),
            None => {
                kinds.must(object, Duration::ZERO).await?;
                continue;
            }
        });
    }
    Ok(differences)
}

async fn one(api: &Api<DynamicObject>, manifest: &Manifest) -> Result<Difference, ErrorKind> {
    let object = manifest.object.clone();
    let before = api.get_opt(&object.name).await;
    let Some(before) = before.map_err(crate::api::client::error_kind)? else {
        return Ok(Difference::Create(object));
    };
    match send(api, manifest, Conflicts::Fail, true).await {
        Ok(after) => {
            let mut changes = Vec::new();
            compare(
                "",
                Some(&bare(&before)?),
                Some(&bare(&after)?),
                &mut changes,
            );
            if object.kind == "Secret" {
                changes.iter_mut().for_each(hide);
            }
            Ok(Difference::Change(object, changes))
        }
        Err(ErrorKind::Conflicts(conflicts)) => Ok(Difference::Conflict(object, conflicts)),
        Err(kind) => Err(kind),
    }
}

/// Whether one of the manifests defines the kind of an object.
fn is_defined(object: &Object, manifests: &[Manifest]) -> bool {
    let group = object.api_version.split_once('/').map(|(group, _)| group);
    manifests.iter().any(|manifest| {
        let spec = &manifest.value["spec"];
        manifest.is_definition()
            && spec["group"].as_str() == group
            && spec["names"]["kind"] == object.kind.as_str()
    })
}

/// Whether two states of an object differ only in what the API server keeps.
pub(super) fn is_same(one: &DynamicObject, other: &DynamicObject) -> Result<bool, ErrorKind> {
    Ok(bare(one)? == bare(other)?)
}

/// An object without what the API server keeps itself.
fn bare(object: &DynamicObject) -> Result<Value, ErrorKind> {
    let mut value =
        serde_json::to_value(object).map_err(|why| ErrorKind::Invalid(why.to_string()))?;
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| !KEPT.contains(&key.as_str()));
        }
    }
    Ok(value)
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, into: &mut Vec<FieldChange>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let gone = before.keys().filter(|key| !after.contains_key(*key));
            for key in gone.chain(after.keys()) {
                let key_path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                compare(&key_path, before.get(key), after.get(key), into);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                compare(&format!("{path}/{at}"), Some(before), Some(after), into);
            }
        }
        (before, after) => into.push(FieldChange {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// Everything of a Secret is one, but for its metadata and type; annotations
/// may hold it as it was applied last by others.
fn hide(change: &mut FieldChange) {
    if change.path != "/type" && !change.path.starts_with("/metadata/labels/") {
        for value in [&mut change.before, &mut change.after] {
            *value = value.take().map(|_| Value::from(SECRET));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changes(before: &Value, after: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
        let mut changes = Vec::new();
        compare("", Some(before), Some(after), &mut changes);
        let parts = |change: FieldChange| (change.path, change.before, change.after);
        changes.into_iter().map(parts).collect()
    }

    #[test]
    fn fields_are_told_by_their_path() {
        let before = json!({"spec": {"replicas": 1, "ports": [80, 81], "old": true}, "a/b": 1});
        let after = json!({"spec": {"replicas": 2, "ports": [80, 82], "new": {"x": 1}}, "a/b": 2});
        let expected = [
            ("/spec/old", Some(json!(true)), None),
            ("/spec/replicas", Some(json!(1)), Some(json!(2))),
            ("/spec/ports/1", Some(json!(81)), Some(json!(82))),
            ("/spec/new", None, Some(json!({"x": 1}))),
            ("/a~1b", Some(json!(1)), Some(json!(2))),
        ];
        let expected = expected.map(|(path, before, after)| (path.to_owned(), before, after));
        assert_eq!(changes(&before, &after), expected);
        assert_eq!(changes(&before, &before), []);
        assert_eq!(
            changes(&json!([1]), &json!([1, 2])),
            [(String::new(), Some(json!([1])), Some(json!([1, 2])))]
        );
    }

    #[test]
    fn values_of_secrets_are_not_told() {
        let mut change = FieldChange {
            path: "/data/token".to_owned(),
            before: None,
            after: Some(json!("aHVudGVyMg==")),
        };
        hide(&mut change);
        assert_eq!((change.before, change.after), (None, Some(json!(SECRET))));
    }
}
