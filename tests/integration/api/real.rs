//! A real API server and etcd as processes of this machine, reached through a
//! real sshd that forbids forwarding. Run it with the programs of the lab:
//! `KDIY_KUBE_APISERVER=… KDIY_ETCD=… cargo test -- --ignored api::real`.

mod process;

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kdiy::api::drain::{self, Event, Options};
use kdiy::api::manifests::{Conflicts, Difference, Verb, apply, difference, parse};
use kdiy::api::nodes::{self, Cordoned, Settings, Uncordoned};
use kdiy::api::{objects, pods, requests};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::ssh::link_to;
use crate::ssh::sshd::Sshd;
use process::ApiServer;

async fn client_of(server: &ApiServer, sshd: &Sshd) -> Client {
    let mut cluster = Cluster::new();
    cluster.authority = server.authority.clone();
    cluster.servers.push(Server {
        name: name("cp-1"),
        address: SocketAddr::from(([127, 0, 0, 1], server.port)),
        connection: Arc::new(link_to(sshd).await),
    });
    let client = cluster.client();
    for _ in 0..240 {
        if version(&client).await.is_ok() {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("the API server does not start:\n{}", server.log());
}

fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

async fn create<K>(api: &Api<K>, value: Value) -> K
where
    K: Clone + std::fmt::Debug + DeserializeOwned + serde::Serialize,
{
    api.create(&PostParams::default(), &object(value))
        .await
        .unwrap()
}

async fn set_status<K>(api: &Api<K>, name: &str, status: Value)
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs kube-apiserver and etcd"]
async fn operations_do_on_a_real_api_server_what_they_say() {
    let server = ApiServer::start();
    let sshd = Sshd::start_with(&["ed25519"], "DisableForwarding yes\n");
    let client = client_of(&server, &sshd).await;
    manifests_are_applied(&client).await;
    objects_are_kept(&client).await;
    nodes_are_changed(&client).await;
    a_budget_holds_a_drain(&client).await;
    a_request_is_approved(&client).await;
}

async fn manifests_are_applied(client: &Client) {
    let manifests = parse(include_str!("../e2e/api/held.yaml")).unwrap();
    let differences = difference(client, &manifests).await.unwrap();
    assert!(
        differences
            .iter()
            .all(|one| matches!(one, Difference::Create(_))),
        "{differences:?}"
    );
    for expected in [Verb::Created, Verb::Unchanged] {
        let applied = apply(client, &manifests, Conflicts::Fail).await.unwrap();
        assert_eq!(applied.len(), manifests.len());
        assert!(
            applied.iter().all(|one| one.verb == expected),
            "{applied:?}"
        );
    }
    let differences = difference(client, &manifests).await.unwrap();
    let same =
        |one: &Difference| matches!(one, Difference::Change(_, changes) if changes.is_empty());
    assert!(differences.iter().all(same), "{differences:?}");

    let text = include_str!("../e2e/api/held.yaml").replace("size: 3", "size: 4");
    let changed = parse(&text).unwrap();
    let differences = difference(client, &changed).await.unwrap();
    let changes: Vec<_> = differences.into_iter().filter(|one| !same(one)).collect();
    let [Difference::Change(object, changes)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(object.to_string(), "Gadget gadgets/first");
    assert_eq!(
        (changes[0].path.as_str(), &changes[0].after),
        ("/spec/size", &Some(json!(4)))
    );

    // Another manager takes the field.
    let api: Api<k8s_openapi::api::apps::v1::Deployment> =
        Api::namespaced(client.kube(), "gadgets");
    let params = PatchParams {
        field_manager: Some("somebody".to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(json!({"spec": {"replicas": 7}}));
    api.patch("web", &params, &patch).await.unwrap();
    let error = apply(client, &manifests, Conflicts::Fail)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "apply Deployment gadgets/web: .spec.replicas is managed by somebody"
    );
    apply(client, &manifests, Conflicts::Force).await.unwrap();
    assert_eq!(
        api.get("web").await.unwrap().spec.unwrap().replicas,
        Some(1)
    );
    // A field that does not exist is an error, not a silence.
    let typo =
        parse("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {}\ndatum: {a: b}\n")
            .unwrap();
    let error = apply(client, &typo, Conflicts::Fail).await.unwrap_err();
    assert!(error.to_string().contains("datum"), "{error}");
}

async fn objects_are_kept(client: &Client) {
    let place = objects::Place {
        namespace: "kube-system".to_owned(),
        name: "kdiy".to_owned(),
    };
    let mut map = objects::ConfigMap {
        place: place.clone(),
        data: [("run".to_owned(), "1".to_owned())].into(),
        version: None,
    };
    objects::apply_config_map(client, &map).await.unwrap();
    map = objects::config_map(client, &place).await.unwrap().unwrap();
    let stale = map.clone();
    map.data.insert("run".to_owned(), "2".to_owned());
    objects::apply_config_map(client, &map).await.unwrap();
    let error = objects::apply_config_map(client, &stale).await.unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
    let error = objects::delete_config_map(client, &place, Some("another"))
        .await
        .unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
    objects::delete_config_map(client, &place, None)
        .await
        .unwrap();
    assert!(objects::config_map(client, &place).await.unwrap().is_none());
    let place = objects::Place {
        name: "bootstrap-token-abcdef".to_owned(),
        ..place
    };
    let secret = objects::Secret {
        place: place.clone(),
        kind: "bootstrap.kubernetes.io/token".to_owned(),
        data: [("token-id".to_owned(), b"abcdef".to_vec().into())].into(),
        version: None,
    };
    objects::apply_secret(client, &secret).await.unwrap();
    let read = objects::secret(client, &place).await.unwrap().unwrap();
    assert_eq!(
        secrecy::ExposeSecret::expose_secret(&read.data["token-id"]),
        b"abcdef"
    );
    objects::delete_secret(client, &place, None).await.unwrap();
}

async fn nodes_are_changed(client: &Client) {
    let api: Api<Node> = Api::all(client.kube());
    for name in ["w-1", "w-2"] {
        create(&api, json!({"metadata": {"name": name}})).await;
    }
    let names = ["w-1".to_owned(), "w-2".to_owned()];
    let waiting = nodes::wait_until_ready(client, &names, Duration::from_secs(20), &|_| {});
    let report = async {
        for name in &names {
            tokio::time::sleep(Duration::from_millis(300)).await;
            set_status(
                &api,
                name,
                json!({"conditions": [{"type": "Ready", "status": "True"}]}),
            )
            .await;
        }
    };
    let (waited, ()) = tokio::join!(waiting, report);
    waited.unwrap();
    let node = nodes::list(client).await.unwrap().remove(0);
    let settings = Settings {
        labels: [("tier".to_owned(), Some("front".to_owned()))].into(),
        ..Settings::default()
    };
    let set = nodes::set(client, "w-1", &node.uid, &settings)
        .await
        .unwrap();
    assert_eq!(set.labels["tier"], "front");
    let cordoned = nodes::cordon(client, "w-1", &node.uid, "run-1")
        .await
        .unwrap();
    assert_eq!(cordoned, Cordoned::ByKdiy);
    let seen = nodes::list(client).await.unwrap().remove(0);
    assert!(seen.unschedulable && seen.cordoned_by.as_deref() == Some("run-1"));
    let uncordoned = nodes::uncordon(client, "w-1", &node.uid).await.unwrap();
    assert_eq!(uncordoned, Uncordoned::Schedulable);
    let seen = nodes::list(client).await.unwrap().remove(0);
    assert!(!seen.unschedulable && seen.cordoned_by.is_none());
    let other = nodes::list(client).await.unwrap().remove(1);
    let error = nodes::delete(client, "w-2", &node.uid).await.unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
    nodes::delete(client, "w-2", &other.uid).await.unwrap();
    nodes::delete(client, "w-2", &other.uid).await.unwrap();
    assert_eq!(nodes::list(client).await.unwrap().len(), 1);
}

/// There is no controller here: the test counts for the budget, and ends pods
/// as a kubelet would.
async fn a_budget_holds_a_drain(client: &Client) {
    let api: Api<Pod> = Api::namespaced(client.kube(), "gadgets");
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}]);
    let pod = json!({
        "metadata": {"name": "web-1", "labels": {"app": "web"}, "ownerReferences": owner},
        "spec": {"nodeName": "w-1", "containers": [{"name": "web", "image": "web"}]},
    });
    let pod = create(&api, pod).await;
    let running = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    set_status(&api, "web-1", running).await;
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.kube(), "gadgets");
    let count = async |allowed: i32| {
        let status = json!({
            "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 1,
            "desiredHealthy": 1 - allowed, "expectedPods": 1, "conditions": [],
        });
        set_status(&budgets, "web", status).await;
    };
    count(0).await;
    let options = Options {
        every: Duration::from_millis(500),
        ..Options::default()
    };
    let inspection = drain::inspect(client, "w-1", &options).await.unwrap();
    assert_eq!(inspection.held[0].1[0].name, "web");
    // Its successor is not evicted in its place.
    let mut other = inspection.evicted[0].clone();
    other.uid = "another".to_owned();
    let evicted = pods::evict(client, &other, None).await.unwrap();
    assert_eq!(evicted, pods::Eviction::Gone);
    assert!(
        api.get("web-1")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_none()
    );

    let (held, mut is_held) = tokio::sync::mpsc::unbounded_channel();
    let (evicted, mut is_evicted) = tokio::sync::mpsc::unbounded_channel();
    let on_event = |event| match event {
        Event::Held { .. } => held.send(()).unwrap(),
        Event::Evicted(_) => evicted.send(()).unwrap(),
        Event::Gone(_) => {}
    };
    let controller = async {
        is_held.recv().await;
        count(1).await;
        is_evicted.recv().await;
        let ending = api.get("web-1").await.unwrap();
        assert!(ending.metadata.deletion_timestamp.is_some());
        assert_eq!(ending.metadata.uid, pod.metadata.uid);
        api.delete("web-1", &DeleteParams::default().grace_period(0))
            .await
            .unwrap();
    };
    let (drained, ()) = tokio::join!(drain::drain(client, "w-1", &options, &on_event), controller);
    assert_eq!(drained.unwrap().evicted.len(), 1);
    assert_eq!(pods::of_node(client, "w-1").await.unwrap(), []);
}

async fn a_request_is_approved(client: &Client) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["w-1".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "system:nodes");
    params
        .distinguished_name
        .push(DnType::CommonName, "system:node:w-1");
    let request = params.serialize_request(&key).unwrap();
    let pem = request.pem().unwrap();
    let spec = json!({
        "request": k8s_openapi::ByteString(pem.into_bytes()),
        "signerName": "kubernetes.io/kubelet-serving",
        "usages": ["digital signature", "server auth"],
    });
    let api: Api<k8s_openapi::api::certificates::v1::CertificateSigningRequest> =
        Api::all(client.kube());
    create(&api, json!({"metadata": {"name": "csr-1"}, "spec": spec})).await;
    let pending = requests::pending(client).await.unwrap();
    assert_eq!(
        (pending.len(), pending[0].requestor.as_str()),
        (1, "kubernetes-admin")
    );
    assert_eq!(pending[0].der.as_deref(), Some(request.der().as_ref()));
    requests::approve(client, &pending[0], "as the inventory says")
        .await
        .unwrap();
    assert_eq!(requests::pending(client).await.unwrap(), []);
    // Nobody approves what has changed since it was read.
    let error = requests::approve(client, &pending[0], "again")
        .await
        .unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
}
