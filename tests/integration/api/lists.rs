//! Lists page by page, and watches.

use std::sync::Mutex;

use kdiy::api::nodes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::double::{After, status};
use super::*;

pub fn node(name: &str, version: &str, ready: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": version},
        "status": {"conditions": [{
            "type": "Ready", "status": ready, "reason": "KubeletNotReady",
            "message": "cni plugin\nnot initialized",
        }]},
    })
}

pub fn event(kind: &str, object: Value) -> Value {
    json!({"type": kind, "object": object})
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_page_by_page() {
    let (double, client) = Cluster::single().await;
    let page = |first: usize| -> Vec<Value> {
        (first..first + 3)
            .map(|number| node(&format!("n-{number}"), "1", "True"))
            .collect()
    };
    double
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&page(0), "7", Some("two")),
        )
        .on(
            "GET /api/v1/nodes limit=500 continue=two",
            Answer::list(&page(3), "7", Some("three")),
        )
        .on(
            "GET /api/v1/nodes limit=500 continue=three",
            Answer::list(&page(6), "7", None),
        );
    let names: Vec<_> = nodes::list(&client)
        .await
        .unwrap()
        .into_iter()
        .map(|node| node.name)
        .collect();
    assert_eq!(
        names,
        (0..9)
            .map(|number| format!("n-{number}"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_the_server_has_forgotten_is_begun_anew() {
    let (double, client) = Cluster::single().await;
    let gone = Answer::status(410, "Expired", "the provided continue parameter is too old");
    double
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("a", "1", "True")], "7", Some("two")),
        )
        .on("GET /api/v1/nodes continue=two", gone)
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("b", "1", "True")], "8", None),
        );
    let nodes = nodes::list(&client).await.unwrap();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].name, "b");
}

fn wait(client: &Client, seconds: u64) -> impl Future<Output = Result<(), Error>> {
    let (client, names) = (client.clone(), ["a".to_owned(), "b".to_owned()]);
    async move { nodes::wait_until_ready(&client, &names, Duration::from_secs(seconds), &|_| {}).await }
}

#[tokio::test(start_paused = true)]
async fn nodes_are_waited_for_by_watch() {
    let (double, client) = Cluster::single().await;
    let events = vec![
        event("ADDED", node("b", "8", "False")),
        event(
            "BOOKMARK",
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"resourceVersion": "9"}}),
        ),
        event("MODIFIED", node("b", "10", "True")),
        event("MODIFIED", node("a", "11", "True")),
    ];
    double
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("a", "3", "Unknown")], "7", None),
        )
        .on(
            "GET /api/v1/nodes watch=true resourceVersion=7 allowWatchBookmarks=true",
            Answer::Events(events, After::Silence),
        );
    let begun = Instant::now();
    wait(&client, 60).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "it slept");
}

#[tokio::test(start_paused = true)]
async fn nodes_that_have_just_joined_are_waited_for() {
    let (double, client) = Cluster::single().await;
    double
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("a", "3", "Unknown")], "7", None),
        )
        .on(
            "GET /api/v1/nodes watch=true resourceVersion=7 allowWatchBookmarks=true",
            Answer::Events(
                vec![event("ADDED", node("b", "8", "False"))],
                After::Silence,
            ),
        );
    let told = Mutex::new(Vec::new());
    let names = ["a".to_owned(), "b".to_owned()];
    let tell = |line| told.lock().unwrap().push(line);
    let limit = Duration::from_secs(60);
    let nodes = nodes::wait_until_registered(&client, &names, limit, &tell);
    assert_eq!(nodes.await.unwrap().len(), 2);
    let told = told.into_inner().unwrap();
    assert_eq!(told, ["waiting for b is not in the cluster"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_where_it_ended() {
    let (double, client) = Cluster::single().await;
    double
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("a", "3", "True")], "7", None),
        )
        .on(
            "GET /api/v1/nodes watch=true resourceVersion=7",
            Answer::Events(vec![event("ADDED", node("b", "8", "False"))], After::End),
        )
        .on(
            "GET /api/v1/nodes watch=true resourceVersion=8",
            Answer::Events(vec![event("MODIFIED", node("b", "9", "True"))], After::End),
        );
    wait(&client, 60).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_is_begun_anew_with_another_server() {
    let mut cluster = Cluster::new();
    let (first, second) = (cluster.server(1).await, cluster.server(2).await);
    let client = cluster.client();
    first
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("a", "3", "True")], "7", None),
        )
        .on(
            "GET /api/v1/nodes watch=true",
            Answer::Events(vec![event("ADDED", node("b", "8", "False"))], After::Cut),
        )
        .on("GET /readyz", Answer::text(200, "ok"))
        .on("GET /readyz", Answer::text(500, "shutdown"));
    second.on(
        "GET /api/v1/nodes limit=500",
        Answer::list(&[node("a", "3", "True"), node("b", "9", "True")], "9", None),
    );
    wait(&client, 60).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_is_listed_anew() {
    for answer in [
        Answer::status(410, "Expired", "too old resource version"),
        Answer::Events(
            vec![event("ERROR", status(410, "Expired", "too old"))],
            After::End,
        ),
    ] {
        let (double, client) = Cluster::single().await;
        let ready = [node("a", "3", "True"), node("b", "9", "True")];
        double
            .on(
                "GET /api/v1/nodes limit=500",
                Answer::list(&ready[..1], "7", None),
            )
            .on("GET /api/v1/nodes watch=true", answer)
            .on(
                "GET /api/v1/nodes limit=500",
                Answer::list(&ready, "9", None),
            );
        wait(&client, 60).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_when_the_time_is_over_is_said() {
    let (double, client) = Cluster::single().await;
    double
        .on(
            "GET /api/v1/nodes limit=500",
            Answer::list(&[node("a", "3", "False")], "7", None),
        )
        .on(
            "GET /api/v1/nodes watch=true",
            Answer::Events(vec![], After::Silence),
        );
    let error = wait(&client, 60).await.unwrap_err();
    assert_eq!(error.code(), "api-not-in-time");
    insta::assert_snapshot!(error, @"wait for the nodes to be ready: not so within 60 s: a (KubeletNotReady: cni plugin␊not initialized); b is not in the cluster");
}

#[tokio::test(start_paused = true)]
async fn servers_that_are_away_are_waited_for() {
    let mut cluster = Cluster::new();
    let double = Double::new(&cluster.authority, Cluster::address(1).ip());
    let (served, mut left) = (double.clone(), 3);
    cluster
        .serve(1, move || {
            left -= 1;
            if left > 0 {
                return Err(kdiy::transport::Error::Lost {
                    address: "cp-1:22".to_owned(),
                    why: "x".to_owned(),
                });
            }
            left = 1;
            Ok(served.stream())
        })
        .await;
    double.on(
        "GET /api/v1/nodes limit=500",
        Answer::list(&[node("a", "1", "True"), node("b", "1", "True")], "2", None),
    );
    wait(&cluster.client(), 60).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_waited_out() {
    let (double, client) = Cluster::single().await;
    double.on(
        "GET /api/v1/nodes limit=500",
        Answer::status(403, "Forbidden", "no"),
    );
    let error = wait(&client, 60).await.unwrap_err();
    assert!(error.kind.has_status(403), "{error}");
}
