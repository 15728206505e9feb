//! Answers as hosts gave them, and as they never should.

use proptest::prelude::*;

use super::*;
use crate::etcd::gateway::tests::output;
use crate::status::tests::stacked;

/// As a Kubernetes 1.20.2 answered, images and managed fields left out.
const NODES: &str = r#"{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"811"},"items":[
{"metadata":{"name":"cp1","labels":{"node-role.kubernetes.io/master":""},"managedFields":[]},
 "spec":{"podCIDR":"10.244.0.0/24"},
 "status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True","reason":"KubeletReady","message":"kubelet is posting ready status"}],
  "addresses":[{"type":"Hostname","address":"cp1"},{"type":"InternalIP","address":"172.29.3.11"}],
  "nodeInfo":{"containerRuntimeVersion":"containerd://1.6.20","kubeletVersion":"v1.20.2"},"images":[]}},
{"metadata":{"name":"w1"},"spec":{"unschedulable":true},
 "status":{"conditions":[{"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","message":""}]}},
{"metadata":{"name":"w2"}}]}"#;
const LEASES: &str = r#"{"items":[
{"metadata":{"name":"kube-scheduler"},"spec":{"holderIdentity":"cp-1_6cd22c56-76f0","leaseDurationSeconds":20,"renewTime":"2026-11-21T14:07:19.674703Z"}},
{"metadata":{"name":"plndr-cp-lock"},"spec":{"holderIdentity":"cp-2","leaseDurationSeconds":15,"renewTime":"2026-11-21T14:07:19.674703Z"}},
{"metadata":{"name":"empty"},"spec":{}}]}"#;
/// 14:07:20 on that day.
const CLOCK: &str = "1795270040";

fn parse(sections: &[(&str, &str)]) -> Answer {
    let cluster = stacked();
    let mut all = vec![("address", ""), ("installed", ""), ("clock", CLOCK)];
    all.extend(sections);
    Answer::parse(&cluster, &cluster.nodes[0], &output(&all)).unwrap()
}

#[test]
fn nodes_are_read() {
    let nodes = parse(&[("nodes", NODES)]).nodes.unwrap();
    assert_eq!(
        nodes[0],
        NodeSeen {
            name: "cp1".to_owned(),
            ready: "True".to_owned(),
            why: "kubelet is posting ready status".to_owned(),
            cordoned: false,
            control_plane: true,
            version: "v1.20.2".to_owned(),
            runtime: "containerd://1.6.20".to_owned(),
            address: Some([172, 29, 3, 11].into()),
        }
    );
    assert!(nodes[1].cordoned);
    assert_eq!(
        (nodes[1].ready.as_str(), nodes[1].why.as_str()),
        ("Unknown", "NodeStatusUnknown")
    );
    assert_eq!(nodes[2].why, "its kubelet has not reported yet");
    for text in [
        "curl: (7) refused",
        "{\"kind\":\"Status\",\"code\":403}",
        "",
    ] {
        assert_eq!(parse(&[("nodes", text)]).nodes, None);
    }
}

#[test]
fn a_lease_that_has_run_out_is_nobodys() {
    let holders = |clock: &str| {
        let answer = parse(&[("clock", clock), ("leases", LEASES)]);
        let leases = answer.leases.unwrap().into_iter();
        leases
            .map(|lease| lease.holder.unwrap_or_default())
            .collect::<Vec<_>>()
    };
    assert_eq!(holders(CLOCK), ["cp-1", "cp-2", ""]);
    // 20 s and the grace after its renewal, then more.
    assert_eq!(holders("1795270069"), ["cp-1", "", ""]);
    assert_eq!(holders("1795270070"), ["", "", ""]);
}

#[test]
fn probes_say_what_is_wrong() {
    let problem = |text: &str| Probe::read(text).problem();
    assert_eq!(problem("[+]ping ok\nreadyz check passed\n\n200"), None);
    assert_eq!(
        problem("\n401"),
        None,
        "it answers nobody whom it does not know"
    );
    assert_eq!(
        problem(
            "[+]ping ok\n[-]etcd failed: reason withheld\n[-]informer-sync failed: x\nreadyz check failed\n\n500"
        ),
        Some("not ready: etcd, informer-sync".to_owned())
    );
    assert_eq!(
        problem("bad gateway\n502"),
        Some("it answers 502".to_owned())
    );
    assert_eq!(
        problem("curl: (7) Failed to connect to 10.0.0.1 port 6443: Connection refused\n\n000"),
        Some("Failed to connect to 10.0.0.1 port 6443: Connection refused".to_owned())
    );
    assert_eq!(
        problem("sh: 1: curl: not found"),
        Some("sh: 1: curl: not found".to_owned())
    );
    assert_eq!(problem("\n000"), Some("it said nothing".to_owned()));
    assert_eq!(problem(""), Some("it said nothing".to_owned()));
}

#[test]
fn units_keep_their_order() {
    let units = parse(&[("units", "active\nfailed\n")]).units;
    let units: Vec<_> = units
        .iter()
        .map(|(unit, state)| (*unit, state.as_str()))
        .collect();
    assert_eq!(
        units,
        [
            ("kubelet.service", "active"),
            ("containerd.service", "failed")
        ]
    );
}

#[test]
fn a_host_that_answers_garbage_is_refused() {
    let cluster = stacked();
    let parse = |text: &[u8]| Answer::parse(&cluster, &cluster.nodes[0], text);
    assert!(parse(b"Welcome to this host!\n").is_err());
    assert!(parse(b"").is_err());
}

proptest! {
    #[test]
    fn no_section_makes_it_panic(texts in proptest::collection::vec("[^\0]{0,80}", 10)) {
        let names = ["units", "ready", "nodes", "leases", "scheduler", "haproxy", "nginx",
            "certificates", "endpoint", "vip"];
        let sections: Vec<_> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let _ = parse(&sections);
    }
}
