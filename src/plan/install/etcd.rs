//! External etcd: founded together, restarted one at a time, and joined one
//! at a time by hosts that were lost or are new.

use super::host::apt_proxy;
use super::{Site, file};
use crate::cluster::{EtcdArchive, EtcdSource, EtcdVersion, Node, Role, Settled, Topology};
use crate::etcd::member::{self, CA_FILE, FOREIGN_UNIT, PKI, UNIT};
use crate::etcd::script;
use crate::plan::etcd::{GroupState, HostState, Packaged};
use crate::plan::{Blueprint, StepId};
use crate::resource::{
    Command, DOWNLOAD, Directory, Done, File, OnDiffer, Package, Packages, Resource, Service,
    Settle, Verb,
};
use crate::shell::Script;
use crate::template::{HostFile, NOTICE};
use crate::vault::Vault;

/// Needed by the members and by what asks them.
const BASE: [&str; 3] = ["ca-certificates", "curl", "openssl"];

/// The distribution's packages of it.
const PACKAGES: [&str; 2] = ["etcd-client", "etcd-server"];

/// A member as it shall be on one host.
struct Member<'a> {
    node: &'a Node,
    state: HostState,
    service: Service,
}

/// Steps after which all members serve; none where etcd is stacked.
pub(super) fn group(site: &Site, blueprint: &mut Blueprint, vault: &mut Vault) -> Vec<StepId> {
    let Topology::External(source) = &site.settled.cluster.topology else {
        return Vec::new();
    };
    let members: Vec<_> = site
        .settled
        .with_role(Role::Etcd)
        .map(|node| {
            install(site, node, source, blueprint, vault);
            place_certificates(site, node, blueprint, vault);
            configure(site, node, blueprint, vault)
        })
        .collect();
    let begun = start(site, &members, blueprint);
    let mut healed = finish(site, &members, &begun, blueprint);
    healed.extend(join(site, &members, &healed, blueprint));
    let restarted = restart(site, &members, &healed, blueprint);
    let mut serving = gates(site, &members, blueprint);
    serving.extend(healed);
    serving.extend(restarted);
    serving
}

fn install(
    site: &Site,
    node: &Node,
    source: &EtcdSource,
    blueprint: &mut Blueprint,
    vault: &mut Vault,
) {
    if !node.runs_kubelet() {
        apt_proxy(site, node, blueprint, vault);
    }
    let hold = site.settled.cluster.packages.hold;
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
            vec![mask(), packages(&PACKAGES), new_enough(site, node)]
        }
        EtcdSource::Archive(archive) => {
            let mut all = vec![packages(&[])];
            all.extend(user());
            all.push(unpack(site.settled, archive));
            all
        }
    };
    blueprint.add(&node.name, "install etcd", all, &[]);
}

fn mask() -> Resource {
    let mask = Script::of("if systemctl is-active --quiet etcd.service; then\n")
        .lit("echo 'etcd.service runs here: a member that kdiy did not make' >&2\nexit 1\nfi\n")
        .lit("systemctl mask --quiet etcd.service");
    Resource::Command(Command {
        name: format!("the package's own {FOREIGN_UNIT}"),
        verb: Verb::Run,
        details: vec!["mask it, so that it never starts".to_owned()],
        done: Done::Ask(Script::of(
            "[ \"$(systemctl is-enabled etcd.service 2>/dev/null)\" = masked ]",
        )),
        script: mask,
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
        done: Done::Ask(Script::of("getent passwd etcd && getent group etcd")),
        script: Script::of("systemd-sysusers /etc/sysusers.d/kdiy-etcd.conf"),
        inputs: Vec::new(),
    };
    [
        Resource::File(File::plain("/etc/sysusers.d/kdiy-etcd.conf", 0o644, text)),
        Resource::Command(make),
    ]
}

/// What was packaged is known for certain only once it is installed; it has not
/// been started then.
fn new_enough(site: &Site, node: &Node) -> Resource {
    let oldest = EtcdVersion::OLDEST;
    let asked = EtcdVersion::of_kubernetes(site.settled.version.minor);
    let facts = site.facts.get(&node.name).and_then(|f| f.etcd.as_ref());
    let details = match facts.and_then(|facts| facts.packaged) {
        Some(Packaged::Offered(version) | Packaged::Installed(version)) => {
            format!("{version} of the distribution; kubeadm takes {oldest} and later")
        }
        None => format!("kubeadm takes {oldest} and later"),
    };
    let compare = Script::of("kdiy_etcd=$(dpkg-query -W -f '${Version}' etcd-server)\n")
        .lit("dpkg --compare-versions \"$kdiy_etcd\" ge ")
        .arg(oldest.to_string());
    let script = Script::of("if ! (\n")
        .then(&compare)
        .lit("\n); then\nprintf 'etcd %s is too old: %s\\n' \"$(dpkg-query -W -f '${Version}' etcd-server)\" ")
        .arg(format!(
            "kubeadm takes {oldest} and later; set `controlPlane.etcd.source: release` for {asked}"
        ))
        .lit(" >&2\nexit 1\nfi");
    Resource::Command(Command {
        name: "the version of etcd".to_owned(),
        verb: Verb::Run,
        details: vec![details],
        done: Done::Ask(compare),
        script,
        inputs: Vec::new(),
    })
}

/// Sets `kdiy_sum` to the hash of the archive at `$kdiy_url`, as the file
/// beside it says.
const SUM_BESIDE: &str = r#""${kdiy_url%/*}/SHA256SUMS" "$kdiy_tmp/SHA256SUMS"
kdiy_sum=
while read -r kdiy_hash kdiy_file _; do
  [ "${kdiy_file#\*}" != "${kdiy_url##*/}" ] || kdiy_sum=$kdiy_hash
done < "$kdiy_tmp/SHA256SUMS"
kdiy_by=${kdiy_url%/*}/SHA256SUMS
if [ -z "$kdiy_sum" ]; then
  echo "$kdiy_by does not name ${kdiy_url##*/}" >&2
  exit 1
fi
"#;

/// Unpacks the archive at `$kdiy_url` to `$kdiy_folder`, if it has the hash
/// `$kdiy_sum` and the version `$kdiy_version`.
const UNPACK: &str = r#"if ! printf '%s  %s\n' "$kdiy_sum" "$kdiy_tmp/etcd.tar.gz" | sha256sum --check --status -; then
  echo "what $kdiy_url gives has another sha256 than $kdiy_by says" >&2
  exit 1
fi
mkdir "$kdiy_tmp/etcd"
tar -xzf "$kdiy_tmp/etcd.tar.gz" --no-same-owner -C "$kdiy_tmp/etcd"
rm -rf -- "$kdiy_folder.kdiy-new"
install -d -m 0755 "$kdiy_folder.kdiy-new"
for kdiy_program in etcd etcdctl etcdutl; do
  find "$kdiy_tmp/etcd" -type f -name "$kdiy_program" -exec install -m 0755 -t "$kdiy_folder.kdiy-new" {} +
  if [ ! -x "$kdiy_folder.kdiy-new/$kdiy_program" ]; then
    echo "there is no program $kdiy_program in $kdiy_url" >&2
    exit 1
  fi
done
kdiy_has=$("$kdiy_folder.kdiy-new/etcd" --version | sed -n 's/^etcd Version: *//p')
if [ "$kdiy_has" != "$kdiy_version" ]; then
  echo "$kdiy_url holds etcd $kdiy_has, not $kdiy_version" >&2
  exit 1
fi
rm -rf -- "$kdiy_folder"
mv -T -- "$kdiy_folder.kdiy-new" "$kdiy_folder""#;

/// The programs of a release archive, which has them in a folder of its own
/// or at its top.
fn unpack(settled: &Settled, archive: &EtcdArchive) -> Resource {
    let folder = member::folder(archive);
    let sum = match &archive.sha256 {
        Some(sha256) => Script::of("kdiy_sum=")
            .arg(sha256)
            .lit(" kdiy_by='the inventory'\n"),
        None => Script::of(DOWNLOAD).lit(SUM_BESIDE),
    };
    let script = Script::of("kdiy_version=")
        .arg(archive.version.to_string())
        .lit(" kdiy_folder=")
        .arg(&folder)
        .lit("\nkdiy_url=$(printf %s ")
        .arg(&archive.url)
        .lit(" | sed \"s/{arch}/$(dpkg --print-architecture)/g\")\n")
        .then(&sum)
        .lit(DOWNLOAD)
        .lit("\"$kdiy_url\" \"$kdiy_tmp/etcd.tar.gz\"\n")
        .lit(UNPACK);
    Resource::Command(Command {
        name: "etcd's release archive".to_owned(),
        verb: Verb::Run,
        details: vec![format!(
            "etcd {} from {} to {folder}",
            archive.version, archive.url
        )],
        done: Done::Ask(
            Script::of("[ -x ")
                .arg(member::program(settled, "etcd"))
                .lit(" ]"),
        ),
        script,
        inputs: Vec::new(),
    })
}

/// The key of the authority is not among them: leaves are issued by kdiy.
fn place_certificates(site: &Site, node: &Node, blueprint: &mut Blueprint, vault: &mut Vault) {
    let authority = &site.trust.etcd_certificate;
    let mut ca = file(HostFile::public(CA_FILE, authority.clone()), vault);
    ca.on_differ = OnDiffer::Refuse(
        "this host has another etcd authority than kdiy's state directory; an etcd lives or lived \
         here. If it is this cluster's, restore the state directory; if it is another's, stop it \
         and move /etc/etcd and /var/lib/etcd away first"
            .to_owned(),
    );
    let directories = ["/etc/etcd", PKI].map(|path| {
        Resource::Directory(Directory {
            path: path.to_owned(),
            mode: 0o755,
        })
    });
    let mut all: Vec<_> = directories.into();
    all.push(Resource::File(ca));
    let leaves = member::certificates(site.settled, node, authority);
    all.extend(leaves.map(Resource::Certificate));
    blueprint.add(&node.name, "place etcd's certificates", all, &[]);
}

fn configure<'a>(
    site: &Site<'a>,
    node: &'a Node,
    blueprint: &mut Blueprint,
    vault: &mut Vault,
) -> Member<'a> {
    let rendered = member::files(site.settled, node, &site.trust.etcd_certificate);
    let files = rendered.map(|rendered| file(rendered, vault));
    // Certificates are not among what it reads: it takes them up by itself.
    let service = Service::new(UNIT, Settle::Restart, &[&files[0], &files[1]]);
    let group = &site.standing.etcd;
    let state = *group.hosts.get(&node.name).unwrap_or(&HostState::Serving);
    let mut all: Vec<_> = files.map(Resource::File).into();
    if state == HostState::Serving {
        all.push(Resource::Command(Command {
            name: "the first start of etcd".to_owned(),
            verb: Verb::Run,
            details: vec!["bring one that broke off to its end".to_owned()],
            done: Done::Ask(script::is_settled(&site.trust.etcd_certificate)),
            script: script::settle(&site.trust.etcd_certificate),
            inputs: Vec::new(),
        }));
    }
    blueprint.add(&node.name, "configure etcd", all, &[]);
    Member {
        node,
        state,
        service,
    }
}

/// Members of a new cluster are started side by side, since each waits for
/// the others; so are those that only do not run.
fn start(site: &Site, members: &[Member], blueprint: &mut Blueprint) -> Vec<StepId> {
    let authority = &site.trust.etcd_certificate;
    let founding = matches!(
        site.standing.etcd.state,
        GroupState::Blank | GroupState::Founding
    );
    let started =
        |member: &&Member| matches!(member.state, HostState::Founder | HostState::Stopped);
    let mut begun = Vec::new();
    for member in members.iter().filter(started) {
        let (script, details) = if founding {
            let script = script::found(site.settled, authority, &member.service);
            (script, "start it for the first time, with all others")
        } else {
            (script::start(&member.service), "start it")
        };
        let command = run("the etcd member", details, script);
        begun.push(blueprint.add(&member.node.name, "start etcd", vec![command], &[]));
    }
    begun
}

/// Waits for the members that were started.
fn finish(
    site: &Site,
    members: &[Member],
    begun: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let authority = &site.trust.etcd_certificate;
    let mut finished = Vec::new();
    for member in members {
        if matches!(member.state, HostState::Founder | HostState::Stopped) {
            let script = script::finish(member.node, &site.etcd(member.node), authority);
            let finish = run(
                "health of etcd",
                "wait for it and note whose its data is",
                script,
            );
            finished.push(blueprint.add(&member.node.name, "wait for etcd", vec![finish], begun));
        }
    }
    finished
}

/// A gate for each member that serves already.
fn gates(site: &Site, members: &[Member], blueprint: &mut Blueprint) -> Vec<StepId> {
    let mut gates = Vec::new();
    for member in members {
        if member.state == HostState::Serving {
            let host = &member.node.name;
            let wait = script::wait(member.node, &site.etcd(member.node));
            let wait = Command::wait(format!("the etcd member of {host}"), wait);
            gates.push(blueprint.add_needed(
                host,
                "wait for etcd",
                vec![Resource::Command(wait)],
                &[],
            ));
        }
    }
    gates
}

/// One after the other, after those that only had to be started. A host runs it all by
/// itself and asks whichever member answers, so nothing is done on the others.
fn join(
    site: &Site,
    members: &[Member],
    started: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let mut joining: Vec<_> = members
        .iter()
        .filter(|member| member.state == HostState::Joining)
        .collect();
    // etcd takes one learner at a time: one that is there comes first.
    joining.sort_by_key(|member| !is_learner(site, member.node));
    let mut joined = Vec::new();
    let names: Vec<_> = joining
        .iter()
        .map(|member| member.node.name.as_str())
        .collect();
    let mut before = started.to_vec();
    for (place, member) in joining.iter().enumerate() {
        // Those before it are members again by then.
        let script = script::join(
            site.settled,
            member.node,
            &names[place..],
            &site.trust.etcd_certificate,
            &member.service,
        );
        let details = "remove its dead entry if there is one, join as a learner, vote once in sync";
        let command = run("membership of etcd", details, script);
        let step = blueprint.add(&member.node.name, "join etcd", vec![command], &before);
        before = vec![step];
        joined.push(step);
    }
    joined
}

fn is_learner(site: &Site, node: &Node) -> bool {
    match &site.standing.etcd.state {
        GroupState::Live(members) => members.iter().any(|entry| {
            entry.learner && (entry.name.is_empty() || entry.name == node.name.as_str())
        }),
        _ => false,
    }
}

/// A member that runs takes up another configuration or program behind the
/// health of all others, one after the other. The others are asked from its own
/// host, so that one which kdiy does not reach counts as well. systemd calls it
/// started when it serves again.
fn restart(
    site: &Site,
    members: &[Member],
    healed: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let mut restarted: Vec<StepId> = Vec::new();
    for member in members.iter().filter(|m| m.state == HostState::Serving) {
        let host = &member.node.name;
        let others = members.iter().filter(|other| other.node.name != *host);
        let script = others.fold(Script::new(), |script, other| {
            script.then(&script::wait(other.node, &site.etcd(other.node)))
        });
        let mut before = healed.to_vec();
        before.extend(restarted.last());
        let wait = Command::wait("all other members of etcd".to_owned(), script);
        let wait = blueprint.add_needed(
            host,
            "wait for the other members of etcd",
            vec![Resource::Command(wait)],
            &before,
        );
        let service = vec![Resource::Service(member.service.clone())];
        restarted.push(blueprint.add(host, "restart etcd", service, &[wait]));
    }
    restarted
}

fn run(name: &str, details: &str, script: Script) -> Resource {
    Resource::Command(Command {
        name: name.to_owned(),
        verb: Verb::Run,
        details: vec![details.to_owned()],
        done: Done::Known(false),
        script,
        inputs: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let mut settled =
                crate::kubeadm::tests::external(crate::cluster::Version::new(1, 36, 3));
            let archive = EtcdArchive {
                version: EtcdVersion::new(3, 6, 8),
                url: URL.to_owned(),
                sha256: sha256.map(str::to_owned),
            };
            settled.cluster.topology = Topology::External(EtcdSource::Archive(archive.clone()));
            let root = self.0.path().display().to_string();
            let Resource::Command(command) = unpack(&settled, &archive) else {
                panic!("no command")
            };
            let script = command
                .script
                .to_string()
                .replace(DOWNLOAD, "kdiy_get ")
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
