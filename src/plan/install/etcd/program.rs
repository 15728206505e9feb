//! The program of an external etcd: a release archive that is checked before
//! it is unpacked, or the distribution's packages, which must be new enough.

use super::super::Context;
use super::super::host::apt_proxy;
use crate::cluster::{
    EtcdArchive, EtcdSource, Node, OLDEST_ETCD, ResolvedCluster, external_etcd_version,
};
use crate::etcd::member::{self, DISTRIBUTION_UNIT};
use crate::plan::Blueprint;
use crate::plan::etcd::Packaged;
use crate::resource::{
    Command, DOWNLOAD_FUNCTIONS, Done, FETCH_FUNCTION, File, Package, Packages, Resource, Verb,
};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};
use crate::template::NOTICE;

/// Needed by the members and by what asks them.
const BASE: [&str; 3] = ["ca-certificates", "curl", "openssl"];

/// The distribution's packages of it.
const PACKAGES: [&str; 2] = ["etcd-client", "etcd-server"];

/// Puts it on a host.
pub(super) fn install(
    context: &Context,
    node: &Node,
    source: &EtcdSource,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    if !node.runs_kubelet() {
        apt_proxy(context, node, blueprint, secrets);
    }
    let hold = context.resolved.cluster.packages.hold;
    let base = BASE.iter().map(|name| Package::any(name));
    let packages = |more: &[&str]| {
        let more = more.iter().map(|name| Package {
            hold,
            ..Package::any(name)
        });
        let all = base.clone().chain(more).collect();
        Resource::Packages(Packages::new("for etcd", all))
    };
    let all = match source {
        // The package starts a member of its own as soon as it is installed.
        EtcdSource::Distribution => {
            vec![mask(), packages(&PACKAGES), new_enough(context, node)]
        }
        EtcdSource::Archive(archive) => {
            let mut all = vec![packages(&[])];
            all.extend(user());
            all.push(unpack(context.resolved, archive));
            all
        }
    };
    blueprint.add(&node.name, "install etcd", all, &[]);
}

/// Defines `kdiy_is_masked`, `kdiy_mask`, `kdiy_is_new_enough OLDEST`,
/// `kdiy_check_version OLDEST WANTED` and `kdiy_has_user`.
const PACKAGE: &str = sh!("etcd/distribution.sh");

fn mask() -> Resource {
    Resource::Command(Command {
        name: format!("the package's own {DISTRIBUTION_UNIT}"),
        verb: Verb::Run,
        details: vec!["mask it, so that it never starts".to_owned()],
        done: Done::Ask(Script::of(PACKAGE).run("kdiy_is_masked")),
        script: Script::of(PACKAGE).run("kdiy_mask"),
        inputs: Vec::new(),
    })
}

/// The user that the distribution's package would make.
fn user() -> [Resource; 2] {
    let text = format!("{NOTICE}u etcd - \"etcd\" /var/lib/etcd\n");
    let make = Command {
        name: "the user etcd".to_owned(),
        verb: Verb::Run,
        details: vec!["make it".to_owned()],
        done: Done::Ask(Script::of(PACKAGE).run("kdiy_has_user")),
        script: Script::new().call("systemd-sysusers", ["/etc/sysusers.d/kdiy-etcd.conf"]),
        inputs: Vec::new(),
    };
    [
        Resource::File(File::plain("/etc/sysusers.d/kdiy-etcd.conf", 0o644, text)),
        Resource::Command(make),
    ]
}

/// What was packaged is known for certain only once it is installed; it has not
/// been started then.
fn new_enough(context: &Context, node: &Node) -> Resource {
    let oldest = OLDEST_ETCD;
    let asked = external_etcd_version(context.resolved.version.minor);
    let facts = context.facts.get(&node.name).and_then(|f| f.etcd.as_ref());
    let details = match facts.and_then(|facts| facts.packaged) {
        Some(Packaged::Offered(version) | Packaged::Installed(version)) => {
            format!("{version} of the distribution; kubeadm takes {oldest} and later")
        }
        None => format!("kubeadm takes {oldest} and later"),
    };
    let (oldest, asked) = (oldest.to_string(), asked.to_string());
    let compare = Script::of(PACKAGE).call("kdiy_is_new_enough", [&oldest]);
    let script = Script::of(PACKAGE).call("kdiy_check_version", [&oldest, &asked]);
    Resource::Command(Command {
        name: "the version of etcd".to_owned(),
        verb: Verb::Run,
        details: vec![details],
        done: Done::Ask(compare),
        script,
        inputs: Vec::new(),
    })
}

/// Defines `kdiy_install_etcd URL VERSION FOLDER SHA256`.
const UNPACK: &str = sh!("etcd/unpack.sh");

/// The programs of a release archive, which has them in a folder of its own
/// or at its top.
fn unpack(resolved: &ResolvedCluster, archive: &EtcdArchive) -> Resource {
    let folder = member::folder(archive);
    let sum = archive.sha256.as_deref().unwrap_or_default();
    let version = archive.version.to_string();
    let functions = Script::of(FETCH_FUNCTION).with(DOWNLOAD_FUNCTIONS);
    let script = functions.with(UNPACK).call(
        "kdiy_install_etcd",
        [archive.url.as_str(), &version, &folder, sum],
    );
    Resource::Command(Command {
        name: "etcd's release archive".to_owned(),
        verb: Verb::Run,
        details: vec![format!(
            "etcd {} from {} to {folder}",
            archive.version, archive.url
        )],
        done: Done::Ask(Script::new().call("test", ["-x", &member::program(resolved, "etcd")])),
        script,
        inputs: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Topology, Version};
    use std::path::Path;
    use std::process::{Command as Process, Stdio};

    const URL: &str = "https://example.org/etcd/v3.6.8/etcd-v3.6.8-linux-{arch}.tar.gz";

    /// A folder laid out as upstream's releases, served by a stand-in for
    /// apt-helper, and the folder of the host.
    struct Mirror(tempfile::TempDir);

    impl Mirror {
        fn of(says: &str, programs: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let name = "etcd-v3.6.8-linux-amd64";
            let inside = folder.path().join(name);
            std::fs::create_dir(&inside).unwrap();
            for program in programs {
                let path = inside.join(program);
                std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                std::fs::set_permissions(path, mode).unwrap();
            }
            let pack = format!(
                "tar -czf {name}.tar.gz {name} && rm -r {name} && \
                 {{ echo 'aa  other.tar.gz'; sha256sum {name}.tar.gz; }} > SHA256SUMS && mkdir tmp"
            );
            let mut packed = Process::new("sh");
            packed.args(["-c", &pack]).current_dir(&folder);
            assert!(packed.status().unwrap().success());
            Self(folder)
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }

        /// The last line that unpacking says where it fails.
        fn unpack(&self, sha256: Option<&str>) -> Result<(), String> {
            let mut resolved =
                crate::kubeadm::tests::external(crate::cluster::Version::new(1, 36, 3));
            let archive = EtcdArchive {
                version: Version::new(3, 6, 8),
                url: URL.to_owned(),
                sha256: sha256.map(str::to_owned),
            };
            resolved.cluster.topology = Topology::External(EtcdSource::Archive(archive.clone()));
            let root = self.0.path().display().to_string();
            let Resource::Command(command) = unpack(&resolved, &archive) else {
                panic!("no command")
            };
            let script = command
                .script
                .to_string()
                .replace(crate::resource::tests::FETCHES, "kdiy_get ")
                .replace("/usr/local/lib/kdiy", &root)
                .replace("dpkg --print-architecture", "echo amd64");
            let get = format!(
                "set -eu\nkdiy_tmp={root}/tmp\nkdiy_get() {{ cp -- \"{root}/${{1##*/}}\" \"$2\"; }}\n"
            );
            let out = Process::new("sh")
                .args(["-c", &format!("{get}{script}")])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8(out.stderr).unwrap();
            match out.status.success() {
                true => Ok(()),
                false => Err(said.lines().last().unwrap_or_default().to_owned()),
            }
        }
    }

    const ALL: [&str; 3] = ["etcd", "etcdctl", "etcdutl"];
    const SAYS: &str = "etcd Version: 3.6.8";

    fn hash(path: &Path) -> String {
        crate::resource::sha256_hex(&std::fs::read(path).unwrap())
    }

    #[test]
    fn an_archive_is_unpacked_once_its_hash_fits() {
        let mirror = Mirror::of(SAYS, &ALL);
        assert_eq!(mirror.unpack(None), Ok(()));
        assert!(
            ALL.iter()
                .all(|name| mirror.path("etcd-3.6.8").join(name).exists())
        );
        let mirror = Mirror::of(SAYS, &ALL);
        let hash = hash(&mirror.path("etcd-v3.6.8-linux-amd64.tar.gz"));
        // The inventory's word counts, not what is beside it.
        std::fs::write(mirror.path("SHA256SUMS"), "").unwrap();
        assert_eq!(mirror.unpack(Some(&hash)), Ok(()));
        assert!(
            mirror
                .path(&format!("etcd-3.6.8-{}", &hash[..12]))
                .join("etcd")
                .exists()
        );
    }

    #[test]
    fn what_is_not_as_it_should_be_is_not_taken() {
        let wrong = "0123456789abcdef".repeat(4);
        let other = Mirror::of(SAYS, &ALL);
        let refused = other.unpack(Some(&wrong)).unwrap_err();
        assert!(
            refused.ends_with("another sha256 than the inventory says"),
            "{refused}"
        );
        let line = format!("{wrong}  etcd-v3.6.8-linux-amd64.tar.gz\n");
        std::fs::write(other.path("SHA256SUMS"), line).unwrap();
        let refused = other.unpack(None).unwrap_err();
        assert!(refused.ends_with("v3.6.8/SHA256SUMS says"), "{refused}");
        std::fs::write(other.path("SHA256SUMS"), "").unwrap();
        let refused = other.unpack(None).unwrap_err();
        assert!(
            refused.contains("does not name etcd-v3.6.8-linux-amd64.tar.gz"),
            "{refused}"
        );
        assert!(!other.path("etcd-3.6.8").exists());
        let older = Mirror::of("etcd Version: 3.5.9", &ALL);
        let refused = older.unpack(None).unwrap_err();
        assert!(
            refused.ends_with("holds etcd 3.5.9, not 3.6.8"),
            "{refused}"
        );
        let half = Mirror::of(SAYS, &ALL[..2]);
        let refused = half.unpack(None).unwrap_err();
        assert!(refused.contains("no program etcdutl"), "{refused}");
        assert!(!half.path("etcd-3.6.8").exists());
    }
}
