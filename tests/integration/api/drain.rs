//! Draining a node.

use std::sync::Mutex;

use kdiy::api::drain::{self, Event, Options};
use serde_json::Value;

use super::double::After;
use super::lists::event;
use super::pods::{BUDGETS, PODS, accepted, budgets, eviction, held, is_there, pod};
use super::*;

const WATCH: &str = "GET /api/v1/pods watch=true fieldSelector=spec.nodeName%3Dw-1";

/// Twice the pods, for the drain and for its watch, and what the watch says.
fn script(double: &Double, pods: &[Value], events: Vec<Value>) {
    for _ in 0..2 {
        double.on(PODS, Answer::list(pods, "1", None));
    }
    double.on(WATCH, Answer::Events(events, After::Silence));
}

fn replaced() -> Value {
    let mut other = pod("web", Some("ReplicaSet"));
    other["metadata"]["uid"] = "uid-of-its-successor".into();
    other
}

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn record(&self, event: Event) {
        let line = match event {
            Event::Evicted(pod) => format!("evicted {pod}"),
            Event::Gone(pod) => format!("gone {pod}"),
            Event::Held { pod, budgets, .. } => {
                let names: Vec<_> = budgets.iter().map(|budget| budget.name.as_str()).collect();
                format!("held {pod} by {}", names.join(" "))
            }
        };
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_go_goes_and_the_rest_stays() {
    let (double, client) = Cluster::single().await;
    let mut mirror = pod("etcd", None);
    mirror["metadata"]["annotations"] = serde_json::json!({"kubernetes.io/config.mirror": "x"});
    let pods = [
        pod("web", Some("ReplicaSet")),
        pod("proxy", Some("DaemonSet")),
        mirror,
        pod("api", Some("StatefulSet")),
    ];
    // The pod of the same name that comes after it is another one.
    let events = vec![
        event("DELETED", pods[3].clone()),
        event("ADDED", replaced()),
        event("DELETED", pods[0].clone()),
    ];
    script(&double, &pods, events);
    double
        .on(&eviction("web"), accepted())
        .on(&eviction("api"), accepted());
    let told = Told::default();
    let done = drain::drain(&client, "w-1", &Options::default(), &|event| {
        told.record(event)
    })
    .await
    .unwrap();
    let names =
        |pods: &[kdiy::api::pods::Pod]| pods.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&done.evicted), ["default/api", "default/web"]);
    assert_eq!(names(&done.staying), ["default/etcd", "default/proxy"]);
    let mut lines = told.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "evicted default/api",
            "evicted default/web",
            "gone default/api",
            "gone default/web"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_budget_holds_and_then_lets_go() {
    let (double, client) = Cluster::single().await;
    is_there(&double, "web");
    let web = pod("web", Some("ReplicaSet"));
    script(
        &double,
        std::slice::from_ref(&web),
        vec![event("DELETED", web.clone())],
    );
    for _ in 0..3 {
        double.on(&eviction("web"), held()).on(BUDGETS, budgets());
    }
    double.on(&eviction("web"), accepted());
    let told = Told::default();
    let began = tokio::time::Instant::now();
    drain::drain(&client, "w-1", &Options::default(), &|event| {
        told.record(event)
    })
    .await
    .unwrap();
    assert_eq!(
        told.lines(),
        [
            "held default/web by web",
            "evicted default/web",
            "gone default/web"
        ]
    );
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_holds_for_too_long_is_told_of_and_the_others_go() {
    let (double, client) = Cluster::single().await;
    is_there(&double, "web");
    let pods = [
        pod("api", Some("ReplicaSet")),
        pod("web", Some("ReplicaSet")),
    ];
    script(&double, &pods, vec![event("DELETED", pods[0].clone())]);
    double.on(&eviction("api"), accepted());
    double.script.always(&eviction("web"), held());
    double.script.always(BUDGETS, budgets());
    let options = Options {
        held: Duration::from_secs(60),
        ..Options::default()
    };
    let told = Told::default();
    let error = drain::drain(&client, "w-1", &options, &|event| told.record(event))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "drain-held");
    insta::assert_snapshot!(error, @"evict pod default/web: the disruption budget web (2 healthy, 2 needed) held it for 60 s: Cannot evict pod as it would violate the pod's disruption budget.");
    assert!(told.lines().contains(&"gone default/api".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_while_something_would_be_lost() {
    let (double, client) = Cluster::single().await;
    double.on(
        PODS,
        Answer::list(
            &[pod("web", Some("ReplicaSet")), pod("alone", None)],
            "1",
            None,
        ),
    );
    let error = drain::drain(&client, "w-1", &Options::default(), &|_| ())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"drain node w-1: default/alone has no controller that would make it anew");
}

#[tokio::test(start_paused = true)]
async fn an_empty_node_is_drained_already() {
    let (double, client) = Cluster::single().await;
    double.on(
        PODS,
        Answer::list(&[pod("proxy", Some("DaemonSet"))], "1", None),
    );
    let done = drain::drain(&client, "w-1", &Options::default(), &|_| ())
        .await
        .unwrap();
    assert_eq!((done.evicted.len(), done.staying.len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_end_is_told_of() {
    let (double, client) = Cluster::single().await;
    let pods = [pod("a", Some("ReplicaSet")), pod("b", Some("ReplicaSet"))];
    script(&double, &pods, vec![]);
    double
        .on(&eviction("a"), accepted())
        .on(&eviction("b"), accepted());
    // The watch is begun anew after five minutes at the latest; two are enough.
    let error = drain::drain(&client, "w-1", &Options::default(), &|_| ())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "api-several");
    insta::assert_snapshot!(error, @"drain node w-1: wait for pod default/a to be gone: not so within 150 s: its kubelet has not ended it; wait for pod default/b to be gone: not so within 150 s: its kubelet has not ended it");
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_evicted_at_once() {
    let (double, client) = Cluster::single().await;
    let pods: Vec<_> = (0..6)
        .map(|number| pod(&format!("p-{number}"), Some("ReplicaSet")))
        .collect();
    script(&double, &pods, vec![]);
    for number in 0..2 {
        double.on(&eviction(&format!("p-{number}")), accepted());
    }
    let options = Options {
        at_once: 2,
        ..Options::default()
    };
    let drained = drain::drain(&client, "w-1", &options, &|_| ());
    // Both are waited for when this is over, and no third was asked for.
    assert!(
        tokio::time::timeout(Duration::from_secs(60), drained)
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_looked_at_before() {
    let (double, client) = Cluster::single().await;
    is_there(&double, "web");
    double.on(
        PODS,
        Answer::list(
            &[
                pod("web", Some("ReplicaSet")),
                pod("api", Some("ReplicaSet")),
                pod("alone", None),
            ],
            "1",
            None,
        ),
    );
    double
        .on(&format!("{} dryRun=All", eviction("web")), held())
        .on(BUDGETS, budgets());
    double.on(&format!("{} dryRun=All", eviction("api")), accepted());
    let seen = drain::inspect(&client, "w-1", &Options::default())
        .await
        .unwrap();
    assert_eq!((seen.evicted.len(), seen.at_risk.len()), (2, 1));
    let [(pod, budgets)] = &seen.held[..] else {
        panic!("{:?}", seen.held)
    };
    assert_eq!(
        (pod.name.as_str(), budgets[0].name.as_str()),
        ("web", "web")
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_goes_on_when_its_server_goes() {
    let mut cluster = Cluster::new();
    let (first, second) = (cluster.server(1).await, cluster.server(2).await);
    let client = cluster.client();
    let web = pod("web", Some("ReplicaSet"));
    first.on(PODS, Answer::list(std::slice::from_ref(&web), "1", None));
    first.on(PODS, Answer::list(std::slice::from_ref(&web), "1", None));
    first.on(WATCH, Answer::Events(vec![], After::Cut));
    first.on(&eviction("web"), accepted());
    // Ready at first, and not again.
    first.on("GET /readyz", Answer::text(200, "ok"));
    first
        .script
        .always("GET /readyz", Answer::text(500, "shutdown"));
    second.on(PODS, Answer::list(&[], "5", None));
    second
        .script
        .always(WATCH, Answer::Events(vec![], After::Silence));
    drain::drain(&client, "w-1", &Options::default(), &|_| ())
        .await
        .unwrap();
}

/// An eviction is of one uid: it is asked for again after a broken connection.
#[tokio::test(start_paused = true)]
async fn a_drain_goes_on_when_a_connection_breaks_during_an_eviction() {
    let (double, client) = Cluster::single().await;
    let web = pod("web", Some("ReplicaSet"));
    double.on(PODS, Answer::list(std::slice::from_ref(&web), "1", None));
    double.on(&eviction("web"), Answer::Cut);
    double.on(&eviction("web"), accepted());
    double
        .script
        .always(PODS, Answer::list(std::slice::from_ref(&web), "1", None));
    let events = vec![event("DELETED", web)];
    double
        .script
        .always(WATCH, Answer::Events(events, After::Silence));
    drain::drain(&client, "w-1", &Options::default(), &|_| ())
        .await
        .unwrap();
}
