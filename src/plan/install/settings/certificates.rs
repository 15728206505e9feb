//! The certificate that an API server serves with: made anew where the
//! inventory names other names. The API server takes it up by itself.

use std::collections::BTreeSet;

use super::Context;
use crate::cluster::Node;
use crate::kubeadm::API_PORT;
use crate::plan::facts::plane::PlaneView;
use crate::shell::{Script, sh};

/// How a line about it begins.
const LINE: &str = "kube-apiserver's certificate: ";

/// Defines `kdiy_make_certificate` and `kdiy_serves NAME ADDRESS PORT`.
const RENEW: &str = sh!("kubeadm/renew-api-server-certificate.sh");

/// Where the inventory says the names.
const SETTING: &str = "controlPlane.apiServer.certSANs";

/// By which names clients reach the API servers, by the inventory.
fn wanted(context: &Context) -> BTreeSet<String> {
    let cluster = &context.resolved.cluster;
    let endpoints = [cluster.endpoint.clone(), cluster.node_endpoint()];
    let endpoints = endpoints.map(|at| at.host.to_string());
    let names = cluster.control_plane.cert_sans.iter().cloned();
    names.chain(endpoints).collect()
}

/// What is different on one control plane: names that its certificate lacks,
/// and those that the inventory has no more. What kubeadm adds stays.
pub(super) fn differences(context: &Context, view: &PlaneView) -> Vec<String> {
    let Some(has) = &view.server_names else {
        return Vec::new();
    };
    let wanted = wanted(context);
    let settings = context.cluster_state.settings.as_ref();
    let before = settings.and_then(|settings| settings.get(SETTING));
    let before: BTreeSet<String> = before
        .and_then(|names| serde_json::from_str(names).ok())
        .unwrap_or_default();
    let new = wanted
        .difference(has)
        .map(|name| format!("{LINE}for {name}, too"));
    let gone = before
        .difference(&wanted)
        .filter(|name| has.contains(*name));
    let gone = gone.map(|name| format!("{LINE}no longer for {name}"));
    new.chain(gone).collect()
}

/// Makes it anew, and waits until the API server serves with it.
pub(super) fn renew(context: &Context, node: &Node) -> Script {
    let address = context.resolved.address(node);
    let address = match address.is_ipv6() {
        true => format!("[{address}]"),
        false => address.to_string(),
    };
    let port = API_PORT.to_string();
    let names = wanted(context);
    // A pattern is no name that anybody could ask for.
    let names = names.iter().filter(|name| !name.contains('*'));
    let script = Script::of(RENEW).call("kdiy_make_certificate", [""; 0]);
    names.fold(script, |script, name| {
        let what = format!("the API server to serve with a certificate for {name}");
        let name = match name.contains(':') {
            true => format!("[{name}]"),
            false => name.clone(),
        };
        let words = ["120", &what, "kdiy_serves", &name, &address, &port];
        script.call("kdiy_poll", words)
    })
}
