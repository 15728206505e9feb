//! Connections that break, servers that are slow, busy or too talkative.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};
use tokio::time::Instant;

use super::double::status;
use super::*;

async fn two() -> (Double, Double, Client) {
    let mut cluster = Cluster::new();
    let (first, second) = (cluster.server(1).await, cluster.server(2).await);
    (first, second, cluster.client())
}

/// A request that must not be sent twice.
async fn create(client: &Client) -> Result<ConfigMap, kube::Error> {
    let api: Api<ConfigMap> = Api::namespaced(client.kube(), "default");
    api.create(&PostParams::default(), &ConfigMap::default())
        .await
}

const CREATE: &str = "POST /api/v1/namespaces/default/configmaps";

#[tokio::test(start_paused = true)]
async fn a_read_whose_connection_broke_is_sent_to_another_server() {
    for broken in [Answer::Cut, Answer::CutMidway] {
        let (first, second, client) = two().await;
        first.on("GET /version", broken);
        second.on("GET /version", is_version("two"));
        assert_eq!(version(&client).await.unwrap(), "two");
        // From then on the other one is used.
        second.on("GET /version", is_version("two"));
        assert_eq!(version(&client).await.unwrap(), "two");
        assert_eq!(first.script.lines(), ["GET /version"]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_sent_once_more_and_no_more() {
    let (first, second, client) = two().await;
    first.on("GET /version", Answer::Cut);
    second.on("GET /version", Answer::Cut);
    let kind = why(version(&client).await.unwrap_err());
    assert!(
        matches!(&kind, ErrorKind::Broken { server, .. } if server.as_str() == "cp-2"),
        "{kind}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_never_repeated_silently() {
    for broken in [Answer::Cut, Answer::CutMidway] {
        let (first, second, client) = two().await;
        first.on(CREATE, broken);
        let kind = why(create(&client).await.unwrap_err());
        assert!(
            matches!(&kind, ErrorKind::Broken { server, .. } if server.as_str() == "cp-1"),
            "{kind}"
        );
        assert!(kind.is_transient());
        assert_eq!(second.script.lines(), [""; 0]);
        // The next request goes on, over a new connection.
        first.on(
            CREATE,
            Answer::json(serde_json::json!({"metadata": {"name": "x"}})),
        );
        assert_eq!(create(&client).await.unwrap().metadata.name.unwrap(), "x");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_left_after_the_time_limit() {
    let (first, second, client) = two().await;
    first.on("GET /version", Answer::Silence);
    second.on("GET /version", is_version("two"));
    let begun = Instant::now();
    assert_eq!(version(&client).await.unwrap(), "two");
    let took = begun.elapsed();
    assert!((30..40).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_hangs_is_told_of() {
    let (first, _second, client) = two().await;
    first.on(CREATE, Answer::Silence);
    let kind = why(create(&client).await.unwrap_err());
    let ErrorKind::TimeLimit { server, limit } = &kind else {
        panic!("{kind}");
    };
    assert_eq!((server.as_str(), limit.as_secs()), ("cp-1", 70));
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_a_largest_size() {
    let mut cluster = Cluster::new();
    cluster.limits.answer = 1 << 20;
    let double = cluster.server(1).await;
    double.on(
        "GET /version",
        Answer::text(200, &"x".repeat((1 << 20) + 1)),
    );
    let kind = why(version(&cluster.client()).await.unwrap_err());
    let ErrorKind::TooLarge { limit, .. } = kind else {
        panic!("{kind}");
    };
    assert_eq!(limit, 1 << 20);
}

fn busy(seconds: u64) -> Answer {
    Answer::Wait(
        429,
        status(429, "TooManyRequests", "too many requests"),
        seconds,
    )
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_asked_again_when_it_says() {
    let (first, _second, client) = two().await;
    first.on(CREATE, busy(3)).on(CREATE, busy(600));
    first.on(
        CREATE,
        Answer::json(serde_json::json!({"metadata": {"name": "x"}})),
    );
    let begun = Instant::now();
    create(&client).await.unwrap();
    // Ten seconds are the most that it gets.
    assert_eq!(begun.elapsed().as_secs(), 13);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_is_asked_again_a_few_times() {
    let (first, _second, client) = two().await;
    let starting = || Answer::status(503, "ServiceUnavailable", "apiserver not ready");
    first
        .on("GET /version", starting())
        .on("GET /version", starting());
    first.on("GET /version", is_version("one"));
    assert_eq!(version(&client).await.unwrap(), "one");

    for _ in 0..6 {
        first.on("GET /version", starting());
    }
    let begun = Instant::now();
    let kube::Error::Api(said) = version(&client).await.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(said.code, 503);
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_not_repeated_after_a_5xx_either() {
    let (first, _second, client) = two().await;
    first.on(
        CREATE,
        Answer::status(504, "Timeout", "etcdserver: request timed out"),
    );
    let kube::Error::Api(said) = create(&client).await.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(said.code, 504);
}
