//! Where secrets are, where they may be, and where they are looked for.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::processes::Seen;
use super::secret::{Search, Secret};
use super::{HOSTS, feed, mode};
use crate::e2e::cluster::Kubectl;
use crate::faults::Scene;
use crate::faults::converged::walk;

/// Paths here that hold secrets, from the inventory's folder; `*` is one name.
const HERE: &[&str] = &[
    ".kdiy/scan/pki/*",
    ".kdiy/scan/pki/etcd/*",
    ".kdiy/scan/kubeconfig",
    "kubeconfig",
    "etcd.snapshot",
    "sudo-password",
];

/// The same on hosts, where Kubernetes wants them, with the modes that they
/// may have.
const ON_HOSTS: &[(&str, &[&str])] = &[
    ("/etc/kubernetes/*.conf", &["600"]),
    ("/etc/kubernetes/pki/*.key", &["600"]),
    ("/etc/kubernetes/pki/etcd/*.key", &["600"]),
    ("/etc/kubernetes/pki/kdiy-encryption*.yaml", &["600"]),
    ("/etc/etcd/pki/*.key", &["600", "640"]),
    ("/etc/keepalived/kdiy-authentication.conf", &["600"]),
    ("/var/lib/kubelet/pki/*", &["600"]),
];

/// Private keys and kubeconfigs of a host, each behind a line with its path.
const KEYS: &str = r#"for file in /etc/kubernetes/*.conf /etc/kubernetes/pki/*.key /etc/kubernetes/pki/etcd/*.key /etc/etcd/pki/*.key /var/lib/kubelet/pki/*; do
[ ! -f "$file" ] || { echo "== $file"; cat "$file"; echo; }
done"#;

/// All secrets of a cluster.
pub fn secrets(scene: &Scene) -> Vec<Secret> {
    let folder = scene.lab.folder.path().join(".kdiy/scan");
    let mut all = Vec::new();
    for path in walk(&folder.join("pki"))
        .iter()
        .filter(|path| path.is_file())
    {
        let text = fs::read_to_string(path).expect("text");
        let name = path
            .strip_prefix(&folder)
            .expect("within")
            .display()
            .to_string();
        if name.ends_with("secretbox.key") {
            all.push(Secret::text(&name, text.trim()));
        } else {
            all.extend(Secret::keys(&name, &text));
        }
    }
    all.extend(in_kubeconfig("kubeconfig", &folder.join("kubeconfig")));
    for (host, _) in HOSTS {
        let text = scene.lab.sh(host, KEYS);
        for part in text.split("== ").skip(1) {
            let (path, text) = part.split_once('\n').expect("a path");
            let name = format!("{host}:{path}");
            all.extend(Secret::keys(&name, text));
            all.extend(embedded(&name, text));
        }
    }
    let password = "sed -n 's/^ *auth_pass *//p' /etc/keepalived/kdiy-authentication.conf";
    let password = scene.lab.sh("lb-1", password);
    all.push(Secret::text("keepalived's password", password.trim()));
    let tokens = tokens(scene);
    for wanted in [
        "ca.key",
        "sa.key",
        "secretbox",
        "kubeconfig",
        "etcd/pki",
        "apiserver-etcd",
    ] {
        assert!(
            all.iter().any(|secret| secret.name.contains(wanted)),
            "no {wanted}"
        );
    }
    assert!(!tokens.is_empty(), "no bootstrap token");
    all.extend(tokens);
    all
}

fn in_kubeconfig(name: &str, path: &std::path::Path) -> Vec<Secret> {
    embedded(name, &fs::read_to_string(path).expect("a kubeconfig"))
}

/// Client keys that are in a kubeconfig itself.
fn embedded(name: &str, text: &str) -> Vec<Secret> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("client-key-data: "));
    let keys = lines.flat_map(|data| {
        let pem = STANDARD
            .decode(data.trim().trim_matches('"'))
            .expect("base64");
        Secret::keys(name, &String::from_utf8(pem).expect("PEM"))
    });
    keys.collect()
}

/// Bootstrap tokens that are still in the cluster.
fn tokens(scene: &Scene) -> Vec<Secret> {
    let kubectl = Kubectl::of(&scene.lab, "scan");
    let secrets = kubectl.list(&["-n", "kube-system", "secrets"]);
    let tokens = secrets
        .iter()
        .filter(|secret| secret["type"] == "bootstrap.kubernetes.io/token");
    let secret = |token: &Value| {
        let text = token["data"]["token-secret"].as_str().expect("a secret");
        let text = STANDARD.decode(text).expect("base64");
        Secret::text("bootstrap token", std::str::from_utf8(&text).expect("text"))
    };
    tokens.map(secret).collect()
}

/// In what process lists showed.
pub fn in_processes(seen: &Seen, search: &Search) -> Vec<String> {
    let texts = seen.texts.iter().filter_map(|(place, text)| {
        let names = search.within(text);
        let text = String::from_utf8_lossy(text).replace('\0', " ");
        let text: String = text.chars().take(300).collect();
        (!names.is_empty()).then(|| format!("{names:?} in the {place}: {text}"))
    });
    texts.collect()
}

/// In the inventory's folder, which is the user's home too: logs, plans, all
/// that kdiy said.
pub fn in_folder(scene: &Scene, search: &Search) -> Vec<String> {
    let folder = scene.lab.folder.path();
    let mut found = Vec::new();
    for path in walk(folder).into_iter().filter(|path| path.is_file()) {
        let names = search.within(&fs::read(&path).expect("a file"));
        let place = path
            .strip_prefix(folder)
            .expect("within")
            .display()
            .to_string();
        if names.is_empty() {
            continue;
        }
        let belongs = HERE.iter().any(|pattern| fits(&place, pattern));
        if !belongs || mode(&path) != 0o600 {
            found.push(format!("{names:?} in {place}, mode {:o}", mode(&path)));
        }
    }
    found
}

/// On a host: in its journal, and in all files but the programs, the data of
/// etcd and what container images consist of.
pub fn on_host(scene: &Scene, host: &str, search: &Search) -> Vec<String> {
    let mut found = Vec::new();
    for output in ["export", "cat"] {
        let journal = format!("journalctl --no-pager --quiet -o {output}");
        let journal = scene
            .lab
            .exec(host, &["sh", "-c", &journal])
            .output()
            .expect("the lab");
        assert!(journal.stdout.len() > 1000, "{host} has no journal");
        let names = search.within(&journal.stdout);
        if !names.is_empty() {
            found.push(format!("{names:?} in the journal of {host}"));
        }
    }
    let script =
        "LC_ALL=C grep -rlaF --devices=skip --exclude-dir=containerd --exclude-dir=journal -f - \
        /etc /home /opt /root /run /srv /tmp /usr/local /usr/lib /var 2>/dev/null | sort |
        while IFS= read -r file; do stat -c '%a %U:%G %n' \"$file\"; done";
    let said = feed(
        &mut scene.lab.exec(host, &["sh", "-c", script]),
        &search.lines(),
    );
    for line in String::from_utf8(said).expect("text").lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().expect("a word");
        let (mode, owner, path) = (word(), word(), word());
        let belongs = ON_HOSTS.iter().any(|(pattern, modes)| {
            fits(path, pattern) && modes.contains(&mode) && owner.starts_with("root:")
        });
        // What etcd keeps is the cluster itself.
        let data = path.starts_with("/var/lib/etcd/member/") && mode == "600";
        if !belongs && !data {
            let text = scene
                .lab
                .exec(host, &["cat", path])
                .output()
                .expect("the lab");
            let names = search.within(&text.stdout);
            found.push(format!(
                "{names:?} in {path} of {host}, mode {mode}, {owner}"
            ));
        }
    }
    found
}

/// `*` stands for anything within one name.
pub fn fits(path: &str, pattern: &str) -> bool {
    let options = glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::new()
    };
    glob::Pattern::new(pattern)
        .expect("a pattern")
        .matches_with(path, options)
}
