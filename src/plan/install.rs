//! A cluster's desired state, step by step: the table of contents of the
//! whole installation.

mod balancer;
mod config;
mod control_plane;
mod etcd;
mod host;
mod kubelet;
mod network;
mod nodes;
mod runtime;
mod serving;
mod settings;
mod together;
mod undo;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use self::balancer::Balanced;
use super::{Blueprint, Facts, Standing, StepId, founding};
use crate::cluster::{Cluster, Name, Node, ResolvedCluster, Role, Topology};
use crate::etcd::Client;
use crate::kubeadm::Resolver;
use crate::resource::{Content, File, OnDiffer, Resource};
use crate::shell::Script;
use crate::template::HostFile;
use crate::vault::Vault;

/// What the hosts have to trust: made before the blueprint.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Authorities and keys of a control plane.
    pub files: Vec<HostFile>,
    /// Certificate of the Kubernetes authority, PEM.
    pub ca_certificate: String,
    /// Hash of its public key, `sha256:…`.
    pub ca_pin: String,
    /// What load-balancer hosts know each other by.
    pub failover_password: SecretString,
    /// Certificate of etcd's authority, PEM.
    pub etcd_certificate: String,
    /// What tells this cluster's etcd from others.
    pub etcd_token: String,
    /// Key of encryption at rest, base64; there when the cluster encrypts.
    pub encryption_key: Option<SecretString>,
}

/// What the blueprint has to know about hosts. Nothing is known before they
/// were asked; the resources are the same then, but for what they hold.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// What the hosts are.
    pub facts: BTreeMap<Name, Facts>,
    /// How far the cluster stands.
    pub standing: Standing,
    /// The hosts that the plan is about, where those are not all.
    pub limit: Option<BTreeSet<Name>>,
}

/// What all steps are made from.
struct Site<'a> {
    resolved: &'a ResolvedCluster,
    trust: &'a Trust,
    standing: &'a Standing,
    facts: &'a BTreeMap<Name, Facts>,
    limit: Option<&'a BTreeSet<Name>>,
    /// The control plane through which the API is spoken to: a member, or the
    /// one that founds the cluster.
    lead: &'a Node,
    /// Control planes that found the cluster together, or are not done with it.
    founders: Vec<&'a Node>,
}

/// The desired state of all hosts. Texts that are not to be shown go to the
/// vault.
///
/// # Panics
/// When the cluster has no control plane, which its validation excludes.
#[must_use]
pub fn blueprint(
    resolved: &ResolvedCluster,
    trust: &Trust,
    circumstances: &Circumstances,
    vault: &mut Vault,
) -> Blueprint {
    let standing = &circumstances.standing;
    let site = Site {
        resolved,
        trust,
        standing,
        facts: &circumstances.facts,
        limit: circumstances.limit.as_ref(),
        lead: founding::lead(resolved, standing),
        founders: founding::founders(resolved, standing),
    };
    let mut blueprint = Blueprint::new();
    let etcd = etcd::group(&site, &mut blueprint, vault);
    // API servers without etcd say nothing about the rest.
    if standing.waits_for_etcd() {
        return blueprint;
    }
    for node in resolved.cluster.kubelets() {
        host::prepare(&site, node, &mut blueprint, vault);
    }
    for node in resolved.with_role(Role::ControlPlane) {
        control_plane::place_authorities(&site, node, &mut blueprint, vault);
    }
    worker::prepare(&site, &mut blueprint);
    let balanced = balancer::balance(&site, &mut blueprint, vault);
    let founded = match site.founders.is_empty() {
        true => control_plane::found(&site, &mut blueprint, balanced, etcd),
        false => together::found(&site, &mut blueprint, balanced, etcd),
    };
    let network = network::manifest(&site, &mut blueprint, &founded);
    let rolled_out = settings::roll_out(&site, &mut blueprint, vault, &founded);
    let mut joined = control_plane::join(&site, &mut blueprint, &founded, &rolled_out);
    joined.extend(&founded.together);
    joined.extend(worker::join(&site, &mut blueprint, &founded));
    joined.extend(network);
    joined.push(kubelet::let_in(&site, &mut blueprint, &founded));
    balancer::place_kube_vip(&site, &mut blueprint, vault);
    nodes::label(&site, &mut blueprint, &joined);
    nodes::ready(&site, &mut blueprint, &joined);
    kubelet::restrict(&site, &mut blueprint);
    joined.extend(serving::configure(&site, &mut blueprint));
    serving::approve(&site, &mut blueprint, &joined);
    blueprint
}

/// Whether a control plane has the key of etcd's authority: not where etcd is
/// external and the host is one of its own.
#[must_use]
pub fn has_etcd_key(cluster: &Cluster, node: &Node) -> bool {
    cluster.topology == Topology::Stacked || !node.roles.has(Role::Etcd)
}

impl Site<'_> {
    fn is_stacked(&self) -> bool {
        self.resolved.cluster.topology == Topology::Stacked
    }

    fn is_member(&self, node: &Node) -> bool {
        self.standing.members.contains(&node.name)
    }

    /// Whether a node is a member when the plan has come to its end.
    fn will_be_member(&self, node: &Node) -> bool {
        self.is_member(node) || self.limit.is_none_or(|limit| limit.contains(&node.name))
    }

    fn is_founded(&self) -> bool {
        self.is_member(self.lead)
    }

    fn founds(&self, node: &Node) -> bool {
        self.founders
            .iter()
            .any(|founder| founder.name == node.name)
    }

    /// Whether the inventory leaves out an addon of kubeadm's.
    fn skips_addon(&self, addon: &str) -> bool {
        self.resolved.cluster.kubeadm.skips_addon(addon)
    }

    /// A client of the etcd member on a node, there.
    fn etcd(&self, node: &Node) -> Client {
        let topology = &self.resolved.cluster.topology;
        Client::of(topology, self.resolved.address(node))
    }

    fn resolver(&self, node: &Node) -> Resolver {
        match self.facts.get(&node.name) {
            Some(facts) if facts.systemd_resolved => Resolver::SystemdResolved,
            _ => Resolver::ResolvConf,
        }
    }
}

/// What a joining node comes after.
struct Founded {
    /// The API answers at the endpoint.
    reachable: StepId,
    /// The token for joining is valid.
    token: Option<StepId>,
    /// The endpoint is served.
    balanced: Balanced,
    /// All members of an external etcd serve.
    etcd: Vec<StepId>,
    /// Control planes that found the cluster together are done.
    together: Vec<StepId>,
}

/// A rendered file as a resource; a secret one goes to the vault.
fn file(mut rendered: HostFile, vault: &mut Vault) -> File {
    let text = std::mem::take(&mut rendered.text);
    let content = if rendered.is_secret() {
        vault.keep(zeroize::Zeroizing::new(text))
    } else {
        Content::Plain(text)
    };
    File {
        path: std::mem::take(&mut rendered.path),
        mode: rendered.mode,
        content,
        check: None,
        on_differ: OnDiffer::Replace,
    }
}

fn files(rendered: Vec<HostFile>, vault: &mut Vault) -> Vec<File> {
    rendered
        .into_iter()
        .map(|rendered| file(rendered, vault))
        .collect()
}

fn resources(files: &[File]) -> Vec<Resource> {
    files.iter().cloned().map(Resource::File).collect()
}

/// `kubectl` as the cluster's administrator on a control plane, asking that
/// control plane's own API server; not longer than a minute for each answer.
fn kubectl(site: &Site, node: &Node) -> Script {
    kubectl_within(site, node, "--request-timeout=60s ")
}

/// The same, for what waits by itself.
fn kubectl_wait(site: &Site, node: &Node) -> Script {
    kubectl_within(site, node, "")
}

fn kubectl_within(site: &Site, node: &Node, limit: &'static str) -> Script {
    Script::of("kubectl --kubeconfig /etc/kubernetes/admin.conf --server ")
        .arg(super::facts::url(site.resolved.address(node)))
        .lit(" ")
        .lit(limit)
}

/// Defines `kdiy_poll SECONDS WHAT COMMAND…`: every half second, until the
/// command succeeds.
pub const POLL_FUNCTION: &str = r#"kdiy_poll() {
kdiy_limit=$1 kdiy_what=$2; shift 2
kdiy_until=$(( $(date +%s) + kdiy_limit ))
kdiy_told=
until kdiy_said=$("$@" 2>&1); do
  if [ "$(date +%s)" -ge "$kdiy_until" ]; then
    echo "waited $kdiy_limit s in vain for $kdiy_what; last answer: $kdiy_said" >&2
    return 1
  fi
  [ -n "$kdiy_told" ] || echo "waiting for $kdiy_what" >&2
  kdiy_told=1
  sleep 0.5
done
}
"#;
