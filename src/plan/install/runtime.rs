//! The container runtime of a host: where it comes from, what it displaces,
//! how it is configured.

use super::{Context, files, resources};
use crate::cluster::{AptSource, Archive, Containerd, Download, Node, PackageKey, Runtime};
use crate::plan::facts::software::{ARCHIVE_UNIT, PREFERENCE, Present, REPOSITORY};
use crate::plan::{Blueprint, Facts};
use crate::resource::{
    Command, DOWNLOAD_FUNCTIONS, Done, FETCH_FUNCTION, File, OnChange, OnDiffer, Package,
    Repository, RepositoryKey, Resource, Rival, Service, Verb,
};
use crate::runtime::crio::PACKAGED_NETWORK;
use crate::runtime::{self, Host, Profile, docker};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};
use crate::template::{HostFile, NOTICE};

/// What there is to know about the cluster's runtime.
pub(super) fn profile(context: &Context) -> Profile {
    runtime::profile(&context.resolved.cluster.runtime)
}

/// Its own repository, where the distribution's is not meant.
pub(super) fn repository(context: &Context, node: &Node) -> Option<Repository> {
    let AptSource { url, suite, key } = runtime::source(&context.resolved.cluster.runtime)?;
    let facts = context.facts.get(&node.name);
    let mut url = filled(url, facts);
    if suite == "/" && !url.ends_with('/') {
        url.push('/');
    }
    Some(Repository {
        name: "kdiy-runtime".to_owned(),
        url,
        suite: filled(suite, facts),
        key: match repository_key(key) {
            RepositoryKey::Pinned { url, fingerprint } => RepositoryKey::Pinned {
                url: filled(&url, facts),
                fingerprint,
            },
            key @ RepositoryKey::Armored(_) => key,
        },
        setting: "runtime",
    })
}

/// The key of any repository of the inventory.
pub(super) fn repository_key(key: &PackageKey) -> RepositoryKey {
    match key {
        PackageKey::Armored(text) => RepositoryKey::Armored(text.clone()),
        PackageKey::Pinned { url, fingerprint } => RepositoryKey::Pinned {
            url: url.clone(),
            fingerprint: fingerprint.clone(),
        },
    }
}

/// Names of the host's system in a repository's text. Until it was asked they
/// stay open, which nothing that is asked depends on.
fn filled(text: &str, facts: Option<&Facts>) -> String {
    facts.map_or_else(
        || text.to_owned(),
        |facts| {
            text.replace("{os}", &facts.os)
                .replace("{codename}", &facts.os_codename)
        },
    )
}

/// Its packages, and those that cannot stay beside them.
pub(super) fn packages(context: &Context) -> (impl Iterator<Item = Package>, Vec<Rival>) {
    let Profile {
        packages, rivals, ..
    } = profile(context);
    let hold = context.resolved.cluster.packages.hold;
    let packages = packages.iter().map(move |name| Package {
        hold,
        ..Package::any(name)
    });
    (packages, rivals.to_vec())
}

/// Has apt take packages of these names from the inventory's repository, even
/// where the distribution has newer ones or the repository asks not to be
/// preferred, as backports do.
pub(super) fn preference(context: &Context) -> Option<HostFile> {
    let cluster = &context.resolved.cluster;
    let source = runtime::preferred(&cluster.runtime)?;
    let (_, rest) = source.url.split_once("://")?;
    let host = rest.split('/').next()?;
    let host = host.rsplit('@').next()?;
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let names = profile(context).packages.join(" ");
    Some(HostFile::public(
        PREFERENCE,
        format!("{NOTICE}Package: {names}\nPin: origin \"{host}\"\nPin-Priority: 600\n"),
    ))
}

/// What an earlier runtime of the inventory left to apt, so that packages come
/// from where the inventory now says.
pub(super) fn forgotten(context: &Context, node: &Node) -> Resource {
    let runtime = &context.resolved.cluster.runtime;
    let wanted = |path: &str| match path {
        REPOSITORY => runtime::source(runtime).is_some(),
        _ => runtime::preferred(runtime).is_some(),
    };
    let left = present(context, node).map_or_else(Vec::new, |present| {
        let left = present.apt.iter().filter(|path| !wanted(path));
        left.cloned().collect()
    });
    Resource::Command(Command {
        name: "apt's settings for an earlier runtime".to_owned(),
        verb: Verb::Run,
        details: left.iter().map(|path| format!("remove {path}")).collect(),
        done: Done::Known(left.is_empty()),
        script: Script::new().call(
            "rm",
            ["-f", "--"].map(str::to_owned).into_iter().chain(left),
        ),
        inputs: Vec::new(),
    })
}

fn present<'a>(context: &Context<'a>, node: &Node) -> Option<&'a Present> {
    Some(&context.facts.get(&node.name)?.software.present)
}

/// What packages of repositories do not bring, or should not.
pub(super) fn beside_packages(context: &Context, node: &Node) -> Vec<Resource> {
    let cluster = &context.resolved.cluster;
    match &cluster.runtime {
        Runtime::Containerd(Containerd::Archive(archive)) => unpacked(archive),
        Runtime::Containerd(Containerd::Packages(_)) => vec![without_archive(context, node)],
        Runtime::Docker { cri_dockerd, .. } => vec![
            without_archive(context, node),
            package_of(context, docker::CRI_DOCKERD, cri_dockerd),
        ],
        Runtime::CriO(_) => vec![without_packaged_network()],
    }
}

/// The unit of an archive goes before that of the package. No pods run there:
/// on nodes that have joined a plan refuses it.
fn without_archive(context: &Context, node: &Node) -> Resource {
    let there = present(context, node).is_some_and(|present| present.archive.is_some());
    Resource::Command(Command {
        name: "containerd of an earlier archive".to_owned(),
        verb: Verb::Run,
        details: vec![
            format!("put {ARCHIVE_UNIT} aside"),
            "start the package's containerd".to_owned(),
        ],
        done: Done::Known(!there),
        script: Script::of(PUT_ASIDE)
            .call("kdiy_disable", [ARCHIVE_UNIT])
            .run("kdiy_use_packaged_containerd"),
        inputs: Vec::new(),
    })
}

/// Upgrades of the package leave a file of its configuration away that is not
/// there.
fn without_packaged_network() -> Resource {
    Resource::Command(Command {
        name: "CRI-O's own network".to_owned(),
        verb: Verb::Run,
        details: vec![format!("put {PACKAGED_NETWORK} aside")],
        done: Done::Ask(Script::of(PUT_ASIDE).call("kdiy_is_aside", [PACKAGED_NETWORK])),
        script: Script::of(PUT_ASIDE).call("kdiy_disable", [PACKAGED_NETWORK]),
        inputs: Vec::new(),
    })
}

/// The programs of containerd's archive under /usr/local, and runc where it is
/// no package.
fn unpacked(archive: &Archive) -> Vec<Resource> {
    let containerd = Fetched {
        name: "containerd's release archive",
        program: "/usr/local/bin/containerd",
        download: &archive.containerd,
    };
    let unpack = Script::of(INSTALL).run("kdiy_install_containerd");
    let mut all = vec![containerd.resource(&unpack)];
    all.extend(archive.runc.as_ref().map(|download| {
        let runc = Fetched {
            name: "runc",
            program: "/usr/local/sbin/runc",
            download,
        };
        runc.resource(&Script::of(INSTALL).run("kdiy_install_runc"))
    }));
    all
}

/// Defines `kdiy_is_aside PATH`, `kdiy_disable PATH` and
/// `kdiy_use_packaged_containerd`.
const PUT_ASIDE: &str = sh!("runtime/put-aside.sh");

/// Defines `kdiy_has_program PATH NAME SHA256` and `kdiy_has_package NAME
/// SHA256`.
const FETCHED: &str = sh!("runtime/fetched.sh");

/// Defines `kdiy_install_containerd` and `kdiy_install_runc`, which put what was
/// downloaded into its place.
const INSTALL: &str = sh!("runtime/containerd.sh");

/// A file that is downloaded, checked, and put where its program belongs.
struct Fetched<'a> {
    name: &'static str,
    /// There when it is done.
    program: &'static str,
    download: &'a Download,
}

impl Fetched<'_> {
    /// `place` puts `"$kdiy_tmp/file"` into its place.
    fn resource(&self, place: &Script) -> Resource {
        let Download { url, sha256 } = self.download;
        let file = self.program.rsplit('/').next().unwrap_or_default();
        let ask = Script::of(FETCHED).call("kdiy_has_program", [self.program, file, sha256]);
        let script = Script::of(FETCH_FUNCTION)
            .with(DOWNLOAD_FUNCTIONS)
            .call("kdiy_download", [url.as_str(), "file", sha256])
            .then(place)
            .call("kdiy_note_sum", [file, sha256]);
        Resource::Command(Command {
            name: self.name.to_owned(),
            verb: Verb::Run,
            details: vec![
                format!("{url} to {}", self.program),
                format!("sha256 {sha256}"),
            ],
            done: Done::Ask(ask),
            script,
            inputs: Vec::new(),
        })
    }
}

fn package_of(context: &Context, name: &'static str, download: &Download) -> Resource {
    let Download { url, sha256 } = download;
    let ask = Script::of(FETCHED).call("kdiy_has_package", [name, sha256]);
    let script = Script::of(FETCH_FUNCTION)
        .with(DOWNLOAD_FUNCTIONS)
        .with(sh!("runtime/package.sh"))
        .call("kdiy_install_package", [url, sha256]);
    let script = match context.resolved.cluster.packages.hold {
        true => script.call("kdiy_hold", [name]),
        false => script,
    };
    let script = script.call("kdiy_note_sum", [name, sha256]);
    Resource::Command(Command {
        name: name.to_owned(),
        verb: Verb::Run,
        details: vec![format!("install {url}"), format!("sha256 {sha256}")],
        done: Done::Ask(ask),
        script,
        inputs: Vec::new(),
    })
}

/// Its files and units.
pub(super) fn configure(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    // Until it was asked, a host is taken for one that may raise limits.
    let host = context.facts.get(&node.name).map(|facts| Host {
        confined: !facts.sys_resource,
        release: facts.software.release(),
        format: facts
            .software
            .present
            .format
            .filter(|_| context.has_joined(node)),
    });
    let mut all = Vec::new();
    for unit in runtime::units(context.resolved, host.unwrap_or_default()) {
        let mut read = files(unit.files, secrets);
        for file in &mut read {
            // The package brings a configuration of its own.
            file.on_differ = OnDiffer::KeepOriginal;
        }
        all.extend(resources(&read));
        let read: Vec<&File> = read.iter().collect();
        let service = Service::new(unit.name, OnChange::Restart, &read);
        all.push(Resource::Service(service));
    }
    blueprint.add(&node.name, "configure the container runtime", all, &[]);
}

/// Defines `kdiy_pull_these IMAGE…` and `kdiy_pull_control_plane`.
pub(super) const PULL: &str = sh!("runtime/pull.sh");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Name, Origin, ResolvedCluster, Version};
    use crate::kubeadm::tests::few;
    use crate::plan::install::{Observed, blueprint};
    use crate::plan::tests::{facts, trust};

    fn docker() -> ResolvedCluster {
        let mut resolved = few(Version::new(1, 34, 1));
        resolved.cluster.runtime = Runtime::Docker {
            origin: Origin::Docker(AptSource {
                url: "https://download.example/linux/{os}".to_owned(),
                suite: "{codename} stable".to_owned(),
                key: PackageKey::Pinned {
                    url: "https://download.example/linux/{os}/gpg".to_owned(),
                    fingerprint: "A".repeat(40),
                },
            }),
            cri_dockerd: Download {
                url: "https://downloads.example/cri-dockerd_{arch}.deb".to_owned(),
                sha256: "0".repeat(64),
            },
        };
        resolved
    }

    /// Resources of the first worker, before and after it was asked.
    fn resources(resolved: &ResolvedCluster) -> [Vec<Resource>; 2] {
        let host = Name::try_from("w1".to_owned()).unwrap();
        let mut known = Observed::default();
        known.facts.insert(host.clone(), facts(resolved, "w1"));
        [Observed::default(), known].map(|observed| {
            let all = blueprint(resolved, &trust(), &observed, &mut SecretStore::new());
            all.resources(&host).into_iter().cloned().collect()
        })
    }

    #[test]
    fn what_is_asked_does_not_depend_on_the_answer() {
        let keys =
            resources(&docker()).map(|all| all.iter().map(Resource::key).collect::<Vec<_>>());
        assert_eq!(keys[0], keys[1]);
        let at = |key: &str| keys[0].iter().position(|have| have == key).expect(key);
        assert!(at("repository kdiy-runtime") < at("packages for Kubernetes"));
        assert!(at("packages for Kubernetes") < at("command cri-dockerd"));
        assert!(at("command cri-dockerd") < at("service docker.service"));
        assert!(at("service docker.service") < at("service cri-docker.service"));
    }

    #[test]
    fn a_repository_is_that_of_the_hosts_system() {
        let [_, known] = resources(&docker());
        let found = known.into_iter().find_map(|resource| match resource {
            Resource::Repository(repository) if repository.name == "kdiy-runtime" => {
                Some(repository)
            }
            _ => None,
        });
        let found = found.unwrap();
        assert_eq!(found.url, "https://download.example/linux/debian");
        assert_eq!(found.suite, "bookworm stable");
        let RepositoryKey::Pinned { url, .. } = found.key else {
            panic!("{:?}", found.key)
        };
        assert_eq!(url, "https://download.example/linux/debian/gpg");
    }

    #[test]
    fn nothing_that_is_asked_depends_on_where_containerd_comes_from() {
        let source = AptSource {
            url: "https://user@packages.example:8443/{os}/".to_owned(),
            suite: "{codename} main".to_owned(),
            key: PackageKey::Armored("key".to_owned()),
        };
        let sources = [
            Containerd::Packages(Origin::Repository(source)),
            Containerd::Archive(archive(Some(download("runc.{arch}")))),
        ];
        let wanted: [&[&str]; 2] = [
            &[
                "repository kdiy-runtime",
                "file /etc/apt/preferences.d/kdiy-runtime",
                "packages for Kubernetes",
                "file /etc/containerd/config.toml",
                "service containerd.service",
            ],
            &[
                "packages for Kubernetes",
                "command containerd's release archive",
                "command runc",
                "file /etc/systemd/system/containerd.service",
                "service containerd.service",
            ],
        ];
        for (source, wanted) in sources.into_iter().zip(wanted) {
            let mut resolved = few(Version::new(1, 37, 2));
            resolved.cluster.runtime = Runtime::Containerd(source);
            let [before, after] = resources(&resolved);
            let keys = [&before, &after].map(|all| all.iter().map(Resource::key));
            let [before, after] = keys.map(Iterator::collect::<Vec<_>>);
            assert_eq!(before, after);
            let at = |key: &&str| before.iter().position(|have| have == key).expect(key);
            let places: Vec<_> = wanted.iter().map(at).collect();
            assert!(places.is_sorted(), "{wanted:?} {before:?}");
        }
    }

    #[test]
    fn a_repository_of_ones_own_is_preferred_by_its_host() {
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.runtime =
            Runtime::Containerd(Containerd::Packages(Origin::Repository(AptSource {
                url: "https://user@packages.example:8443/{os}/".to_owned(),
                suite: "{codename} main".to_owned(),
                key: PackageKey::Armored("key".to_owned()),
            })));
        let [_, known] = resources(&resolved);
        let text = known.iter().find_map(|resource| match resource {
            Resource::File(file) if file.path.starts_with("/etc/apt/preferences.d/") => {
                Some(&file.content)
            }
            _ => None,
        });
        let Some(crate::resource::Content::Plain(text)) = text else {
            panic!("{text:?}")
        };
        let text = text.strip_prefix(NOTICE).unwrap();
        assert_eq!(
            text,
            "Package: containerd\nPin: origin \"packages.example\"\nPin-Priority: 600\n"
        );
    }

    fn download(file: &str) -> Download {
        Download {
            url: format!("https://downloads.example/{file}"),
            sha256: "0".repeat(64),
        }
    }

    fn archive(runc: Option<Download>) -> Archive {
        Archive {
            version: Version::new(2, 4, 2),
            containerd: download("containerd-2.4.2-linux-{arch}.tar.gz"),
            runc,
        }
    }

    /// Runs the script of an archive that holds these files, in folders of its
    /// own; what it says, and the files of its `/usr/local/bin`.
    fn unpack(files: &[&str], sound: bool) -> (String, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::create_dir_all(path("src/bin")).unwrap();
        std::fs::create_dir_all(path("tmp")).unwrap();
        for file in files {
            std::fs::write(path(&format!("src/{file}")), "#!/bin/sh\n").unwrap();
        }
        let sh = |script: &str| {
            let output = std::process::Command::new("sh")
                .args(["-ec", script])
                .env("kdiy_tmp", path("tmp"))
                .output()
                .unwrap();
            String::from_utf8(output.stderr).unwrap() + &String::from_utf8_lossy(&output.stdout)
        };
        let [tar, src] = [path("it.tar.gz"), path("src")];
        sh(&format!("chmod -R 0755 {src}; tar -czf {tar} -C {src} bin"));
        let sum = sh(&format!("sha256sum < {tar}"));
        let mut archive = archive(None);
        if sound {
            archive.containerd.sha256 = sum[..64].to_owned();
        }
        let [Resource::Command(command)] = &unpacked(&archive)[..] else {
            panic!("one command")
        };
        let script = command.script.as_str();
        let script = script
            .replace(
                crate::resource::tests::FETCHES,
                &format!("cp {tar} \"$kdiy_tmp/file\"; : "),
            )
            .replace("/usr/local", &path("usr/local"))
            .replace("/var/lib/kdiy", &path("lib"));
        let said = sh(&script);
        let there = std::fs::read_dir(path("usr/local/bin"));
        let there = there.into_iter().flatten();
        let mut there: Vec<_> = there
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        (said, there)
    }

    #[test]
    fn an_archive_is_checked_and_whole_before_a_program_is_replaced() {
        let whole = ["bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"];
        let (said, there) = unpack(&whole, true);
        assert_eq!(
            there,
            ["containerd", "containerd-shim-runc-v2", "ctr"],
            "{said}"
        );
        let (said, there) = unpack(&whole, false);
        assert!(said.contains("has another sha256"), "{said}");
        assert_eq!(there, [""; 0]);
        let (said, there) = unpack(&whole[..1], true);
        assert!(said.contains("there are no bin/containerd and"), "{said}");
        assert_eq!(there, [""; 0]);
    }

    #[test]
    fn the_network_of_cri_os_package_is_put_aside() {
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.runtime = Runtime::CriO(AptSource {
            url: "https://packages.example/v1.37/deb/".to_owned(),
            suite: "/".to_owned(),
            key: PackageKey::Armored("key".to_owned()),
        });
        let [_, known] = resources(&resolved);
        let at = |key: &str| known.iter().position(|have| have.key() == key).expect(key);
        let aside = at("command CRI-O's own network");
        assert!(at("packages for Kubernetes") < aside && aside < at("service crio.service"));
        let Resource::Command(command) = &known[aside] else {
            panic!("{:?}", known[aside])
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.conflist").display().to_string();
        let sh = |script: &Script| {
            let script = script.as_str().replace(PACKAGED_NETWORK, &path);
            let status = std::process::Command::new("sh")
                .args(["-ec", &script])
                .status();
            status.unwrap().success()
        };
        let Done::Ask(ask) = &command.done else {
            panic!("it is asked")
        };
        assert!(sh(ask));
        std::fs::write(&path, "{}").unwrap();
        assert!(!sh(ask));
        assert!(sh(&command.script) && sh(ask));
    }

    #[test]
    fn a_download_is_checked_before_it_is_installed() {
        let [_, known] = resources(&docker());
        let script = known.into_iter().find_map(|resource| match resource {
            Resource::Command(command) if command.name == "cri-dockerd" => Some(command.script),
            _ => None,
        });
        insta::assert_snapshot!(script.unwrap());
    }

    #[test]
    fn what_an_earlier_runtime_left_is_put_aside() {
        let host = Name::try_from("w1".to_owned()).unwrap();
        let left = |runtime: Runtime, archive: Option<&str>| {
            let mut resolved = few(Version::new(1, 37, 2));
            resolved.cluster.runtime = runtime;
            let mut facts = facts(&resolved, "w1");
            facts.software.present = Present {
                archive: archive.map(str::to_owned),
                apt: vec![REPOSITORY.to_owned(), PREFERENCE.to_owned()],
                ..Present::default()
            };
            let mut known = Observed::default();
            known.facts.insert(host.clone(), facts);
            let all = blueprint(&resolved, &trust(), &known, &mut SecretStore::new());
            let all = all.resources(&host).into_iter();
            let left = all.filter_map(|resource| match resource {
                Resource::Command(command) if command.name.contains(" earlier ") => {
                    matches!(command.done, Done::Known(false)).then(|| command.details.join(", "))
                }
                _ => None,
            });
            left.collect::<Vec<_>>()
        };
        let debian = || Runtime::Containerd(Containerd::Packages(Origin::Distribution));
        let apt = format!("remove {REPOSITORY}, remove {PREFERENCE}");
        let unit = format!("put {ARCHIVE_UNIT} aside, start the package's containerd");
        assert_eq!(left(debian(), Some("1")), [apt.clone(), unit.clone()]);
        assert_eq!(left(debian(), None), std::slice::from_ref(&apt));
        let archive = Runtime::Containerd(Containerd::Archive(archive(None)));
        assert_eq!(left(archive, Some("1")), [apt]);
        // Its own repository stays.
        let preference = format!("remove {PREFERENCE}");
        assert_eq!(
            left(docker().cluster.runtime, Some("1")),
            [preference, unit]
        );
    }

    #[test]
    fn the_unit_of_an_earlier_archive_gives_way_to_the_packages() {
        let host = Name::try_from("w1".to_owned()).unwrap();
        let resolved = few(Version::new(1, 37, 2));
        let mut facts = facts(&resolved, "w1");
        facts.software.present.archive = Some("1".to_owned());
        let mut known = Observed::default();
        known.facts.insert(host.clone(), facts);
        let all = blueprint(&resolved, &trust(), &known, &mut SecretStore::new());
        let script = all
            .resources(&host)
            .into_iter()
            .find_map(|resource| match resource {
                Resource::Command(command) if command.name.contains("earlier archive") => {
                    Some(command.script.as_str().to_owned())
                }
                _ => None,
            });
        let dir = tempfile::tempdir().unwrap();
        let unit = dir.path().join("containerd.service");
        std::fs::write(&unit, NOTICE).unwrap();
        let script = script
            .unwrap()
            .replace(ARCHIVE_UNIT, &unit.display().to_string());
        let systemctl = "systemctl() { [ ! -e \"$unit\" ] && echo \"$*\"; }\n";
        let output = std::process::Command::new("sh")
            .args(["-ec", &format!("{systemctl}{script}")])
            .env("unit", &unit)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "daemon-reload\nreenable containerd.service\nrestart containerd.service\n"
        );
        assert!(unit.with_extension("service.kdiy-disabled").exists());
    }
}
