//! The outputs that KubeOne's modules have: `kubeone_api`, `kubeone_hosts` and
//! `kubeone_static_workers`, each group of hosts as lists side by side.

use super::{Outputs, field, scalar};
use crate::cluster::{Jump, Role};
use crate::draft::imported::Names;
use crate::draft::{Draft, DraftLogin, DraftNode};
use crate::inventory::address;
use crate::inventory::finding::{Finding, Span};
use crate::inventory::yaml::{Node, Value};

/// Reads the outputs.
pub fn draft(outputs: &Outputs<'_>) -> Option<Draft> {
    let reader = outputs.reader;
    let hosts = outputs.open(outputs.find("kubeone_hosts")?)?;
    let Some(planes) = field(hosts, "control_plane") else {
        let finding = Finding::error(
            "no-control-plane",
            hosts.span,
            "`kubeone_hosts` has no `control_plane`",
        );
        reader.report(finding.help("is this the output of a KubeOne module, and applied?"));
        return None;
    };
    let mut names = Names::default();
    let cluster = field(planes, "cluster_name").and_then(|node| scalar(node));
    let cluster = cluster.and_then(|name| Names::default().like(name));
    let mut draft = super::begun(cluster)?;
    let api = outputs.find("kubeone_api");
    if let Some(api) = api.and_then(|api| outputs.open(api)) {
        draft.endpoint = field(api, "endpoint")
            .and_then(|node| {
                let example = "an endpoint such as 192.0.2.10:6443";
                reader.parse(node, "invalid-endpoint", example, address::endpoint)
            })
            .map(|endpoint| endpoint.value);
        draft.cert_sans = texts(api, "apiserver_alternative_names")
            .into_iter()
            .map(|(text, _)| text)
            .collect();
    }
    let untaint = field(planes, "untaint").and_then(|node| scalar(node)) == Some("true");
    let mut groups = vec![(&**planes, Role::ControlPlane, "cp")];
    let workers = outputs.find("kubeone_static_workers");
    let workers = workers.and_then(|workers| outputs.open(workers));
    if let Some(Value::Mapping(entries)) = workers.map(|workers| &workers.value) {
        groups.extend(
            entries
                .iter()
                .map(|(_, group)| (&**group, Role::Worker, "w")),
        );
    }
    for (group, role, prefix) in groups {
        let before = draft.nodes.len();
        let login = login(group);
        let (public, private) = (
            texts(group, "public_address"),
            texts(group, "private_address"),
        );
        let given = texts(group, "hostnames");
        for place in 0..public.len().max(private.len()) {
            let given = given.get(place).and_then(|(text, _)| names.like(text));
            let name = given.or_else(|| names.next(prefix));
            let mut node = DraftNode::new(name?, vec![role]);
            node.ssh = login.clone();
            node.ssh.host = public.get(place).map(|(text, _)| text.clone());
            if let Some((text, span)) = private.get(place).or(public.get(place)) {
                node.address = address(outputs, text, *span);
            }
            draft.nodes.push(node);
        }
        if draft.nodes.len() == before {
            let message = "this group has neither `public_address` nor `private_address`";
            reader.report(
                Finding::error("no-address", group.span, message)
                    .help("has `terraform apply` made the hosts yet?"),
            );
        }
    }
    if untaint || !draft.has(Role::Worker) {
        for node in &mut draft.nodes {
            if node.roles == [Role::ControlPlane] {
                node.roles.push(Role::Worker);
            }
        }
    }
    Some(draft)
}

fn address(outputs: &Outputs<'_>, text: &str, span: Span) -> Option<std::net::IpAddr> {
    address::address(text)
        .map_err(|error| {
            let finding = Finding::error("invalid-address", span, error.message);
            outputs.reader.report(finding.help(error.help));
        })
        .ok()
}

/// What all hosts of a group share.
fn login(group: &Node) -> DraftLogin {
    let text = |key| {
        field(group, key)
            .and_then(|node| scalar(node))
            .map(str::to_owned)
    };
    let port = |key| {
        text(key)
            .and_then(|port| port.parse().ok())
            .filter(|port| *port > 0)
    };
    let jump = text("bastion").map(|host| Jump {
        host,
        port: port("bastion_port"),
        user: text("bastion_user"),
    });
    DraftLogin {
        user: text("ssh_user"),
        port: port("ssh_port"),
        identities: text("ssh_private_key_file")
            .map(Into::into)
            .into_iter()
            .collect(),
        jumps: jump.into_iter().collect(),
        ..DraftLogin::default()
    }
}

/// Texts of a list that are not empty.
fn texts(group: &Node, key: &str) -> Vec<(String, Span)> {
    let Some(Value::Sequence(list)) = field(group, key).map(|node| &node.value) else {
        return Vec::new();
    };
    let texts = list.iter();
    texts
        .filter_map(|node| Some((scalar(node)?.to_owned(), node.span)))
        .collect()
}
