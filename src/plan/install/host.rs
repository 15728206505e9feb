//! What every host with a kubelet needs before kubeadm: kernel and
//! packages.

use std::iter;

use super::{Context, files, kubelet_package, resources, runtime};
use crate::cluster::Node;
use crate::plan::Blueprint;
use crate::plan::facts::software::{CRI_TOOLS, KUBELET, KUBERNETES};
use crate::resource::{
    File, Module, OnChange, Package, Packages, Provides, Repository, RepositoryKey, Resource,
    Service, Swap, Sysctl,
};
use crate::secret_store::SecretStore;
use crate::template::{HostFile, NOTICE};
use crate::{cni, kubeadm};

/// Needed by kubelet, kube-proxy and kubeadm's preflight, and by kdiy (curl).
const BASE: [&str; 9] = [
    "ca-certificates",
    "conntrack",
    "curl",
    "ebtables",
    "ethtool",
    "iproute2",
    "iptables",
    "kmod",
    "socat",
];

/// What bridged pod traffic and routing need.
const SYSCTLS: [&str; 3] = [
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.ipv4.ip_forward",
];

/// At boot the last file by name wins, and many hosts have a hardened
/// 99-sysctl.conf.
const SYSCTL_FILE: &str = "/etc/sysctl.d/zz-kdiy.conf";

pub(super) fn prepare(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    let host = &node.name;
    apt_proxy(context, node, blueprint, secrets);
    // First, since a wrong key shall leave the host as it was.
    blueprint.add(
        host,
        "add the package repository",
        repository(context, node, secrets),
        &[],
    );
    blueprint.add(host, "prepare the kernel", kernel(context), &[]);
    blueprint.add(host, "install packages", packages(context, node), &[]);
    runtime::configure(context, node, blueprint, secrets);
    let mut all = resources(&files(
        kubeadm::patches(context.resolved, context.resolver(node)),
        secrets,
    ));
    let network = files(cni::files(context.resolved, node), secrets);
    all.extend(resources(&network));
    if let Some(unit) = cni::unit(&context.resolved.cluster.network.cni) {
        let read: Vec<&File> = network.iter().collect();
        all.push(Resource::Service(Service::new(
            unit,
            OnChange::Restart,
            &read,
        )));
    }
    all.push(Resource::Service(Service::new(
        "kubelet.service",
        OnChange::EnableOnly,
        &[],
    )));
    blueprint.add(host, "set up the kubelet", all, &[]);
}

fn kernel(context: &Context) -> Vec<Resource> {
    let cluster = &context.resolved.cluster;
    let modules = [
        Module {
            name: "overlay".to_owned(),
            provides: Provides::FileSystem("overlay".to_owned()),
        },
        Module {
            name: "br_netfilter".to_owned(),
            provides: Provides::Path("/proc/sys/net/bridge/bridge-nf-call-iptables".to_owned()),
        },
    ];
    let mut keys: Vec<_> = SYSCTLS.iter().map(|key| (*key).to_owned()).collect();
    if cluster.network.pod_cidr.addr().is_ipv6() {
        keys.push("net.ipv6.conf.all.forwarding".to_owned());
    }
    let names = modules.iter().map(|module| format!("{}\n", module.name));
    let settings = keys.iter().map(|key| format!("{key} = 1\n"));
    let mut all = vec![
        text("/etc/modules-load.d/kdiy.conf", names.collect()),
        text(SYSCTL_FILE, settings.collect()),
    ];
    all.extend(modules.into_iter().map(Resource::Module));
    all.extend(keys.into_iter().map(|key| {
        Resource::Sysctl(Sysctl {
            key,
            value: "1".to_owned(),
        })
    }));
    let tolerated = cluster.kubelet.extra_config.get("failSwapOn");
    if tolerated.and_then(serde_json::Value::as_bool) != Some(false) {
        all.push(Resource::Swap(Swap));
    }
    all
}

/// Where hosts reach the outside through a proxy, apt does too.
pub(super) fn apt_proxy(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    let Some(proxy) = &context.resolved.cluster.http_proxy else {
        return;
    };
    let schemes = [("http", &proxy.http), ("https", &proxy.https)];
    let set = schemes.iter().filter_map(|(scheme, url)| {
        Some(format!("Acquire::{scheme}::Proxy \"{}\";\n", url.as_ref()?))
    });
    let direct = crate::runtime::no_proxy(context.resolved, proxy);
    let direct = direct
        .iter()
        .filter(|host| !host.starts_with('.') && !host.contains('/'))
        .flat_map(|host| {
            ["http", "https"]
                .map(|scheme| format!("Acquire::{scheme}::Proxy::{host} \"DIRECT\";\n"))
        });
    let text: String = set.chain(direct).collect();
    let notice = NOTICE.replacen('#', "//", 1);
    // A proxy's URL may hold a password.
    let file = HostFile::secret(
        "/etc/apt/apt.conf.d/90kdiy-proxy",
        format!("{notice}{text}"),
    );
    let file = resources(&files(vec![file], secrets));
    blueprint.add(&node.name, "set apt's proxy", file, &[]);
}

fn text(path: &str, text: String) -> Resource {
    Resource::File(File::plain(path, 0o644, format!("{NOTICE}{text}")))
}

fn repository(context: &Context, node: &Node, secrets: &mut SecretStore) -> Vec<Resource> {
    let cluster = &context.resolved.cluster;
    let mut url = cluster.packages.url.clone();
    if !url.ends_with('/') {
        url.push('/');
    }
    let kubernetes = Repository {
        name: "kdiy-kubernetes".to_owned(),
        url,
        suite: "/".to_owned(),
        key: runtime::repository_key(&cluster.packages.key),
        setting: "packages",
    };
    let repositories: Vec<_> = iter::once(kubernetes)
        .chain(runtime::repository(context, node))
        .collect();
    let pinned = |repository: &Repository| matches!(repository.key, RepositoryKey::Pinned { .. });
    let mut all = Vec::new();
    if repositories.iter().any(pinned) {
        let tools = ["ca-certificates", "gnupg"].map(Package::any);
        all.push(Resource::Packages(Packages::new(
            "to fetch the repository's key",
            tools.into(),
        )));
    }
    all.extend(repositories.into_iter().map(Resource::Repository));
    let preference = runtime::preference(context).into_iter().collect();
    all.extend(resources(&files(preference, secrets)));
    all.push(runtime::forgotten(context, node));
    all
}

fn packages(context: &Context, node: &Node) -> Vec<Resource> {
    let cluster = &context.resolved.cluster;
    let hold = cluster.packages.hold;
    let release = format!("{}-", context.resolved.version);
    let base = BASE.iter().map(|name| Package::any(name));
    let (runtime, rivals) = runtime::packages(context);
    // A kubelet that runs is upgraded when its node has its turn.
    let waits = |name: &str| name == KUBELET && context.upgraded_from(node).is_some();
    let kubernetes = KUBERNETES.iter().map(|name| Package {
        name: (*name).to_owned(),
        version: (!waits(name)).then(|| release.clone()),
        hold,
    });
    // kubeadm's package brings no crictl since 1.32. It has a version of its
    // own, whichever the repository of this minor version has.
    let tools = Package {
        hold,
        ..Package::any(CRI_TOOLS)
    };
    let packages = base.chain(runtime).chain([tools]).chain(kubernetes);
    let packages = packages.collect();
    let packages = Packages {
        rivals,
        ..Packages::new("for Kubernetes", packages)
    };
    let mut all = vec![Resource::Packages(packages)];
    all.extend(runtime::beside_packages(context, node));
    all.extend(kubelet_package::ahead(context, node));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defect_26_no_usual_file_of_kernel_parameters_comes_after_ours() {
        let others = ["99-sysctl.conf", "99-zzz-hardening.conf", "sysctl.conf"];
        for other in others {
            let path = format!("/etc/sysctl.d/{other}");
            assert!(path.as_str() < SYSCTL_FILE, "{other} wins at boot");
        }
    }
}
