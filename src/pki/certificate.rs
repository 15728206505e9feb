//! What is read from certificates.

use std::fmt;

use ring::digest::{SHA256, digest};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;

use super::Error;
use crate::resource::hex;

/// SHA-256 of a certificate or public key in DER, shown as `openssl x509
/// -fingerprint -sha256` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Fingerprint of the first certificate of a PEM text; `file` names it in errors.
    ///
    /// # Errors
    /// [`Error::NotACertificate`].
    pub fn of_certificate(file: &str, pem: &str) -> Result<Self, Error> {
        Ok(Self::of_der(&first_block(file, pem)?.contents))
    }

    pub(super) fn of_der(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }

    /// Lower-case hex without colons.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<_> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

/// When the first certificate of a PEM text ends; `file` names it in errors.
///
/// # Errors
/// [`Error::NotACertificate`].
pub fn not_after(file: &str, pem: &str) -> Result<OffsetDateTime, Error> {
    read(file, pem, |certificate| {
        certificate.validity().not_after.to_datetime()
    })
}

/// Whether the first certificate of `pem` bears a signature by `issuer`.
///
/// # Errors
/// [`Error::NotACertificate`] for either.
pub fn is_signed_by(pem: &str, issuer: &str) -> Result<bool, Error> {
    read("issuer", issuer, |issuer| {
        read("certificate", pem, |certificate| {
            certificate.issuer().as_raw() == issuer.subject().as_raw()
                && certificate
                    .verify_signature(Some(issuer.public_key()))
                    .is_ok()
        })
    })?
}

/// Hands the first certificate of a PEM text to `look`.
pub(super) fn read<T>(
    file: &str,
    pem: &str,
    look: impl FnOnce(&X509Certificate<'_>) -> T,
) -> Result<T, Error> {
    let block = first_block(file, pem)?;
    let certificate = block.parse_x509().map_err(|error| Error::NotACertificate {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(look(&certificate))
}

fn first_block(file: &str, pem: &str) -> Result<Pem, Error> {
    let fault = |reason: String| Error::NotACertificate {
        file: file.to_owned(),
        reason,
    };
    let block = Pem::iter_from_buffer(pem.as_bytes())
        .next()
        .ok_or_else(|| fault("no PEM block".to_owned()))?
        .map_err(|error| fault(error.to_string()))?;
    match block.label.as_str() {
        "CERTIFICATE" => Ok(block),
        label => Err(fault(format!("the PEM block is a {label}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_no_certificate_are_named() {
        let say = |pem| not_after("ca.crt", pem).unwrap_err().to_string();
        insta::assert_snapshot!(say("hello"), @"ca.crt is not a PEM certificate: no PEM block");
        insta::assert_snapshot!(
            say("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), @"ca.crt is not a PEM certificate: the PEM block is a PUBLIC KEY");
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(say(garbage).starts_with("ca.crt is not a PEM certificate: Parsing Error"));
    }
}
