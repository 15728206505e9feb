//! Authorities, leaves, tokens and kubeconfigs, all made here before any host
//! is touched, so that no step of a plan needs another step's output.
//!
//! Profiles follow what kubeadm itself makes
//! (`cmd/kubeadm/app/util/pkiutil/pki_helpers.go`), so that a cluster may pass
//! between kubeadm's own hands and kdiy's.

pub mod authority;
pub mod certificate;
pub mod cluster_cas;
mod key;
pub mod kubeconfig;
pub mod secretbox;
pub mod token;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use crate::resource::Usage;
pub use authority::{Authority, Leaf, LeafRequest};
pub use certificate::{Fingerprint, not_after};
pub use cluster_cas::{ClusterCas, Difference, Fingerprints, PkiFile, compare};
pub use key::SigningKey;
pub use kubeconfig::Kubeconfig;
pub use secretbox::SecretboxKey;
pub use token::BootstrapToken;

/// Why keys or certificates could not be made or read. `file` is the path
/// below `/etc/kubernetes/pki`, or what the text was said to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system gave no randomness.
    #[error("the system gave no randomness: {0}")]
    Random(String),
    /// An RSA key could not be made.
    #[error("make the service account key: {0}")]
    Rsa(String),
    /// A certificate could not be signed.
    #[error("sign the certificate {common_name:?}: {reason}")]
    Sign {
        /// Common name of what was to be signed.
        common_name: String,
        /// What rcgen said.
        reason: String,
    },
    /// One of the files of the PKI is not there.
    #[error("{file} is missing; put it back, or move the whole pki directory away")]
    Missing {
        /// Which one.
        file: String,
    },
    /// Not one PEM certificate.
    #[error("{file} is not a PEM certificate: {reason}")]
    NotACertificate {
        /// Which one.
        file: String,
        /// What the parser said.
        reason: String,
    },
    /// Not a private key that can sign.
    #[error(
        "{file} is not a private key that kdiy can use: {reason}; \
         accepted are RSA of 2048 bits and more, P-256 and P-384, unencrypted PEM"
    )]
    NotAKey {
        /// Which one.
        file: String,
        /// What the parser said; never any of the key.
        reason: String,
    },
    /// Not a key that secrets can be encrypted with.
    #[error("{file} is not a secretbox key (32 bytes, base64); restore it from a backup")]
    NotASecretboxKey {
        /// Which one.
        file: String,
    },
    /// Certificate and key, or public and private key, are no pair.
    #[error("{key} does not belong to {file}; restore the two from the same backup")]
    NotAPair {
        /// Certificate or public key.
        file: String,
        /// Private key.
        key: String,
    },
    /// A certificate that may not sign others.
    #[error("{file} is no certificate authority: basic constraints lack CA:TRUE or certSign")]
    NotAnAuthority {
        /// Which one.
        file: String,
    },
    /// An authority that is past its end.
    #[error("{file} expired at {}; authorities have to be rotated by hand", date(*not_after))]
    Expired {
        /// Which one.
        file: String,
        /// The last moment of its validity.
        not_after: OffsetDateTime,
    },
    /// An authority from the future.
    #[error("{file} is valid only from {}; check the clock here", date(*not_before))]
    NotYetValid {
        /// Which one.
        file: String,
        /// When it begins.
        not_before: OffsetDateTime,
    },
}

impl Error {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Random(_) | Self::Rsa(_) | Self::Sign { .. } => "pki-not-made",
            Self::Missing { .. } => "pki-file-missing",
            Self::NotACertificate { .. } => "pki-not-a-certificate",
            Self::NotAKey { .. } => "pki-not-a-key",
            Self::NotASecretboxKey { .. } => "pki-not-a-secretbox-key",
            Self::NotAPair { .. } => "pki-not-a-pair",
            Self::NotAnAuthority { .. } => "pki-not-an-authority",
            Self::Expired { .. } => "pki-expired",
            Self::NotYetValid { .. } => "pki-not-yet-valid",
        }
    }
}

fn date(moment: OffsetDateTime) -> String {
    moment
        .format(&Rfc3339)
        .unwrap_or_else(|_| moment.to_string())
}
