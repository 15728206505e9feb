//! What a host has on its disk.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{ClusterDump, certificate, kubeconfig};
use crate::e2e::eventually;
use crate::equal::{Grown, nodes};

/// Where the kubelet's certificate is, once it has asked for one.
pub const KUBELET: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// Kind, mode, owner, path, and where a link leads to. What pods have there is
/// theirs.
const LIST: &str = "find /etc/kubernetes /var/lib/kubelet /var/lib/etcd -maxdepth 4 \
    -path '/var/lib/kubelet/pods/*' -prune -o -path '/var/lib/etcd/*/*' -prune -o \
    -printf '%y %m %u:%g %p\\t%l\\n'";

/// Files whose text is compared.
const CONTENTS: &str = "find /etc/kubernetes /var/lib/kubelet -path /var/lib/kubelet/pods -prune \
    -o -type f \\( -name '*.conf' -o -name '*.yaml' -o -name '*.crt' -o -name '*.pem' \
    -o -name '*.env' \\) -exec sh -c 'for file; do echo \"$file $(base64 -w0 \"$file\")\"; done' \
    sh {} +";

/// Waits until every kubelet has a certificate that it asked for itself: the
/// one that a bootstrap control plane begins with is in its kubeconfig.
pub fn wait_until_ready(grown: &Grown) {
    for node in nodes() {
        let limit = Duration::from_secs(60);
        let what = format!("the kubelet of {node} has a certificate of its own");
        eventually(&what, limit, || {
            grown.lab.try_sh(node, &format!("test -s {KUBELET}"))
        });
    }
}

pub fn add(grown: &Grown, host: &str, dump: &mut ClusterDump) {
    let list = grown.lab.sh(host, LIST);
    let mut times = 0;
    for line in list.lines() {
        let (about, path) = line.split_at(line.find('/').expect("a path"));
        let (path, link) = path.split_once('\t').expect("a tab");
        let (path, link) = (dated(path), dated(link));
        let arrow = if link.is_empty() { "" } else { " -> " };
        let what = format!("{}{arrow}{link}", about.trim());
        if path.ends_with('*') {
            // As many as there were until now.
            times += 1;
            dump.line(format!("{host} {path} ({times})"), what);
        } else {
            dump.line(format!("{host} {path}"), what);
        }
    }
    let contents = grown.lab.sh(host, CONTENTS);
    let mut count = 0;
    for line in contents.lines() {
        let (path, text) = line.split_once(' ').expect("a path");
        let text = STANDARD.decode(text).expect("base64");
        let text = String::from_utf8(text).expect("text");
        if dated(path).ends_with('*') && path != KUBELET {
            // The newest is what the link leads to.
            continue;
        }
        content(dump, &format!("{host} {path}"), &text);
        count += 1;
    }
    let text = grown.lab.sh(host, &format!("cat {KUBELET}"));
    content(dump, &format!("{host} {KUBELET}"), &text);
    assert!(count > 4, "{host}: only {count} files");
}

/// What is in a file, by what kind of file it is.
fn content(dump: &mut ClusterDump, path: &str, text: &str) {
    let at = format!("{path}: ");
    if path.ends_with(".crt") || path.ends_with(".pem") {
        dump.document(&at, &certificate::told(text.as_bytes()));
    } else if path.ends_with(".env") {
        let (name, words) = text.trim().split_once('=').expect("a variable");
        let words = words.trim_matches('"').split(' ').map(Value::from);
        dump.document(&format!("{at}{name}"), &words.collect());
    } else {
        let document: Value = serde_yaml::from_str(text).expect("YAML");
        match document["kind"].as_str() {
            Some("Config") => dump.document(&at, &kubeconfig::told(&document)),
            _ => dump.document(&at, &document),
        }
    }
}

/// A path without what the kubelet's certificate is named by: the time when
/// the kubelet got it, or a hash where kdiy has issued it.
fn dated(path: &str) -> String {
    const START: &str = "/kubelet-client-";
    match path.split_once(START) {
        Some((folder, rest)) if rest != "current.pem" => format!("{folder}{START}*"),
        _ => path.to_owned(),
    }
}
