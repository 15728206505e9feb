//! The same over a real sshd, which forwards or forbids that.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::*;
use crate::ssh::link_to;
use crate::ssh::sshd::Sshd;

/// A double on a port of this machine, until the test ends.
async fn listening(double: Double) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(double.clone().serve(stream));
        }
    });
    address
}

#[tokio::test]
async fn requests_and_watches_go_over_both_kinds_of_streams() {
    for way in ["", "DisableForwarding yes\n"] {
        let sshd = Sshd::start_with(&["ed25519"], way);
        let mut cluster = Cluster::new();
        let double = Double::new(&cluster.authority, "127.0.0.1".parse().unwrap());
        let address = listening(double.clone()).await;
        // Nothing listens on the first one any more.
        let free = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let link = Arc::new(link_to(&sshd).await);
        for (name_of, address) in [("cp-1", free), ("cp-2", address)] {
            cluster.servers.push(Server {
                name: name(name_of),
                address,
                connection: link.clone(),
            });
        }
        let client = cluster.client();
        for _ in 0..50 {
            double.on("GET /version", is_version("over ssh"));
        }
        let many = futures::future::join_all((0..50).map(|_| version(&client))).await;
        assert!(
            many.into_iter()
                .all(|version| version.unwrap() == "over ssh"),
            "{way}"
        );
        // All of them share one connection, and one session where it takes one.
        assert_eq!(double.script.connections(), 1);

        // An answer of some megabytes.
        let big = "x".repeat(5 << 20);
        double.on("GET /version", is_version(&big));
        assert_eq!(version(&client).await.unwrap().len(), big.len());
        drop(client);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_anew() {
    let sshd = Sshd::start_with(&["ed25519"], "DisableForwarding yes\n");
    let mut cluster = Cluster::new();
    let double = Double::new(&cluster.authority, "127.0.0.1".parse().unwrap());
    let address = listening(double.clone()).await;
    cluster.servers.push(Server {
        name: name("cp-1"),
        address,
        connection: Arc::new(link_to(&sshd).await),
    });
    let client = cluster.client();
    double
        .on("GET /version", is_version("one"))
        .on("GET /version", is_version("two"));
    assert_eq!(version(&client).await.unwrap(), "one");
    sshd.cut();
    assert_eq!(version(&client).await.unwrap(), "two");
    assert_eq!(sshd.logins(), 2);
}
