//! Shell text composed of typed parts: what kdiy wrote, and what it quoted.
//!
//! Text that comes from outside (names, paths, values) can only enter through
//! [`Script::arg`], which quotes it. A script may hold secrets, as it travels
//! over standard input, see [`crate::transport`]; its text is wiped in the end.

use std::fmt;

use zeroize::{Zeroize as _, Zeroizing};

/// A script of kdiy's own begins with this, since a proxy in a host's
/// environment would stand between kubeadm, kubectl or curl and the cluster,
/// and kubeadm would write it into static pods. Where a proxy is wanted, the
/// inventory names it.
pub const WITHOUT_PROXY: &str = "unset http_proxy https_proxy ftp_proxy all_proxy no_proxy \
                                 HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY\n";

/// POSIX sh text.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Script(String);

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Text that kdiy's own source wrote.
    #[must_use]
    pub fn of(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Appends text of kdiy's own source, as it stands.
    #[must_use]
    pub fn lit(mut self, text: &'static str) -> Self {
        self.push(text);
        self
    }

    /// Appends one word of a command, quoted.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        self.push(&Zeroizing::new(quote(word.as_ref())));
        self
    }

    /// Appends words of a command, each quoted, with blanks between them.
    #[must_use]
    pub fn args<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        for (place, word) in words.into_iter().enumerate() {
            if place > 0 {
                self.push(" ");
            }
            self.push(&Zeroizing::new(quote(word.as_ref())));
        }
        self
    }

    /// Appends another script, as it stands.
    #[must_use]
    pub fn then(mut self, other: &Self) -> Self {
        self.push(&other.0);
        self
    }

    /// Appends; where there is no room, what was is wiped before it is left.
    fn push(&mut self, text: &str) {
        let length = self.0.len() + text.len();
        if length > self.0.capacity() {
            let mut larger = String::with_capacity(length * 2);
            larger.push_str(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One word that sh reads back as exactly this text. A NUL cannot be in a
/// word of any shell; it is dropped.
fn quote(word: &str) -> String {
    let word: String = word.chars().filter(|&c| c != '\0').collect();
    shlex::try_quote(&word)
        .expect("a word without NUL can be quoted")
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sh_reads_back_what_was_quoted(word in "[^\0]{0,40}") {
            let script = Script::of("printf %s ").arg(&word);
            let out = std::process::Command::new("sh").arg("-c").arg(script.as_str()).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&out.stdout), word);
        }
    }
}
