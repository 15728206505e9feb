//! Kubelets get a new client certificate by themselves before the old one
//! ends. A year is too long for a test: a kubelet is given one that ends soon,
//! by the same authority and with the same words, as it has it after a year.

use std::time::Duration;

use kdiy::pki::{Authority, LeafRequest, Usage, not_after};
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;

use super::Grown;
use super::portrait::KUBELET;
use crate::e2e::{eventually, figure};

/// How long the certificate has yet to go. It begins minutes ago, so this is
/// in the last part of its life, in which kubelets ask for another.
const LEFT: Duration = Duration::from_secs(75);

/// The kubelet asks for a certificate, is granted it, and goes on by it when
/// the old one has ended.
pub fn happens(grown: &Grown, host: &str) {
    let old = ends_soon(grown, host);
    grown.lab.sh(
        host,
        &format!(
            "systemctl stop kubelet
             umask 077
             cat > \"$(readlink -f {KUBELET})\" <<'PEM'\n{old}\nPEM
             systemctl start kubelet"
        ),
    );
    let given = OffsetDateTime::now_utc();
    let end = not_after("the old one", &old).expect("a certificate");
    let (new, took) = eventually(
        &format!("the kubelet of {host} has a new certificate"),
        LEFT + Duration::from_secs(30),
        || {
            let now = grown.lab.sh(host, &format!("cat {KUBELET}"));
            let end = not_after("the new one", &now).expect("a certificate");
            let days = (end - given).whole_days();
            (days > 300).then_some(now).ok_or(format!("{days} days"))
        },
    );
    figure(
        &format!("the kubelet of {host} has a new certificate after"),
        took,
    );
    assert_ne!(old.trim(), new.trim());
    asked_for_it_as_itself(grown, host);
    eventually(
        &format!("{host} is alive after the old one has ended"),
        LEFT + Duration::from_secs(60),
        || {
            let lease = ["get", "lease", "-n", "kube-node-lease", host];
            let renewed = [&lease[..], &["-o", "jsonpath={.spec.renewTime}"]].concat();
            let renewed = grown.kubectl.attempt(&renewed)?;
            let format = &time::format_description::well_known::Rfc3339;
            let renewed = OffsetDateTime::parse(&renewed, format).map_err(|why| why.to_string())?;
            (renewed > end + Duration::from_secs(5))
                .then_some(())
                .ok_or(format!("renewed at {renewed}, the old one ends at {end}"))
        },
    );
    assert!(grown.kubectl.ready_nodes().iter().any(|node| node == host));
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
