//! `controlPlane.apiServer.audit:` as written.

use serde_yaml::Value as Yaml;

use super::fields;
use super::finding::{Finding, Spanned, quoted};
use super::reader::{Reader, parse_error};
use super::yaml::{Node, Value};
use crate::cluster::Audit;
use crate::template::yaml_limits;

const API_VERSION: &str = "audit.k8s.io/v1";
const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];

/// The policy that `metadata` stands for: who did what when, without contents,
/// so that no secret gets into the log; each request once, when it is answered.
const METADATA: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
";

const EXAMPLE: &str = "`audit: metadata`, or `{policy: FILE}` with a policy of your own";

/// Reads `audit`, a word or a mapping.
pub fn read(reader: &Reader<'_>, node: &Node) -> Option<Audit> {
    let default = Audit {
        policy: METADATA.to_owned(),
        max_age: 30,
        max_backups: 10,
        max_size: 100,
    };
    if !matches!(node.value, Value::Mapping(_)) {
        let text = reader.text(node, EXAMPLE)?;
        if text.value == "metadata" {
            return Some(default);
        }
        let message = format!("{} is no choice here", quoted(&text.value));
        reader.report(
            Finding::error("unknown-choice", text.span, message)
                .help(format!("write {EXAMPLE}; leave it out for no audit log")),
        );
        return None;
    }
    let fields = reader.fields(node, fields::AUDIT, EXAMPLE)?;
    let number = |key, default| {
        let Some(node) = fields.get(key) else {
            return Some(default);
        };
        let read = reader.parse(
            node,
            "invalid-number",
            "a number such as 30",
            |text| match text.parse::<u16>() {
                Ok(number) if number > 0 => Ok(u32::from(number)),
                _ => parse_error(
                    format!("{} is no number from 1 to 65535", quoted(text)),
                    format!("write a whole number, or leave `{key}` out for {default}"),
                ),
            },
        );
        read.map(|read| read.value)
    };
    let (max_age, max_backups, max_size) = (
        number("maxAge", default.max_age),
        number("maxBackups", default.max_backups),
        number("maxSize", default.max_size),
    );
    let policy = match fields.get("policy") {
        Some(node) => {
            let name = reader.text(node, "`metadata` or the name of a file")?;
            match name.value.as_str() {
                "metadata" => default.policy,
                _ => policy(reader, &name)?,
            }
        }
        None => default.policy,
    };
    Some(Audit {
        policy,
        max_age: max_age?,
        max_backups: max_backups?,
        max_size: max_size?,
    })
}

/// An API server does not start with a policy that it does not understand.
fn policy(reader: &Reader<'_>, name: &Spanned<String>) -> Option<String> {
    let text = reader.file(name)?;
    if let Err(why) = judge(&text) {
        let message = format!("the file {} is no audit policy: {why}", quoted(&name.value));
        reader.report(
            Finding::error("invalid-file", name.span, message).help(format!(
                "begin it with `apiVersion: {API_VERSION}` and `kind: Policy`, and give each of its `rules` a `level`"
            )),
        );
        return None;
    }
    Some(text)
}

fn judge(text: &str) -> Result<(), String> {
    if !yaml_limits::are_kept(text) {
        return Err("its aliases stand for too much".to_owned());
    }
    let document: Yaml =
        serde_yaml::from_str(text).map_err(|error| format!("it is not YAML ({error})"))?;
    if !document.is_mapping() {
        return Err("it is no mapping".to_owned());
    }
    for (key, wanted) in [("apiVersion", API_VERSION), ("kind", "Policy")] {
        match document.get(key).and_then(Yaml::as_str) {
            Some(raw) if raw == wanted => {}
            Some(raw) => return Err(format!("its {key} is {}", quoted(raw))),
            None => return Err(format!("it has no {key}")),
        }
    }
    let rules = document.get("rules").and_then(Yaml::as_sequence);
    let Some(rules) = rules.filter(|rules| !rules.is_empty()) else {
        return Err("it has no list of rules".to_owned());
    };
    for (rule, number) in rules.iter().zip(1..) {
        match rule.get("level").and_then(Yaml::as_str) {
            Some(level) if LEVELS.contains(&level) => {}
            Some(level) => {
                return Err(format!(
                    "rule {number} has the level {}, which is none of {}",
                    quoted(level),
                    LEVELS.join(", ")
                ));
            }
            None => return Err(format!("rule {number} has no level")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_our_own_is_one() {
        assert_eq!(judge(METADATA), Ok(()));
    }

    #[test]
    fn policies_are_judged_as_the_api_server_would() {
        let head = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
        let with = |rules: &str| format!("{head}rules: {rules}");
        let wrong = [
            ("- x".to_owned(), "it is no mapping"),
            ("rules: []".to_owned(), "it has no apiVersion"),
            (
                "apiVersion: audit.k8s.io/v1beta1".to_owned(),
                "its apiVersion is `audit.k8s.io/v1beta1`",
            ),
            (
                "apiVersion: audit.k8s.io/v1\nkind: Event".to_owned(),
                "its kind is `Event`",
            ),
            (head.to_owned(), "it has no list of rules"),
            (with("[]"), "it has no list of rules"),
            (
                with("[{level: None}, {verbs: [get]}]"),
                "rule 2 has no level",
            ),
            (
                with("[{level: metadata}]"),
                "rule 1 has the level `metadata`, which is none of None, Metadata, Request, RequestResponse",
            ),
        ];
        for (text, why) in wrong {
            assert_eq!(judge(&text), Err(why.to_owned()), "{text}");
        }
        let broken = judge("a: [").expect_err("no YAML");
        assert!(broken.starts_with("it is not YAML ("), "{broken}");
        assert_eq!(judge(&with("[{level: RequestResponse}]")), Ok(()));
    }
}
