//! What a kubeconfig says: whom it trusts and who its user is, apart from the
//! names that its entries give each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::certificate;

/// All that is in it; there is one entry of each kind.
pub fn told(document: &Value) -> Value {
    let cluster = only(document, "clusters");
    let user = only(document, "users");
    let context = only(document, "contexts");
    let means = &context["context"];
    let hangs_together = document["current-context"] == context["name"]
        && means["cluster"] == cluster["name"]
        && means["user"] == user["name"];
    json!({
        "names": {
            "cluster": cluster["name"],
            "user": user["name"],
            "context": context["name"],
        },
        "hangs together": hangs_together,
        "namespace": means["namespace"].as_str().unwrap_or("not said"),
        "cluster": plain(&cluster["cluster"]),
        "user": plain(&user["user"]),
    })
}

fn only<'a>(document: &'a Value, kind: &str) -> &'a Value {
    let entries = document[kind].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{kind}");
    &entries[0]
}

/// Certificates as what they say; that there is a key.
fn plain(value: &Value) -> Value {
    let mut plain = value.clone();
    for (key, value) in plain.as_object_mut().expect("fields") {
        if key == "client-key-data" {
            *value = "a key".into();
        } else if key.ends_with("-data") {
            let text = value.as_str().expect("base64");
            *value = certificate::told(&STANDARD.decode(text).expect("base64"));
        }
    }
    plain
}
