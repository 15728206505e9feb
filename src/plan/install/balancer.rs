//! The load balancer stands and is checked before anything is bootstrapped.

mod endpoint_unused;
mod external;
mod failover;
mod kube_vip;
pub(super) mod rotation;

use std::collections::BTreeMap;

use super::host::apt_proxy;
use super::{Context, file};
use crate::cluster::{LoadBalancer, Name, Node, Role, Vip};
use crate::lb::{self, HEALTH_PORT, Software, keepalived};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, File, OnChange, OnDiffer, Package, Packages, Resource, Service};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};

pub(super) use kube_vip::{around_init, place as place_kube_vip};

/// Steps after which the endpoint is served.
pub(super) struct Balanced {
    /// The bootstrap comes after all of these.
    before_bootstrap: Vec<StepId>,
    /// A node's join comes after this.
    before_join: BTreeMap<Name, StepId>,
}

impl Balanced {
    /// What a node's join comes after, beside the bootstrap.
    pub(super) fn before_join(&self, node: &Node) -> Option<StepId> {
        self.before_join.get(&node.name).copied()
    }
}

/// Sets up what balances the endpoint, and sees that it does.
pub(super) fn balance(
    context: &Context,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) -> Balanced {
    let cluster = &context.resolved.cluster;
    let mut balanced = Balanced {
        before_bootstrap: Vec::new(),
        before_join: BTreeMap::new(),
    };
    match &cluster.load_balancer {
        LoadBalancer::None | LoadBalancer::KubeVip { .. } => {}
        LoadBalancer::Hosts { kind, failover } => {
            let ports: &[u16] = match failover {
                None => &[cluster.endpoint.port],
                Some(_) => &[cluster.endpoint.port, HEALTH_PORT],
            };
            for node in context.resolved.with_role(Role::LoadBalancer) {
                if !node.runs_kubelet() {
                    apt_proxy(context, node, blueprint, secrets);
                }
                let ca = &context.trust.ca_certificate;
                let software = lb::on_hosts(*kind, context.resolved, ca);
                // Both at once: apt takes long to start, and init waits for it.
                // keepalived starts nothing before it has a configuration.
                let beside = failover.as_ref().map(|_| keepalived::PACKAGES);
                install(&software, beside, node, blueprint);
                configure(&software, node, blueprint, secrets);
                let listens = listens(&software, node, ports, blueprint);
                balanced.before_bootstrap.push(listens);
            }
            if let Some(failover) = failover {
                let holds = failover::set_up(context, failover, blueprint, secrets);
                balanced.before_bootstrap.extend(holds);
            }
        }
        LoadBalancer::Local { port } => {
            for node in cluster.kubelets() {
                let software = lb::local::on_node(context.resolved, &context.trust.ca_certificate);
                install(&software, None, node, blueprint);
                configure(&software, node, blueprint, secrets);
                let listens = listens(&software, node, &[*port], blueprint);
                balanced.before_join.insert(node.name.clone(), listens);
            }
            balanced
                .before_bootstrap
                .extend(balanced.before_join(context.lead));
        }
        LoadBalancer::External => {
            for node in cluster.kubelets() {
                let reaches = external::reachable(context, node, blueprint);
                balanced.before_join.insert(node.name.clone(), reaches);
            }
            balanced
                .before_bootstrap
                .extend(balanced.before_join.values());
        }
    }
    balanced
}

/// What the bootstrap node tries once everything is in place, right before
/// init: the endpoint leads to it, and to nobody else.
pub(super) fn try_endpoint(
    context: &Context,
    balanced: &Balanced,
    blueprint: &mut Blueprint,
) -> StepId {
    let mut after = balanced.before_bootstrap.clone();
    if context.resolved.cluster.load_balancer == LoadBalancer::External {
        after.push(external::hairpin(context, &after, blueprint));
    }
    endpoint_unused::endpoint_unused(context, &after, blueprint)
}

/// Its packages, and those of keepalived where that stands beside it.
fn install(
    software: &Software,
    beside: Option<&[&'static str]>,
    node: &Node,
    blueprint: &mut Blueprint,
) {
    let program = software.unit.trim_end_matches(".service");
    let what = match beside {
        None => program.to_owned(),
        Some(_) => format!("{program} and keepalived"),
    };
    let packages = software.packages.iter().chain(beside.unwrap_or_default());
    let packages = packages.map(|name| Package::any(name)).collect();
    let packages = Resource::Packages(Packages::new(&format!("for {what}"), packages));
    blueprint.add(&node.name, format!("install {what}"), vec![packages], &[]);
}

/// Its files and the unit that reads them.
fn configure(
    software: &Software,
    node: &Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    let program = software.unit.trim_end_matches(".service");
    let mut files: Vec<File> = Vec::new();
    for rendered in &software.files {
        let mut file = file(rendered.clone(), secrets);
        if file.path == software.config {
            file.check = Some(software.check);
            file.on_differ = OnDiffer::KeepOriginal;
        }
        files.push(file);
    }
    let read: Vec<&File> = files.iter().collect();
    let service = Service::new(software.unit, OnChange::Reload, &read);
    let mut all = super::resources(&files);
    all.push(Resource::Service(service));
    blueprint.add(&node.name, format!("configure {program}"), all, &[]);
}

fn listens(software: &Software, node: &Node, ports: &[u16], blueprint: &mut Blueprint) -> StepId {
    let program = software.unit.trim_end_matches(".service");
    let define = Script::of(sh!("lb/listens.sh"));
    let script = ports.iter().fold(define, |script, port| {
        script.call("kdiy_wait_for_port", [program, &port.to_string()])
    });
    let named = |port: &u16| match *port {
        HEALTH_PORT => format!("port {port} (its health)"),
        _ => format!("port {port}"),
    };
    let served: Vec<_> = ports.iter().map(named).collect();
    let wait = Command::wait(format!("{} to be served", served.join(" and ")), script);
    blueprint.add_needed(
        &node.name,
        "check the load balancer",
        vec![Resource::Command(wait)],
        &[],
    )
}

/// The interface that carries a virtual address on a host. Nothing is known
/// before the host was asked.
fn interface(context: &Context, node: &Node, vip: &Vip) -> String {
    let own = context.resolved.address(node);
    let found = || {
        let facts = context.facts.get(&node.name)?;
        facts.interface_with(own).map(str::to_owned)
    };
    let named = vip.interface.clone();
    named.or_else(found).unwrap_or_else(|| "unknown".to_owned())
}
