//! The cluster as its administrator sees it, from outside of the hosts.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::lab::{self, Lab};

/// kubectl with the kubeconfig that apply saved.
pub struct Kubectl {
    binary: PathBuf,
    pub kubeconfig: PathBuf,
}

impl Kubectl {
    pub fn of(lab: &Lab, cluster: &str) -> Self {
        let kubeconfig = lab.folder.path().join(".kdiy").join(cluster);
        Self {
            binary: binary(),
            kubeconfig: kubeconfig.join("kubeconfig"),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--request-timeout=5s")
            .args(words);
        command
    }

    /// What it says; it must succeed.
    pub fn run(&self, words: &[&str]) -> String {
        lab::ok(&mut self.command(words))
    }

    /// What it says, where a failure is expected for a while.
    pub fn attempt(&self, words: &[&str]) -> Result<String, String> {
        let output = self.command(words).output().expect("kubectl");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Objects of a kind.
    pub fn list(&self, words: &[&str]) -> Vec<Value> {
        let text = self.run(&[&["get", "-o", "json"], words].concat());
        let list: Value = serde_json::from_str(&text).expect("JSON");
        list["items"].as_array().expect("items").clone()
    }

    /// Names of the nodes that are ready, in order.
    pub fn ready_nodes(&self) -> Vec<String> {
        let nodes = self.list(&["nodes"]);
        let ready = nodes.iter().filter(|node| is_ready(node));
        ready.map(name).collect()
    }
}

/// Whether the condition Ready holds, of a node or a pod.
pub fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

pub fn name(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str();
    name.expect("a name").to_owned()
}

/// Asks an etcd member as kubeadm's health check does.
const ETCD: &str = "cd /etc/kubernetes/pki/etcd
curl -fsS --max-time 5 --cacert ca.crt --cert healthcheck-client.crt --key healthcheck-client.key";

/// These control planes are etcd's members, all of them started and healthy,
/// asked from one of them.
pub fn etcd_is(lab: &Lab, from: &str, planes: &[(&str, &str)]) {
    let list = lab.sh(
        from,
        &format!("{ETCD} https://127.0.0.1:2379/v3/cluster/member/list -d '{{}}'"),
    );
    let list: Value = serde_json::from_str(&list).expect("JSON");
    // A member that has not started has no name.
    let members = list["members"].as_array().expect("members").iter();
    let mut members: Vec<_> = members
        .map(|member| {
            (
                member["name"].as_str().unwrap_or("?"),
                member["peerURLs"][0].as_str(),
            )
        })
        .collect();
    members.sort_unstable();
    let urls = planes
        .iter()
        .map(|(_, address)| format!("https://{address}:2380"));
    let urls: Vec<_> = urls.collect();
    let names = planes.iter().map(|(name, _)| *name);
    let wanted: Vec<_> = names
        .zip(urls.iter().map(|url| Some(url.as_str())))
        .collect();
    assert_eq!(members, wanted);
    for (name, address) in planes {
        let health = lab.sh(from, &format!("{ETCD} https://{address}:2379/health"));
        assert!(health.contains(r#""health":"true""#), "{name}: {health}");
    }
}

/// kubectl as the lab has built it.
pub fn binary() -> PathBuf {
    lab::program("kubectl", None)
}
