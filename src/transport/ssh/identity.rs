//! Identity files: read once and unlocked once for all hosts.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use russh::keys::{PrivateKey, PublicKey, decode_secret_key};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::Shared;
use crate::transport::error::IdentityError;
use crate::transport::local;

/// Wrong passphrases that are borne with, as ssh does.
const ATTEMPTS: u32 = 3;

/// What an identity file holds.
#[derive(Clone)]
pub(super) enum Identity {
    /// A key to sign with.
    Unlocked(Arc<PrivateKey>),
    /// An encrypted key; the public half is in it or beside it in `.pub`.
    Locked(Option<PublicKey>),
    /// The public half of a key that an agent may have.
    Public(PublicKey),
}

/// The identity files that were read.
#[derive(Default)]
pub(super) struct Identities {
    files: std::sync::Mutex<HashMap<PathBuf, Arc<Slot>>>,
}

type Slot = Mutex<Option<Result<Identity, IdentityError>>>;

impl Identity {
    pub(super) fn public(&self) -> Option<&PublicKey> {
        match self {
            Self::Unlocked(key) => Some(key.public_key()),
            Self::Locked(public) => public.as_ref(),
            Self::Public(public) => Some(public),
        }
    }
}

impl Identities {
    /// What a file holds.
    pub(super) async fn load(&self, path: &Path) -> Result<Identity, IdentityError> {
        let slot = self.slot(path);
        let mut known = slot.lock().await;
        known.get_or_insert_with(|| read(path)).clone()
    }

    /// The private key of a file; asks for its passphrase if it must.
    pub(super) async fn unlock(
        &self,
        shared: &Shared,
        path: &Path,
    ) -> Result<Arc<PrivateKey>, IdentityError> {
        let slot = self.slot(path);
        // Held while the operator thinks, so that other hosts wait for the
        // answer rather than ask again.
        let mut known = slot.lock().await;
        let unlocked = match known.get_or_insert_with(|| read(path)).clone()? {
            Identity::Unlocked(key) => return Ok(key),
            Identity::Public(_) => return Err(IdentityError::PublicOnly),
            Identity::Locked(_) => ask(shared, path).await,
        };
        *known = Some(unlocked.clone().map(Identity::Unlocked));
        unlocked
    }

    fn slot(&self, path: &Path) -> Arc<Slot> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(path.to_owned()).or_default())
    }
}

async fn ask(shared: &Shared, path: &Path) -> Result<Arc<PrivateKey>, IdentityError> {
    let text = text_of(path)?;
    let _one_question = shared.asking.lock().await;
    for attempt in 1..=ATTEMPTS {
        let Some(passphrase) = shared.operator.passphrase(path, attempt).await else {
            return Err(IdentityError::NoPassphrase);
        };
        let text = text.clone();
        // The key derivation is slow on purpose.
        let key = tokio::task::spawn_blocking(move || {
            decode_secret_key(&text, Some(&passphrase))
                .ok()
                .map(Arc::new)
        });
        if let Ok(Some(key)) = key.await {
            return Ok(key);
        }
    }
    Err(IdentityError::WrongPassphrase)
}

fn read(path: &Path) -> Result<Identity, IdentityError> {
    let text = text_of(path)?;
    if let Ok(public) = PublicKey::from_openssh(text.trim()) {
        return Ok(Identity::Public(public));
    }
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(IdentityError::TooOpen(mode));
    }
    match decode_secret_key(&text, None) {
        Ok(key) if !key.is_encrypted() => Ok(Identity::Unlocked(Arc::new(key))),
        Ok(key) => Ok(Identity::Locked(Some(key.public_key().clone()))),
        Err(russh::keys::Error::KeyIsEncrypted) => Ok(Identity::Locked(public_half(path, &text))),
        Err(error) if is_encrypted(&text) => {
            tracing::debug!("{}: {error}", path.display());
            Ok(Identity::Locked(public_half(path, &text)))
        }
        Err(error) => Err(IdentityError::NotAKey(error.to_string())),
    }
}

/// Whether the envelope of a PEM file says that it is encrypted.
fn is_encrypted(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("4,ENCRYPTED")
}

/// The public half of an encrypted key: OpenSSH's own format has it in clear,
/// for others it is beside it.
fn public_half(path: &Path, text: &str) -> Option<PublicKey> {
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return Some(key.public_key().clone());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let text = local::text(Path::new(&beside)).ok()?;
    PublicKey::from_openssh(text.trim()).ok()
}

fn text_of(path: &Path) -> Result<Zeroizing<String>, IdentityError> {
    local::text(path).map(Zeroizing::new).map_err(unreadable)
}

fn unreadable(error: std::io::Error) -> IdentityError {
    match error.kind() {
        ErrorKind::NotFound => IdentityError::Missing,
        _ => IdentityError::Unreadable(error.to_string()),
    }
}
