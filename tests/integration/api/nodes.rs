//! Nodes as they are, labels and taints, cordon, removal.

use kdiy::api::nodes::{self, Cordoned, Settings, TaintChange, Uncordoned};
use kdiy::cluster::{Taint, TaintEffect};
use serde_json::{Value, json};

use super::*;

const NODE: &str = "GET /api/v1/nodes/w-1";
const PATCH: &str = "PATCH /api/v1/nodes/w-1 fieldManager=kdiy";

fn node(version: &str, more: &Value) -> Value {
    let mut node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "w-1", "uid": "u1", "resourceVersion": version},
        "spec": {},
    });
    merge(&mut node, more);
    node
}

/// RFC 7396.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_is_told_whole() {
    let (double, client) = Cluster::single().await;
    let more = json!({
        "metadata": {
            "labels": {"role": "worker"},
            "annotations": {"kdiy/cordoned-by": "run-7", "other": "x"},
        },
        "spec": {
            "unschedulable": true,
            "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}],
        },
        "status": {
            "addresses": [
                {"type": "Hostname", "address": "w-1"},
                {"type": "InternalIP", "address": "10.0.0.9"},
                {"type": "InternalIP", "address": "fd00::9"},
            ],
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}],
            "nodeInfo": {"machineID": "m1", "kubeletVersion": "v1.37.2"},
            "aFieldOfTomorrow": {"x": [1]},
        },
    });
    double.on(
        "GET /api/v1/nodes",
        Answer::list(&[node("1", &more)], "1", None),
    );
    let nodes = nodes::list(&client).await.unwrap();
    let [node] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert!(node.is_ready() && node.unschedulable);
    assert_eq!((node.name.as_str(), node.uid.as_str()), ("w-1", "u1"));
    assert_eq!(node.cordoned_by.as_deref(), Some("run-7"));
    assert_eq!(
        node.internal_ips,
        [
            "10.0.0.9".parse::<std::net::IpAddr>().unwrap(),
            "fd00::9".parse().unwrap()
        ]
    );
    assert_eq!(node.taints[0].to_string(), "k=v:NoSchedule");
    assert_eq!(
        (node.machine_id.as_str(), node.kubelet_version.as_str()),
        ("m1", "v1.37.2")
    );
    assert_eq!(node.labels["role"], "worker");
}

fn settings() -> Settings {
    Settings {
        labels: [("role".to_owned(), Some("worker".to_owned()))].into(),
        taints: vec![TaintChange::Present(Taint {
            key: "k".to_owned(),
            value: String::new(),
            effect: TaintEffect::NoExecute,
        })],
    }
}

#[tokio::test(start_paused = true)]
async fn labels_and_taints_are_set_on_what_was_read() {
    let (double, client) = Cluster::single().await;
    let after = json!({
        "metadata": {"labels": {"role": "worker"}},
        "spec": {"taints": [{"key": "k", "effect": "NoExecute"}]},
    });
    double.on(NODE, Answer::json(node("5", &json!({}))));
    double.on(PATCH, Answer::json(node("6", &after)));
    let set = nodes::set(&client, "w-1", "u1", &settings()).await.unwrap();
    assert_eq!(set.taints.len(), 1);
    let mut expected = after.clone();
    expected["metadata"]["resourceVersion"] = json!("5");
    assert_eq!(double.script.last(), expected);
    assert_eq!(
        double.script.seen().last().unwrap().kind,
        "application/merge-patch+json"
    );
    // It is so by now: nothing is written.
    double.on(NODE, Answer::json(node("6", &after)));
    nodes::set(&client, "w-1", "u1", &settings()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_read_and_tried_again() {
    let (double, client) = Cluster::single().await;
    let conflict = || Answer::status(409, "Conflict", "the object has been modified");
    double
        .on(NODE, Answer::json(node("5", &json!({}))))
        .on(PATCH, conflict());
    let others = json!({"spec": {"taints": [{"key": "theirs", "effect": "NoSchedule"}]}});
    double.on(NODE, Answer::json(node("7", &others)));
    double.on(PATCH, Answer::json(node("8", &json!({}))));
    nodes::set(&client, "w-1", "u1", &settings()).await.unwrap();
    let written = double.script.last();
    assert_eq!(written["metadata"]["resourceVersion"], "7");
    assert_eq!(written["spec"]["taints"].as_array().unwrap().len(), 2);

    for _ in 0..6 {
        double
            .on(NODE, Answer::json(node("9", &json!({}))))
            .on(PATCH, conflict());
    }
    let error = nodes::set(&client, "w-1", "u1", &settings())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "api-contended");
}

#[tokio::test(start_paused = true)]
async fn a_node_of_the_same_name_is_another_one() {
    let (double, client) = Cluster::single().await;
    double.on(
        NODE,
        Answer::json(node("5", &json!({"metadata": {"uid": "u2"}}))),
    );
    let error = nodes::set(&client, "w-1", "u1", &settings())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"set labels and taints of node w-1: w-1 is another one by now");
}

#[tokio::test(start_paused = true)]
async fn who_cordoned_is_noted_and_undone_by_nobody_else() {
    let (double, client) = Cluster::single().await;
    let ours = json!({
        "metadata": {"annotations": {"kdiy/cordoned-by": "run-7"}},
        "spec": {"unschedulable": true},
    });
    double.on(NODE, Answer::json(node("1", &json!({}))));
    double.on(PATCH, Answer::json(node("2", &ours)));
    let cordoned = nodes::cordon(&client, "w-1", "u1", "run-7").await.unwrap();
    assert_eq!(cordoned, Cordoned::ByKdiy);
    let mut expected = ours.clone();
    expected["metadata"]["resourceVersion"] = json!("1");
    assert_eq!(double.script.last(), expected);
    // A later run finds it so.
    double.on(NODE, Answer::json(node("2", &ours)));
    let cordoned = nodes::cordon(&client, "w-1", "u1", "run-8").await.unwrap();
    assert_eq!(cordoned, Cordoned::ByKdiy);

    double.on(NODE, Answer::json(node("2", &ours)));
    double.on(PATCH, Answer::json(node("3", &json!({}))));
    let uncordoned = nodes::uncordon(&client, "w-1", "u1").await.unwrap();
    assert_eq!(uncordoned, Uncordoned::Schedulable);
    let expected = json!({
        "metadata": {"annotations": {"kdiy/cordoned-by": null}, "resourceVersion": "2"},
        "spec": {"unschedulable": null},
    });
    assert_eq!(double.script.last(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_the_user_cordoned_stays_so() {
    let (double, client) = Cluster::single().await;
    let theirs = json!({"spec": {"unschedulable": true}});
    double.on(NODE, Answer::json(node("1", &theirs)));
    let cordoned = nodes::cordon(&client, "w-1", "u1", "run-7").await.unwrap();
    assert_eq!(cordoned, Cordoned::ByOthers);
    double.on(NODE, Answer::json(node("1", &theirs)));
    let uncordoned = nodes::uncordon(&client, "w-1", "u1").await.unwrap();
    assert_eq!(uncordoned, Uncordoned::ByOthers);
}

#[tokio::test(start_paused = true)]
async fn a_node_is_removed_by_its_identity() {
    let (double, client) = Cluster::single().await;
    let delete = "DELETE /api/v1/nodes/w-1";
    double.on(
        delete,
        Answer::json(json!({"kind": "Status", "status": "Success"})),
    );
    nodes::delete(&client, "w-1", "u1").await.unwrap();
    assert_eq!(double.script.last()["preconditions"], json!({"uid": "u1"}));
    double.on(delete, Answer::status(404, "NotFound", "gone"));
    nodes::delete(&client, "w-1", "u1").await.unwrap();
    let message = "Precondition failed: UID in precondition: u1, UID in object meta: u2";
    double.on(delete, Answer::status(409, "Conflict", message));
    let error = nodes::delete(&client, "w-1", "u1").await.unwrap_err();
    insta::assert_snapshot!(error, @"delete node w-1: Precondition failed: UID in precondition: u1, UID in object meta: u2 [409 Conflict]");
}

/// The first answer was lost, so that the second finds nothing: it is gone.
#[tokio::test(start_paused = true)]
async fn a_removal_whose_answer_is_lost_is_seen_through() {
    let (double, client) = Cluster::single().await;
    double.on("DELETE /api/v1/nodes/w-1", Answer::Cut);
    double.on(
        "DELETE /api/v1/nodes/w-1",
        Answer::status(404, "NotFound", "gone"),
    );
    nodes::delete(&client, "w-1", "u1").await.unwrap();
}
