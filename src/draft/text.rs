//! A draft as the text of an inventory.

use std::net::IpAddr;

use super::comments::{self, comment};
use super::nodes;
use super::scalar::{list, quoted, scalar};
use super::{Balancing, Draft, DraftCni, DraftLogin, login};
use crate::cluster::{AddressSpec, Endpoint, EndpointHost, Role, VersionSpec};
use crate::inventory::NEWEST_MINOR;

/// The whole inventory.
pub fn text(draft: &Draft) -> String {
    let shared = login::shared(draft);
    let own = [
        vec![
            ("apiVersion", "apiVersion: kdiy/v1alpha1\n".to_owned()),
            ("name", name(draft)),
            ("version", version(draft)),
        ],
        vec![("topology", topology(draft))],
        vec![
            ("endpoint", endpoint(draft)),
            ("loadBalancer", load_balancer(draft)),
        ],
        vec![("ssh", ssh(&shared))],
        vec![("nodes", nodes::nodes(draft, &shared))],
        vec![("network", network(draft))],
        vec![("runtime", runtime(draft))],
        vec![("controlPlane", control_plane(draft))],
    ];
    let based = |key: &str| draft.base.as_ref().and_then(|base| base.get(key));
    let mut paragraphs = vec![comments::header(draft).trim_end().to_owned() + "\n"];
    for paragraph in &own {
        let settings = paragraph
            .iter()
            .map(|(key, text)| based(key).unwrap_or(text));
        paragraphs.push(settings.collect());
    }
    // The header stands on the first keys.
    let first = paragraphs.remove(1);
    paragraphs[0].push_str(&first);
    let known: Vec<&str> = own.iter().flatten().map(|(key, _)| *key).collect();
    if let Some(base) = &draft.base {
        let others = base.keys().filter(|key| !known.contains(key));
        paragraphs.extend(others.filter_map(|key| base.get(key)).map(str::to_owned));
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

fn name(draft: &Draft) -> String {
    let name = draft.name.as_str();
    let login_text = format!("name: {}", scalar(name));
    noted(
        &login_text,
        &format!("also the folder of its state, .kdiy/{name}"),
    )
}

fn version(draft: &Draft) -> String {
    let newest = VersionSpec::Minor(1, NEWEST_MINOR);
    let version = draft.version.unwrap_or(newest);
    let login_text = format!("version: {}", quoted(&version.to_string()));
    match version {
        VersionSpec::Minor(..) => {
            noted(&login_text, "the newest patch of it; or exactly \"1.37.2\"")
        }
        VersionSpec::Exact(_) => login_text + "\n",
    }
}

/// A line with a remark, where that fits.
fn noted(login_text: &str, note: &str) -> String {
    let line = format!("{login_text:<28} # {note}");
    if line.chars().count() <= 79 {
        line + "\n"
    } else {
        format!("{login_text}\n")
    }
}

fn topology(draft: &Draft) -> String {
    match draft.external_etcd {
        true => noted("topology: external", "etcd on the hosts with the role etcd"),
        false => noted("topology: stacked", "etcd on the control planes"),
    }
}

impl Draft {
    /// What spreads the endpoint, as it was said or as the rest implies.
    #[must_use]
    pub fn balanced_by(&self) -> Option<Balancing> {
        let planes = self.with_role(Role::ControlPlane).count();
        self.balancing.or_else(|| {
            if self.with_role(Role::LoadBalancer).next().is_some() {
                Some(Balancing::Haproxy)
            } else if self.vip.is_some() {
                Some(Balancing::KubeVip)
            } else if self.endpoint.is_some() && planes > 1 {
                Some(Balancing::External)
            } else {
                None
            }
        })
    }

    /// The endpoint, as it was said or as far as one address must have it.
    fn endpoint_or_derived(&self) -> Option<Endpoint> {
        let derived = self.vip.or_else(|| {
            let holder = match self.balanced_by() {
                Some(Balancing::Haproxy | Balancing::Nginx) => Role::LoadBalancer,
                Some(Balancing::Local) | None => Role::ControlPlane,
                Some(Balancing::KubeVip | Balancing::External) => return None,
            };
            let mut holders = self.with_role(holder);
            match (holders.next()?, holders.next()) {
                (one, None) => match login::address(one) {
                    Some(AddressSpec::Fixed(address)) => Some(address),
                    _ => None,
                },
                _ => None,
            }
        });
        let by_address = |address: IpAddr| Endpoint {
            host: EndpointHost::Address(address),
            port: 6443,
        };
        self.endpoint.clone().or_else(|| derived.map(by_address))
    }
}

fn endpoint(draft: &Draft) -> String {
    let Some(endpoint) = draft.endpoint_or_derived() else {
        return String::new();
    };
    let login_text = scalar(&endpoint.to_string());
    let why = comments::endpoint(draft, draft.balanced_by());
    format!("{why}endpoint: {login_text}\n")
}

fn load_balancer(draft: &Draft) -> String {
    let Some(kind) = draft.balanced_by() else {
        return String::new();
    };
    let word = kind.as_str();
    let several = draft.with_role(Role::LoadBalancer).nth(1).is_some();
    let implied = kind == Balancing::KubeVip || several;
    let is_endpoint = |vip: IpAddr| {
        let endpoint = draft.endpoint_or_derived();
        endpoint.is_none_or(|endpoint| endpoint.host == EndpointHost::Address(vip))
    };
    match draft.vip {
        Some(vip) if !(implied && is_endpoint(vip)) => {
            format!(
                "loadBalancer: {{kind: {word}, vip: {}}}\n",
                scalar(&vip.to_string())
            )
        }
        _ => match kind {
            Balancing::Haproxy => noted("loadBalancer: haproxy", "or nginx"),
            Balancing::Local => noted("loadBalancer: local", "on 127.0.0.1:7443 of each node"),
            _ => format!("loadBalancer: {word}\n"),
        },
    }
}

fn ssh(shared: &DraftLogin) -> String {
    let keys = login::keys(shared);
    if keys.is_empty() {
        return comment(
            "How to log in to all nodes. What is left out comes from ~/.ssh/config, keys from \
             ssh-agent. Where sudo asks for a password: `sudo: prompt`.",
        ) + "# ssh:\n#   user: ops\n#   identity: ~/.ssh/id_ed25519\n";
    }
    let why = comment(
        "How to log in to all nodes. What is left out comes from ~/.ssh/config; a node can have \
         its own. Where sudo asks for a password: `sudo: prompt`.",
    );
    let keys: String = keys
        .iter()
        .map(|(key, value)| format!("  {key}: {value}\n"))
        .collect();
    format!("{why}ssh:\n{keys}")
}

fn network(draft: &Draft) -> String {
    let network = &draft.network;
    let mut out = String::from("network:\n");
    let cidr = |net: &Option<_>| net.as_ref().map(|net: &ipnet::IpNet| net.to_string());
    let rows = [
        ("podCIDR", cidr(&network.pod_cidr)),
        ("serviceCIDR", cidr(&network.service_cidr)),
        ("dnsDomain", network.dns_domain.clone()),
    ];
    for (key, value) in rows {
        if let Some(value) = value {
            out.push_str(&format!("  {key}: {}\n", scalar(&value)));
        }
    }
    out.push_str(&match &network.cni {
        None | Some(DraftCni::Bridge) => comments::indented(
            "kdiy's own, for hosts on one layer-2 network. Others: `{manifest: FILE-or-URL}`, or \
             `none` and you install one.",
        ) + "  cni: bridge\n",
        Some(DraftCni::None) => comments::indented(
            "Nothing connects the pods yet: install a CNI when the cluster is up, or name its \
             `{manifest: FILE-or-URL}` here.",
        ) + "  cni: none\n",
        Some(DraftCni::Manifest(source)) => {
            format!("  cni: {{manifest: {}}}\n", scalar(source))
        }
    });
    out
}

fn runtime(draft: &Draft) -> String {
    draft
        .runtime
        .as_ref()
        .map_or_else(String::new, |word| format!("runtime: {}\n", scalar(word)))
}

fn control_plane(draft: &Draft) -> String {
    if draft.cert_sans.is_empty() {
        return String::new();
    }
    let names = list(draft.cert_sans.iter().map(String::as_str));
    format!("controlPlane:\n  apiServer:\n    certSANs: {names}\n")
}
