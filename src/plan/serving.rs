//! Requests of kubelets for certificates to serve with, and which of them may
//! be approved.
//!
//! Kubernetes leaves that to somebody who knows the nodes. A request is good
//! when a node of the inventory made it as itself, and when it is byte for
//! byte what the kubelet of that node asks for, whatever its key: no other
//! name, address or extension can hide in it. That is decided on a control
//! plane, by the same shell text when kdiy looks and right before it
//! approves; nothing of a request is ever shown but its requestor.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Facts;
use crate::cluster::{Name, ResolvedCluster};
use crate::resource::{hex, section};
use crate::shell::{Script, sh};

/// A request that waits, as it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Name of the CertificateSigningRequest.
    pub name: String,
    /// Who made it, quoted as Go quotes.
    pub requestor: String,
    /// Why it must not be approved, if so.
    pub objection: Option<&'static str>,
}

/// Faults as the hosts name them, and in words.
const OBJECTIONS: [(&str, &str); 6] = [
    ("usages", "its usages are not those of a server"),
    ("groups", "its requestor is not in the group of nodes"),
    ("stranger", "its requestor is no node of this inventory"),
    ("form", "it is not in the form of a kubelet's request"),
    (
        "subject",
        "its subject is not that of its requestor's kubelet",
    ),
    (
        "names",
        "it asks for other names or addresses than the node's own",
    ),
];

/// Judges one request: usages, groups, request, requestor. Walks through the
/// hex of its DER: two headers, version 0 and the subject, the key, and then
/// the one attribute that a kubelet adds. PEM that a looser reader could take
/// for something else is refused.
const JUDGE: &str = sh!("probe/judge.sh");

/// Defines `kdiy_requests` and `kdiy_judged`.
const REQUESTS: &str = sh!("probe/requests.sh");

/// Defines `kdiy_served NAME URL`.
const SERVED: &str = sh!("kubeadm/served.sh");

/// Defines `kdiy_judge` and what it needs, and `kdiy_requests`, which lists by
/// `kdiy_kubectl`.
fn functions(resolved: &ResolvedCluster) -> Script {
    let known = resolved.cluster.kubelets().map(|node| {
        let name = node.name.as_str();
        let asks = attributes(name, resolved.address(node)).join(" ");
        format!("{} {} {asks}", requestor(name), subject(name))
    });
    let known: Vec<_> = known.collect();
    Script::of(JUDGE)
        .with(REQUESTS)
        .set("kdiy_known", known.join("\n"))
}

/// The section in which a control plane judges all requests that wait; by
/// `kdiy_kubectl`.
#[must_use]
pub fn probe(resolved: &ResolvedCluster) -> Script {
    let body = functions(resolved).run("kdiy_judged");
    section("requests", &body)
}

/// Reads the answer to [`probe`].
#[must_use]
pub fn parse(answer: &str) -> Vec<Request> {
    let request = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (name, verdict, requestor) = (words.next()?, words.next()?, words.next()?);
        let objection = match verdict {
            "good" => None,
            // What kdiy does not know is not good.
            other => Some(
                OBJECTIONS
                    .iter()
                    .find(|(word, _)| *word == other)
                    .map_or("it could not be judged", |(_, objection)| *objection),
            ),
        };
        Some(Request {
            name: name.to_owned(),
            requestor: requestor.to_owned(),
            objection,
        })
    };
    answer.lines().filter_map(request).collect()
}

/// Defines `kdiy_served NAME URL`: approves the good requests of a node and
/// tells whether its kubelet serves with a certificate of the cluster's. It
/// asks by `kdiy_kubectl`.
#[must_use]
pub fn serving_function(resolved: &ResolvedCluster) -> Script {
    functions(resolved).with(SERVED)
}

/// A line for each request that is left alone, and why.
#[must_use]
pub fn warnings(facts: &BTreeMap<Name, Facts>) -> Vec<String> {
    let requests = facts.values().flat_map(|facts| &facts.plane.requests);
    let lines: BTreeSet<_> = requests
        .filter_map(|request| {
            Some(format!(
                "the certificate request {} of {} is left alone: {}; look at it with \
                 `kubectl describe csr {0}`, and deny it with `kubectl certificate deny {0}`",
                request.name, request.requestor, request.objection?
            ))
        })
        .collect();
    lines.into_iter().collect()
}

/// The requestor of a node as Go quotes it.
#[must_use]
pub fn requestor(node: &str) -> String {
    format!("\"system:node:{node}\"")
}

/// Hex of one DER element.
fn element(tag: &str, content: &str) -> String {
    let length = content.len() / 2;
    let length = match length {
        0..=127 => format!("{length:02x}"),
        128..=255 => format!("81{length:02x}"),
        _ => format!("82{length:04x}"),
    };
    format!("{tag}{length}{content}")
}

const SEQUENCE: &str = "30";
const SET: &str = "31";
const PRINTABLE: &str = "13";
const OCTETS: &str = "04";
/// 2.5.4.10, organization.
const ORGANIZATION: &str = "060355040a";
/// 2.5.4.3, common name.
const COMMON_NAME: &str = "0603550403";
/// 2.5.29.17, subject alternative name.
const ALTERNATIVE_NAME: &str = "0603551d11";
/// 1.2.840.113549.1.9.14, extension request.
const EXTENSION_REQUEST: &str = "06092a864886f70d01090e";

/// O=system:nodes, CN=system:node:NAME, as Go writes them.
fn subject(node: &str) -> String {
    let part = |oid: &str, text: &str| {
        let text = element(PRINTABLE, &hex(text.as_bytes()));
        element(SET, &element(SEQUENCE, &(oid.to_owned() + &text)))
    };
    let organization = part(ORGANIZATION, "system:nodes");
    let common_name = part(COMMON_NAME, &format!("system:node:{node}"));
    element(SEQUENCE, &(organization + &common_name))
}

/// The attributes of a request for the node's name and address, or for one
/// of the two alone.
fn attributes(node: &str, address: IpAddr) -> [String; 3] {
    let name = element("82", &hex(node.as_bytes()));
    let address = element(
        "87",
        &match address {
            IpAddr::V4(address) => hex(&address.octets()),
            IpAddr::V6(address) => hex(&address.octets()),
        },
    );
    [format!("{name}{address}"), name, address].map(|names| {
        let names = element(OCTETS, &element(SEQUENCE, &names));
        let extension = element(SEQUENCE, &(ALTERNATIVE_NAME.to_owned() + &names));
        let extensions = element(SET, &element(SEQUENCE, &extension));
        let attribute = element(SEQUENCE, &(EXTENSION_REQUEST.to_owned() + &extensions));
        element("a0", &attribute)
    })
}

#[cfg(test)]
mod tests;
