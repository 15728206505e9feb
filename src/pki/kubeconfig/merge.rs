//! One cluster's entries put into a kubeconfig that is there already, without
//! losing what is there.

use secrecy::SecretString;
use serde_yaml::{Mapping, Value};

use super::splice::splice;
use super::{Error, Kubeconfig, decode, parse_error};
use crate::pki::{Fingerprint, certificate};
use crate::template::yaml_limits;

/// A kubeconfig with one more cluster in it.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The whole text; the very text that was there if nothing had to change.
    pub text: SecretString,
    /// Lines of comments that were there and are not in `text`: they stay in
    /// the block style that kubectl writes, and are lost where the file is in
    /// another and had to be written anew. Keep a copy of it where not 0.
    pub comments_lost: usize,
}

/// Puts a cluster into an existing kubeconfig (perhaps empty). Other entries,
/// unknown fields and the order stay. Entries of the same name are renewed
/// where they are this cluster's; the current context changes only if there
/// was none, or if `switch` asks for it.
///
/// # Errors
/// When the text is no kubeconfig, or an entry of the same name is another's.
pub fn merge(existing: &str, ours: &Kubeconfig, switch: bool) -> Result<Merged, Error> {
    if !yaml_limits::are_kept(existing) {
        return Err(Error::AnswerError { line: None });
    }
    let before: Value = serde_yaml::from_str(existing).map_err(|error| parse_error(&error))?;
    let mut root = match before.clone() {
        Value::Null => Mapping::new(),
        Value::Mapping(root) => root,
        _ => return Err(Error::AnswerError { line: Some(1) }),
    };
    let document = serde_yaml::to_value(ours.document()).map_err(|error| parse_error(&error))?;
    let Value::Mapping(document) = document else {
        return Err(Error::AnswerError { line: None });
    };
    for (key, value) in document {
        let place = root.entry(key.clone()).or_insert(Value::Null);
        match (key.as_str().unwrap_or_default(), value) {
            ("clusters", value) => put(place, value, "cluster", |there| own_cluster(there, ours))?,
            ("users", value) => put(place, value, "user", |there| own_user(there, ours))?,
            ("contexts", value) => put(place, value, "context", |there| own_context(there, ours))?,
            ("current-context", value) if switch || is_blank(place) => *place = value,
            ("current-context", _) => {}
            (_, value) if is_blank(place) => *place = value,
            (_, value) if *place == value => {}
            (field, _) => {
                return Err(Error::Lacks {
                    what: format!("{field} that kdiy knows"),
                });
            }
        }
    }
    let old = before.as_mapping().cloned().unwrap_or_default();
    if root == old && before.is_mapping() {
        return Ok(Merged {
            text: existing.into(),
            comments_lost: 0,
        });
    }
    if let Some(text) = splice(existing, &old, &root) {
        return Ok(Merged {
            text: text.into(),
            comments_lost: 0,
        });
    }
    let after = Value::Mapping(root);
    let text = emit(&after)?;
    let comments_lost = existing.lines().filter(|line| has_comment(line)).count();
    Ok(Merged {
        text: text.into(),
        comments_lost,
    })
}

/// Puts the one entry of `entries` into the list at `place`.
fn put(
    place: &mut Value,
    entries: Value,
    kind: &'static str,
    own: impl Fn(&Mapping) -> Result<(), String>,
) -> Result<(), Error> {
    if place.is_null() {
        *place = Value::Sequence(Vec::new());
    }
    let (Value::Sequence(list), Value::Sequence(entries)) = (place, entries) else {
        return Err(Error::AnswerError { line: None });
    };
    for entry in entries {
        let same = list
            .iter_mut()
            .find(|there| there.get("name") == entry.get("name"));
        let Some(there) = same else {
            list.push(entry);
            continue;
        };
        let body = there.get_mut(kind).and_then(Value::as_mapping_mut);
        let body = body.ok_or(Error::AnswerError { line: None })?;
        own(body).map_err(|why| {
            let name = entry
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            Error::Taken { kind, name, why }
        })?;
        let fields = entry
            .get(kind)
            .and_then(Value::as_mapping)
            .into_iter()
            .flatten();
        for (field, value) in fields {
            body.insert(field.clone(), value.clone());
        }
    }
    Ok(())
}

fn own_cluster(there: &Mapping, ours: &Kubeconfig) -> Result<(), String> {
    let theirs = embedded(there, "certificate-authority-data")
        .ok_or("holds no embedded authority to know it by")?;
    let print = |pem: &str| Fingerprint::of_certificate("authority", pem);
    match (print(&theirs), print(&ours.authority)) {
        (Ok(theirs), Ok(ours)) if theirs == ours => Ok(()),
        (Ok(theirs), Ok(ours)) => Err(format!(
            "its authority is another: SHA-256 {theirs}, this cluster's is {ours}"
        )),
        _ => Err("its authority cannot be read".to_owned()),
    }
}

fn own_user(there: &Mapping, ours: &Kubeconfig) -> Result<(), String> {
    let theirs = embedded(there, "client-certificate-data")
        .ok_or("holds no embedded certificate to know it by")?;
    match certificate::is_signed_by(&theirs, &ours.authority) {
        Ok(true) => Ok(()),
        Ok(false) => Err("its certificate is not of this cluster's authority".to_owned()),
        Err(_) => Err("its certificate cannot be read".to_owned()),
    }
}

fn own_context(there: &Mapping, ours: &Kubeconfig) -> Result<(), String> {
    let text = |field: &str| there.get(field).and_then(Value::as_str).unwrap_or_default();
    let (cluster, user) = (text("cluster"), text("user"));
    if (cluster, user) == (&ours.cluster, &ours.user) {
        return Ok(());
    }
    Err(format!("it joins cluster {cluster:?} and user {user:?}"))
}

fn embedded(body: &Mapping, field: &'static str) -> Option<String> {
    let text = body.get(field)?.as_str()?;
    decode(field, text).ok().map(|pem| pem.to_string())
}

/// YAML, or JSON (which is YAML too, and quotes every string) where the YAML
/// writer would leave a string bare that kubectl, which reads YAML 1.1, takes
/// for a boolean or a number.
fn emit(value: &Value) -> Result<String, Error> {
    if is_ambiguous(value) {
        return serde_json::to_string_pretty(value).map_err(|_| Error::AnswerError { line: None });
    }
    serde_yaml::to_string(value).map_err(|error| parse_error(&error))
}

fn is_ambiguous(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let boolean = ["y", "n", "yes", "no", "on", "off"];
            let number = text.contains('_') && text.replace('_', "").parse::<f64>().is_ok();
            boolean.contains(&text.to_ascii_lowercase().as_str()) || number
        }
        Value::Sequence(list) => list.iter().any(is_ambiguous),
        Value::Mapping(map) => map
            .iter()
            .any(|(key, value)| is_ambiguous(key) || is_ambiguous(value)),
        _ => false,
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// YAML's comments begin a line or follow a blank. A `#` inside a quoted
/// string counts too: it is better to warn once too often.
fn has_comment(line: &str) -> bool {
    line.trim_start().starts_with('#') || line.contains(" #")
}
