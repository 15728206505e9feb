//! Problems with what a host would install: packages that its repositories do
//! not have, runtimes that are too old for this Kubernetes, control groups
//! that its kubelet refuses; and with what it would put in the place of a
//! runtime that runs pods.

use super::HostProblem;
use crate::cluster::{Containerd, Node, ResolvedCluster, Role, Runtime, Version};
use crate::plan::facts::Lookup;
use crate::plan::facts::software::{CRI_TOOLS, KUBERNETES, Packaged};
use crate::plan::{ClusterState, Facts};
use crate::runtime::containerd::{self, Fit};
use crate::runtime::{self, docker};

/// The first version whose kubelet refuses control groups of version 1 unless
/// it is told otherwise (`failCgroupV1`).
const WITHOUT_CGROUP_V1: Version = Version::new(1, 35, 0);

/// What stands in the way of this host.
pub(super) fn problems(
    resolved: &ResolvedCluster,
    cluster_state: &ClusterState,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    if !node.runs_kubelet() {
        return;
    }
    kubernetes(resolved, facts, problems);
    runtime_source(resolved, facts, problems);
    // A kubelet that has joined shows that it runs.
    if cluster_state.joined_nodes.contains(&node.name) {
        replaced(resolved, facts, problems);
    } else {
        too_old(resolved, facts, problems);
        cgroups(resolved, node, facts, problems);
    }
}

/// What works, and should be known.
pub(super) fn warnings(
    resolved: &ResolvedCluster,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    if !node.runs_kubelet() {
        return;
    }
    let version = resolved.version;
    if !facts.unified_cgroups && version < WITHOUT_CGROUP_V1 {
        problems.push(HostProblem {
            code: "cgroup-version",
            kubeadm: "",
            what: format!(
                "it has control groups of version 1, which kubelets refuse from {}.{} on",
                WITHOUT_CGROUP_V1.major, WITHOUT_CGROUP_V1.minor
            ),
            fix: UNIFY.to_owned(),
        });
    }
    if let Some((release, how)) = containerd_of(resolved, facts)
        && containerd::fit(release, version) == Fit::Unnamed
    {
        let named: Vec<_> = containerd::named(version)
            .iter()
            .map(|release| format!("{release}+"))
            .collect();
        problems.push(HostProblem {
            code: "containerd-version",
            kubeadm: "",
            what: format!(
                "containerd {release} {how}; Kubernetes {version} runs with it, but containerd's \
                 project names {} for it",
                named.join(", ")
            ),
            fix: sources(),
        });
    }
    cri_o(resolved, facts, problems);
}

/// CRI-O's minor version follows that of Kubernetes.
fn cri_o(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let Runtime::CriO(source) = &resolved.cluster.runtime else {
        return;
    };
    let version = resolved.version;
    let same = |release: &Version| (release.major, release.minor) == (version.major, version.minor);
    let Some((release, how)) = packaged(facts).filter(|(release, _)| !same(release)) else {
        return;
    };
    problems.push(HostProblem {
        code: "cri-o-version",
        kubeadm: "",
        what: format!(
            "CRI-O {release} {how}; the release for Kubernetes {version} is {}.{}",
            version.major, version.minor
        ),
        fix: format!(
            "look at `runtime.repository` ({}): CRI-O has one for each minor version, which \
             {{minor}} in the URL takes care of",
            source.url
        ),
    });
}

const UNIFY: &str = "boot it with systemd.unified_cgroup_hierarchy=1 on the kernel's command line, \
                     or use a newer system";

/// Where another containerd comes from.
fn sources() -> String {
    "for nodes that have not joined, take a newer one: `runtime: {kind: containerd, packages: \
     docker}`, a `repository` of your own or the project's `archive` (kdiy explain runtime). On \
     nodes that have joined kdiy does not change it: drain one after the other and change it there \
     yourself (docs/troubleshooting.md, `runtime-source`)"
        .to_owned()
}

fn kubernetes(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let (wanted, url) = (resolved.version, &resolved.cluster.packages.url);
    let offered = match &facts.software.kubernetes {
        Lookup::Unasked => return,
        Lookup::Unread(why) => {
            problems.push(unread("packages", url, why));
            return;
        }
        Lookup::Read(offered) => offered,
    };
    let has = |name: &str| {
        let mut versions = offered.get(name).into_iter().flatten();
        versions.any(|version| version.starts_with(&format!("{wanted}-")))
    };
    let missing: Vec<_> = KUBERNETES.into_iter().filter(|name| !has(name)).collect();
    if !missing.is_empty() {
        let mut others: Vec<_> = offered
            .get(KUBERNETES[0])
            .into_iter()
            .flatten()
            .filter_map(|version| Version::of_package(version))
            .collect();
        others.sort_unstable();
        others.dedup();
        let others: Vec<_> = others.iter().map(Version::to_string).collect();
        let minor = format!("{}.{}", wanted.major, wanted.minor);
        let choose = match others.is_empty() {
            true => String::new(),
            false => format!("choose a `version` that it has: {}; or ", others.join(", ")),
        };
        problems.push(HostProblem {
            code: "version",
            kubeadm: "",
            what: format!(
                "the repository {url} offers no {} {wanted}",
                missing.join(", no ")
            ),
            fix: format!(
                "{choose}set `packages.repository` to one that has {minor}: upstream has one for \
                 each minor version, and {{minor}} in the URL becomes {minor}"
            ),
        });
    }
    if !offered.contains_key(CRI_TOOLS) {
        problems.push(HostProblem {
            code: "cri-tools",
            kubeadm: "",
            what: format!("the repository {url} has no {CRI_TOOLS}, whose crictl pulls the images"),
            fix: format!(
                "put {CRI_TOOLS} into it, as pkgs.k8s.io has it beside kubeadm, or set \
                 `packages.repository` to a whole mirror"
            ),
        });
    }
}

fn unread(setting: &str, url: &str, why: &str) -> HostProblem {
    HostProblem {
        code: "repository-unread",
        kubeadm: "",
        what: format!("apt cannot read the repository {url} there: {why}"),
        fix: format!(
            "look at `{setting}.repository`, at the version (upstream has one repository for each \
             minor one), and at whether the host reaches it, by `httpProxy` where it must"
        ),
    }
}

fn runtime_source(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let Some(source) = runtime::source(&resolved.cluster.runtime) else {
        return;
    };
    let url = source
        .url
        .replace("{os}", &facts.os)
        .replace("{codename}", &facts.os_codename);
    match &facts.software.runtime {
        Lookup::Unread(why) => problems.push(unread("runtime", &url, why)),
        Lookup::Read(None) => {
            let profile = runtime::profile(&resolved.cluster.runtime);
            let name = profile.main.unwrap_or(profile.name);
            problems.push(HostProblem {
                code: "runtime-package",
                kubeadm: "",
                what: format!("the repository {url} has no {name} for this host"),
                fix: "look at `runtime.repository` and `runtime.suite`: whether it has this \
                      release of the system and this architecture, and at `runtime.packages`, \
                      which says whose names its packages have"
                    .to_owned(),
            });
        }
        Lookup::Unasked | Lookup::Read(Some(_)) => {}
    }
}

/// A host's packages are changed side by side with those of all others: what
/// runs pods is not among them.
fn replaced(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    let cluster = &resolved.cluster;
    let present = &facts.software.present;
    let profile = runtime::profile(&cluster.runtime);
    let mut rivals = profile.rivals.iter();
    let rival = rivals.find_map(|rival| present.packages.get_key_value(rival.name));
    let archive = match &cluster.runtime {
        Runtime::Containerd(Containerd::Archive(archive)) => Some(archive),
        _ => None,
    };
    let sha256 = archive.map(|archive| archive.containerd.sha256.as_str());
    let has = match (rival, present.archive.as_deref()) {
        // CRI-O runs beside whatever there is.
        _ if matches!(cluster.runtime, Runtime::CriO(_)) => return,
        (Some((name, version)), _) => format!("{name} {version}"),
        (None, other) if other == sha256 => return,
        (None, Some(other)) => format!("containerd of an archive (sha256 {other})"),
        (None, None) => match present.packages.get_key_value("containerd") {
            Some((name, version)) => format!("{name} {version}"),
            None => "a containerd that kdiy did not install".to_owned(),
        },
    };
    let wanted = match (archive, profile.main) {
        (Some(archive), _) => format!(
            "{} (sha256 {})",
            archive.containerd.url, archive.containerd.sha256
        ),
        (None, main) => format!("the package {}", main.unwrap_or(profile.name)),
    };
    problems.push(HostProblem {
        code: "runtime-source",
        kubeadm: "",
        what: format!(
            "its pods run on {has}, and the inventory asks for {wanted}: that would stop the \
             runtime under all pods of the node, on all nodes at once"
        ),
        fix: "put `runtime` back as it was, since kdiy does not do this node by node yet; or, one \
              node after the other, drain it, change its runtime there yourself and uncordon it, \
              until no plan says this any more (docs/troubleshooting.md, `runtime-source`); or put \
              new hosts into the nodes' places"
            .to_owned(),
    });
}

/// The release of containerd that kubelets speak to, and how it is known.
fn containerd_of(resolved: &ResolvedCluster, facts: &Facts) -> Option<(Version, &'static str)> {
    match &resolved.cluster.runtime {
        Runtime::Containerd(Containerd::Archive(archive)) => {
            Some((archive.version, "is in the archive"))
        }
        Runtime::Containerd(Containerd::Packages(_)) => packaged(facts),
        Runtime::Docker { .. } | Runtime::CriO(_) => None,
    }
}

fn packaged(facts: &Facts) -> Option<(Version, &'static str)> {
    let Lookup::Read(Some(Packaged { version, installed })) = &facts.software.runtime else {
        return None;
    };
    let how = match installed {
        true => "is installed",
        false => "is what apt would install",
    };
    Some((Version::of_package(version)?, how))
}

fn too_old(resolved: &ResolvedCluster, facts: &Facts, problems: &mut Vec<HostProblem>) {
    if let Some((release, how)) = containerd_of(resolved, facts)
        && let Fit::TooOld(oldest) = containerd::fit(release, resolved.version)
    {
        problems.push(HostProblem {
            code: "containerd-version",
            kubeadm: "",
            what: format!(
                "containerd {release} {how}; the kubelet of {} wants {oldest} or newer",
                resolved.version
            ),
            fix: sources(),
        });
    }
    if let Runtime::Docker { .. } = resolved.cluster.runtime
        && let Some((release, how)) = packaged(facts)
        && release < docker::OLDEST
    {
        problems.push(HostProblem {
            code: "docker-version",
            kubeadm: "",
            what: format!(
                "Docker Engine {release} {how}; cri-dockerd wants {} or newer",
                docker::OLDEST.major
            ),
            fix:
                "take Docker's own: `runtime: {kind: docker, packages: docker, criDockerd: ...}`; \
                  one of the distribution is then replaced. Or take `runtime: containerd`"
                    .to_owned(),
        });
    }
}

fn cgroups(
    resolved: &ResolvedCluster,
    node: &Node,
    facts: &Facts,
    problems: &mut Vec<HostProblem>,
) {
    if facts.unified_cgroups || resolved.version < WITHOUT_CGROUP_V1 {
        return;
    }
    let cluster = &resolved.cluster;
    let told = cluster.kubelet.extra_config.get("failCgroupV1");
    let (what, or) = if told.and_then(serde_json::Value::as_bool) != Some(false) {
        (
            format!(
                "it has control groups of version 1, with which the kubelet of {} does not start",
                resolved.version
            ),
            "; or, for the time being, set `kubelet.extraConfig.failCgroupV1: false`, and add \
             SystemVerification to `kubeadm.ignorePreflightErrors`",
        )
    } else if node.roles.has(Role::ControlPlane) && !skips_verification(resolved) {
        (
            "it has control groups of version 1, which kubeadm's SystemVerification refuses, \
             whatever `failCgroupV1` says"
                .to_owned(),
            "; or add SystemVerification to `kubeadm.ignorePreflightErrors`, as kubeadm wants it",
        )
    } else {
        return;
    };
    problems.push(HostProblem {
        code: "cgroup-version",
        kubeadm: "",
        what,
        fix: format!("{UNIFY}{or}"),
    });
}

fn skips_verification(resolved: &ResolvedCluster) -> bool {
    let ignored = &resolved.cluster.kubeadm.ignore_preflight_errors;
    ignored.iter().any(|name| {
        ["SystemVerification", "all"]
            .iter()
            .any(|skip| name.eq_ignore_ascii_case(skip))
    })
}
