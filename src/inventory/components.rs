//! `controlPlane:`, `kubelet:` and `kubeProxy:` as written.

use std::time::Duration;

use serde_json::Value as Json;

use super::api_server::{self, RawApiServer};
use super::document::{free_text, plain};
use super::etcd::{self, RawEtcd};
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::kubeadm;
use super::owned::{self, Owner};
use super::reader::{Fields, Reader};
use super::release::{self, Program};
use super::syntax;
use super::yaml::{Node, Value};
use crate::cluster::{
    Arguments, Component, Kubeadm, KubeletClient, KubeletServing, LeaderElection, ProxyMode,
    Values, VersionSpec,
};

/// Settings of all components as far as they were written.
pub struct Settings {
    pub controller_manager: Component,
    pub controller_manager_election: LeaderElection,
    pub scheduler: Component,
    pub scheduler_election: LeaderElection,
    pub api_server: RawApiServer,
    pub etcd: RawEtcd,
    /// Where leader election is switched off.
    pub election_off: Vec<Span>,
    pub kubelet: Component,
    pub kubelet_serving: Option<KubeletServing>,
    pub kubelet_client: Option<KubeletClient>,
    pub kube_proxy: RawProxy,
    pub kubeadm: Kubeadm,
    /// Where patches of etcd's static pod are named.
    pub etcd_patches: Vec<Span>,
}

/// kube-proxy as far as it was written.
#[derive(Default)]
pub struct RawProxy {
    pub mode: Option<ProxyMode>,
    pub extra_config: serde_json::Map<String, Json>,
}

const ARGS: &str = "`{v: 2}`, the flag without dashes";

/// Reads everything about components.
pub fn read(
    reader: &Reader<'_>,
    root: &Fields<'_, '_>,
    version: Option<&Spanned<VersionSpec>>,
) -> Settings {
    let fields = root
        .get("controlPlane")
        .and_then(|node| reader.fields(node, fields::CONTROL_PLANE, "`{apiServer: ...}`"));
    let part = |key| fields.as_ref().and_then(|fields| fields.get(key));

    let manager = part("controllerManager")
        .and_then(|node| reader.fields(node, fields::ELECTED, "`{leaderElection: ...}`"));
    let scheduler = part("scheduler")
        .and_then(|node| reader.fields(node, fields::ELECTED, "`{leaderElection: ...}`"));

    let kubelet = root
        .get("kubelet")
        .and_then(|node| reader.fields(node, fields::KUBELET, "`{extraConfig: ...}`"));
    let serving = kubelet
        .as_ref()
        .and_then(|kubelet| kubelet.get("servingCertificates"));
    let servings = [
        ("self-signed", KubeletServing::SelfSigned),
        ("signed", KubeletServing::Signed),
    ];
    let client = kubelet
        .as_ref()
        .and_then(|kubelet| kubelet.get("clientCertificates"));
    let clients = [
        ("issued", KubeletClient::Issued),
        ("bootstrap", KubeletClient::Bootstrap),
    ];
    for (program, node) in [
        (Program::ApiServer, part("apiServer")),
        (Program::ControllerManager, part("controllerManager")),
        (Program::Scheduler, part("scheduler")),
        (Program::Kubelet, root.get("kubelet")),
        (Program::KubeProxy, root.get("kubeProxy")),
    ] {
        release::check(reader, version, program, node);
    }

    let (mut election_off, mut etcd_patches) = (Vec::new(), Vec::new());
    Settings {
        api_server: api_server::read(reader, part("apiServer")),
        controller_manager_election: election(reader, manager.as_ref(), &mut election_off),
        controller_manager: component(reader, manager.as_ref(), &owned::CONTROLLER_MANAGER),
        scheduler_election: election(reader, scheduler.as_ref(), &mut election_off),
        scheduler: component(reader, scheduler.as_ref(), &owned::SCHEDULER),
        etcd: etcd::read(reader, part("etcd"), version),
        kubelet: component(reader, kubelet.as_ref(), &owned::KUBELET),
        kubelet_serving: serving
            .and_then(|node| reader.choice(node, &servings, &[]))
            .map(|serving| serving.value),
        kubelet_client: client
            .and_then(|node| reader.choice(node, &clients, &[]))
            .map(|client| client.value),
        kube_proxy: root
            .get("kubeProxy")
            .map(|node| kube_proxy(reader, node))
            .unwrap_or_default(),
        election_off,
        kubeadm: root
            .get("kubeadm")
            .map(|node| kubeadm::read(reader, node, version, &mut etcd_patches))
            .unwrap_or_default(),
        etcd_patches,
    }
}

/// Extra arguments and configuration of a component.
pub fn component(reader: &Reader<'_>, fields: Option<&Fields<'_, '_>>, owner: &Owner) -> Component {
    let Some(fields) = fields else {
        return Component::default();
    };
    let args = fields
        .get("extraArgs")
        .map(|node| reader.entries(node, ARGS))
        .unwrap_or_default();
    let mut extra_args = Arguments::new();
    for (key, value) in args {
        let name = Spanned {
            value: key.text.clone(),
            span: key.span,
        };
        if let Some(values) = values(reader, &name, value) {
            extra_args.insert(name.value.clone(), values);
        }
        let bare = name.value.trim_start_matches('-');
        if bare != name.value {
            let message = format!("the argument {} begins with dashes", quoted(&name.value));
            reader.report(
                Finding::error("dashed-argument", name.span, message).help(format!(
                    "write `{}`",
                    bare.split('=').next().unwrap_or_default()
                )),
            );
        } else if name
            .value
            .chars()
            .any(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        {
            let message = format!("{} is no name of an argument", quoted(&name.value));
            reader.report(
                Finding::error("invalid-argument", name.span, message)
                    .help("write the flag's name and, after a colon, its value"),
            );
        }
        if let Some(instead) = owner.argument(bare) {
            let message = format!(
                "kdiy itself sets the argument {} of {}",
                quoted(bare),
                owner.name
            );
            reader.report(Finding::error("owned-argument", name.span, message).help(instead));
        }
    }
    Component {
        extra_args,
        extra_config: extra_config(reader, fields, owner),
    }
}

/// What an argument is given: a text, or several in order.
fn values(reader: &Reader<'_>, name: &Spanned<String>, node: &Node) -> Option<Values> {
    let Value::Sequence(items) = &node.value else {
        return Some(free_text(reader, name, node)?.value.into());
    };
    if items.is_empty() {
        let message = format!("the list of {} is empty", quoted(&name.value));
        let finding = Finding::error("missing-value", node.span, message);
        reader.report(finding.help("write a value, several in a list, or take the argument out"));
        return None;
    }
    let texts = items
        .iter()
        .filter_map(|item| free_text(reader, name, item));
    Values::of(plain(texts.collect()))
}

fn kube_proxy(reader: &Reader<'_>, node: &Node) -> RawProxy {
    let Some(fields) = reader.fields(node, fields::KUBE_PROXY, "`{mode: nftables}`") else {
        return RawProxy::default();
    };
    let modes = [
        ("iptables", ProxyMode::Iptables),
        ("nftables", ProxyMode::Nftables),
        ("ipvs", ProxyMode::Ipvs),
    ];
    let mode = fields
        .get("mode")
        .and_then(|node| reader.choice(node, &modes, &[]));
    if let Some(mode) = mode.as_ref().filter(|mode| mode.value == ProxyMode::Ipvs) {
        let message = "kube-proxy's mode ipvs is deprecated since Kubernetes 1.35";
        reader.report(
            Finding::warning("deprecated-proxy-mode", mode.span, message)
                .help("write `mode: nftables`, which scales as well, or `mode: iptables`"),
        );
    }
    RawProxy {
        mode: mode.map(|mode| mode.value),
        extra_config: extra_config(reader, &fields, &owned::KUBE_PROXY),
    }
}

/// Extra configuration of a component.
fn extra_config(
    reader: &Reader<'_>,
    fields: &Fields<'_, '_>,
    owner: &Owner,
) -> serde_json::Map<String, Json> {
    let mut extra_config = serde_json::Map::new();
    let config = fields
        .get("extraConfig")
        .map(|node| reader.entries(node, "`{maxPods: 200}`"));
    for (key, value) in config.unwrap_or_default() {
        if let Some(instead) = owner.config(&key.text) {
            let message = format!(
                "kdiy itself sets {} in the configuration of {}",
                quoted(&key.text),
                owner.name
            );
            reader.report(Finding::error("owned-config", key.span, message).help(instead));
        }
        extra_config.insert(key.text.clone(), json(value));
    }
    extra_config
}

/// A value by YAML 1.2's core schema, so `yes` is a text and `1.0` a number.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => Json::Null,
        Value::Scalar { text, plain: false } => Json::from(text.as_str()),
        Value::Scalar { text, .. } => match text.as_str() {
            "true" => Json::from(true),
            "false" => Json::from(false),
            text if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                number(text)
            }
            text => Json::from(text),
        },
        Value::Sequence(items) => items.iter().map(|item| json(item)).collect(),
        Value::Mapping(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.text.clone(), json(value)));
            Json::Object(entries.collect())
        }
        Value::Broken => Json::Null,
    }
}

fn number(text: &str) -> Json {
    let integer = text.parse::<i64>().map(Json::from);
    let float = || {
        text.parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Json::Number)
    };
    integer
        .ok()
        .or_else(float)
        .unwrap_or_else(|| Json::from(text))
}

/// client-go's `leaderelection.JitterFactor`, in tenths: a leader must be able
/// to retry at least once, jitter included, before its deadline.
const JITTER_TENTHS: u32 = 12;

fn election(
    reader: &Reader<'_>,
    fields: Option<&Fields<'_, '_>>,
    off: &mut Vec<Span>,
) -> LeaderElection {
    let default = LeaderElection::default();
    let Some(node) = fields.and_then(|fields| fields.get("leaderElection")) else {
        return default;
    };
    let Some(fields) = reader.fields(node, fields::ELECTION, "`{leaseDuration: 15s}`") else {
        return default;
    };
    let (lease_duration, renew_deadline, retry_period) = times(reader, &fields, node);
    let enabled = fields
        .get("enabled")
        .map(|node| (node.span, reader.boolean(node)));
    if let Some((span, Some(false))) = enabled {
        off.push(span);
    }
    LeaderElection {
        enabled: !matches!(enabled, Some((_, Some(false)))),
        lease_duration,
        renew_deadline,
        retry_period,
    }
}

/// Lease, deadline and period of an election, whose order is checked.
pub fn times(
    reader: &Reader<'_>,
    fields: &Fields<'_, '_>,
    node: &Node,
) -> (Duration, Duration, Duration) {
    let default = LeaderElection::default();
    let mut sound = true;
    let mut time = |key: &str, default: Duration| -> Spanned<Duration> {
        let span = fields.key(key).unwrap_or(node.span);
        let Some(node) = fields.get(key) else {
            return Spanned {
                value: default,
                span,
            };
        };
        let read = reader.parse(
            node,
            "invalid-duration",
            "a duration such as 15s",
            syntax::duration,
        );
        sound &= read.is_some();
        read.unwrap_or(Spanned {
            value: default,
            span,
        })
    };
    let lease = time("leaseDuration", default.lease_duration);
    let renew = time("renewDeadline", default.renew_deadline);
    let retry = time("retryPeriod", default.retry_period);
    if sound && lease.value <= renew.value {
        let message = format!(
            "leaseDuration ({:?}) is not longer than renewDeadline ({:?}), so two leaders could act at once",
            lease.value, renew.value
        );
        reader.report(Finding::error("election-times", lease.span, message).related_if(renew.span != node.span, renew.span, "the deadline").help("keep leaseDuration > renewDeadline > 1.2 * retryPeriod, such as 15s, 10s, 2s; what is left out has these values"));
    }
    if sound && renew.value * 10 <= retry.value * JITTER_TENTHS {
        let message = format!(
            "renewDeadline ({:?}) is not longer than 1.2 times retryPeriod ({:?}), so a leader could not retry even once",
            renew.value, retry.value
        );
        reader.report(Finding::error("election-times", renew.span, message).related_if(retry.span != node.span, retry.span, "the period").help("keep leaseDuration > renewDeadline > 1.2 * retryPeriod, such as 15s, 10s, 2s; what is left out has these values"));
    }
    (lease.value, renew.value, retry.value)
}
