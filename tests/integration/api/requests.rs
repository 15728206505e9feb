//! Requests of kubelets for certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kdiy::api::requests;
use serde_json::{Value, json};

use super::*;

fn request(name: &str, signer: &str, conditions: Value) -> Value {
    let pem = "-----BEGIN CERTIFICATE REQUEST-----\nAQID\n-----END CERTIFICATE REQUEST-----\n";
    json!({
        "metadata": {"name": name, "uid": name, "resourceVersion": "7"},
        "spec": {
            "request": STANDARD.encode(pem), "signerName": signer,
            "username": "system:node:w-1", "groups": ["system:nodes"],
            "usages": ["digital signature", "server auth"],
        },
        "status": {"conditions": conditions},
    })
}

const LIST: &str = "GET /apis/certificates.k8s.io/v1/certificatesigningrequests limit=500 \
    fieldSelector=spec.signerName%3Dkubernetes.io%2Fkubelet-serving";
const APPROVAL: &str =
    "PATCH /apis/certificates.k8s.io/v1/certificatesigningrequests/csr-b/approval";
const SERVING: &str = "kubernetes.io/kubelet-serving";

async fn pending(double: &Double, client: &Client) -> Vec<requests::Request> {
    let decided = json!([{"type": "Denied", "status": "True"}]);
    let items = [
        request("csr-b", SERVING, Value::Null),
        request("csr-c", SERVING, decided),
        request("csr-a", "example.com/other", Value::Null),
    ];
    double.on(LIST, Answer::list(&items, "1", None));
    requests::pending(client).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn only_open_requests_to_the_kubelets_signer_are_told() {
    let (double, client) = Cluster::single().await;
    let pending = pending(&double, &client).await;
    let [one] = &pending[..] else {
        panic!("{pending:?}")
    };
    assert_eq!((one.name.as_str(), one.version.as_str()), ("csr-b", "7"));
    assert_eq!(one.requestor, "system:node:w-1");
    assert_eq!(one.groups, ["system:nodes"]);
    assert_eq!(one.usages, ["digital signature", "server auth"]);
    assert_eq!(one.der, Some(vec![1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_approved_as_it_was_read() {
    let (double, client) = Cluster::single().await;
    let one = pending(&double, &client).await.remove(0);
    double.on(
        APPROVAL,
        Answer::json(request("csr-b", SERVING, Value::Null)),
    );
    requests::approve(&client, &one, "its node asks for itself")
        .await
        .unwrap();
    let sent = double.script.last();
    assert_eq!(sent["metadata"]["resourceVersion"], "7");
    assert_eq!(sent["status"]["conditions"][0]["type"], "Approved");
    double.on(
        APPROVAL,
        Answer::status(409, "Conflict", "the object has been modified"),
    );
    let error = requests::approve(&client, &one, "x").await.unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
}
