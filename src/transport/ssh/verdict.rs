//! What known_hosts says of the key or certificate that a host shows. As in
//! ssh a certificate that does not count is no harm: the key in it is looked
//! at as if it had been shown alone.

use std::sync::Arc;

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};
use time::OffsetDateTime;

use super::route::Hop;
use crate::transport::error::{Error, Line, UnknownKey};
use crate::transport::host_certificate::{self, CertificateError};
use crate::transport::known_hosts::{Entry, KnownHosts, Marker, entry_line};

/// A known_hosts file and its path.
pub(super) type Read = (std::path::PathBuf, Arc<KnownHosts>);

/// What known_hosts says of a key.
pub(super) enum Verdict {
    Known,
    Unknown(Box<UnknownKey>),
}

/// What a host showed.
pub(super) struct Shown<'a> {
    pub key: PublicKey,
    certificate: Option<&'a Certificate>,
}

/// An entry that matches the host.
struct Seen<'a> {
    entry: &'a Entry,
    at: Line,
    /// Whether it has the host's first name. The entry without a port only
    /// vouches; it may be of another sshd on the same machine.
    exact: bool,
}

impl<'a> Shown<'a> {
    /// `None` for a key that is a certificate in disguise.
    pub(super) fn of(shown: &'a PublicKeyOrCertificate) -> Option<Self> {
        let (key, certificate) = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => (key.clone(), None),
            PublicKeyOrCertificate::Certificate(certificate) => {
                let key = PublicKey::new(certificate.public_key().clone(), "");
                (key, Some(certificate))
            }
        };
        (!matches!(key.key_data(), KeyData::Certificate(_))).then_some(Self { key, certificate })
    }

    pub(super) fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn kind(&self) -> String {
        self.key.algorithm().to_string()
    }
}

/// Looks a host up. Keys that have changed or are revoked are errors.
pub(super) fn look_up(
    hop: &Hop,
    files: &[Read],
    shown: &Shown<'_>,
    now: OffsetDateTime,
) -> Result<Verdict, Error> {
    let seen = entries(hop, files);
    check_revoked(hop, &seen, shown)?;
    let doubt = match by_authority(hop, &seen, shown.certificate, now) {
        Ok(()) => return Ok(Verdict::Known),
        Err(doubt) => doubt,
    };
    let keys = || seen.iter().filter(|seen| seen.is(Marker::HostKey));
    let same = |seen: &&Seen<'_>| seen.entry.key.key_data() == shown.key.key_data();
    if keys().filter(|seen| seen.exact).any(|seen| same(&seen)) {
        return Ok(Verdict::Known);
    }
    let others: Vec<&Seen<'_>> = keys().filter(|seen| seen.exact).collect();
    let kind = shown.key.algorithm();
    if let Some(changed) = others
        .iter()
        .find(|seen| seen.entry.key.algorithm() == kind)
    {
        return Err(Error::HostKeyChanged {
            address: hop.address(),
            kind: shown.kind(),
            fingerprint: shown.fingerprint(),
            at: changed.at.clone(),
        });
    }
    if others.is_empty() && keys().any(|seen| same(&seen)) {
        return Ok(Verdict::Known);
    }
    Ok(Verdict::Unknown(Box::new(UnknownKey {
        address: hop.address(),
        kind: shown.kind(),
        fingerprint: shown.fingerprint(),
        file: hop.user_known_hosts.first().cloned(),
        entry: entry_line(&hop.names[0], &shown.key),
        hashed: hop.hash_known_hosts,
        others: others.iter().map(|seen| seen.at.clone()).collect(),
        certificate: doubt,
    })))
}

impl Seen<'_> {
    fn is(&self, marker: Marker) -> bool {
        self.entry.marker == marker
    }
}

fn entries<'a>(hop: &'a Hop, files: &'a [Read]) -> Vec<Seen<'a>> {
    let mut seen = Vec::new();
    for (path, file) in files {
        for (place, name) in hop.names.iter().enumerate() {
            seen.extend(file.of(name).map(|entry| Seen {
                entry,
                at: Line {
                    path: path.clone(),
                    number: entry.line,
                },
                exact: place == 0,
            }));
        }
    }
    seen
}

/// Neither the key nor the authority that signed it may be revoked.
fn check_revoked(hop: &Hop, seen: &[Seen<'_>], shown: &Shown<'_>) -> Result<(), Error> {
    let revoked = seen.iter().filter(|seen| seen.is(Marker::Revoked));
    for Seen { entry, at, .. } in revoked {
        let (address, at) = (hop.address(), at.clone());
        if entry.key.key_data() == shown.key.key_data() {
            return Err(Error::HostKeyRevoked {
                address,
                kind: shown.kind(),
                fingerprint: shown.fingerprint(),
                at,
            });
        }
        let authority = shown.certificate.map(Certificate::signature_key);
        if authority == Some(entry.key.key_data()) {
            return Err(Error::HostAuthorityRevoked {
                address,
                fingerprint: entry.fingerprint(),
                at,
            });
        }
    }
    Ok(())
}

/// Whether an authority vouches for a host; if not, why not, where there is
/// one for it at all.
fn by_authority(
    hop: &Hop,
    seen: &[Seen<'_>],
    certificate: Option<&Certificate>,
    now: OffsetDateTime,
) -> Result<(), Option<CertificateError>> {
    let mut cas = seen.iter().filter(|seen| seen.is(Marker::CertAuthority));
    let Some(first) = cas.clone().next() else {
        return Err(None);
    };
    let Some(certificate) = certificate else {
        return Err(Some(CertificateError::Missing(first.at.clone())));
    };
    if cas.any(|seen| seen.entry.key.key_data() == certificate.signature_key()) {
        host_certificate::check(certificate, &hop.principal, now).map_err(Some)
    } else {
        let at = first.at.clone();
        Err(Some(CertificateError::other_authority(certificate, at)))
    }
}
