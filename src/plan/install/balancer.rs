//! The load balancer stands and is checked before anything is founded.

use super::host::apt_proxy;
use super::{Site, file};
use crate::cluster::{LoadBalancer, Role};
use crate::lb::haproxy;
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, OnDiffer, Package, Packages, Resource, Service, Settle};
use crate::shell::Script;
use crate::vault::Vault;

/// Steps after which the endpoint is served.
pub(super) fn balance(site: &Site, blueprint: &mut Blueprint, vault: &mut Vault) -> Vec<StepId> {
    match site.settled.cluster.load_balancer {
        LoadBalancer::None | LoadBalancer::External => Vec::new(),
        LoadBalancer::KubeVip { .. } | LoadBalancer::Local { .. } => unreachable!(),
        LoadBalancer::Hosts { .. } => haproxy_hosts(site, blueprint, vault),
    }
}

fn haproxy_hosts(site: &Site, blueprint: &mut Blueprint, vault: &mut Vault) -> Vec<StepId> {
    let mut serving = Vec::new();
    for node in site.settled.with_role(Role::LoadBalancer) {
        let host = &node.name;
        if !node.runs_kubelet() {
            apt_proxy(site, node, blueprint, vault);
        }
        let packages = haproxy::PACKAGES
            .iter()
            .map(|name| Package::any(name))
            .collect();
        let packages = Resource::Packages(Packages::new("for the load balancer", packages));
        blueprint.add(host, "install the load balancer", vec![packages], &[]);

        let [mut first, mut second] =
            haproxy::files(site.settled, &site.trust.ca_certificate).map(|f| file(f, vault));
        for file in [&mut first, &mut second] {
            if file.path == haproxy::CONFIG {
                file.check = Some(Script::of("haproxy -c -q -f"));
                file.on_differ = OnDiffer::KeepOriginal;
            }
        }
        let service = Service::new(haproxy::UNIT, Settle::Reload, &[&first, &second]);
        let configured = vec![
            Resource::File(first),
            Resource::File(second),
            Resource::Service(service),
        ];
        blueprint.add(host, "configure the load balancer", configured, &[]);

        let port = site.settled.cluster.endpoint.port;
        let script =
            Script::of("kdiy_listens() { ss -Hltn \"sport = :$1\" | grep -q .; }\nkdiy_poll 30 ")
                .arg(format!("haproxy to listen on port {port}"))
                .lit(" kdiy_listens ")
                .arg(port.to_string());
        let listens = Command::wait(format!("port {port} to be served"), script);
        let wait = vec![Resource::Command(listens)];
        serving.push(blueprint.add_needed(host, "check the load balancer", wait, &[]));
    }
    serving
}
