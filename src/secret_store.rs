//! The texts of secrets, by their hash. Plans name secrets; only the executor
//! sees what they hold.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::resource::{Content, sha256_hex};

/// Stands for the bootstrap token in a command's input.
pub const TOKEN: &str = "kdiy:bootstrap-token";

/// Stands for the part of the token before its dot, which is no secret but
/// changes with it.
pub const TOKEN_ID: &str = "kdiy:bootstrap-token-id";

/// Stands for the part of the token after its dot.
pub const TOKEN_SECRET: &str = "kdiy:bootstrap-token-secret";

/// What is shown in place of a secret.
const MASK: &str = "********";

/// Shorter pieces of a secret are not looked for in output: they would be
/// found in harmless words.
const SHORTEST: usize = 12;

/// Secrets of one run.
#[derive(Default)]
pub struct SecretStore {
    files: BTreeMap<String, Zeroizing<String>>,
    fills: BTreeMap<String, Zeroizing<String>>,
}

impl SecretStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a text in and gives the content that names it.
    pub fn keep(&mut self, text: Zeroizing<String>) -> Content {
        let sha256 = sha256_hex(text.as_bytes());
        self.files.insert(sha256.clone(), text);
        Content::Secret { sha256 }
    }

    /// Sets the bootstrap token of this run: six characters, a dot, sixteen.
    pub fn set_token(&mut self, token: &str) {
        let (id, secret) = token.split_once('.').unwrap_or((token, ""));
        for (name, text) in [(TOKEN_ID, id), (TOKEN_SECRET, secret), (TOKEN, token)] {
            self.fill(name.to_owned(), Zeroizing::new(text.to_owned()));
        }
    }

    /// Sets what a placeholder stands for.
    pub fn fill(&mut self, placeholder: String, text: Zeroizing<String>) {
        self.fills.insert(placeholder, text);
    }

    /// The text of a content, with its placeholders filled.
    ///
    /// # Panics
    /// When the secret is not in this store: a bug of the caller.
    #[must_use]
    pub fn text(&self, content: &Content) -> Zeroizing<String> {
        match content {
            Content::Plain(text) => Zeroizing::new(text.clone()),
            Content::Secret { sha256 } => self.files[sha256].clone(),
            // The longest first: one name may begin another.
            Content::Filled(text) => self
                .fills
                .iter()
                .rev()
                .fold(Zeroizing::new(text.clone()), |text, (name, fill)| {
                    Zeroizing::new(text.replace(name, fill))
                }),
        }
    }

    /// A line of output without the secrets of this store.
    #[must_use]
    pub fn mask(&self, line: &str) -> String {
        let fills = self
            .fills
            .iter()
            .rev()
            .filter(|(name, _)| name.as_str() != TOKEN_ID)
            .map(|(_, text)| text);
        let pieces = self
            .files
            .values()
            .chain(fills)
            .flat_map(|text| text.lines())
            .map(str::trim);
        pieces
            .filter(|piece| piece.len() >= SHORTEST && !piece.starts_with("-----"))
            .filter(|piece| line.contains(piece))
            .fold(line.to_owned(), |line, piece| line.replace(piece, MASK))
    }
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} secrets)", self.files.len() + self.fills.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_filled_in_and_masked_out() {
        let mut secrets = SecretStore::new();
        let content = secrets.keep(Zeroizing::new(
            "-----BEGIN X-----\nabcdefghijklmnop\n".to_owned(),
        ));
        secrets.set_token("abcdef.0123456789abcdef");
        assert_eq!(
            secrets.text(&content).lines().nth(1),
            Some("abcdefghijklmnop")
        );
        let filled = secrets.text(&Content::Filled(format!(
            "id {TOKEN_ID} all {TOKEN} rest {TOKEN_SECRET}"
        )));
        assert_eq!(
            filled.as_str(),
            "id abcdef all abcdef.0123456789abcdef rest 0123456789abcdef"
        );
        let shown = secrets.mask("token abcdef.0123456789abcdef key abcdefghijklmnop, abcdef");
        assert_eq!(shown, "token abcdef.******** key ********, abcdef");
        assert!(!format!("{secrets:?}").contains("abcdefghij"));
    }
}
