//! The cluster API on a real cluster of three control planes: through each of
//! them, through one whose sshd forbids forwarding, and with one API server
//! gone; manifests, and a drain that a disruption budget holds.

mod reach;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use kdiy::api::drain::{self, Event, Options};
use kdiy::api::manifests::{Conflicts, Difference, Verb, apply, difference, parse};
use kdiy::api::nodes::{self, Cordoned, Settings, Uncordoned};
use kdiy::api::objects::{self, ConfigMap, Place};
use kdiy::api::{Client, pods, requests};
use tokio::runtime::Runtime;

use super::cluster::Kubectl;
use super::kdiy::Kdiy;
use super::lab::Lab;
use super::{eventually, figure};
use reach::Reach;

const HOSTS: [(&str, &str); 5] = [
    ("cp-1", "172.29.3.11"),
    ("cp-2", "172.29.3.12"),
    ("cp-3", "172.29.3.13"),
    ("w-1", "172.29.3.21"),
    ("w-2", "172.29.3.22"),
];
const NODES: [&str; 5] = [HOSTS[0].0, HOSTS[1].0, HOSTS[2].0, HOSTS[3].0, HOSTS[4].0];

#[test]
#[ignore = "needs the lab; make e2e"]
fn the_api_is_reached_through_whichever_control_plane_answers() {
    let lab = Lab::up("api", &HOSTS);
    let identity = lab.file("id_ed25519").display().to_string();
    let inventory = include_str!("api.yaml").replace("@identity@", &identity);
    let kdiy = Kdiy::with(&lab, "kdiy.yaml", &inventory);
    let kubectl = Kubectl::of(&lab, "api");
    kdiy.run(0, &["apply", "--yes", "--accept-new-host-keys"]);

    forbid_forwarding(&lab, "cp-2");
    let runtime = Runtime::new().expect("a runtime");
    let reach = runtime.block_on(Reach::to(&lab, &HOSTS[..3]));
    runtime.block_on(each_control_plane_will_do(&lab, &reach));
    runtime.block_on(async { nodes_are_set(&reach.client(&["cp-1", "cp-2", "cp-3"])).await });
    an_api_server_can_be_lost(&lab, &runtime, &reach);
    // From here on over the session of a host that forbids forwarding.
    let client = runtime.block_on(async { reach.client(&["cp-2"]) });
    runtime.block_on(objects_are_kept(&client));
    manifests_are_applied(&kubectl, &runtime, &client);
    a_budget_holds_a_drain_and_lets_go(&kubectl, &runtime, &client);
    drop(client);
    assert!(
        lab.sh("cp-2", "pgrep -f '/dev/[t]cp/' || :").is_empty(),
        "something is left"
    );
    kdiy.has_nothing_to_do();
}

/// As hardening guides have it. It is for connections that come after it.
fn forbid_forwarding(lab: &Lab, host: &str) {
    let file = "/etc/ssh/sshd_config.d/00-hardening.conf";
    lab.sh(
        host,
        &format!("echo 'DisableForwarding yes' > {file}\nsystemctl reload ssh\nsshd -T | grep -qx 'disableforwarding yes'"),
    );
}

async fn each_control_plane_will_do(lab: &Lab, reach: &Reach) {
    for (host, _) in &HOSTS[..3] {
        let client = reach.client(&[host]);
        let began = Instant::now();
        let nodes = nodes::list(&client).await.expect("the nodes");
        figure(
            &format!("nodes through {host}, connection included"),
            began.elapsed(),
        );
        let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, NODES);
        assert!(
            nodes
                .iter()
                .all(|node| node.is_ready() && !node.machine_id.is_empty())
        );
        assert!(
            nodes
                .iter()
                .all(|node| node.kubelet_version.starts_with("v1.37."))
        );
        for (node, (_, address)) in nodes.iter().zip(HOSTS) {
            assert_eq!(node.internal_ips[0].to_string(), address);
        }
        let by_bash = !lab.sh(host, "pgrep -f '/dev/[t]cp/' || :").is_empty();
        assert_eq!(by_bash, *host == "cp-2", "the way that was taken on {host}");
        assert_eq!(requests::pending(&client).await.expect("the requests"), []);
    }
}

async fn nodes_are_set(client: &Client) {
    let names = NODES.map(str::to_owned);
    let limit = Duration::from_secs(10);
    nodes::wait_until_ready(client, &names, limit, &|_| {})
        .await
        .expect("nodes that are ready");
    let node = nodes::list(client)
        .await
        .expect("the nodes")
        .pop()
        .expect("w-2");
    let label = |value: Option<&str>| Settings {
        labels: [("example.com/tier".to_owned(), value.map(str::to_owned))].into(),
        ..Settings::default()
    };
    let set = nodes::set(client, &node.name, &node.uid, &label(Some("back"))).await;
    assert_eq!(set.expect("a label").labels["example.com/tier"], "back");
    let set = nodes::set(client, &node.name, &node.uid, &label(None)).await;
    assert!(
        !set.expect("no label")
            .labels
            .contains_key("example.com/tier")
    );
    let error = nodes::set(client, &node.name, "another", &label(None))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "api-object-replaced");
    let error = nodes::delete(client, &node.name, "another")
        .await
        .unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
}

/// The API server in use goes, and the next request is answered all the same.
fn an_api_server_can_be_lost(lab: &Lab, runtime: &Runtime, reach: &Reach) {
    let client = runtime.block_on(async { reach.client(&["cp-1", "cp-2", "cp-3"]) });
    let list = || runtime.block_on(nodes::list(&client));
    assert_eq!(list().expect("the nodes").len(), NODES.len());
    let manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    lab.sh("cp-1", &format!("mv {manifest} /root/"));
    let gone = || match lab.sh("cp-1", "ss -Hltn sport = :6443") {
        listens if listens.is_empty() => Ok(()),
        listens => Err(listens),
    };
    // Requests go on while it stops.
    let mut longest = Duration::ZERO;
    eventually("the API server is gone", Duration::from_secs(90), || {
        let began = Instant::now();
        list().expect("an answer while an API server stops");
        longest = longest.max(began.elapsed());
        gone()
    });
    let began = Instant::now();
    assert_eq!(list().expect("the nodes").len(), NODES.len());
    figure(
        "nodes after the API server in use has stopped",
        began.elapsed(),
    );
    figure("the slowest of the requests while it stopped", longest);
    lab.sh("cp-1", &format!("mv /root/kube-apiserver.yaml {manifest}"));
    let own = "curl -fsS --max-time 2 --cacert /etc/kubernetes/pki/ca.crt https://172.29.3.11:6443/readyz";
    eventually("the API server is back", Duration::from_secs(90), || {
        lab.try_sh("cp-1", own)
    });
}

async fn objects_are_kept(client: &Client) {
    let place = Place {
        namespace: "kube-system".to_owned(),
        name: "kdiy-e2e".to_owned(),
    };
    let map = ConfigMap {
        place: place.clone(),
        data: [("run".to_owned(), "1".to_owned())].into(),
        version: None,
    };
    objects::apply_config_map(client, &map)
        .await
        .expect("a ConfigMap");
    let read = objects::config_map(client, &place)
        .await
        .expect("an answer")
        .expect("a ConfigMap");
    assert_eq!(read.data["run"], "1");
    let changed = ConfigMap {
        data: [("run".to_owned(), "2".to_owned())].into(),
        ..read.clone()
    };
    objects::apply_config_map(client, &changed)
        .await
        .expect("a change");
    // What was read before that is too old by now.
    let error = objects::apply_config_map(client, &read).await.unwrap_err();
    assert!(error.kind.has_status(409), "{error}");
    objects::delete_config_map(client, &place, None)
        .await
        .expect("a removal");
    assert!(
        objects::config_map(client, &place)
            .await
            .expect("an answer")
            .is_none()
    );
}

fn manifests_are_applied(kubectl: &Kubectl, runtime: &Runtime, client: &Client) {
    let manifests = parse(include_str!("api/held.yaml")).expect("manifests");
    let differences = runtime
        .block_on(difference(client, &manifests))
        .expect("differences");
    assert!(
        differences
            .iter()
            .all(|one| matches!(one, Difference::Create(_))),
        "{differences:?}"
    );
    for expected in [Verb::Created, Verb::Unchanged] {
        let applied = runtime.block_on(apply(client, &manifests, Conflicts::Fail));
        let applied = applied.expect("manifests that are applied");
        assert_eq!(applied.len(), manifests.len());
        assert!(
            applied.iter().all(|one| one.verb == expected),
            "{applied:?}"
        );
    }
    // Another manager has taken a field over.
    let scale = [
        "-n",
        "gadgets",
        "patch",
        "gadget",
        "first",
        "--type=merge",
        "-p",
        r#"{"spec":{"size":4}}"#,
    ];
    kubectl.run(&[&scale[..], &["--field-manager=somebody"]].concat());
    let differences = runtime
        .block_on(difference(client, &manifests))
        .expect("differences");
    let conflicts: Vec<_> = differences
        .iter()
        .filter_map(|one| match one {
            Difference::Conflict(_, conflicts) => Some(conflicts),
            _ => None,
        })
        .collect();
    let [[conflict]] = conflicts
        .iter()
        .map(|one| one.as_slice())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{differences:?}");
    };
    assert_eq!(
        (conflict.field.as_str(), conflict.manager.as_str()),
        (".spec.size", "somebody")
    );
}

/// The only pod of a Deployment may not go before there is another one.
fn a_budget_holds_a_drain_and_lets_go(kubectl: &Kubectl, runtime: &Runtime, client: &Client) {
    let pods = [
        "-n",
        "gadgets",
        "get",
        "pods",
        "-l",
        "app=web",
        "--field-selector=status.phase=Running",
        "-o",
        "jsonpath={.items[*].spec.nodeName}",
    ];
    let (at, _) = eventually("the pod runs", Duration::from_secs(90), || {
        match kubectl.run(&pods) {
            node if node.is_empty() => Err("not yet".to_owned()),
            node => Ok(node),
        }
    });
    let nodes = runtime.block_on(nodes::list(client)).expect("the nodes");
    let node = nodes.iter().find(|node| node.name == at).expect("a node");
    let budget = [
        "-n",
        "gadgets",
        "get",
        "pdb",
        "web",
        "-o",
        "jsonpath={.status.currentHealthy}",
    ];
    eventually(
        "the budget counts the pod",
        Duration::from_secs(30),
        || match kubectl.run(&budget).as_str() {
            "1" => Ok(()),
            other => Err(other.to_owned()),
        },
    );

    let cordoned = runtime.block_on(nodes::cordon(client, &at, &node.uid, "e2e"));
    assert_eq!(cordoned.expect("a cordon"), Cordoned::ByKdiy);
    let options = Options {
        empty_dir: true,
        every: Duration::from_secs(1),
        held: Duration::from_secs(90),
        ..Options::default()
    };
    let seen = runtime
        .block_on(drain::inspect(client, &at, &options))
        .expect("an inspection");
    assert_eq!(seen.held.len(), 1, "{:?}", seen.held);
    let lines = Mutex::new(Vec::new());
    let began = Instant::now();
    let told = |event: Event| {
        let line = match event {
            // Later the budget may allow it between the refusal and the look at it.
            Event::Held { .. } if lines.lock().expect("lines").contains(&"held") => "held",
            Event::Held { budgets, .. } => {
                assert_eq!(budgets[0].name, "web");
                // With a second pod elsewhere the first may go.
                kubectl.run(&[
                    "-n",
                    "gadgets",
                    "scale",
                    "deployment",
                    "web",
                    "--replicas=2",
                ]);
                "held"
            }
            Event::Evicted(_) => "evicted",
            Event::Gone(_) => "gone",
        };
        lines.lock().expect("lines").push(line);
    };
    let drained = runtime.block_on(drain::drain(client, &at, &options, &told));
    drained.expect("a drain");
    figure("a drain that a budget held at first", began.elapsed());
    let lines = lines.into_inner().expect("lines");
    assert!(lines.contains(&"held"), "{lines:?}");
    let left = runtime
        .block_on(pods::of_node(client, &at))
        .expect("the pods");
    assert!(left.iter().all(|pod| pod.kind.stays()), "{left:?}");
    let uncordoned = runtime.block_on(nodes::uncordon(client, &at, &node.uid));
    assert_eq!(uncordoned.expect("no cordon"), Uncordoned::Schedulable);
    kubectl.run(&["delete", "namespace", "gadgets", "--wait=false"]);
    kubectl.run(&["delete", "crd", "gadgets.example.com", "--wait=false"]);
}
