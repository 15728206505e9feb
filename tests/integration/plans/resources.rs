//! What a host answers about resources: as they were applied to it, or as the
//! state says.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kdiy::pki::{Authority, ClusterCas, LeafRequest};
use kdiy::resource::{
    Certificate, Content, Done, File, Keeping, Repository, RepositoryKey, Resource, sha256_hex,
};
use time::OffsetDateTime;

use super::answer::Answer;
use super::state::{Has, Other, Word};

/// The sections of one host, as they grow.
#[derive(Default)]
struct Sections {
    stat: String,
    sum: String,
    texts: String,
    certificate: String,
    module: String,
    sysctl: String,
    swap: String,
    repository: String,
    packages: String,
    service: String,
    stamp: String,
    command: String,
}

/// What is known of the certificates that a host has.
pub struct Issuer<'a> {
    pub cas: [&'a ClusterCas; 2],
    pub now: OffsetDateTime,
}

/// Answers for what is `asked`. The host has what was `applied` to it, unless
/// the state says otherwise.
pub fn answer(
    asked: &[&Resource],
    applied: &BTreeMap<String, Resource>,
    has: &BTreeMap<String, Has>,
    issuer: &Issuer,
    answer: &mut Answer,
) {
    let keys: Vec<_> = asked.iter().map(|resource| resource.key()).collect();
    let unknown: Vec<_> = has.keys().filter(|key| !keys.contains(key)).collect();
    assert!(
        unknown.is_empty(),
        "not asked about: {unknown:?}; it is {keys:#?}"
    );
    let mut sections = Sections {
        certificate: format!("now {}\n", issuer.now.unix_timestamp()),
        ..Sections::default()
    };
    for (resource, key) in asked.iter().zip(&keys) {
        match (applied.get(key), has.get(key)) {
            (_, Some(Has::Word(Word::Absent))) | (None, None) => sections.absent(resource),
            (applied, Some(Has::Word(Word::Stopped))) => {
                sections.stopped(applied.unwrap_or(resource))
            }
            (Some(applied), None) => sections.present(applied, &Other::default(), issuer),
            (applied, Some(Has::Other(other))) => {
                sections.present(applied.unwrap_or(resource), other, issuer);
            }
        }
    }
    sections.write(answer);
}

impl Sections {
    fn absent(&mut self, resource: &Resource) {
        match resource {
            Resource::Sysctl(sysctl) => self.sysctl(&sysctl.key, "0"),
            Resource::Swap(_) => self.swap.push_str("active /dev/sda2\nfstab UUID=1\n"),
            _ => {}
        }
    }

    fn stopped(&mut self, resource: &Resource) {
        let Resource::Service(service) = resource else {
            panic!("{} cannot be stopped", resource.key());
        };
        self.unit(&service.unit, &service.stamp, "inactive");
    }

    fn present(&mut self, resource: &Resource, other: &Other, issuer: &Issuer) {
        match resource {
            Resource::Directory(directory) => {
                self.stat(&directory.path, directory.mode, other, "directory");
            }
            Resource::File(file) => self.file(file, other),
            Resource::Certificate(certificate) => self.certificate(certificate, issuer),
            Resource::Module(module) => self.module.push_str(&format!("{} present\n", module.name)),
            Resource::Sysctl(sysctl) => {
                self.sysctl(&sysctl.key, other.value.as_ref().unwrap_or(&sysctl.value));
            }
            Resource::Swap(_) => {}
            Resource::Repository(repository) => self.repository(repository),
            Resource::Packages(packages) => {
                for package in &packages.all {
                    let wanted = || format!("{}1", package.version.as_deref().unwrap_or("1.2-"));
                    let version = other.versions.get(&package.name).cloned();
                    let version = version.unwrap_or_else(wanted);
                    let status = if package.hold { "hi" } else { "ii" };
                    let line = format!("{} {status}  {version}\n", package.name);
                    self.packages.push_str(&line);
                }
            }
            Resource::Service(service) => self.unit(&service.unit, &service.stamp, "active"),
            Resource::Command(command) => {
                if matches!(command.done, Done::Ask(_)) {
                    self.command.push_str(&format!("{} done\n", command.name));
                }
            }
        }
    }

    fn stat(&mut self, path: &str, mode: u32, other: &Other, kind: &str) {
        let mode = other.mode.clone().unwrap_or_else(|| format!("{mode:o}"));
        self.stat.push_str(&format!("{path} {mode} 0:0 {kind}\n"));
    }

    fn file(&mut self, file: &File, other: &Other) {
        self.stat(&file.path, file.mode, other, "regular file");
        let text = match (&other.text, &file.content) {
            (Some(text), _) | (None, Content::Plain(text) | Content::Filled(text)) => Some(text),
            (None, Content::Secret { .. }) => None,
        };
        let sum = text.map_or_else(|| file.content.sha256(), |text| sha256_hex(text.as_bytes()));
        self.sum.push_str(&format!("{sum}  {}\n", file.path));
        if let Some(text) = text {
            self.texts
                .push_str(&format!("{} {}\n{text}\n", file.path, text.len()));
        }
    }

    fn certificate(&mut self, certificate: &Certificate, issuer: &Issuer) {
        let pem = issued(certificate, issuer);
        let path = &certificate.path;
        let (mode, key) = match &certificate.keeping {
            Keeping::Apart {
                group: Some(group), ..
            } => ("644", format!("640 root:{group}")),
            Keeping::Apart { .. } => ("644", "600 root:root".to_owned()),
            Keeping::Linked => ("600", "600 root:root".to_owned()),
        };
        if certificate.keeping == Keeping::Linked {
            self.certificate.push_str(&format!("link {path} yes\n"));
        }
        self.certificate.push_str(&format!(
            "crt {path} {mode} root:root regular file\nkey {path} {key} regular file\n\
             pair {path} yes\nsum {path} {}\npem {path} {pem}\n",
            "0".repeat(64)
        ));
    }

    fn sysctl(&mut self, key: &str, value: &str) {
        let path = key.replace('.', "/");
        self.sysctl.push_str(&format!("/proc/sys/{path}:{value}\n"));
    }

    fn repository(&mut self, repository: &Repository) {
        let [list, key] = repository.paths();
        let key_sum = match &repository.key {
            RepositoryKey::Armored(text) => sha256_hex(text.as_bytes()),
            RepositoryKey::Pinned { fingerprint, .. } => {
                let line = format!("fpr {} {fingerprint}\n", repository.name);
                self.repository.push_str(&line);
                "0".repeat(64)
            }
        };
        let list_sum = sha256_hex(repository.list().as_bytes());
        self.sum
            .push_str(&format!("{list_sum}  {list}\n{key_sum}  {key}\n"));
    }

    fn unit(&mut self, unit: &str, stamp: &str, state: &str) {
        self.service.push_str(&format!(
            "Id={unit}\nActiveState={state}\nUnitFileState=enabled\n\n"
        ));
        self.stamp.push_str(&format!("{unit} {stamp}\n"));
    }

    fn write(self, answer: &mut Answer) {
        for (name, text) in [
            ("stat", self.stat),
            ("sum", self.sum),
            ("file-text", self.texts + "end"),
            ("certificate", self.certificate),
            ("module", self.module),
            ("sysctl", self.sysctl),
            ("swap", self.swap.trim_end().to_owned()),
            ("repository", self.repository),
            ("packages", self.packages),
            ("service", self.service),
            ("stamp", self.stamp),
            ("command", self.command),
        ] {
            answer.section(name, &text);
        }
    }
}

thread_local! {
    /// Leaves by their authority and subject: one is as good as another.
    static ISSUED: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// A leaf as a host has it, in one line.
fn issued(certificate: &Certificate, issuer: &Issuer) -> String {
    let key = format!("{}{:?}", certificate.authority, certificate.subject);
    let issue = || {
        let all = issuer.cas.into_iter();
        let mut all = all.flat_map(|cas| [&cas.kubernetes, &cas.front_proxy, &cas.etcd]);
        let of = |authority: &&Authority| authority.certificate() == certificate.authority;
        let authority = all.find(of).expect("an authority of the cluster");
        let leaf = authority.issue(&LeafRequest::from(&certificate.subject), issuer.now);
        leaf.unwrap().certificate.replace('\n', "|")
    };
    ISSUED.with_borrow_mut(|known| known.entry(key).or_insert_with(issue).clone())
}
