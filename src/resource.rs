//! What a host can be made to have, and how each kind is asked about,
//! compared and applied. A kind is one file: its probe fragment, the
//! parser of its answer, its difference and its apply fragment.

mod answer;
pub mod certificate;
pub mod command;
pub mod directory;
pub mod file;
mod hash;
pub mod module;
pub mod packages;
mod paths;
pub mod repository;
pub mod service;
pub mod swap;
pub mod sysctl;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use zeroize::Zeroizing;

pub use answer::{AnswerError, Answers, SECTION_FUNCTION, section};
pub use certificate::{Certificate, Keeping, Subject, Usage};
pub use command::{Command, Done, Input};
pub use directory::Directory;
pub use file::{Check, Content, File, OnDiffer};
pub use hash::{hex, sha256_hex};
pub use module::{Module, Provides};
pub use packages::{APT_FUNCTION, Package, Packages, Rival};
pub use repository::{DOWNLOAD_FUNCTIONS, FETCH_FUNCTION, Repository, RepositoryKey};
pub use service::{OnChange, STAMP_FUNCTION, Service};
pub use swap::Swap;
pub use sysctl::Sysctl;

use crate::shell::Script;

/// Something that a host shall have, or that shall be done there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// A directory with its mode.
    Directory(Directory),
    /// A file with its whole content.
    File(File),
    /// A certificate with its key.
    Certificate(Certificate),
    /// A kernel module, or the built-in feature it stands for.
    Module(Module),
    /// A kernel parameter, as it is now.
    Sysctl(Sysctl),
    /// No swap, now and after a reboot.
    Swap(Swap),
    /// An apt repository with its own keyring.
    Repository(Repository),
    /// Packages, installed in one go.
    Packages(Packages),
    /// A systemd unit.
    Service(Service),
    /// A guarded command; also readiness waits.
    Command(Command),
}

/// Names a resource on its host, across probe, observation and plan.
pub type Key = String;

/// What was seen of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Of a directory.
    Directory(directory::Seen),
    /// Of a file.
    File(file::Seen),
    /// Of a certificate.
    Certificate(certificate::Seen),
    /// Of a module: whether its feature is there.
    Module(bool),
    /// Of a kernel parameter: its value, if the kernel knows it.
    Sysctl(Option<String>),
    /// Of swap.
    Swap(swap::Seen),
    /// Of a repository.
    Repository(repository::Seen),
    /// Of packages, in their order.
    Packages(Vec<packages::Seen>),
    /// Of a unit.
    Service(service::Seen),
    /// Of a command: whether there is nothing left to do.
    Command(bool),
}

/// What has to be done about one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Created, changed or run.
    pub verb: Verb,
    /// A line for each particular, such as `mode 0600 -> 0644`.
    pub details: Vec<String>,
    /// What is taken from the host, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removes: Vec<String>,
    /// The text of a file before and after; never of a secret one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextChange>,
}

/// Text before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextChange {
    /// As it is; empty when there is none.
    pub before: String,
    /// As it shall be.
    pub after: String,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// It was not there.
    Create,
    /// It was there, but different.
    Change,
    /// A command runs.
    Run,
    /// Something is waited for.
    Wait,
}

/// Why a resource cannot be applied without harm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct ReplaceError {
    /// The resource.
    pub what: String,
    /// The reason, with the way out.
    pub why: String,
}

impl Difference {
    /// A difference without particulars.
    #[must_use]
    pub fn plain(verb: Verb) -> Self {
        Self {
            verb,
            details: Vec::new(),
            removes: Vec::new(),
            text: None,
        }
    }

    /// A difference with particulars.
    #[must_use]
    pub fn with(verb: Verb, details: Vec<String>) -> Self {
        Self {
            verb,
            details,
            removes: Vec::new(),
            text: None,
        }
    }
}

impl Resource {
    /// Its name on its host.
    #[must_use]
    pub fn key(&self) -> Key {
        format!("{} {}", self.kind(), self.name())
    }

    /// The kind, as shown.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Directory(_) => "directory",
            Self::File(_) => "file",
            Self::Certificate(_) => "certificate",
            Self::Module(_) => "module",
            Self::Sysctl(_) => "sysctl",
            Self::Swap(_) => "swap",
            Self::Repository(_) => "repository",
            Self::Packages(_) => "packages",
            Self::Service(_) => "service",
            Self::Command(_) => "command",
        }
    }

    /// The path where something shall stand.
    fn stood_at(&self) -> Option<&str> {
        match self {
            Self::Directory(directory) => Some(&directory.path),
            Self::File(file) => Some(&file.path),
            _ => None,
        }
    }

    /// The files that are known by their SHA-256.
    fn summed(&self) -> Vec<String> {
        match self {
            Self::File(file) => vec![file.path.clone()],
            Self::Repository(repository) => repository.paths().into(),
            _ => Vec::new(),
        }
    }

    /// The name within its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Directory(directory) => &directory.path,
            Self::File(file) => &file.path,
            Self::Certificate(certificate) => &certificate.path,
            Self::Module(module) => &module.name,
            Self::Sysctl(sysctl) => &sysctl.key,
            Self::Swap(_) => "off",
            Self::Repository(repository) => &repository.name,
            Self::Packages(packages) => &packages.name,
            Self::Service(service) => &service.unit,
            Self::Command(command) => &command.name,
        }
    }

    /// What separates the host from this resource; `None` when nothing does.
    ///
    /// # Errors
    /// When what is there must not be replaced.
    ///
    /// # Panics
    /// When `seen` is of another kind: a bug of the caller.
    pub fn diff(&self, seen: &Seen) -> Result<Option<Difference>, ReplaceError> {
        Ok(match (self, seen) {
            (Self::Directory(directory), Seen::Directory(seen)) => directory.diff(seen),
            (Self::File(file), Seen::File(seen)) => return file.diff(seen),
            (Self::Certificate(certificate), Seen::Certificate(seen)) => certificate.diff(seen),
            (Self::Module(_), Seen::Module(loaded)) => {
                (!loaded).then(|| Difference::with(Verb::Run, vec!["load it".to_owned()]))
            }
            (Self::Sysctl(sysctl), Seen::Sysctl(value)) => sysctl.diff(value.as_deref()),
            (Self::Swap(_), Seen::Swap(seen)) => Swap::diff(seen),
            (Self::Repository(repository), Seen::Repository(seen)) => repository.diff(seen),
            (Self::Packages(packages), Seen::Packages(seen)) => return packages.diff(seen),
            (Self::Service(service), Seen::Service(seen)) => service.diff(seen),
            (Self::Command(command), Seen::Command(done)) => command.diff(*done),
            _ => unreachable!(
                "{} was compared with another kind's observation",
                self.key()
            ),
        })
    }

    /// The functions that the fragment calls which applies it, each file after
    /// those whose functions it calls.
    #[must_use]
    pub const fn functions(&self) -> &'static [&'static str] {
        match self {
            Self::Directory(_) | Self::Swap(_) => &[],
            Self::File(_) => &[file::OWN_FUNCTION, file::PUT_FUNCTION],
            Self::Certificate(_) => &[
                file::OWN_FUNCTION,
                file::PUT_FUNCTION,
                certificate::FUNCTIONS,
            ],
            Self::Module(_) => &[module::FUNCTIONS],
            Self::Sysctl(_) => &[sysctl::FUNCTIONS],
            Self::Repository(_) => &[
                APT_FUNCTION,
                FETCH_FUNCTION,
                repository::KEYS,
                repository::FUNCTIONS,
            ],
            Self::Packages(_) => &[APT_FUNCTION],
            Self::Service(_) => &[STAMP_FUNCTION, service::FUNCTIONS],
            // It brings others itself.
            Self::Command(_) => &[APT_FUNCTION, command::FUNCTIONS],
        }
    }

    /// The fragment that applies it, from what was seen; after
    /// [`Self::functions`].
    #[must_use]
    pub fn apply(&self, seen: &Seen, fill: &dyn Fn(&Content) -> Zeroizing<String>) -> Script {
        match (self, seen) {
            (Self::Directory(directory), _) => directory.apply(),
            (Self::File(file), Seen::File(seen)) => file.apply(seen, &fill(&file.content)),
            (Self::Certificate(certificate), Seen::Certificate(seen)) => {
                certificate.apply(seen, fill)
            }
            (Self::Module(module), _) => module.apply(),
            (Self::Sysctl(sysctl), _) => sysctl.apply(),
            (Self::Swap(_), _) => Swap::apply(),
            (Self::Repository(repository), _) => repository.apply(),
            (Self::Packages(packages), Seen::Packages(seen)) => packages.apply(seen),
            (Self::Service(service), _) => service.apply(),
            (Self::Command(command), _) => command.apply(fill),
            _ => unreachable!("{} was applied from another kind's observation", self.key()),
        }
    }
}

/// One probe fragment for all resources of a host: a section for each kind.
#[must_use]
pub fn probe(resources: &[&Resource]) -> Script {
    macro_rules! of_kind {
        ($kind:ident) => {
            resources
                .iter()
                .filter_map(|r| {
                    if let Resource::$kind(inner) = r {
                        Some(inner)
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>()
        };
    }
    let stats: Vec<_> = resources.iter().filter_map(|r| r.stood_at()).collect();
    let sums: Vec<_> = resources.iter().flat_map(|r| r.summed()).collect();
    paths::probe(&stats, &sums)
        .then(&file::probe(&of_kind!(File)))
        .then(&certificate::probe(&of_kind!(Certificate)))
        .then(&module::probe(&of_kind!(Module)))
        .then(&sysctl::probe(&of_kind!(Sysctl)))
        .then(&swap::probe(&of_kind!(Swap)))
        .then(&repository::probe(&of_kind!(Repository)))
        .then(&packages::probe(&of_kind!(Packages)))
        .then(&service::probe(&of_kind!(Service)))
        .then(&command::probe(&of_kind!(Command)))
}

/// Reads the answers to [`probe`] for the same resources.
///
/// # Errors
/// When an answer is missing or cannot be read.
pub fn parse(
    resources: &[&Resource],
    answers: &Answers,
) -> Result<BTreeMap<Key, Seen>, AnswerError> {
    resources
        .iter()
        .map(|resource| {
            let seen = match resource {
                Resource::Directory(directory) => Seen::Directory(directory.parse(answers)?),
                Resource::File(file) => Seen::File(file.parse(answers)?),
                Resource::Certificate(certificate) => {
                    Seen::Certificate(certificate.parse(answers)?)
                }
                Resource::Module(module) => Seen::Module(module.parse(answers)?),
                Resource::Sysctl(sysctl) => Seen::Sysctl(sysctl.parse(answers)?),
                Resource::Swap(_) => Seen::Swap(Swap::parse(answers)?),
                Resource::Repository(repository) => Seen::Repository(repository.parse(answers)?),
                Resource::Packages(packages) => Seen::Packages(packages.parse(answers)?),
                Resource::Service(service) => Seen::Service(service.parse(answers)?),
                Resource::Command(command) => Seen::Command(command.parse(answers)?),
            };
            Ok((resource.key(), seen))
        })
        .collect()
}
