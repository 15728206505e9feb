//! Single Secrets and ConfigMaps.

use kdiy::api::objects::{self, ConfigMap, Place, Secret};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;

const SECRET: &str = "/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef";

fn place(name: &str) -> Place {
    Place {
        namespace: "kube-system".to_owned(),
        name: name.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_read_written_and_removed() {
    let (double, client) = Cluster::single().await;
    let place = place("bootstrap-token-abcdef");
    double.on(
        &format!("GET {SECRET}"),
        Answer::status(404, "NotFound", "no"),
    );
    assert!(objects::secret(&client, &place).await.unwrap().is_none());

    let secret = Secret {
        place: place.clone(),
        kind: "bootstrap.kubernetes.io/token".to_owned(),
        data: [("token-secret".to_owned(), b"hunter2".to_vec().into())].into(),
        version: None,
    };
    let apply = format!("PATCH {SECRET} fieldManager=kdiy force=true");
    double.on(&apply, Answer::json(json!({})));
    objects::apply_secret(&client, &secret).await.unwrap();
    let seen = double.script.seen().pop().unwrap();
    assert_eq!(seen.kind, "application/apply-patch+yaml");
    let expected = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
        "metadata": {"namespace": "kube-system", "name": "bootstrap-token-abcdef"},
        "data": {"token-secret": "aHVudGVyMg=="},
    });
    assert_eq!(seen.body, expected);

    let mut stored = expected.clone();
    stored["metadata"]["resourceVersion"] = json!("5");
    double.on(&format!("GET {SECRET}"), Answer::json(stored));
    let read = objects::secret(&client, &place).await.unwrap().unwrap();
    assert_eq!(read.data["token-secret"].expose_secret(), b"hunter2");
    assert_eq!(read.version.as_deref(), Some("5"));
    assert!(!format!("{read:?}").contains("hunter2"));

    double.on(
        &format!("DELETE {SECRET}"),
        Answer::json(json!({"kind": "Status", "status": "Success"})),
    );
    objects::delete_secret(&client, &place, Some("u1"))
        .await
        .unwrap();
    assert_eq!(double.script.last()["preconditions"]["uid"], "u1");
    double.on(
        &format!("DELETE {SECRET}"),
        Answer::status(404, "NotFound", "no"),
    );
    objects::delete_secret(&client, &place, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_not_quoted() {
    let (double, client) = Cluster::single().await;
    let bad = json!({"data": {"token": ["hunter2"]}});
    double.on(&format!("GET {SECRET}"), Answer::json(bad));
    let error = objects::secret(&client, &place("bootstrap-token-abcdef"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "api-invalid");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_config_map_is_not_overwritten_if_it_has_changed() {
    let (double, client) = Cluster::single().await;
    let path = "/api/v1/namespaces/kube-system/configmaps/kdiy";
    let stored = json!({"metadata": {"resourceVersion": "5"}, "data": {"run": "1"}});
    double.on(&format!("GET {path}"), Answer::json(stored));
    let read = objects::config_map(&client, &place("kdiy"))
        .await
        .unwrap()
        .unwrap();
    let changed = ConfigMap {
        data: [("run".to_owned(), "2".to_owned())].into(),
        ..read
    };
    double.on(
        &format!("PATCH {path}"),
        Answer::status(409, "Conflict", "modified"),
    );
    let error = objects::apply_config_map(&client, &changed)
        .await
        .unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
    let sent = double.script.last();
    assert_eq!(
        (&sent["metadata"]["resourceVersion"], &sent["data"]["run"]),
        (&json!("5"), &json!("2"))
    );
    double.on(
        &format!("DELETE {path}"),
        Answer::json(json!({"kind": "Status", "status": "Success"})),
    );
    objects::delete_config_map(&client, &place("kdiy"), None)
        .await
        .unwrap();
}
