//! Bootstrap tokens, by which a joining host proves itself.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::Error;

const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const ID: usize = 6;
const SECRET: usize = 16;

/// A token `id.secret` of the form `[a-z0-9]{6}.[a-z0-9]{16}`. The id is
/// public, it names the token's Secret in kube-system.
#[derive(Clone)]
pub struct BootstrapToken {
    id: String,
    secret: SecretString,
}

impl BootstrapToken {
    /// Makes a token from the system's randomness.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        Ok(Self {
            id: word(ID)?,
            secret: word(SECRET)?.into(),
        })
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret part alone.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The whole token.
    #[must_use]
    pub fn whole(&self) -> SecretString {
        format!("{}.{}", self.id, self.secret.expose_secret()).into()
    }
}

impl fmt::Debug for BootstrapToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BootstrapToken({}.[masked])", self.id)
    }
}

/// A word of evenly drawn letters: bytes past the last whole multiple of the
/// alphabet's length are drawn again.
fn word(length: usize) -> Result<String, Error> {
    let count = ALPHABET.len();
    let fair = 256 - 256 % count;
    let mut word = String::with_capacity(length);
    while word.len() < length {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(|error| Error::Random(error.to_string()))?;
        let drawn = usize::from(byte[0]);
        if drawn < fair {
            word.push(char::from(ALPHABET[drawn % count]));
        }
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_kubeadms_form_and_differ() {
        let token = BootstrapToken::generate().unwrap();
        let whole = token.whole();
        let (id, secret) = whole.expose_secret().split_once('.').unwrap();
        assert_eq!((id.len(), secret.len()), (6, 16));
        assert!(
            id.bytes()
                .chain(secret.bytes())
                .all(|b| ALPHABET.contains(&b))
        );
        let other = BootstrapToken::generate().unwrap();
        assert_ne!(other.whole().expose_secret(), whole.expose_secret());
    }

    #[test]
    fn every_letter_is_drawn() {
        let word = word(4000).unwrap();
        assert!(
            ALPHABET
                .iter()
                .all(|&letter| word.contains(char::from(letter)))
        );
    }

    #[test]
    fn debug_shows_the_id_only() {
        let token = BootstrapToken::generate().unwrap();
        assert_eq!(
            format!("{token:?}"),
            format!("BootstrapToken({}.[masked])", token.id())
        );
    }
}
