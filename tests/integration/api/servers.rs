//! Which API server is used, and which is passed over.

use kdiy::api::error::Unusable;
use kdiy::transport;
use kdiy::transport::error::Unreachable;

use super::*;

fn refused(number: u8) -> transport::Error {
    transport::Error::Target {
        address: format!("cp-{number}:22"),
        target: Cluster::address(number),
        why: Unreachable::Refused,
    }
}

/// Why each server could not be used.
async fn unusable(client: &Client) -> Vec<String> {
    let error = version(client).await.unwrap_err();
    let ErrorKind::NoServer(attempts) = why(error) else {
        panic!("another fault");
    };
    attempts.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_is_passed_over() {
    let mut cluster = Cluster::new();
    cluster.serve(1, || Err(refused(1))).await;
    let second = cluster.server(2).await;
    second.on("GET /version", is_version("two"));
    assert_eq!(version(&cluster.client()).await.unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn one_connection_carries_all_requests() {
    let (double, client) = Cluster::single().await;
    for _ in 0..20 {
        double.on("GET /version", is_version("one"));
    }
    let requests = (0..20).map(|_| version(&client));
    let answers = futures::future::join_all(requests).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == "one"));
    assert_eq!(double.script.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_http_1_is_used_too() {
    let mut cluster = Cluster::new();
    let older = Double::speaking(&cluster.authority, Cluster::address(1).ip(), &["http/1.1"]);
    let served = older.clone();
    cluster.serve(1, move || Ok(served.stream())).await;
    let client = cluster.client();
    for _ in 0..3 {
        older.on("GET /version", is_version("old"));
    }
    let requests = (0..3).map(|_| version(&client));
    let answers = futures::future::join_all(requests).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == "old"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_ready_gets_no_requests() {
    let mut cluster = Cluster::new();
    let (first, second) = (cluster.server(1).await, cluster.server(2).await);
    let output = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n";
    first.on("GET /readyz", Answer::text(500, output));
    second.on("GET /version", is_version("two"));
    assert_eq!(version(&cluster.client()).await.unwrap(), "two");
    assert_eq!(first.script.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_one_that_answered_last_is_tried_first() {
    let mut cluster = Cluster::new();
    let (first, second) = (cluster.server(1).await, cluster.server(2).await);
    first.on("GET /readyz", Answer::text(500, "no"));
    second.on("GET /version", is_version("two"));
    second.on("GET /version", Answer::Cut);
    second.on("GET /version", is_version("two again"));
    // It is passed over once, when the connection to the second has broken.
    first.on("GET /readyz", Answer::text(500, "still no"));
    let client = cluster.client();
    assert_eq!(version(&client).await.unwrap(), "two");
    assert_eq!(version(&client).await.unwrap(), "two again");
    assert_eq!(second.script.connections(), 2);
    assert_eq!(first.script.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_for_another_address_is_refused() {
    let mut cluster = Cluster::new();
    let other = Double::new(&cluster.authority, Cluster::address(9).ip());
    let served = other.clone();
    cluster.serve(1, move || Ok(served.stream())).await;
    let unusable = unusable(&cluster.client()).await;
    assert_eq!(unusable.len(), 1);
    assert!(unusable[0].contains("not valid for name"), "{unusable:?}");
    assert_eq!(other.script.seen().len(), 0, "nothing was sent to it");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_another_authority_is_refused() {
    let mut cluster = Cluster::new();
    let stranger = Double::new(&authority(), Cluster::address(1).ip());
    let served = stranger.clone();
    cluster.serve(1, move || Ok(served.stream())).await;
    let unusable = unusable(&cluster.client()).await;
    assert!(
        unusable[0].contains("UnknownIssuer") || unusable[0].contains("BadSignature"),
        "{unusable:?}"
    );
    assert_eq!(stranger.script.seen().len(), 0, "nothing was sent to it");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_take_the_client_certificate_is_told_of() {
    let mut cluster = Cluster::new();
    let double = cluster.server(1).await;
    let unusable = unusable(&cluster.client_of(&authority())).await;
    assert!(
        unusable[0].starts_with("cp-1 (10.0.0.1:6443): "),
        "{unusable:?}"
    );
    assert_eq!(double.script.seen().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn when_none_answers_each_is_named_with_its_reason() {
    let mut cluster = Cluster::new();
    cluster.serve(1, || Err(refused(1))).await;
    // One that takes the connection and says nothing.
    cluster
        .serve(2, || {
            let (near, far) = tokio::io::duplex(1024);
            tokio::spawn(async move {
                let _open = far;
                std::future::pending::<()>().await;
            });
            Ok(Box::new(near))
        })
        .await;
    let third = cluster.server(3).await;
    third.on("GET /readyz", Answer::text(500, "[-]etcd failed\n"));
    let fourth = cluster.server(4).await;
    fourth.on("GET /readyz", Answer::Silence);
    // One that speaks no TLS, such as a registry.
    cluster
        .serve(5, || {
            let (near, mut far) = tokio::io::duplex(1024);
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt as _;
                far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    .await
                    .ok();
            });
            Ok(Box::new(near))
        })
        .await;
    let unusable = unusable(&cluster.client()).await.join("\n");
    insta::assert_snapshot!(unusable, @r"
    cp-1 (10.0.0.1:6443): cp-1:22 cannot connect to 10.0.0.1:6443: connection refused
    cp-2 (10.0.0.2:6443): no answer within 15 s
    cp-3 (10.0.0.3:6443): not ready (HTTP 500): [-]etcd failed
    cp-4 (10.0.0.4:6443): no answer within 5 s
    cp-5 (10.0.0.5:6443): TLS: received corrupt message of type InvalidContentType
    ");
}

#[tokio::test(start_paused = true)]
async fn a_broken_host_is_passed_over_as_well() {
    let mut cluster = Cluster::new();
    let lost = transport::Error::Lost {
        address: "cp-1:22".to_owned(),
        why: "gone".to_owned(),
    };
    cluster.serve(1, move || Err(lost.clone())).await;
    let attempts = version(&cluster.client()).await.unwrap_err();
    let ErrorKind::NoServer(attempts) = why(attempts) else {
        panic!("another fault");
    };
    assert!(matches!(
        &attempts[0].why,
        Unusable::Transport(transport::Error::Lost { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_serves_fails_the_test() {
    let mut cluster = Cluster::new();
    let _first = cluster.server(1).await;
    let mut client = cluster.servers[0].clone();
    client.address = Cluster::address(9);
    cluster.servers = vec![client];
    let unusable = unusable(&cluster.client()).await;
    assert!(
        unusable[0].contains("no answer was scripted"),
        "{unusable:?}"
    );
}
