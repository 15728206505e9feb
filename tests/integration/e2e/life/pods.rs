//! Pods on two workers reach the API by its service address and each other.

use std::time::Duration;

use serde_json::json;

use super::super::cluster::is_ready;
use super::super::eventually;
use super::Life;

pub fn reach_services_and_each_other(life: &Life) {
    let workers = ["w-1", "w-2"];
    for worker in workers {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": format!("probe-{worker}"), "labels": {"app": "probe"}},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": worker},
                "tolerations": [{"key": "dedicated", "operator": "Exists"}],
                "containers": [{
                    "name": "probe",
                    "image": "registry.k8s.io/lab/probe:1",
                    "args": ["serve"],
                }],
            },
        });
        let file = life.lab.write("pod.json", &pod.to_string());
        life.kubectl
            .run(&["apply", "-f", &file.display().to_string()]);
    }
    let (pods, _) = eventually("two pods run", Duration::from_secs(60), || {
        let pods = life.kubectl.list(&["pods", "-l", "app=probe"]);
        if pods.len() == 2 && pods.iter().all(is_ready) {
            Ok(pods)
        } else {
            Err(life.kubectl.run(&["describe", "pods"]))
        }
    });
    for (pod, worker) in pods.iter().zip(workers) {
        assert_eq!(pod["spec"]["nodeName"], worker);
    }
    let fetch = |from: &str, url: &str| {
        let pod = format!("probe-{from}");
        let words = ["exec", &pod, "--", "probe", "fetch", url];
        // kube-proxy and routes take up what is new in their own time.
        let what = format!("{from} fetches {url}");
        eventually(&what, Duration::from_secs(30), || {
            life.kubectl.attempt(&words)
        })
        .0
    };
    assert_eq!(fetch("w-1", "https://10.96.0.1/readyz"), "200\nok\n");
    assert_eq!(fetch("w-2", "https://10.96.0.1/readyz"), "200\nok\n");
    let address = pods[1]["status"]["podIP"].as_str().expect("an address");
    let said = fetch("w-1", &format!("http://{address}:8080/"));
    assert_eq!(said.trim(), "200\nprobe-w-2");
}
