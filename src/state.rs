//! What kdiy keeps beside the inventory: `.kdiy/<cluster>/`, with the PKI, the
//! administrator's kubeconfig and the logs of each run. The hosts are the
//! truth: losing this directory does not lose the cluster.
//!
//! Directories are 0700 and files 0600, whatever the umask. What others own
//! or may enter, and every symbolic link, is refused: keys are in here.

mod guard;
mod incoming;
pub mod journal;
pub mod log;
mod runs;

use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use crate::cluster::Name;
use crate::pki::{self, ClusterCas, Difference, SecretboxKey, compare};

pub use incoming::Incoming;
pub use runs::{Record, Run, Steps};

/// The directory of all clusters beside an inventory.
pub const DIRECTORY: &str = ".kdiy";
const PKI: &str = "pki";
/// A PKI that is not whole yet, renamed to [`PKI`] in one go.
const PARTIAL: &str = "pki.partial";
/// The key of encryption at rest, in [`PKI`].
const SECRETBOX: &str = "secretbox.key";
const KUBECONFIG: &str = "kubeconfig";
/// Host keys that the inventory pins, as ssh reads them.
const HOST_KEYS: &str = "host-keys";

/// The state of one cluster.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("{verb} {}: {source}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A symbolic link, or something else that is neither file nor directory.
    #[error("{} is not a plain {wanted}; keys are kept there, so links are refused: put the real {wanted} in its place", path.display())]
    NotPlain {
        /// Path of the file or directory.
        path: PathBuf,
        /// `file` or `directory`.
        wanted: &'static str,
    },
    /// Somebody else's.
    #[error("{path} belongs to user {owner}, kdiy runs as user {user}; run `sudo chown -R {user} {path}` if it is yours", path = path.display())]
    OtherOwner {
        /// Path of the file or directory.
        path: PathBuf,
        /// Numeric id of its owner.
        owner: u32,
        /// Numeric id of the user who runs kdiy.
        user: u32,
    },
    /// Others may read or change it.
    #[error("{path} has mode {mode:04o}, so others may get at the cluster's keys; run `chmod {} {path}`", if *.directory { "0700" } else { "0600" }, path = path.display())]
    Exposed {
        /// Path of the file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Whether it is a directory.
        directory: bool,
    },
    /// It has other names, through which it may be read and changed.
    #[error("{path} has {others} other names somewhere (hard links), and keys are kept there; run `cp -p {path} {path}.own && mv {path}.own {path}`", path = path.display())]
    Linked {
        /// Path of the file or directory.
        path: PathBuf,
        /// How many.
        others: u64,
    },
    /// Something is there already, and was not to be replaced.
    #[error("{} is there already", _0.display())]
    Exists(PathBuf),
    /// The PKI in it cannot be used.
    #[error("{}: {source}", path.display())]
    Pki {
        /// The directory of the PKI.
        path: PathBuf,
        /// What is wrong with it.
        source: pki::Error,
    },
    /// There is another PKI in it already.
    #[error("{} holds other authorities already, and kdiy never overwrites them: {difference}", path.display())]
    OtherCas {
        /// The directory of the PKI.
        path: PathBuf,
        /// In what they differ.
        difference: Difference,
    },
    /// A file that should be text is not.
    #[error("{} is not UTF-8 text; restore it from a backup", path.display())]
    NotText {
        /// Path of the file.
        path: PathBuf,
    },
}

impl Error {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "state-io",
            Self::NotPlain { .. } => "state-not-plain",
            Self::OtherOwner { .. } => "state-foreign",
            Self::Exposed { .. } => "state-exposed",
            Self::Linked { .. } => "state-linked",
            Self::Exists(_) => "state-exists",
            Self::Pki { source, .. } => source.code(),
            Self::OtherCas { .. } => "state-other-authorities",
            Self::NotText { .. } => "state-not-text",
        }
    }
}

/// Writes a file that only the user may read, in one go.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    guard::write(path, content)
}

impl State {
    /// Opens the state of a cluster in the directory that holds its inventory,
    /// and makes it where there is none.
    ///
    /// # Errors
    /// When it cannot be made, or is not the user's own and private.
    pub fn open(base: &Path, cluster: &Name) -> Result<Self, Error> {
        let all = base.join(DIRECTORY);
        guard::directory(&all)?;
        let ignore = all.join(".gitignore");
        if guard::read(&ignore)?.is_none() {
            guard::write(&ignore, b"*\n")?;
        }
        let root = all.join(cluster.as_str());
        guard::directory(&root)?;
        Ok(Self { root })
    }

    /// The state of a cluster, if there is one: nothing is made.
    ///
    /// # Errors
    /// When it is not the user's own and private.
    pub fn existing(base: &Path, cluster: &Name) -> Result<Option<Self>, Error> {
        let all = base.join(DIRECTORY);
        let root = all.join(cluster.as_str());
        let there = guard::is_directory(&all)? && guard::is_directory(&root)?;
        Ok(there.then_some(Self { root }))
    }

    /// Keeps the key of a host as a known_hosts file of one line; says where.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_host_key(&self, host: &Name, line: &str) -> Result<PathBuf, Error> {
        let directory = self.root.join(HOST_KEYS);
        guard::directory(&directory)?;
        let path = directory.join(host.as_str());
        guard::write(&path, format!("{line}\n").as_bytes())?;
        Ok(path)
    }

    /// The directory of this cluster.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The authorities, if any are kept.
    ///
    /// # Errors
    /// When they are exposed, incomplete, spoiled or not valid at `now`.
    pub fn cas(&self, now: OffsetDateTime) -> Result<Option<ClusterCas>, Error> {
        let directory = self.root.join(PKI);
        if !guard::is_directory(&directory)? {
            return Ok(None);
        }
        let mut files = Vec::new();
        for name in pki::cluster_cas::FILES {
            let path = directory.join(name);
            if let Some(parent) = path.parent() {
                guard::is_directory(parent)?;
            }
            if let Some(text) = guard::read(&path)? {
                files.push((name, text));
            }
        }
        let file = |name: &str| {
            files
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, text)| text.clone())
        };
        ClusterCas::from_files(file, now)
            .map(Some)
            .map_err(|source| Error::Pki {
                path: directory,
                source,
            })
    }

    /// Keeps authorities: all their files at once, or none.
    ///
    /// # Errors
    /// When other authorities are kept already; those stay as they are.
    pub fn save_cas(&self, cas: &ClusterCas, now: OffsetDateTime) -> Result<(), Error> {
        let path = self.root.join(PKI);
        if let Some(kept) = self.cas(now)? {
            return compare(&kept.fingerprints(), &cas.fingerprints())
                .map_err(|difference| Error::OtherCas { path, difference });
        }
        let partial = self.root.join(PARTIAL);
        guard::remove_directory(&partial)?;
        guard::directory(&partial)?;
        for file in cas.files() {
            let path = partial.join(file.path);
            if let Some(parent) = path.parent() {
                guard::directory(parent)?;
            }
            guard::write(&path, file.content.expose_secret().as_bytes())?;
        }
        guard::rename(&partial, &path)
    }

    /// The key of encryption at rest, if one is kept.
    ///
    /// # Errors
    /// When it is exposed or spoiled.
    pub fn secretbox_key(&self) -> Result<Option<SecretboxKey>, Error> {
        let directory = self.root.join(PKI);
        if !guard::is_directory(&directory)? {
            return Ok(None);
        }
        let Some(text) = guard::read(&directory.join(SECRETBOX))? else {
            return Ok(None);
        };
        SecretboxKey::from_base64(SECRETBOX, text.expose_secret())
            .map(Some)
            .map_err(|source| Error::Pki {
                path: directory,
                source,
            })
    }

    /// Keeps the key of encryption at rest, beside the authorities.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_secretbox_key(&self, key: &SecretboxKey) -> Result<(), Error> {
        let directory = self.root.join(PKI);
        guard::directory(&directory)?;
        let text = key.base64().expose_secret();
        guard::write(&directory.join(SECRETBOX), text.as_bytes())
    }

    /// The administrator's kubeconfig, if one is kept.
    ///
    /// # Errors
    /// When it cannot be read, or is exposed.
    pub fn kubeconfig(&self) -> Result<Option<SecretString>, Error> {
        guard::read(&self.root.join(KUBECONFIG))
    }

    /// Keeps the administrator's kubeconfig; says where.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_kubeconfig(&self, text: &SecretString) -> Result<PathBuf, Error> {
        let path = self.root.join(KUBECONFIG);
        guard::write(&path, text.expose_secret().as_bytes())?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests;
