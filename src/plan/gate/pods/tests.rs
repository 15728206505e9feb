//! Pods in several states, and their words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::etcd::gateway::tests::output;

/// A pod of a DaemonSet on a node, on the node's own network or not.
fn pod(owner: &str, node: &str, host_network: bool, status: Value) -> Value {
    json!({
        "metadata": {
            "name": format!("{owner}-x{node}"),
            "namespace": "kube-system",
            "ownerReferences": [{"kind": "DaemonSet", "name": owner}],
        },
        "spec": {"nodeName": node, "hostNetwork": host_network},
        "status": status,
    })
}

/// As the API says it of flannel whose init container ends with 1.
fn crashes() -> Value {
    json!({
        "phase": "Pending",
        "initContainerStatuses": [
            {"name": "install-cni-plugin", "ready": true, "restartCount": 0,
             "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}, "lastState": {}},
            {"name": "install-cni", "ready": false, "restartCount": 7,
             "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=install-cni"}},
             "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "cp: no such file"}}},
        ],
        "containerStatuses": [
            {"name": "kube-flannel", "ready": false, "restartCount": 0,
             "state": {"waiting": {"reason": "PodInitializing"}}, "lastState": {}},
        ],
    })
}

fn creating() -> Value {
    json!({"phase": "Pending", "containerStatuses": [
        {"name": "coredns", "ready": false, "restartCount": 0,
         "state": {"waiting": {"reason": "ContainerCreating"}}, "lastState": {}},
    ]})
}

fn unpulled() -> Value {
    json!({"phase": "Pending", "containerStatuses": [
        {"name": "agent", "ready": false, "restartCount": 0,
         "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"r.example/a:1\": not found"}}, "lastState": {}},
    ]})
}

fn runs() -> Value {
    json!({"phase": "Running",
        "initContainerStatuses": [
            {"name": "sidecar", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "2026"}}},
        ],
        "containerStatuses": [
            {"name": "kube-proxy", "ready": true, "restartCount": 3, "state": {"running": {"startedAt": "2026"}}, "lastState": {"terminated": {"exitCode": 1}}},
        ],
    })
}

fn list(pods: &[Value]) -> Vec<u8> {
    json!({"items": pods}).to_string().into_bytes()
}

#[test]
fn the_pod_that_makes_the_network_comes_first_with_its_last_words() {
    let answers = [
        list(&[
            pod("coredns", "cp-1", false, creating()),
            pod("kube-flannel-ds", "cp-1", true, crashes()),
            pod("kube-proxy", "cp-1", true, runs()),
        ]),
        list(&[
            pod("agent", "w-1", false, unpulled()),
            pod("kube-flannel-ds", "w-1", true, crashes()),
        ]),
        b"error: timed out".to_vec(),
    ];
    let unwell = unwell(&answers);
    let events = json!({"items": [
        {"reason": "FailedScheduling", "message": "old", "lastTimestamp": "2026-11-30T02:00:00Z"},
        {"reason": "FailedCreatePodSandBox", "message": "cni plugin not initialized", "lastTimestamp": "2026-11-30T02:10:00Z", "eventTime": null},
    ]});
    let words = output(&[
        (
            "words-0",
            "one\ncp: can't create '/etc/cni/net.d/\u{1b}[2J': Read-only file system",
        ),
        ("words-1", ""),
        ("words-2", &events.to_string()),
    ]);
    assert_eq!(
        tell(&unwell, &words),
        [
            "kube-system/kube-flannel-ds on cp-1, w-1: Init:CrashLoopBackOff, 7 restarts: back-off 5m0s restarting failed container=install-cni",
            "  install-cni: one",
            "  install-cni: cp: can't create '/etc/cni/net.d/\u{241b}[2J': Read-only file system",
            "kube-system/agent on w-1: ImagePullBackOff: Back-off pulling image \"r.example/a:1\": not found",
            "kube-system/coredns on cp-1: ContainerCreating",
            "  FailedCreatePodSandBox: cni plugin not initialized",
        ]
    );
    // Where the kubelet gives no log, what the container left is told.
    let told = tell(&unwell, b"");
    assert_eq!(told[1], "  install-cni: cp: no such file");
}

#[test]
fn states_of_containers_have_the_words_that_kubectl_has() {
    let of = |status: Value| {
        let unwell = unwell(&[list(&[pod("a", "n", false, status)])]);
        unwell
            .first()
            .map(|group| (group.reason.clone(), group.container.clone()))
    };
    let state = |state: Value| {
        json!({"phase": "Running", "containerStatuses": [
            {"name": "c", "ready": false, "restartCount": 0, "state": state}]})
    };
    let said = |reason: &str, container: Option<&str>| {
        Some((reason.to_owned(), container.map(str::to_owned)))
    };
    let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    assert_eq!(of(state(ended)), said("OOMKilled", Some("c")));
    let ended = json!({"terminated": {"exitCode": 2}});
    assert_eq!(of(state(ended)), said("ExitCode:2", Some("c")));
    assert_eq!(
        of(state(json!({"running": {}}))),
        said("not ready", Some("c"))
    );
    assert_eq!(
        of(json!({"phase": "Failed", "reason": "Evicted", "message": "disk"})),
        said("Evicted", None)
    );
    assert_eq!(of(json!({"phase": "Pending"})), said("Pending", None));
    assert_eq!(of(json!({"phase": "Succeeded"})), None);
    assert_eq!(of(runs()), None);
}

#[test]
fn words_are_asked_for_of_the_first_groups_alone_and_names_are_quoted() {
    let owners = ["a", "b", "c", "d", "e", "f", "g"];
    let pods: Vec<_> = owners
        .iter()
        .map(|owner| pod(&format!("{owner}'$(id)"), "n", true, crashes()))
        .collect();
    let unwell = unwell(&[list(&pods)]);
    let script = words_script("https://192.0.2.1:6443", &unwell).to_string();
    assert_eq!(script.matches("\nkdiy_words_of_container ").count(), GROUPS);
    assert!(!script.contains("a'$(id)"), "{script}");
    let told = tell(&unwell, b"");
    assert_eq!(
        told.last().unwrap(),
        "and other pods that are not well: 2 kinds"
    );
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_or_break_lines(text in "(?s).{0,600}") {
        let _ = unwell(&[text.clone().into_bytes()]);
        let mut status = crashes();
        status["initContainerStatuses"][1]["state"]["waiting"]["message"] = text.clone().into();
        let unwell = unwell(&[list(&[pod(&text, &text, true, status)])]);
        for line in tell(&unwell, &output(&[("words-0", &text)])) {
            prop_assert!(line.chars().count() <= 4_100 && !line.chars().any(char::is_control));
        }
    }
}
