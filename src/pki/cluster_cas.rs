//! The authorities of one cluster, and their files as kubeadm lays them out.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use super::{Authority, Error, Fingerprint, SigningKey};

/// Files below `/etc/kubernetes/pki` that every control plane shares.
pub const FILES: [&str; 8] = [
    "ca.crt",
    "ca.key",
    "front-proxy-ca.crt",
    "front-proxy-ca.key",
    "etcd/ca.crt",
    "etcd/ca.key",
    "sa.key",
    "sa.pub",
];

/// Everything that a cluster's trust hangs on.
#[derive(Debug, Clone)]
pub struct ClusterCas {
    /// Signs API servers, kubelets and users.
    pub kubernetes: Authority,
    /// Signs the API server as a front proxy to its extensions.
    pub front_proxy: Authority,
    /// Signs etcd's members and clients.
    pub etcd: Authority,
    /// Signs service account tokens.
    pub service_account: SigningKey,
}

/// One file of a control plane's PKI.
#[derive(Debug, Clone)]
pub struct PkiFile {
    /// Path below `/etc/kubernetes/pki`.
    pub path: &'static str,
    /// Its mode, as kubeadm sets it; owner and group are root.
    pub mode: u32,
    /// Whether its content must never be shown.
    pub secret: bool,
    /// PEM.
    pub content: SecretString,
}

/// What tells two sets of authorities apart; public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprints {
    /// Of `ca.crt`.
    pub kubernetes: Fingerprint,
    /// Of `front-proxy-ca.crt`.
    pub front_proxy: Fingerprint,
    /// Of `etcd/ca.crt`.
    pub etcd: Fingerprint,
    /// Of the public key that belongs to `sa.key`.
    pub service_account: Fingerprint,
}

/// Files in which two sets of authorities differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Difference(Vec<(&'static str, Fingerprint, Fingerprint)>);

impl ClusterCas {
    /// Makes new authorities, named as kubeadm names them, valid for ten years.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(now: OffsetDateTime) -> Result<Self, Error> {
        Ok(Self {
            kubernetes: Authority::generate("kubernetes", now)?,
            front_proxy: Authority::generate("front-proxy-ca", now)?,
            etcd: Authority::generate("etcd-ca", now)?,
            service_account: SigningKey::generate()?,
        })
    }

    /// Reads the authorities from their files; `file` hands over the one at a
    /// path of [`FILES`]. Accepts kubeadm's own, RSA or EC.
    ///
    /// # Errors
    /// For the first file that is missing, unreadable, not an authority, not
    /// valid at `now`, or whose key is another's.
    pub fn from_files(
        file: impl Fn(&str) -> Option<SecretString>,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let secret = |path: &str| {
            file(path).ok_or_else(|| Error::Missing {
                file: path.to_owned(),
            })
        };
        let public = |path: &str| secret(path).map(|text| text.expose_secret().to_owned());
        let authority = |base: &str| {
            let (certificate, key) = (format!("{base}.crt"), format!("{base}.key"));
            let certificate = (certificate.as_str(), public(&certificate)?);
            Authority::from_pem(certificate, (&key, secret(&key)?), now)
        };
        Ok(Self {
            kubernetes: authority("ca")?,
            front_proxy: authority("front-proxy-ca")?,
            etcd: authority("etcd/ca")?,
            service_account: SigningKey::from_pem(secret("sa.key")?, public("sa.pub")?)?,
        })
    }

    /// A word that only this cluster's control planes and their keeper know,
    /// the same whenever it is asked for: nothing more has to be kept. Words
    /// of different purposes tell nothing of each other or of the key.
    #[must_use]
    pub fn derived(&self, purpose: &str, length: usize) -> SecretString {
        let key = self.service_account.private().expose_secret().trim();
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let tag = hmac::sign(&key, format!("kdiy {purpose}").as_bytes());
        let mut word = URL_SAFE_NO_PAD.encode(tag.as_ref());
        word.truncate(length);
        word.into()
    }

    /// The files of [`FILES`], in that order, with the modes that kubeadm
    /// gives them: certificates 0644, all keys 0600, even the public one.
    #[must_use]
    pub fn files(&self) -> Vec<PkiFile> {
        let cas = [&self.kubernetes, &self.front_proxy, &self.etcd];
        let contents = cas
            .into_iter()
            .flat_map(|authority| [authority.certificate().into(), authority.key().clone()])
            .chain([
                self.service_account.private().clone(),
                self.service_account.public().into(),
            ]);
        FILES
            .into_iter()
            .zip(contents)
            .map(|(path, content)| PkiFile {
                path,
                mode: if path.ends_with(".crt") { 0o644 } else { 0o600 },
                secret: path.ends_with(".key"),
                content,
            })
            .collect()
    }

    /// What tells these authorities from others.
    #[must_use]
    pub fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            kubernetes: self.kubernetes.fingerprint(),
            front_proxy: self.front_proxy.fingerprint(),
            etcd: self.etcd.fingerprint(),
            service_account: self.service_account.fingerprint(),
        }
    }
}

/// Compares what is here with what a host has.
///
/// # Errors
/// The files in which they differ.
pub fn compare(local: &Fingerprints, remote: &Fingerprints) -> Result<(), Difference> {
    let differing: Vec<_> = [
        ("ca.crt", local.kubernetes, remote.kubernetes),
        ("front-proxy-ca.crt", local.front_proxy, remote.front_proxy),
        ("etcd/ca.crt", local.etcd, remote.etcd),
        ("sa.key", local.service_account, remote.service_account),
    ]
    .into_iter()
    .filter(|(_, here, there)| here != there)
    .collect();
    if differing.is_empty() {
        Ok(())
    } else {
        Err(Difference(differing))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "the host has the authorities of another cluster in /etc/kubernetes/pki:"
        )?;
        for (file, here, there) in &self.0 {
            writeln!(f, "  {file}: SHA-256 here    {here}")?;
            writeln!(f, "  {file}: SHA-256 on host {there}")?;
        }
        f.write_str(
            "if the host's cluster is the one that is meant, move the pki directory of the state \
             away and run again: kdiy then reads the authorities from the host; if the host is to \
             leave its cluster, run `kubeadm reset` on it first",
        )
    }
}

#[cfg(test)]
mod tests;
