//! Kubelets get a new client certificate by themselves before the old one
//! ends. A year is too long for a test: a kubelet is given one that ends soon,
//! by the same authority and with the same words, as it has it after a year.

use std::time::Duration;

use kdiy::pki::{Authority, LeafRequest, Usage, not_after};
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Grown;
use super::portrait::KUBELET;
use crate::e2e::{eventually, figure};

/// How long the certificate has yet to go. It begins minutes ago, so this is
/// in the last part of its life, in which kubelets ask for another.
const LEFT: Duration = Duration::from_secs(120);

/// The kubelets ask for a certificate, are granted it, and go on by it when
/// the old one has ended.
pub fn happens(grown: &Grown, hosts: &[&str]) {
    let given: Vec<_> = hosts
        .iter()
        .map(|host| (*host, give(grown, host)))
        .collect();
    for (host, old) in &given {
        is_renewed(grown, host, old);
    }
    for (host, old) in &given {
        outlives(grown, host, old);
    }
}

/// One that ends soon takes the place of that which the kubelet has.
fn give(grown: &Grown, host: &str) -> String {
    let old = ends_soon(grown, host);
    let script = format!(
        "systemctl stop kubelet
umask 077
cat > \"$(readlink -f {KUBELET})\" <<'PEM'
{old}
PEM
systemctl start kubelet"
    );
    grown.lab.sh(host, &script);
    old
}

fn is_renewed(grown: &Grown, host: &str, old: &str) {
    let what = format!("the kubelet of {host} has a new certificate");
    let limit = LEFT + Duration::from_secs(30);
    let (_, took) = eventually(&what, limit, || {
        let new = grown.lab.sh(host, &format!("cat {KUBELET}"));
        let longer = end("new", &new) - end("old", old);
        let days = longer.whole_days();
        (days > 300)
            .then_some(())
            .ok_or(format!("{days} more days"))
    });
    figure(&what, took);
    asked_for_it_as_itself(grown, host);
}

/// Its lease goes on when the old certificate has ended.
fn outlives(grown: &Grown, host: &str, old: &str) {
    let end = end("old", old) + Duration::from_secs(5);
    let what = format!("{host} is alive after its old certificate has ended");
    let lease = ["get", "lease", "-n", "kube-node-lease", host, "-o"];
    let lease = [&lease[..], &["jsonpath={.spec.renewTime}"]].concat();
    let limit = LEFT + Duration::from_secs(60);
    let (_, took) = eventually(&what, limit, || {
        let renewed = grown.kubectl.attempt(&lease)?;
        let renewed = OffsetDateTime::parse(&renewed, &Rfc3339).map_err(|why| why.to_string())?;
        let says = format!("renewed at {renewed}, to be after {end}");
        (renewed > end).then_some(()).ok_or(says)
    });
    figure(&what, took);
    assert!(grown.kubectl.ready_nodes().iter().any(|node| node == host));
}

fn end(which: &str, pem: &str) -> OffsetDateTime {
    not_after(which, pem).expect("a certificate")
}

/// Certificate and key as the kubelet keeps them, by the cluster's authority.
fn ends_soon(grown: &Grown, host: &str) -> String {
    let pki = grown.lab.folder.path().join(".kdiy/equal/pki");
    let file = |name: &str| std::fs::read_to_string(pki.join(name)).expect("a file");
    let now = OffsetDateTime::now_utc();
    let authority = (
        ("ca.crt", file("ca.crt")),
        ("ca.key", file("ca.key").into()),
    );
    let authority = Authority::from_pem(authority.0, authority.1, now).expect("an authority");
    let request = LeafRequest {
        common_name: format!("system:node:{host}"),
        organizations: vec!["system:nodes".to_owned()],
        usages: vec![Usage::Client],
        names: Vec::new(),
        addresses: Vec::new(),
        validity: LEFT.try_into().expect("short"),
    };
    let leaf = authority.issue(&request, now).expect("a certificate");
    format!("{}{}", leaf.certificate, leaf.key.expose_secret())
}

/// The request bears the name of the node, and not that of a token.
fn asked_for_it_as_itself(grown: &Grown, host: &str) {
    let requests = grown.kubectl.list(&["csr"]);
    let asked = |request: &&serde_json::Value| {
        let spec = &request["spec"];
        spec["username"] == format!("system:node:{host}")
            && spec["signerName"] == "kubernetes.io/kube-apiserver-client-kubelet"
            && request["status"]["certificate"].is_string()
    };
    let reasons: Vec<_> = requests
        .iter()
        .filter(asked)
        .map(|request| request["status"]["conditions"][0]["reason"].to_string())
        .collect();
    assert_eq!(reasons, [r#""AutoApproved""#], "{requests:#?}");
}
