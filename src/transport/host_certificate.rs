//! Certificates that hosts show in place of plain keys: whether one vouches
//! for a host, by the rules of ssh(1), "CERTIFICATES", and `PROTOCOL.certkeys`.

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg};
use time::OffsetDateTime;

use super::error::Line;

/// Names of a certificate that are told of; a host may send thousands.
const MOST_LISTED: usize = 4;

/// Why the certificate of a host does not vouch for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The host has none.
    #[error("the host has no certificate of the authority at {0}")]
    Missing(Line),
    /// Another authority signed it.
    #[error("its certificate is of another authority ({fingerprint}) than the one at {at}")]
    OtherAuthority {
        /// `SHA256:...` of the authority that signed.
        fingerprint: String,
        /// An authority that would count.
        at: Line,
    },
    /// The authority did not sign this.
    #[error("the signature of its certificate is wrong")]
    Signature,
    /// The signature is of a kind that is not safe.
    #[error("its certificate is signed by {0}, which is not safe")]
    Unsafe(String),
    /// It is the certificate of a user.
    #[error("its certificate is one for users, not for hosts")]
    NotForHosts,
    /// It is not valid yet.
    #[error("its certificate is valid only from {0}")]
    Early(String),
    /// It is not valid any more.
    #[error("its certificate expired on {0}")]
    Expired(String),
    /// It is the certificate of other hosts.
    #[error("its certificate is for {}, not for {name}", listed(names))]
    OtherHost {
        /// The name that the host was called by.
        name: String,
        /// The names in the certificate.
        names: Vec<String>,
    },
    /// It wants something heeded that is not known here.
    #[error("its certificate has conditions that are not known here: {}", listed(.0))]
    Conditions(Vec<String>),
}

impl CertificateError {
    /// Names an authority that would count, where none signed the certificate.
    #[must_use]
    pub fn other_authority(certificate: &Certificate, at: Line) -> Self {
        let fingerprint = certificate.signature_key().fingerprint(HashAlg::Sha256);
        Self::OtherAuthority {
            fingerprint: fingerprint.to_string(),
            at,
        }
    }
}

/// Whether a certificate, by an authority that is trusted, vouches for the host
/// of this name, which is without a port and in small letters.
///
/// # Errors
/// When it does not; says why.
pub fn check(
    certificate: &Certificate,
    name: &str,
    now: OffsetDateTime,
) -> Result<(), CertificateError> {
    let signed_by = certificate.signature().algorithm();
    if !is_safe(&signed_by) || !is_plain(certificate.signature_key()) {
        return Err(CertificateError::Unsafe(signed_by.to_string()));
    }
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    if certificate.cert_type() != CertType::Host {
        return Err(CertificateError::NotForHosts);
    }
    if seconds < certificate.valid_after() {
        return Err(CertificateError::Early(moment(certificate.valid_after())));
    }
    if seconds >= certificate.valid_before() {
        return Err(CertificateError::Expired(moment(
            certificate.valid_before(),
        )));
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    if certificate.validate_at(seconds, [&authority]).is_err() {
        return Err(CertificateError::Signature);
    }
    // As in ssh a certificate without names is one for every host, and no
    // name in it is a pattern.
    let names = certificate.valid_principals();
    if !names.is_empty() && !names.iter().any(|known| known == name) {
        return Err(CertificateError::OtherHost {
            name: name.to_owned(),
            names: names.to_vec(),
        });
    }
    let conditions = certificate.critical_options();
    if !conditions.is_empty() {
        return Err(CertificateError::Conditions(
            conditions.keys().cloned().collect(),
        ));
    }
    Ok(())
}

/// ssh's default for `CASignatureAlgorithms`, without security keys.
const fn is_safe(algorithm: &Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { hash: Some(_) }
    )
}

/// Whether a key is no certificate itself.
const fn is_plain(key: &KeyData) -> bool {
    !matches!(key, KeyData::Certificate(_))
}

fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    moment.map_or_else(
        || "the end of time".to_owned(),
        |moment| {
            let (hour, minute, second) = moment.to_hms();
            format!("{} {hour:02}:{minute:02}:{second:02} UTC", moment.date())
        },
    )
}

fn listed(names: &[String]) -> String {
    let mut text = names[..names.len().min(MOST_LISTED)].join(", ");
    if names.len() > MOST_LISTED {
        text.push_str(&format!(" and {} more", names.len() - MOST_LISTED));
    }
    text
}
