//! A cluster's desired state, step by step: the table of contents of the
//! whole installation.

mod addons;
mod balancer;
mod config;
mod control_plane;
mod etcd;
mod host;
mod kubelet;
mod kubelet_package;
mod kubelet_settings;
mod network;
mod nodes;
mod parallel_bootstrap;
mod put_back;
mod remember;
mod runtime;
mod serving;
mod settings;
mod undo;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use self::balancer::Balanced;
use super::membership::Membership;
use super::{Blueprint, ClusterState, Facts, StepId, bootstrap, version_step};
use crate::cluster::{Cluster, Name, Node, ResolvedCluster, Role, Topology, Version};
use crate::etcd::Client;
use crate::kubeadm::Resolver;
use crate::resource::{Content, File, OnDiffer, Resource};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};
use crate::template::HostFile;

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
pub struct Observed {
    /// What the hosts are.
    pub facts: BTreeMap<Name, Facts>,
    /// State of the cluster.
    pub cluster_state: ClusterState,
    /// The hosts that the plan affects, where those are not all.
    pub limit: Option<BTreeSet<Name>>,
}

/// What all steps are made from.
struct Context<'a> {
    resolved: &'a ResolvedCluster,
    trust: &'a Trust,
    cluster_state: &'a ClusterState,
    facts: &'a BTreeMap<Name, Facts>,
    limit: Option<&'a BTreeSet<Name>>,
    /// The control plane through which kdiy speaks to the API: one that has
    /// joined, or the one that bootstraps the cluster.
    lead: &'a Node,
    /// Control planes that bootstrap the cluster together, or are not done with
    /// it.
    bootstrap_nodes: Vec<&'a Node>,
}

/// The desired state of all hosts. Texts that are not to be shown go to the
/// secret store.
///
/// # Panics
/// When the cluster has no control plane, which its validation excludes.
#[must_use]
pub fn blueprint(
    resolved: &ResolvedCluster,
    trust: &Trust,
    observed: &Observed,
    secrets: &mut SecretStore,
) -> Blueprint {
    let cluster_state = &observed.cluster_state;
    let context = Context {
        resolved,
        trust,
        cluster_state,
        facts: &observed.facts,
        limit: observed.limit.as_ref(),
        lead: bootstrap::lead(resolved, cluster_state),
        bootstrap_nodes: bootstrap::bootstrap_nodes(resolved, cluster_state),
    };
    let mut blueprint = Blueprint::new();
    let etcd = etcd::group(&context, &mut blueprint, secrets);
    // API servers without etcd say nothing about the rest.
    if cluster_state.waits_for_etcd() {
        return blueprint;
    }
    for node in resolved.cluster.kubelets() {
        host::prepare(&context, node, &mut blueprint, secrets);
    }
    for node in resolved.with_role(Role::ControlPlane) {
        control_plane::place_cas(&context, node, &mut blueprint, secrets);
    }
    worker::prepare(&context, &mut blueprint);
    let balanced = balancer::balance(&context, &mut blueprint, secrets);
    balancer::rotation::restore(&context, &mut blueprint);
    let bootstrapped = match context.bootstrap_nodes.is_empty() {
        true => control_plane::init(&context, &mut blueprint, balanced, etcd),
        false => parallel_bootstrap::bootstrap(&context, &mut blueprint, balanced, etcd),
    };
    let network = network::manifest(&context, &mut blueprint, &bootstrapped);
    let mut rolled_out = settings::roll_out(&context, &mut blueprint, secrets, &bootstrapped);
    rolled_out.extend(kubelet_settings::upload(
        &context,
        &mut blueprint,
        &bootstrapped,
    ));
    let addons = addons::bring(&context, &mut blueprint, &bootstrapped, &rolled_out);
    let mut joined = control_plane::join(&context, &mut blueprint, &bootstrapped, &rolled_out);
    joined.extend(&bootstrapped.parallel);
    joined.extend(worker::join(
        &context,
        &mut blueprint,
        &bootstrapped,
        &rolled_out,
    ));
    joined.extend(put_back::kubelets(
        &context,
        &mut blueprint,
        bootstrapped.reachable,
    ));
    joined.extend(network);
    joined.extend(addons);
    joined.push(kubelet::let_in(&context, &mut blueprint, &bootstrapped));
    balancer::place_kube_vip(&context, &mut blueprint, secrets);
    nodes::label(&context, &mut blueprint, &joined);
    nodes::ready(&context, &mut blueprint, &joined);
    kubelet::restrict(&context, &mut blueprint);
    joined.extend(kubelet_settings::roll_out(
        &context,
        &mut blueprint,
        &rolled_out,
    ));
    serving::approve(&context, &mut blueprint, &joined);
    remember::settings(&context, &mut blueprint, &joined);
    blueprint
}

/// Whether a control plane has the key of etcd's authority: not where etcd is
/// external and the host is one of its own.
#[must_use]
pub fn has_etcd_key(cluster: &Cluster, node: &Node) -> bool {
    cluster.topology == Topology::Stacked || !node.roles.has(Role::Etcd)
}

impl Context<'_> {
    fn is_stacked(&self) -> bool {
        self.resolved.cluster.topology == Topology::Stacked
    }

    /// What a node is to the cluster, where that is known.
    fn membership(&self, node: &Node) -> Option<Membership> {
        self.cluster_state.memberships.get(&node.name).copied()
    }

    fn has_joined(&self, node: &Node) -> bool {
        self.cluster_state.joined_nodes.contains(&node.name)
    }

    /// The version that the kubelet of a node is upgraded from.
    fn upgraded_from(&self, node: &Node) -> Option<Version> {
        let step = version_step::of_kubelet(self.resolved, self.cluster_state, node)?;
        step.upgraded_from()
    }

    /// Whether a node has joined when the plan has ended.
    fn will_have_joined(&self, node: &Node) -> bool {
        self.has_joined(node) || self.limit.is_none_or(|limit| limit.contains(&node.name))
    }

    fn is_bootstrapped(&self) -> bool {
        self.has_joined(self.lead)
    }

    fn bootstraps(&self, node: &Node) -> bool {
        self.bootstrap_nodes
            .iter()
            .any(|bootstrap_node| bootstrap_node.name == node.name)
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
struct Bootstrapped {
    /// The API answers at the endpoint.
    reachable: StepId,
    /// The token for joining is valid.
    token: Option<StepId>,
    /// The endpoint is served.
    balanced: Balanced,
    /// All members of an external etcd serve.
    etcd: Vec<StepId>,
    /// Control planes that bootstrap the cluster together are done.
    parallel: Vec<StepId>,
}

/// A rendered file as a resource; a secret one goes to the secret store.
fn file(mut rendered: HostFile, secrets: &mut SecretStore) -> File {
    let text = std::mem::take(&mut rendered.text);
    let content = if rendered.is_secret() {
        secrets.keep(zeroize::Zeroizing::new(text))
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

fn files(rendered: Vec<HostFile>, secrets: &mut SecretStore) -> Vec<File> {
    rendered
        .into_iter()
        .map(|rendered| file(rendered, secrets))
        .collect()
}

fn resources(files: &[File]) -> Vec<Resource> {
    files.iter().cloned().map(Resource::File).collect()
}

/// Defines `kdiy_kubectl WORD…`: as the cluster's administrator on a control
/// plane, asking that control plane's own API server.
fn kubectl(context: &Context, node: &Node) -> Script {
    let server = super::facts::url(context.resolved.address(node));
    Script::of(sh!("kubeadm/kubectl.sh")).set("kdiy_server", server)
}

/// Defines `kdiy_poll SECONDS WHAT COMMAND…`.
pub const POLL_FUNCTION: &str = sh!("step/poll.sh");
