//! Whether the key that a host shows is its own: by the inventory's pin, or by
//! known_hosts, as strict as `StrictHostKeyChecking=yes`. tests/integration/ssh
//! compares the two.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::Preferred;
use russh::keys::{Algorithm, PublicKey};
use time::OffsetDateTime;

use super::UnknownHostKey;
use super::route::Hop;
use super::verdict::{self, Shown, Verdict};
use crate::transport::error::{Error, UnknownKey};
use crate::transport::known_hosts::{KnownHosts, Marker, hashed_line};
use crate::transport::local;

/// known_hosts files, each read once; all writing to them goes through here,
/// one entry at a time.
#[derive(Default)]
pub(super) struct Trust {
    files: Mutex<HashMap<PathBuf, Arc<KnownHosts>>>,
    /// Keys that hosts showed and that are those which the inventory pins.
    pinned: Mutex<HashMap<String, PublicKey>>,
}

impl Trust {
    /// Lets a key or a certificate pass, or says why not.
    pub(super) fn check(
        &self,
        hop: &Hop,
        shown: &Shown<'_>,
        policy: UnknownHostKey,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        if let Some(pin) = &hop.pin {
            check_pin(hop, shown, pin)?;
            let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
            pinned.insert(hop.address(), shown.key.clone());
            return Ok(());
        }
        match verdict::look_up(hop, &self.files(hop)?, shown, now)? {
            Verdict::Known => Ok(()),
            Verdict::Unknown(unknown)
                if policy == UnknownHostKey::Accept && unknown.others.is_empty() =>
            {
                self.learn(&unknown)
            }
            Verdict::Unknown(unknown) => Err(Error::HostKeyUnknown(unknown)),
        }
    }

    /// The key that a host showed, if it is the pinned one.
    pub(super) fn pinned(&self, hop: &Hop) -> Option<PublicKey> {
        let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.get(&hop.address()).cloned()
    }

    /// Writes a key to its known_hosts file, as ssh would. Nothing is written
    /// if the line is there already.
    pub(super) fn learn(&self, key: &UnknownKey) -> Result<(), Error> {
        let Some(path) = &key.file else {
            return Err(Error::HostKeyUnknown(Box::new(key.clone())));
        };
        let mut files = self.lock();
        let text = append(path, key).map_err(|error| Error::KnownHosts {
            path: path.clone(),
            why: error.to_string(),
        })?;
        files.insert(path.clone(), Arc::new(KnownHosts::parse(&text)));
        Ok(())
    }

    /// Whether a key was written to its known_hosts file since it was looked up.
    pub(super) fn has_learnt(&self, key: &UnknownKey) -> bool {
        let files = self.lock();
        let file = key.file.as_ref().and_then(|path| files.get(path));
        file.is_some_and(|file| file.has_line(&key.entry))
    }

    /// Host key algorithms in order of preference: those first by which the
    /// host is known, so that it shows a key that can be checked. A pin is of
    /// the usual first; what another machine had at this address says nothing.
    ///
    /// Certificates are wanted where an authority could vouch for one, or be
    /// revoked; they come before all plain keys then.
    pub(super) fn preferred(&self, hop: &Hop) -> Result<Preferred, Error> {
        let (mut known, mut certified, mut revoked) = (Vec::new(), false, false);
        let files = match &hop.pin {
            Some(_) => Vec::new(),
            None => self.files(hop)?,
        };
        for (place, name) in hop.names.iter().enumerate() {
            for entry in files.iter().flat_map(|(_, file)| file.of(name)) {
                match entry.marker {
                    Marker::HostKey if place == 0 => known.push(entry.key.algorithm()),
                    Marker::HostKey => {}
                    Marker::CertAuthority => certified = true,
                    Marker::Revoked => revoked = true,
                }
            }
        }
        let is_known = |algorithm: &Algorithm| {
            known
                .iter()
                .any(|kind| kind == algorithm || is_rsa(kind) && is_rsa(algorithm))
        };
        let (mut keys, rest): (Vec<_>, Vec<_>) = Preferred::DEFAULT
            .key
            .iter()
            // ssh-rsa signs with SHA-1.
            .filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None })
            .cloned()
            .partition(is_known);
        let mut certificates = keys.clone();
        if certified || keys.is_empty() {
            certificates.extend(rest.iter().cloned());
        }
        if !certified && !revoked {
            certificates.clear();
        }
        keys.extend(rest);
        Ok(Preferred {
            key: keys.into(),
            host_key_certificates: certificates.into(),
            ..Preferred::DEFAULT
        })
    }

    /// The known_hosts files of a host, in order.
    fn files(&self, hop: &Hop) -> Result<Vec<verdict::Read>, Error> {
        let paths = hop.user_known_hosts.iter().chain(&hop.global_known_hosts);
        paths
            .map(|path| Ok((path.clone(), self.file(path)?)))
            .collect()
    }

    fn file(&self, path: &Path) -> Result<Arc<KnownHosts>, Error> {
        let mut files = self.lock();
        if let Some(file) = files.get(path) {
            return Ok(Arc::clone(file));
        }
        let text = match local::bytes(path) {
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

fn check_pin(hop: &Hop, shown: &Shown<'_>, pin: &str) -> Result<(), Error> {
    let found = shown.fingerprint();
    // Some tools pad the base64.
    if pin.trim_end_matches('=') == found {
        return Ok(());
    }
    Err(Error::HostKeyPin {
        address: hop.address(),
        kind: shown.kind(),
        found,
        pinned: pin.to_owned(),
    })
}

const fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

/// Appends the line of a key to its file, which only its owner can read if it
/// is new, and hands back the whole text.
fn append(path: &Path, key: &UnknownKey) -> std::io::Result<String> {
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
    file.seek(SeekFrom::Start(0))?;
    let bytes = local::drain(&mut file)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if KnownHosts::parse(&text).has_line(&key.entry) {
        return Ok(text);
    }
    let line = match key.hashed {
        true => hashed_line(&key.entry)?,
        false => key.entry.clone(),
    };
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
