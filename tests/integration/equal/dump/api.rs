//! What the API server has: every object of every kind that can be listed.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::ClusterDump;
use super::chance;
use crate::e2e::cluster::{is_ready, name};
use crate::e2e::eventually;
use crate::equal::{Grown, nodes};

/// What tells of events and not of what there is.
const TRANSIENT: [&str; 2] = ["events", "events.events.k8s.io"];

/// Waits until all nodes are ready and bear no taint that says otherwise, and
/// every pod runs.
pub fn wait_until_ready(grown: &Grown) {
    let wanted: Vec<_> = nodes().collect();
    eventually("the cluster comes to rest", Duration::from_secs(90), || {
        let ready = grown.kubectl.ready_nodes();
        let transient = |node: &Value| {
            let taints = node["spec"]["taints"].as_array();
            let keys = taints
                .into_iter()
                .flatten()
                .filter_map(|it| it["key"].as_str());
            keys.filter(|key| key.starts_with("node.kubernetes.io/"))
                .count()
        };
        let tainted: usize = grown.kubectl.list(&["nodes"]).iter().map(transient).sum();
        let pods = grown.kubectl.list(&["pods", "-A"]);
        let waiting: Vec<_> = pods.iter().filter(|pod| !is_ready(pod)).map(name).collect();
        // Three control planes of four parts, and kube-proxy everywhere.
        let count = 3 * 4 + wanted.len();
        let rests = ready == wanted && tainted == 0 && waiting.is_empty() && pods.len() == count;
        rests.then_some(()).ok_or_else(|| {
            format!(
                "ready {ready:?}, {tainted} taints, waiting {waiting:?} of {}",
                pods.len()
            )
        })
    });
}

/// All objects.
pub fn add(grown: &Grown, dump: &mut ClusterDump) {
    let kinds = grown
        .kubectl
        .run(&["api-resources", "--verbs=list", "-o", "name"]);
    let kinds: BTreeSet<_> = kinds
        .lines()
        .filter(|kind| !TRANSIENT.contains(kind))
        .collect();
    assert!(kinds.len() > 30, "{kinds:?}");
    let kinds: Vec<_> = kinds.into_iter().collect();
    let mut count = 0;
    for mut object in grown.kubectl.list(&["-A", &kinds.join(",")]) {
        let kind = object["kind"].as_str().expect("a kind").to_owned();
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("-");
        let namespace = namespace.to_owned();
        let group = object["apiVersion"].as_str().expect("a version").to_owned();
        let name = chance::without(&mut object);
        let name = match kind.as_str() {
            "CertificateSigningRequest" => request(&mut object),
            _ => name,
        };
        plain(&kind, &mut object);
        chance::words_of(&mut object);
        let at = format!("{group} {kind} {namespace} {name}: ");
        let fields = object.as_object_mut().expect("an object");
        fields.shift_remove("kind");
        fields.shift_remove("apiVersion");
        dump.line(at.trim_end_matches(": "), "is there");
        dump.document(&at, &object);
        count += 1;
    }
    assert!(count > 150, "only {count} objects");
}

/// Makes what is kept in an object readable, and takes out who has just been
/// what, where and when.
fn plain(kind: &str, object: &mut Value) {
    match kind {
        "Lease" => {
            for field in [
                "holderIdentity",
                "renewTime",
                "acquireTime",
                "leaseTransitions",
            ] {
                forget(&mut object["spec"][field]);
            }
        }
        "ConfigMap" => {
            for text in object["data"].as_object_mut().into_iter().flatten() {
                let (key, value) = text;
                if key.starts_with("jws-kubeconfig-") {
                    forget(value);
                } else {
                    structured(value);
                }
            }
        }
        "Secret" => {
            for (key, value) in object["data"].as_object_mut().into_iter().flatten() {
                let bytes = STANDARD
                    .decode(value.as_str().expect("base64"))
                    .expect("base64");
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let open = ["usage-", "auth-", "description", "namespace"];
                *value = match open.iter().any(|start| key.starts_with(start)) {
                    true => text.into(),
                    false => "a value".into(),
                };
            }
        }
        // Ranges are given out as nodes ask for them.
        "Node" => {
            forget(&mut object["spec"]["podCIDR"]);
            for range in object["spec"]["podCIDRs"]
                .as_array_mut()
                .into_iter()
                .flatten()
            {
                forget(range);
            }
        }
        _ => {}
    }
}

/// That there is something, and no more.
fn forget(value: &mut Value) {
    if !value.is_null() {
        *value = "something".into();
    }
}

/// YAML and JSON in a text as what they say.
fn structured(value: &mut Value) {
    let text = value.as_str().expect("a text");
    if let Ok(document) = serde_yaml::from_str::<Value>(text)
        && (document.is_object() || document.is_array())
    {
        *value = document;
    }
}

/// A node's request for a certificate, named by whom it is for: its own name
/// is random. Whether it was granted is kept.
fn request(object: &mut Value) -> String {
    let spec = object["spec"].as_object_mut().expect("a spec");
    let pem = spec.shift_remove("request").expect("a request");
    let pem = STANDARD
        .decode(pem.as_str().expect("base64"))
        .expect("base64");
    for field in ["uid", "extra"] {
        spec.shift_remove(field);
    }
    let subject = super::certificate::requested(&pem);
    format!("for {subject}")
}
