//! Kubelets get a new client certificate by themselves before the old one
//! ends. A year is too long for a test: a kubelet is given one that ends soon,
//! by the same authority and with the same words, as it has it after a year.

use std::collections::BTreeSet;
use std::time::Duration;

use kdiy::pki::{Authority, LeafRequest, Usage, not_after};
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Grown;
use super::dump::KUBELET;
use crate::e2e::{cluster, eventually, figure};

/// How long the certificate has yet to go. It begins minutes ago, so this is
/// in the last part of its life, in which kubelets ask for another.
const LEFT: Duration = Duration::from_secs(120);

/// The kubelets ask for a certificate, are granted it, and go on by it when
/// the old one has ended.
pub fn happens(grown: &Grown, hosts: &[&str]) {
    let given = hosts.iter().map(|host| Given {
        host: (*host).to_owned(),
        asked: granted(grown, host),
        old: give(grown, host),
    });
    let given: Vec<_> = given.collect();
    for given in &given {
        given.is_renewed(grown);
    }
    for given in &given {
        given.is_stale(grown);
    }
}

/// A certificate that ends soon.
struct Given {
    host: String,
    /// What the kubelet had asked for before.
    asked: BTreeSet<String>,
    /// Certificate and key.
    old: String,
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

impl Given {
    fn is_renewed(&self, grown: &Grown) {
        let host = &self.host;
        let what = format!("the kubelet of {host} has a new certificate");
        let limit = LEFT + Duration::from_secs(30);
        let (_, took) = eventually(&what, limit, || {
            let new = grown.lab.sh(host, &format!("cat {KUBELET}"));
            let longer = end("new", &new) - end("old", &self.old);
            let days = longer.whole_days();
            (days > 300)
                .then_some(())
                .ok_or(format!("{days} more days"))
        });
        figure(&what, took);
        let asked = granted(grown, host);
        assert_eq!(asked.difference(&self.asked).count(), 1, "{asked:?}");
    }

    /// Its lease goes on when the old certificate has ended.
    fn is_stale(&self, grown: &Grown) {
        let host = &self.host;
        let end = end("old", &self.old) + Duration::from_secs(5);
        let what = format!("{host} is alive after its old certificate has ended");
        let lease = ["get", "lease", "-n", "kube-node-lease", host, "-o"];
        let lease = [&lease[..], &["jsonpath={.spec.renewTime}"]].concat();
        let limit = LEFT + Duration::from_secs(60);
        let (_, took) = eventually(&what, limit, || {
            let renewed = grown.kubectl.attempt(&lease)?;
            let renewed =
                OffsetDateTime::parse(&renewed, &Rfc3339).map_err(|why| why.to_string())?;
            let says = format!("renewed at {renewed}, to be after {end}");
            (renewed > end).then_some(()).ok_or(says)
        });
        figure(&what, took);
        assert!(grown.kubectl.ready_nodes().contains(host));
    }
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

/// Whom this kubelet has asked for a certificate as, by the names of requests;
/// all of them were granted without anybody's doing.
fn granted(grown: &Grown, host: &str) -> BTreeSet<String> {
    let requests = grown.kubectl.list(&["csr"]);
    let own = requests.iter().filter(|request| {
        let spec = &request["spec"];
        spec["username"] == format!("system:node:{host}")
            && spec["signerName"] == "kubernetes.io/kube-apiserver-client-kubelet"
            && request["status"]["conditions"][0]["reason"] == "AutoApproved"
            && request["status"]["certificate"].is_string()
    });
    own.map(cluster::name).collect()
}
