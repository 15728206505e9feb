//! What kubespray's variables say of the cluster.

use super::inventory::{Value, Var};
use super::login::{Known, text};
use super::{Notes, shown};
use crate::cluster::{Endpoint, EndpointHost, Role};
use crate::draft::{Balancing, Draft, DraftCni};
use crate::inventory::address;
use crate::inventory::parse;
use crate::inventory::reader::ParseError;

/// Takes what the variables of a control plane say of the whole cluster.
pub fn fill(draft: &mut Draft, known: &Known<'_>, notes: &mut Notes) {
    if let Some((said, var)) = text(known, &["kube_version"], notes) {
        draft.version = kept(parse::version(said), var, notes);
    }
    let cidr = |name: &str, notes: &mut Notes| {
        let (said, var) = text(known, &[name], notes)?;
        let read = address::cidr(said);
        kept(
            read.map_err(|ParseError { message, help }| format!("{message}; {help}")),
            var,
            notes,
        )
    };
    draft.network.pod_cidr = cidr("kube_pods_subnet", notes);
    draft.network.service_cidr = cidr("kube_service_addresses", notes);
    // kubespray's `dns_domain` is made of its `cluster_name` unless written.
    let domain = known.get("dns_domain").and_then(|var| var.text());
    let name = match domain.is_some_and(|text| !super::is_template(text)) {
        true => "dns_domain",
        false => "cluster_name",
    };
    draft.network.dns_domain = text(known, &[name], notes).map(|(said, _)| said.to_owned());
    if let Some((said, var)) = text(known, &["container_manager"], notes) {
        let word = match said {
            "containerd" => Some("containerd"),
            "docker" => Some("docker"),
            "crio" | "cri-o" => Some("cri-o"),
            _ => {
                not_taken(notes, var, &format!("the runtime {}", shown(said)));
                None
            }
        };
        draft.runtime = word.filter(|word| *word != "containerd").map(str::to_owned);
    }
    plugin(draft, known, notes);
    if let Some(Value::List(names)) = known
        .get("supplementary_addresses_in_ssl_keys")
        .map(|var| &var.value)
    {
        draft.cert_sans.clone_from(names);
    }
    balancer(draft, known, notes);
    for name in [
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "registry_mirrors",
        "kube_proxy_mode",
    ] {
        if let Some(var) = known
            .get(name)
            .filter(|var| var.text().is_none_or(|text| text != "iptables"))
        {
            not_taken(notes, var, &format!("`{name}`"));
        }
    }
}

fn kept<T>(read: Result<T, String>, var: &Var, notes: &mut Notes) -> Option<T> {
    read.map_err(|why| {
        let help = "say it with an option, or change it in the inventory that is written";
        notes.warning(
            "not-taken",
            var.place,
            format!("not taken over: {why}"),
            help,
        );
    })
    .ok()
}

fn not_taken(notes: &mut Notes, var: &Var, what: &str) {
    let help = "if it is needed, write it into the inventory; kdiy explain names the fields";
    notes.warning(
        "not-taken",
        var.place,
        format!("{what} is not taken over"),
        help,
    );
}

fn plugin(draft: &mut Draft, known: &Known<'_>, notes: &mut Notes) {
    if let Some((said, var)) = text(known, &["kube_network_plugin"], notes) {
        draft.network.cni = Some(DraftCni::None);
        if !matches!(said, "cni" | "none") {
            notes.warning(
                "not-taken",
                var.place,
                format!("kdiy does not install {}", shown(said)),
                "`cni: none` is written: install it when the cluster is up, or name its manifest \
                 with --cni FILE-or-URL; --cni bridge is kdiy's own",
            );
        }
    }
}

/// kubespray balances by a load-balancer of the operator's, by kube-vip, or
/// else by a proxy on every node.
fn balancer(draft: &mut Draft, known: &Known<'_>, notes: &mut Notes) {
    let vip = text(known, &["kube_vip_address"], notes);
    if let (Some((said, var)), Some("true" | "True" | "yes")) = (
        vip,
        known.get("kube_vip_enabled").and_then(|var| var.text()),
    ) {
        draft.vip = kept(parse::vip(said), var, notes);
        draft.balancing = draft.vip.map(|_| Balancing::KubeVip);
        return;
    }
    if let Some(var) = known.get("loadbalancer_apiserver") {
        if let Value::Mapping(parts) = &var.value {
            let part = |name: &str| parts.get(name).map(String::as_str).unwrap_or_default();
            let host = part("address");
            let host = match host.contains(':') {
                true => format!("[{host}]"),
                false => host.to_owned(),
            };
            let port = match part("port") {
                "" => String::new(),
                port => format!(":{port}"),
            };
            draft.endpoint = kept(parse::endpoint(&format!("{host}{port}")), var, notes);
            draft.balancing = draft.endpoint.as_ref().map(|_| Balancing::External);
        } else {
            not_taken(notes, var, "`loadbalancer_apiserver`");
        }
        if let Some((domain, _)) = text(known, &["apiserver_loadbalancer_domain_name"], notes) {
            draft.cert_sans.push(domain.to_owned());
        }
        return;
    }
    let planes: Vec<_> = draft.with_role(Role::ControlPlane).collect();
    if let ([first, _, ..], false) = (planes.as_slice(), draft.has(Role::LoadBalancer)) {
        let address = first
            .address
            .or_else(|| first.ssh.host.as_ref()?.parse().ok());
        draft.endpoint = address.map(|address| Endpoint {
            host: EndpointHost::Address(address),
            port: 6443,
        });
        draft.balancing = Some(Balancing::Local);
    }
}
