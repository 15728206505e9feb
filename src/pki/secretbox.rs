//! The key by which API servers encrypt secrets at rest.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::Error;

/// Bytes of a key of XSalsa20 and Poly1305.
const LENGTH: usize = 32;

/// A secretbox key, base64 as API servers read it.
#[derive(Clone)]
pub struct SecretboxKey(SecretString);

impl SecretboxKey {
    /// Makes a key from the system's randomness.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| Error::Random(error.to_string()))?;
        Ok(Self(BASE64_STANDARD.encode(bytes.as_slice()).into()))
    }

    /// Reads a key; `file` names where it is from.
    ///
    /// # Errors
    /// [`Error::NotASecretboxKey`].
    pub fn from_base64(file: &str, text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bytes = BASE64_STANDARD.decode(text).map(Zeroizing::new);
        match bytes {
            Ok(bytes) if bytes.len() == LENGTH => Ok(Self(text.into())),
            _ => Err(Error::NotASecretboxKey {
                file: file.to_owned(),
            }),
        }
    }

    /// The key, base64.
    #[must_use]
    pub fn base64(&self) -> &SecretString {
        &self.0
    }

    /// Whether the two are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for SecretboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretboxKey(masked)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_32_bytes_and_differ() {
        let (one, other) = (
            SecretboxKey::generate().unwrap(),
            SecretboxKey::generate().unwrap(),
        );
        assert!(!one.is(&other));
        let text = format!("{}\n", one.base64().expose_secret());
        assert!(SecretboxKey::from_base64("x", &text).unwrap().is(&one));
        assert!(!format!("{one:?}").contains(text.trim()));
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", "AAAA", "not base64"] {
            let error = SecretboxKey::from_base64("pki/secretbox.key", text).unwrap_err();
            insta::allow_duplicates! {
                insta::assert_snapshot!(error, @"pki/secretbox.key is not a secretbox key (32 bytes, base64); restore it from a backup");
            }
        }
    }
}
