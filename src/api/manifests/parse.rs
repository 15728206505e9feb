//! YAML documents as objects.

use serde_json::Value;
use serde_saphyr::Options;

use super::{Manifest, Object};
use crate::api::ErrorKind;
use crate::template::yaml_limits;

/// Reads the objects of all documents, and of all lists among them, in their
/// order. Octal numbers and booleans are those of YAML 1.1, as kubectl reads
/// them.
///
/// # Errors
/// When it is no YAML, or a document is no object with `apiVersion`, `kind`
/// and `metadata.name`. The text is not quoted: it may hold secrets.
pub fn parse(text: &str) -> Result<Vec<Manifest>, ErrorKind> {
    if !yaml_limits::are_kept(text) {
        return Err(ErrorKind::Invalid(
            "its aliases make it too large".to_owned(),
        ));
    }
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    let documents = read(text, options)?;
    let mut manifests = Vec::new();
    for (document, number) in documents.into_iter().zip(1..) {
        flatten(document, number, &mut manifests)?;
    }
    Ok(manifests)
}

fn read(text: &str, options: Options) -> Result<Vec<Value>, ErrorKind> {
    let documents = serde_saphyr::from_multiple_with_options::<Option<Value>>(text, options);
    let documents = documents.map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        ErrorKind::Invalid(format!("line {line} is no YAML that can be read"))
    })?;
    Ok(documents.into_iter().flatten().collect())
}

/// A document's object, or those of a list.
fn flatten(document: Value, number: usize, into: &mut Vec<Manifest>) -> Result<(), ErrorKind> {
    let is_list = document["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    let Some(Value::Array(items)) = is_list.then(|| document["items"].clone()) else {
        into.push(manifest(document, number)?);
        return Ok(());
    };
    items
        .into_iter()
        .try_for_each(|item| flatten(item, number, into))
}

fn manifest(value: Value, number: usize) -> Result<Manifest, ErrorKind> {
    let text = |pointer: &str| {
        let value = value.pointer(pointer).and_then(Value::as_str);
        let value = value.filter(|text| !text.is_empty());
        value.map(str::to_owned).ok_or_else(|| {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            ErrorKind::Invalid(format!("document {number} has no {field}"))
        })
    };
    let object = Object {
        api_version: text("/apiVersion")?,
        kind: text("/kind")?,
        namespace: text("/metadata/namespace").ok(),
        name: text("/metadata/name")?,
    };
    Ok(Manifest { object, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str) -> Vec<String> {
        let manifests = parse(text).unwrap();
        let names = manifests.iter().map(|manifest| manifest.object.to_string());
        names.collect()
    }

    #[test]
    fn documents_and_lists_become_objects_in_order() {
        let text = "# only a comment\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n\
            ---\n---\nkind: List\napiVersion: v1\nitems:\n\
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: one}}\n\
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: one}}\n...\n";
        assert_eq!(
            objects(text),
            ["Namespace one", "ConfigMap one/a", "ConfigMap one/b"]
        );
        assert_eq!(objects(""), [""; 0]);
    }

    #[test]
    fn scalars_are_those_that_kubectl_reads() {
        let text = "apiVersion: v1\nkind: X\nmetadata: {name: x}\nmode: 0644\nyes: on\n\
            text: \"on\"\nport: 80\nversion: \"1.0\"\nratio: 1.5\nnothing: ~\n";
        let value = &parse(text).unwrap()[0].value;
        assert_eq!(value["mode"], 420);
        assert_eq!(value["text"], "on");
        assert_eq!(value["port"], 80);
        assert_eq!(value["version"], "1.0");
        assert_eq!(value["ratio"], 1.5);
        assert_eq!(value["nothing"], Value::Null);
    }

    #[test]
    fn what_is_no_object_is_refused_without_being_quoted() {
        for (text, expected) in [
            (
                "apiVersion: v1\nkind: X\n",
                "document 1 has no metadata.name",
            ),
            (
                "kind: X\nmetadata: {name: x}",
                "document 1 has no apiVersion",
            ),
            ("hunter2", "document 1 has no apiVersion"),
            ("a: [hunter2\n", "line 1 is no YAML that can be read"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
    }
}
