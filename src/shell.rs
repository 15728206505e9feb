//! Shell text composed of typed parts: what kdiy wrote, and what it quoted.
//!
//! Text that comes from outside (names, paths, values) can only enter through
//! [`Script::call`], which quotes it. A script may hold secrets, as it travels
//! over standard input, see [`crate::transport`]; its text is wiped in the end.
//!
//! Shell text stands in whole files under `templates/sh`, which shellcheck
//! reads: functions, called by [`Script::call`]. A file gets into the program
//! by `sh!`, without its comments. What a function's exit code means is in
//! [`OwnExit`].

mod own_exit;

use std::fmt;

use zeroize::{Zeroize as _, Zeroizing};

pub use own_exit::OwnExit;

/// The text of a file of `templates/sh`, without the lines that are comments:
/// what only people read does not travel to hosts.
macro_rules! sh {
    ($file:literal) => {{
        const TEXT: &str =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/sh/", $file));
        const CODE: [u8; $crate::shell::code_length(TEXT.as_bytes())] =
            $crate::shell::code(TEXT.as_bytes());
        match std::str::from_utf8(&CODE) {
            Ok(code) => code,
            Err(_) => panic!("a script is UTF-8"),
        }
    }};
}
pub(crate) use sh;

/// A script of kdiy's own begins with this, since a proxy in a host's
/// environment would stand between kubeadm, kubectl or curl and the cluster,
/// and kubeadm would write it into static pods. Where a proxy is wanted, the
/// inventory names it.
pub const WITHOUT_PROXY: &str = sh!("step/without-proxy.sh");

/// The length of a script without its comments, in bytes.
pub(crate) const fn code_length(text: &[u8]) -> usize {
    let (mut at, mut length) = (0, 0);
    while at < text.len() {
        let end = end_of_line(text, at);
        if !is_comment(text, at) {
            length += end - at;
        }
        at = end;
    }
    length
}

/// A script without its comments, which has this length.
pub(crate) const fn code<const LENGTH: usize>(text: &[u8]) -> [u8; LENGTH] {
    let mut code = [0; LENGTH];
    let (mut at, mut length) = (0, 0);
    while at < text.len() {
        let end = end_of_line(text, at);
        if !is_comment(text, at) {
            let mut from = at;
            while from < end {
                code[length] = text[from];
                length += 1;
                from += 1;
            }
        }
        at = end;
    }
    code
}

/// The place after the line that begins at `at`.
const fn end_of_line(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        at += 1;
        if text[at - 1] == b'\n' {
            break;
        }
    }
    at
}

/// Whether the line that begins at `at` is a comment.
const fn is_comment(text: &[u8], mut at: usize) -> bool {
    while at < text.len() && (text[at] == b' ' || text[at] == b'\t') {
        at += 1;
    }
    at < text.len() && text[at] == b'#'
}

/// POSIX sh text.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Script(String);

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text of a file of `templates/sh`, by `sh!`.
    #[must_use]
    pub fn of(file: &'static str) -> Self {
        Self(file.to_owned())
    }

    /// Appends the text of a file of `templates/sh`, by `sh!`.
    #[must_use]
    pub fn with(mut self, file: &'static str) -> Self {
        self.begin_line();
        self.push(file);
        self
    }

    /// Appends a line that calls a function, or runs a program, with these
    /// words, each quoted.
    #[must_use]
    pub fn call<W: AsRef<str>>(
        mut self,
        function: &'static str,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        self.begin_line();
        self.push(function);
        for word in words {
            self.push(" ");
            self.push_word(word.as_ref());
        }
        self.push("\n");
        self
    }

    /// The same without words.
    #[must_use]
    pub fn run(self, function: &'static str) -> Self {
        self.call(function, [""; 0])
    }

    /// Appends a line that sets a variable to this text, quoted.
    #[must_use]
    pub fn set(mut self, variable: &'static str, text: impl AsRef<str>) -> Self {
        self.begin_line();
        self.push(variable);
        self.push("=");
        self.push_word(text.as_ref());
        self.push("\n");
        self
    }

    /// Appends the definition of a function that runs this script, for
    /// functions of files that call it.
    #[must_use]
    pub fn define(mut self, function: &'static str, body: &Self) -> Self {
        self.begin_line();
        self.push(function);
        self.push("() {\n");
        self.push(if body.is_empty() { ":" } else { &body.0 });
        self.begin_line();
        self.push("}\n");
        self
    }

    /// Appends another script, as it stands.
    #[must_use]
    pub fn then(mut self, other: &Self) -> Self {
        self.begin_line();
        self.push(&other.0);
        self
    }

    /// What follows is on a line of its own.
    fn begin_line(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with('\n') {
            self.push("\n");
        }
    }

    /// Appends one word of a command, quoted.
    fn push_word(&mut self, word: &str) {
        self.push(&Zeroizing::new(quote(word)));
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
///
/// # Panics
/// Never: what cannot be quoted was dropped.
#[must_use]
pub fn quote(word: &str) -> String {
    let word: String = word.chars().filter(|&c| c != '\0').collect();
    shlex::try_quote(&word)
        .expect("a word without NUL can be quoted")
        .into_owned()
}

/// Text of tests' own.
#[cfg(test)]
impl Script {
    /// Appends text as it stands.
    #[must_use]
    pub fn lit(mut self, text: &'static str) -> Self {
        self.push(text);
        self
    }

    /// Appends one word of a command, quoted.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        self.push_word(word.as_ref());
        self
    }

    /// Appends words of a command, each quoted, with blanks between them.
    #[must_use]
    pub fn args<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        for (place, word) in words.into_iter().enumerate() {
            if place > 0 {
                self.push(" ");
            }
            self.push_word(word.as_ref());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_of_a_file_do_not_travel() {
        const TEXT: &[u8] = b"# head\na # b\n  # in\ncase $x in '#'*) ;; esac\n\nend";
        const CODE: [u8; code_length(TEXT)] = code(TEXT);
        let code = std::str::from_utf8(&CODE).unwrap();
        assert_eq!(code, "a # b\ncase $x in '#'*) ;; esac\n\nend");
    }

    #[test]
    fn a_function_is_called_with_quoted_words() {
        let script = Script::new().call("kdiy_do", ["a", "", "it's $b"]);
        assert_eq!(script.as_str(), "kdiy_do a '' \"it's \"'$b'\n");
        assert_eq!(Script::new().call("wait", [""; 0]).as_str(), "wait\n");
    }

    #[test]
    fn variables_and_functions_are_defined() {
        let body = Script::new().call("echo", ["$kdiy_a"]);
        let script = Script::new().set("kdiy_a", "b c").define("kdiy_b", &body);
        assert_eq!(
            script.as_str(),
            "kdiy_a='b c'\nkdiy_b() {\necho '$kdiy_a'\n}\n"
        );
        let nothing = Script::new().define("kdiy_c", &Script::new());
        assert_eq!(nothing.as_str(), "kdiy_c() {\n:\n}\n");
    }

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
