//! Pods of a node, and one eviction.

use kdiy::api::pods::{self, Budget, Eviction, Kind, Pod};
use serde_json::{Value, json};

use super::double::{caused, status};
use super::*;

pub fn pod(name: &str, controller: Option<&str>) -> Value {
    let owner = |kind| {
        json!([{
            "apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "o", "controller": true,
        }])
    };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "default", "uid": format!("uid-{name}"),
            "labels": {"app": name}, "ownerReferences": controller.map(owner),
        },
        "spec": {"nodeName": "w-1", "containers": []},
        "status": {"phase": "Running"},
    })
}

pub const PODS: &str = "GET /api/v1/pods limit=500 fieldSelector=spec.nodeName%3Dw-1";

pub fn eviction(name: &str) -> String {
    format!("POST /api/v1/namespaces/default/pods/{name}/eviction")
}

pub fn accepted() -> Answer {
    Answer::Json(
        201,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
    )
}

/// How the API server refuses an eviction because of a budget.
pub fn held() -> Answer {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let cause = "The disruption budget web needs 2 healthy pods and has 2 currently";
    Answer::Json(
        429,
        caused(
            status(429, "TooManyRequests", message),
            "DisruptionBudget",
            cause,
            "",
        ),
    )
}

/// The pod that is asked for after that.
pub fn is_there(double: &Double, name: &str) {
    let get = format!("GET /api/v1/namespaces/default/pods/{name}");
    double
        .script
        .always(&get, Answer::json(pod(name, Some("ReplicaSet"))));
}

pub const BUDGETS: &str = "GET /apis/policy/v1/namespaces/default/poddisruptionbudgets";

pub fn budgets() -> Answer {
    let budget = |name: &str, selector: Value, allowed: i32| {
        json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": selector},
            "status": {
                "disruptionsAllowed": allowed, "desiredHealthy": 2, "currentHealthy": 2, "expectedPods": 2,
            },
        })
    };
    let one = |app: &str| json!({"matchLabels": {"app": app}});
    let items = [
        budget(
            "web",
            json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}),
            0,
        ),
        budget("free", one("web"), 1),
        budget("other", one("other"), 0),
        budget("nothing", Value::Null, 0),
    ];
    Answer::list(&items, "1", None)
}

async fn one(double: &Double, client: &Client) -> Pod {
    double.on(
        PODS,
        Answer::list(&[pod("web", Some("ReplicaSet"))], "1", None),
    );
    pods::of_node(client, "w-1").await.unwrap().remove(0)
}

#[tokio::test(start_paused = true)]
async fn pods_of_a_node_are_told_in_order() {
    let (double, client) = Cluster::single().await;
    let mut with_volume = pod("a", None);
    with_volume["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    with_volume["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    double.on(
        PODS,
        Answer::list(&[pod("b", Some("DaemonSet")), with_volume], "1", None),
    );
    let pods = pods::of_node(&client, "w-1").await.unwrap();
    assert_eq!(pods[0].to_string(), "default/a");
    assert!(pods[0].empty_dir && pods[0].terminating && pods[0].kind == Kind::Bare);
    assert!(!pods[1].empty_dir && !pods[1].terminating && pods[1].kind == Kind::DaemonSet);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_is_of_that_pod_alone() {
    let (double, client) = Cluster::single().await;
    let pod = one(&double, &client).await;
    double.on(&eviction("web"), accepted());
    let grace = Some(Duration::from_secs(7));
    assert_eq!(
        pods::evict(&client, &pod, grace).await.unwrap(),
        Eviction::Accepted
    );
    let sent = double.script.last();
    assert_eq!(
        sent["deleteOptions"]["preconditions"],
        json!({"uid": "uid-web"})
    );
    assert_eq!(sent["deleteOptions"]["gracePeriodSeconds"], 7);

    double.on(&eviction("web"), Answer::status(404, "NotFound", "no"));
    let gone = pods::evict(&client, &pod, None).await.unwrap();
    assert_eq!(gone, Eviction::Gone);
    let get = "GET /api/v1/namespaces/default/pods/web";
    let conflict = || Answer::status(409, "Conflict", "the UID in the precondition is another");
    let mut other = self::pod("web", Some("ReplicaSet"));
    double.on(&eviction("web"), conflict());
    double.on(get, Answer::json(other.clone()));
    let error = pods::evict(&client, &pod, None).await.unwrap_err();
    assert!(error.kind.has_status(409), "it is still the same");
    other["metadata"]["uid"] = json!("another");
    double.on(&eviction("web"), conflict());
    double.on(get, Answer::json(other));
    let gone = pods::evict(&client, &pod, None).await.unwrap();
    assert_eq!(gone, Eviction::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_holds_is_named() {
    let (double, client) = Cluster::single().await;
    is_there(&double, "web");
    let pod = one(&double, &client).await;
    double.on(&eviction("web"), held()).on(BUDGETS, budgets());
    let Eviction::Held { budgets, .. } = pods::evict(&client, &pod, None).await.unwrap() else {
        panic!("it is not held");
    };
    let web = Budget {
        name: "web".to_owned(),
        desired_healthy: 2,
        current_healthy: 2,
    };
    assert_eq!(budgets, [web]);
}

#[tokio::test(start_paused = true)]
async fn whether_it_would_be_held_is_asked_without_doing_it() {
    let (double, client) = Cluster::single().await;
    let pod = one(&double, &client).await;
    double.on(&format!("{} dryRun=All", eviction("web")), accepted());
    assert_eq!(
        pods::would_evict(&client, &pod).await.unwrap(),
        Eviction::Accepted
    );
    assert_eq!(
        double.script.last()["deleteOptions"]["dryRun"],
        json!(["All"])
    );
}

#[tokio::test(start_paused = true)]
async fn other_refusals_are_errors() {
    let (double, client) = Cluster::single().await;
    let pod = one(&double, &client).await;
    let two = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    double.on(&eviction("web"), Answer::status(500, "InternalError", two));
    let error = pods::evict(&client, &pod, None).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("evict pod default/web: This pod has more than one"),
        "{error}"
    );
    // A server with too much to do is no budget.
    double.on(
        &eviction("web"),
        Answer::status(
            429,
            "TooManyRequests",
            "too many requests, please try again later",
        ),
    );
    let error = pods::evict(&client, &pod, None).await.unwrap_err();
    assert!(error.kind.is_transient());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_takes_its_pods_along() {
    let (double, client) = Cluster::single().await;
    let pod = one(&double, &client).await;
    let goes = caused(
        status(403, "Forbidden", "it is being terminated"),
        "NamespaceTerminating",
        "",
        "",
    );
    double.on(&eviction("web"), Answer::Json(403, goes));
    assert_eq!(
        pods::evict(&client, &pod, None).await.unwrap(),
        Eviction::Accepted
    );
}
