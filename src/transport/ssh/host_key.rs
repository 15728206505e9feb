//! Whether the key that a host shows is its own: by the inventory's pin, or by
//! known_hosts, as strict as `StrictHostKeyChecking=yes`.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::Preferred;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::UnknownHostKey;
use super::route::Hop;
use crate::transport::error::{Error, Line, UnknownKey};
use crate::transport::known_hosts::{KnownHosts, Marker, entry_line};

/// known_hosts files, each read once; all writing to them goes through here,
/// one entry at a time.
#[derive(Default)]
pub(super) struct Trust {
    files: Mutex<HashMap<PathBuf, Arc<KnownHosts>>>,
}

/// What known_hosts says of a key.
enum Verdict {
    Known,
    Unknown(Box<UnknownKey>),
}

impl Trust {
    /// Lets a key pass, or says why not.
    pub(super) fn check(
        &self,
        hop: &Hop,
        key: &PublicKey,
        policy: UnknownHostKey,
    ) -> Result<(), Error> {
        if let Some(pin) = &hop.pin {
            return check_pin(hop, key, pin);
        }
        match self.look_up(hop, key)? {
            Verdict::Known => Ok(()),
            Verdict::Unknown(unknown)
                if policy == UnknownHostKey::Accept && unknown.others.is_empty() =>
            {
                self.learn(&unknown)
            }
            Verdict::Unknown(unknown) => Err(Error::HostKeyUnknown(unknown)),
        }
    }

    /// Writes a key to its known_hosts file, as ssh would. Nothing is written
    /// if the line is there already.
    pub(super) fn learn(&self, key: &UnknownKey) -> Result<(), Error> {
        let mut files = self.lock();
        let text = append(&key.file, &key.entry).map_err(|error| Error::KnownHosts {
            path: key.file.clone(),
            why: error.to_string(),
        })?;
        files.insert(key.file.clone(), Arc::new(KnownHosts::parse(&text)));
        Ok(())
    }

    /// Whether a key was written to its known_hosts file since it was looked up.
    pub(super) fn has_learnt(&self, key: &UnknownKey) -> bool {
        self.lock()
            .get(&key.file)
            .is_some_and(|file| file.has_line(&key.entry))
    }

    /// Host key algorithms in order of preference: those first by which the
    /// host is known, so that it shows a key that can be checked. A pin is of
    /// the usual first; what another machine had at this address says nothing.
    pub(super) fn preferred(&self, hop: &Hop) -> Result<Vec<Algorithm>, Error> {
        let mut known = Vec::new();
        for path in files_of(hop).filter(|_| hop.pin.is_none()) {
            let file = self.file(path)?;
            for name in &hop.names {
                let keys = file
                    .of(name)
                    .filter(|entry| entry.marker == Marker::HostKey);
                known.extend(keys.map(|entry| entry.key.algorithm()));
            }
        }
        let is_known = |algorithm: &Algorithm| {
            known
                .iter()
                .any(|kind| kind == algorithm || is_rsa(kind) && is_rsa(algorithm))
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = Preferred::DEFAULT
            .key
            .iter()
            // ssh-rsa signs with SHA-1.
            .filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None })
            .cloned()
            .partition(is_known);
        first.extend(rest);
        Ok(first)
    }

    fn look_up(&self, hop: &Hop, key: &PublicKey) -> Result<Verdict, Error> {
        let kind = key.algorithm();
        let mut known = false;
        let mut changed = None;
        let mut others = Vec::new();
        for path in files_of(hop) {
            let file = self.file(path)?;
            for (place, name) in hop.names.iter().enumerate() {
                for entry in file.of(name) {
                    let at = Line {
                        path: path.clone(),
                        number: entry.line,
                    };
                    let same = entry.key.key_data() == key.key_data();
                    match entry.marker {
                        Marker::Revoked if same => {
                            return Err(Error::HostKeyRevoked {
                                address: hop.address(),
                                kind: kind.to_string(),
                                fingerprint: fingerprint(key),
                                at,
                            });
                        }
                        Marker::HostKey if same => known = true,
                        // The entry without port only vouches; it may be of
                        // another sshd on the same machine.
                        Marker::HostKey if place > 0 => {}
                        Marker::HostKey if entry.key.algorithm() == kind => {
                            changed.get_or_insert(at);
                        }
                        Marker::HostKey => others.push(at),
                        Marker::Revoked | Marker::CertAuthority => {}
                    }
                }
            }
        }
        if known {
            return Ok(Verdict::Known);
        }
        if let Some(at) = changed {
            return Err(Error::HostKeyChanged {
                address: hop.address(),
                kind: kind.to_string(),
                fingerprint: fingerprint(key),
                at,
            });
        }
        Ok(Verdict::Unknown(Box::new(UnknownKey {
            address: hop.address(),
            kind: kind.to_string(),
            fingerprint: fingerprint(key),
            file: hop
                .user_known_hosts
                .first()
                .cloned()
                .unwrap_or_else(|| "/dev/null".into()),
            entry: entry_line(&hop.names[0], key),
            others,
        })))
    }

    fn file(&self, path: &Path) -> Result<Arc<KnownHosts>, Error> {
        let mut files = self.lock();
        if let Some(file) = files.get(path) {
            return Ok(Arc::clone(file));
        }
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Error::KnownHosts {
                    path: path.to_owned(),
                    why: error.to_string(),
                });
            }
        };
        let file = Arc::new(KnownHosts::parse(&text));
        files.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<KnownHosts>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn files_of(hop: &Hop) -> impl Iterator<Item = &PathBuf> {
    hop.user_known_hosts.iter().chain(&hop.global_known_hosts)
}

fn check_pin(hop: &Hop, key: &PublicKey, pin: &str) -> Result<(), Error> {
    let found = fingerprint(key);
    // Some tools pad the base64.
    if pin.trim_end_matches('=') == found {
        return Ok(());
    }
    Err(Error::HostKeyPin {
        address: hop.address(),
        kind: key.algorithm().to_string(),
        found,
        pinned: pin.to_owned(),
    })
}

const fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Appends a line to a file that only its owner can read if it is new, and
/// hands back the whole text.
fn append(path: &Path, line: &str) -> std::io::Result<String> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if text.lines().any(|known| known == line) {
        return Ok(text);
    }
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let addition = format!("{gap}{line}\n");
    // One write of a file opened for appending does not mix with those of
    // other programs.
    file.write_all(addition.as_bytes())?;
    text.push_str(&addition);
    Ok(text)
}
