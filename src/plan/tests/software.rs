//! What hosts would install, and what their kubelets run on.

use super::*;
use crate::cluster::{
    AptSource, Archive, Containerd, Download, Origin, PackageKey, Runtime, Version,
};
use crate::plan::facts::Lookup;
use crate::plan::facts::software::{Packaged, Present};
use crate::plan::preflight::warnings;

const V1_37: Version = Version::new(1, 37, 2);
const V1_38: Version = Version::new(1, 38, 0);

/// Blank hosts that differ from others by this.
fn hosts(resolved: ResolvedCluster, change: impl Fn(&mut Facts)) -> Hosts {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        change(&mut facts);
        facts
    };
    Hosts::of(resolved, facts, |_, resource| absent(resource))
}

/// All five hosts with a kubelet, with one problem each.
fn everywhere(code: &'static str) -> Vec<(String, &'static str)> {
    let hosts = ["cp1", "cp2", "cp3", "w1", "w2"];
    hosts.map(|host| (host.to_owned(), code)).into()
}

fn told(hosts: &Hosts) -> Vec<Problem> {
    let Hosts {
        resolved,
        observed,
        seen,
        ..
    } = hosts;
    problems(resolved, &observed.cluster_state, TOKEN, seen)
}

fn warned(hosts: &Hosts) -> Vec<(String, &'static str)> {
    let all = warnings(&hosts.resolved, &hosts.seen);
    all.into_iter()
        .map(|warning| (warning.host.to_string(), warning.code))
        .collect()
}

fn candidate(version: &str) -> Lookup<Option<Packaged>> {
    Lookup::Read(Some(Packaged {
        version: version.to_owned(),
        installed: false,
    }))
}

fn repository(packages: &[(&str, &str)]) -> Lookup<BTreeMap<String, Vec<String>>> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for (name, version) in packages {
        let versions = all.entry((*name).to_owned()).or_default();
        versions.push((*version).to_owned());
    }
    Lookup::Read(all)
}

const WHOLE: [(&str, &str); 4] = [
    ("kubeadm", "1.37.2-1.1"),
    ("kubectl", "1.37.2-1.1"),
    ("kubelet", "1.37.2-1.1"),
    ("cri-tools", "1.37.0-1.1"),
];

#[test]
fn crictl_is_installed_from_kubernetes_repository_and_held() {
    let plan = hosts(few(V1_37), |_| {}).plan();
    let packages = plan.steps.iter().flat_map(|step| step.changes());
    let packages = packages.filter_map(|change| match &change.resource {
        Resource::Packages(packages) if packages.name == "for Kubernetes" => Some(packages),
        _ => None,
    });
    let packages: Vec<_> = packages.collect();
    assert_eq!(packages.len(), 5);
    for packages in packages {
        let tools = packages.all.iter().find(|one| one.name == "cri-tools");
        let tools = tools.expect("cri-tools is among them");
        assert!(tools.hold && tools.version.is_none(), "{tools:?}");
    }
}

#[test]
fn a_repository_without_what_is_wanted_is_seen_on_all_hosts() {
    let of = |packages: Lookup<_>| {
        hosts(few(V1_37), move |facts| {
            facts.software.kubernetes = packages.clone();
        })
    };
    assert_eq!(of(repository(&WHOLE)).codes(), []);
    assert_eq!(of(repository(&WHOLE[..3])).codes(), everywhere("cri-tools"));
    let older =
        WHOLE.map(|(name, version)| (name, version.strip_suffix("2-1.1").unwrap_or(version)));
    let older = older.map(|(name, _)| (name, "1.36.3-1.1"));
    let older = of(repository(&older));
    assert_eq!(older.codes(), everywhere("version"));
    let Problem { what, fix, .. } = &told(&older)[0];
    assert!(
        what.contains("no kubeadm, no kubectl, no kubelet 1.37.2"),
        "{what}"
    );
    assert!(
        fix.contains("1.36.3") && fix.contains("packages.repository"),
        "{fix}"
    );
    let unread = of(Lookup::Unread("E: Failed to fetch: 404".to_owned()));
    assert_eq!(unread.codes(), everywhere("repository-unread"));
    assert!(told(&unread)[0].what.contains("404"));
}

#[test]
fn control_groups_that_the_kubelet_refuses_are_seen_on_all_hosts() {
    let of = |version, told: Option<bool>, ignored: &[&str]| {
        let mut resolved = few(version);
        let cluster = &mut resolved.cluster;
        if let Some(told) = told {
            let config = &mut cluster.kubelet.extra_config;
            config.insert("failCgroupV1".to_owned(), told.into());
        }
        cluster.kubeadm.ignore_preflight_errors =
            ignored.iter().map(|name| (*name).to_owned()).collect();
        hosts(resolved, |facts| facts.unified_cgroups = false)
    };
    let v1_35 = Version::new(1, 35, 0);
    assert_eq!(of(v1_35, None, &[]).codes(), everywhere("cgroup-version"));
    assert_eq!(
        of(V1_37, Some(true), &[]).codes(),
        everywhere("cgroup-version")
    );
    // kubeadm's own name does not mean the kubelet.
    let verified = ["SystemVerification"];
    assert_eq!(
        of(V1_37, None, &verified).codes(),
        everywhere("cgroup-version")
    );
    assert_eq!(of(V1_37, None, &["cgroup-version"]).codes(), []);
    // The kubelet is told; kubeadm refuses it on control planes all the same.
    let planes = &everywhere("cgroup-version")[..3];
    assert_eq!(of(V1_37, Some(false), &[]).codes(), planes);
    assert_eq!(of(V1_37, Some(false), &verified).codes(), []);
    // Before, it is a warning.
    let older = of(Version::new(1, 34, 4), None, &[]);
    assert_eq!(older.codes(), []);
    assert_eq!(warned(&older), everywhere("cgroup-version"));
    assert_eq!(warned(&of(V1_37, Some(false), &verified)), []);
}

#[test]
fn containerd_is_warned_of_before_it_is_refused() {
    let of = |version, package: &str| {
        let package = candidate(package);
        hosts(few(version), move |facts| {
            facts.software.runtime = package.clone();
        })
    };
    let old = of(V1_37, "1.6.20~ds1-1+deb12u1");
    assert_eq!(old.codes(), []);
    assert_eq!(warned(&old), everywhere("containerd-version"));
    assert_eq!(
        warnings(&old.resolved, &old.seen)[0].what,
        "containerd 1.6.20 is what apt would install; Kubernetes 1.37.2 runs with it, but \
         containerd's project names 2.4.0+, 2.3.0+ for it"
    );
    let new = of(V1_37, "2.4.2-1");
    assert_eq!((new.codes(), warned(&new)), (Vec::new(), Vec::new()));
    let refused = of(V1_38, "1.7.24~ds1-6+b4");
    assert_eq!(refused.codes(), everywhere("containerd-version"));
    assert_eq!(warned(&refused), []);
    assert_eq!(of(V1_38, "2.0.6-1").codes(), []);
    // Nobody knows it yet: nothing is made up.
    let unknown = hosts(few(V1_38), |_| {});
    assert_eq!(
        (unknown.codes(), warned(&unknown)),
        (Vec::new(), Vec::new())
    );
    // An archive's is known without a host.
    let mut resolved = few(V1_38);
    resolved.cluster.runtime = Runtime::Containerd(Containerd::Archive(Archive {
        version: Version::new(1, 7, 29),
        containerd: download(),
        runc: None,
    }));
    let archive = hosts(resolved, |_| {});
    assert_eq!(archive.codes(), everywhere("containerd-version"));
}

fn download() -> Download {
    Download {
        url: "https://downloads.example/file".to_owned(),
        sha256: "0".repeat(64),
    }
}

#[test]
fn a_docker_that_cri_dockerd_does_not_take_is_refused() {
    let of = |package: &str| {
        let mut resolved = few(V1_37);
        resolved.cluster.runtime = Runtime::Docker {
            origin: Origin::Distribution,
            cri_dockerd: download(),
        };
        let package = candidate(package);
        hosts(resolved, move |facts| {
            facts.software.runtime = package.clone();
        })
    };
    assert_eq!(
        of("20.10.24+dfsg1-1+deb12u1").codes(),
        everywhere("docker-version")
    );
    assert_eq!(of("26.1.5+dfsg1-9+b4").codes(), []);
    assert_eq!(of("5:29.0.1-1~debian.13~trixie").codes(), []);
}

#[test]
fn a_cri_o_of_another_minor_version_is_warned_of() {
    let of = |package: &str| {
        let mut resolved = few(V1_37);
        resolved.cluster.runtime = Runtime::CriO(AptSource {
            url: "https://packages.example/v1.36/deb/".to_owned(),
            suite: "/".to_owned(),
            key: PackageKey::Armored("key".to_owned()),
        });
        let package = candidate(package);
        hosts(resolved, move |facts| {
            facts.software.runtime = package.clone();
        })
    };
    let other = of("1.36.2-1.1");
    assert_eq!(other.codes(), []);
    assert_eq!(warned(&other), everywhere("cri-o-version"));
    assert_eq!(warned(&of("1.37.0-1.1")), []);
}

#[test]
fn a_repository_without_the_runtime_is_seen() {
    let mut resolved = few(V1_37);
    resolved.cluster.runtime =
        Runtime::Containerd(Containerd::Packages(Origin::Repository(AptSource {
            url: "https://packages.example/{os}/".to_owned(),
            suite: "{codename} main".to_owned(),
            key: PackageKey::Armored("key".to_owned()),
        })));
    let none = hosts(resolved.clone(), |facts| {
        facts.software.runtime = Lookup::Read(None)
    });
    assert_eq!(none.codes(), everywhere("runtime-package"));
    assert!(
        told(&none)[0]
            .what
            .contains("https://packages.example/debian/ has no containerd")
    );
    let unread = hosts(resolved, |facts| {
        facts.software.runtime = Lookup::Unread("E: 404".to_owned());
    });
    assert_eq!(unread.codes(), everywhere("repository-unread"));
}

#[test]
fn a_hosts_containerd_gets_its_own_format() {
    let format = |package: &str, there: Option<u8>, joined: bool| {
        let package = candidate(package);
        let facts = |resolved: &ResolvedCluster, host: &str| {
            let mut facts = match joined {
                true => member(resolved, host),
                false => facts(resolved, host),
            };
            facts.software.runtime = package.clone();
            facts.software.present.format = there;
            facts
        };
        let hosts = Hosts::of(few(V1_37), facts, |_, resource| absent(resource));
        let files = hosts.blueprint.resources(&name("w1"));
        let config = files.into_iter().find_map(|resource| match resource {
            Resource::File(file) if file.path == "/etc/containerd/config.toml" => Some(file),
            _ => None,
        });
        let Content::Plain(text) = &config.unwrap().content else {
            panic!("it is no secret")
        };
        text.lines()
            .find(|line| line.starts_with("version"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(format("1.7.24~ds1-6+b4", None, false), "version = 2");
    assert_eq!(format("2.1.9+ds1-1", None, false), "version = 3");
    assert_eq!(format("2.1.9+ds1-1", Some(2), false), "version = 3");
    // The format alone restarts no runtime that runs pods.
    assert_eq!(format("2.1.9+ds1-1", Some(2), true), "version = 2");
    assert_eq!(format("2.1.9+ds1-1", None, true), "version = 3");
}

fn archive(sha256: &str) -> Containerd {
    Containerd::Archive(Archive {
        version: Version::new(2, 4, 2),
        containerd: Download {
            sha256: sha256.to_owned(),
            ..download()
        },
        runc: Some(download()),
    })
}

fn of_docker() -> Origin {
    Origin::Docker(AptSource {
        url: "https://download.example/linux/{os}".to_owned(),
        suite: "{codename} stable".to_owned(),
        key: PackageKey::Armored("key".to_owned()),
    })
}

/// Hosts that have this of runtimes; as nodes that have joined, or not.
fn having(runtime: &Runtime, packages: &[&str], archive: Option<&str>, joined: bool) -> Hosts {
    let mut resolved = few(V1_37);
    resolved.cluster.runtime = runtime.clone();
    let present = Present {
        packages: packages
            .iter()
            .map(|name| ((*name).to_owned(), "1.7.24-1".to_owned()))
            .collect(),
        archive: archive.map(str::to_owned),
        ..Present::default()
    };
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = match joined {
            true => member(resolved, host),
            false => facts(resolved, host),
        };
        if let ApiView::Nodes { nodes, .. } = &mut facts.api {
            let runs = crate::runtime::profile(runtime).name;
            nodes
                .iter_mut()
                .for_each(|node| node.runtime = format!("{runs}://1"));
        }
        facts.software.present = present.clone();
        facts
    };
    Hosts::of(resolved, facts, |_, resource| as_wanted(resource))
}

#[test]
fn what_runs_the_pods_of_a_node_is_not_replaced() {
    let debian = Runtime::Containerd(Containerd::Packages(Origin::Distribution));
    let docker = Runtime::Containerd(Containerd::Packages(of_docker()));
    let engine = |origin| Runtime::Docker {
        origin,
        cri_dockerd: download(),
    };
    let [one, other] = ["1", "2"].map(|sha256| Runtime::Containerd(archive(sha256)));
    let debians: &[&str] = &["containerd", "runc"];
    let dockers: &[&str] = &["containerd.io"];
    let replaced: [(&Runtime, &[&str], Option<&str>); 9] = [
        (&docker, debians, None),
        (&debian, dockers, None),
        (&debian, debians, Some("1")),
        (&docker, dockers, Some("1")),
        (&one, debians, None),
        (&one, dockers, None),
        (&other, debians, Some("1")),
        (&engine(of_docker()), &["containerd", "docker.io"], None),
        (
            &engine(Origin::Distribution),
            &["containerd.io", "docker-ce"],
            None,
        ),
    ];
    for (runtime, packages, archive) in replaced {
        let hosts = having(runtime, packages, archive, true);
        assert_eq!(
            hosts.codes(),
            everywhere("runtime-source"),
            "{runtime:?} {packages:?} {archive:?}"
        );
        // Nobody's pods run there.
        let fresh = having(runtime, packages, archive, false);
        assert_eq!(fresh.codes(), [], "{runtime:?} {packages:?} {archive:?}");
    }
    let what = &told(&having(&docker, debians, None, true))[0].what;
    assert!(
        what.contains("run on containerd 1.7.24-1") && what.contains("the package containerd.io"),
        "{what}"
    );
    let mut all = having(&docker, debians, None, true);
    all.resolved.cluster.kubeadm.ignore_preflight_errors = vec!["all".to_owned()];
    assert_eq!(all.codes(), everywhere("runtime-source"));
    // As it was, or as it is after it was changed by hand.
    let kept: [(&Runtime, &[&str], Option<&str>); 6] = [
        (&debian, debians, None),
        (&docker, dockers, None),
        (&one, debians, Some("1")),
        (&one, &[], Some("1")),
        (&engine(of_docker()), &["containerd.io", "docker-ce"], None),
        (
            &engine(Origin::Distribution),
            &["containerd", "docker.io", "runc"],
            None,
        ),
    ];
    for (runtime, packages, archive) in kept {
        let hosts = having(runtime, packages, archive, true);
        assert_eq!(hosts.codes(), [], "{runtime:?} {packages:?} {archive:?}");
    }
}
