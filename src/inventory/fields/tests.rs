//! The table is held against the reader: what it says is what is read.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::cluster::Cluster;
use crate::inventory::{Finding, Severity, load};

/// A sound inventory as a value, with haproxy where `kind` says nothing.
fn base() -> Value {
    serde_yaml::from_str(
        "apiVersion: kdiy/v1alpha1
name: demo
version: \"1.37\"
endpoint: 192.0.2.10:6443
nodes:
  - {name: lb-1, ssh: 192.0.2.8, role: load-balancer}
  - {name: lb-2, ssh: 192.0.2.9, role: load-balancer}
  - {name: cp-1, ssh: 192.0.2.11, role: control-plane}
  - {name: w-1, ssh: 192.0.2.21, role: worker}
network: {cni: bridge}
packages: {repository: https://mirror.example.org/, key: key.asc}
",
    )
    .expect("YAML")
}

fn read(path: &Path) -> std::io::Result<String> {
    let text = match path.to_string_lossy().as_ref() {
        name if name.ends_with(".asc") => "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        name if name.ends_with("audit.yaml") => {
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None}]}"
        }
        _ => "x: y",
    };
    Ok(text.to_owned())
}

/// What the reader says of a value, which is written as JSON: that is YAML.
fn judge(value: &Value) -> (Option<Cluster>, Vec<Finding>) {
    let loaded = load(&value.to_string(), &read);
    (loaded.cluster, loaded.findings)
}

/// Puts a value at a path; `[]` is the last of a list, which is made where it
/// is not there.
fn put(root: &mut Value, path: &str, new: Value) {
    let mut at = root;
    for part in path.split('.') {
        let (name, listed) = match part.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (part, false),
        };
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = &mut at[name];
        if listed {
            if !at.is_array() {
                *at = Value::Array(vec![Value::Null]);
            }
            at = at
                .as_array_mut()
                .and_then(|list| list.last_mut())
                .expect("an item");
        }
    }
    *at = new;
}

/// A sound inventory in which a key can stand: what has to be beside it is.
fn scene(place: &Place) -> Value {
    let mut value = base();
    let parent = place.path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let kinds = place.field.kinds;
    match parent {
        "loadBalancer" | "loadBalancer.lease" => {
            let kind = match parent {
                "loadBalancer" => kinds.first().copied().unwrap_or("haproxy"),
                _ => "kube-vip",
            };
            if matches!(kind, "kube-vip" | "local") {
                put(
                    &mut value,
                    "nodes",
                    serde_json::json!([
                        {"name": "cp-1", "ssh": "192.0.2.11", "roles": ["control-plane", "worker"]},
                    ]),
                );
            }
            put(
                &mut value,
                "loadBalancer",
                serde_json::json!({"kind": kind}),
            );
        }
        "runtime" => {
            let kind = kinds.first().copied().unwrap_or("containerd");
            put(&mut value, "runtime", serde_json::json!({"kind": kind}));
            if matches!(place.field.name, "repository" | "suite" | "key") {
                put(&mut value, "runtime.packages", "docker".into());
                put(&mut value, "runtime.key", "key.asc".into());
            }
            if place.field.name == "runc" {
                put(&mut value, "runtime.archive", archive());
            }
        }
        "nodes[]" => {
            let name = place.field.name;
            if matches!(name, "interface" | "address") {
                put(&mut value, "nodes[].ssh", "w-1.example.org".into());
            }
            if name == "roles" {
                value["nodes"][3]
                    .as_object_mut()
                    .expect("a node")
                    .remove("role");
            }
        }
        "httpProxy" => put(
            &mut value,
            parent,
            serde_json::json!({"http": "http://x.example"}),
        ),
        "runtime.archive" | "runtime.runc" => {
            let runtime = serde_json::json!({"kind": "containerd", "archive": archive()});
            put(&mut value, "runtime", runtime);
        }
        "controlPlane.apiServer.audit" => put(&mut value, parent, serde_json::json!({})),
        "runtime.key" | "runtime.criDockerd" => {
            let (kind, packages) = match parent {
                "runtime.key" => ("containerd", "docker"),
                _ => ("docker", "distribution"),
            };
            let runtime = serde_json::json!({"kind": kind, "packages": packages});
            put(&mut value, "runtime", runtime);
        }
        "nodes[].taints[]" => {
            put(
                &mut value,
                parent,
                serde_json::json!({"key": "x", "effect": "NoSchedule"}),
            );
        }
        "nodes[].ssh" => {
            put(
                &mut value,
                parent,
                serde_json::json!({"host": "192.0.2.21"}),
            );
        }
        "nodes[].ssh.sudo" => {
            put(
                &mut value,
                "nodes[].ssh",
                serde_json::json!({"host": "192.0.2.21"}),
            );
        }
        "endpoint" => put(
            &mut value,
            parent,
            serde_json::json!({"host": "192.0.2.10"}),
        ),
        _ => {}
    }
    if place.path.starts_with("controlPlane.etcd.source") {
        put(&mut value, "topology", "external".into());
    }
    // Keys that name the same file by hash and by URL need each other.
    for parts in [["url", "sha256"], ["url", "fingerprint"]] {
        if parts.contains(&place.field.name) && !parent.is_empty() {
            let other = places();
            for part in parts {
                let path = format!("{parent}.{part}");
                if let Some(other) = other.iter().find(|other| other.path == path) {
                    put(&mut value, &path, literal(other.field.example));
                }
            }
        }
    }
    value
}

/// The example of containerd's archive.
fn archive() -> Value {
    let all = places();
    let archive = all.iter().find(|place| place.path == "runtime.archive");
    literal(archive.expect("an archive").field.example)
}

fn literal(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).expect("YAML")
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.code).collect()
}

#[test]
fn every_field_says_what_it_is_and_has_an_example() {
    let all = places();
    assert!(all.len() > 100, "only {} fields", all.len());
    for place in all {
        let Place { path, field } = place;
        assert!(field.text.ends_with('.'), "{path}");
        assert!(!field.text.contains("  "), "{path}: {:?}", field.text);
        assert!(field.summary().len() < 170, "{path}: {}", field.summary());
        assert!(!field.example.is_empty(), "{path} has no example");
        for word in field.kind.words() {
            assert!(
                !word.text.is_empty() && !word.text.ends_with('.'),
                "{path}: {}",
                word.word
            );
        }
    }
}

#[test]
fn names_lead_to_fields() {
    let path = |name: &str| {
        find(name)
            .map(|place| place.path)
            .map_err(|error| error.to_string())
    };
    for (name, wanted) in [
        ("nodes", "nodes"),
        ("nodes[].ssh", "nodes[].ssh"),
        ("nodes.ssh", "nodes[].ssh"),
        ("nodes[0].ssh.host", "nodes[].ssh.host"),
        ("podCIDR", "network.podCIDR"),
        ("podcidr", "network.podCIDR"),
        ("ssh.sudo.env", "ssh.sudo.env"),
        ("audit", "controlPlane.apiServer.audit"),
        ("kind:", "is the name"),
    ] {
        match path(name) {
            Ok(path) => assert_eq!(path, wanted, "{name}"),
            Err(error) => assert!(error.contains(wanted), "{name}: {error}"),
        }
    }
    let near = |name: &str| match find(name) {
        Err(NotFound::Unknown { near, .. }) => near,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(near("nodse"), ["nodes"]);
    assert_eq!(near("network.podcird"), ["network.podCIDR"]);
    assert_eq!(near("networks.dnsdomian"), ["network.dnsDomain"]);
    assert_eq!(near("zzzzzz"), [""; 0]);
}

#[test]
fn every_example_is_read_without_an_error() {
    for place in places() {
        let mut value = scene(&place);
        put(&mut value, &place.path, literal(place.field.example));
        let (_, findings) = judge(&value);
        let found = codes(&findings);
        // What does not fit the one scene is not about the key.
        let about = found.iter().filter(|code| {
            matches!(
                **code,
                "unknown-key" | "wrong-type" | "unknown-choice" | "missing-key" | "foreign-key"
            ) || code.starts_with("invalid-")
        });
        let about: Vec<_> = about.collect();
        assert_eq!(about, [&""; 0], "{}: {findings:#?}\n{value:#}", place.path);
    }
}

#[test]
fn a_default_that_is_written_changes_nothing() {
    let mut compared = 0;
    for place in places() {
        let Need::Default(default) = place.field.need else {
            continue;
        };
        let without = scene(&place);
        let mut with = without.clone();
        put(&mut with, &place.path, literal(default));
        let ((one, _), (other, findings)) = (judge(&without), judge(&with));
        // Where the scene is no cluster, there is nothing to compare.
        if one.is_some() {
            assert_eq!(one, other, "{}: {findings:#?}", place.path);
            compared += 1;
        }
    }
    assert!(compared > 15, "only {compared} defaults were compared");
}

#[test]
fn the_words_are_those_of_the_reader() {
    let mut seen = 0;
    for place in places() {
        let words = place.field.kind.words();
        if words.is_empty() {
            continue;
        }
        seen += 1;
        for word in words {
            let mut value = scene(&place);
            put(&mut value, &place.path, word.word.into());
            if place.path == "nodes[].roles" {
                put(&mut value, &place.path, serde_json::json!([word.word]));
            }
            let found = judge(&value).1;
            let refused = codes(&found);
            let bad = [
                "unknown-choice",
                "unknown-api-version",
                "secret-in-inventory",
                "wrong-type",
            ];
            assert!(
                !refused.iter().any(|code| bad.contains(code)),
                "{}: {found:#?}",
                place.path
            );
        }
        let mut value = scene(&place);
        put(&mut value, &place.path, "zzzz".into());
        let found = judge(&value).1;
        let Some(refused) = found.iter().find(|finding| {
            matches!(
                finding.code,
                "unknown-choice" | "unknown-api-version" | "secret-in-inventory"
            )
        }) else {
            // A text of another form may stand there, too.
            assert!(
                matches!(place.field.kind, Kind::Either(_)),
                "{}: {found:#?}",
                place.path
            );
            continue;
        };
        let help = refused.help.clone().unwrap_or_default();
        for word in words {
            assert!(help.contains(word.word), "{}: {help}", place.path);
        }
        // The reader offers none that is not in the table.
        let offered = help.split('`').skip(1).step_by(2);
        let plain = offered.filter(|word| word.chars().all(|c| c.is_alphanumeric() || c == '-'));
        for word in plain {
            assert!(
                words.iter().any(|known| known.word == word),
                "{}: {word}",
                place.path
            );
        }
    }
    assert!(seen > 12, "only {seen} fields have words");
}

#[test]
fn the_bounds_are_those_of_the_reader() {
    let mut seen = 0;
    for place in places() {
        let Kind::Number(least, most) = place.field.kind else {
            continue;
        };
        seen += 1;
        for (number, sound) in [
            (least, true),
            (most, true),
            (least - 1, false),
            (most + 1, false),
        ] {
            let mut value = scene(&place);
            put(&mut value, &place.path, number.into());
            let found = judge(&value).1;
            let refused = codes(&found)
                .iter()
                .any(|code| code.starts_with("invalid-"));
            assert_eq!(refused, !sound, "{} {number}: {found:#?}", place.path);
        }
    }
    assert!(seen > 6, "only {seen} numbers");
}
