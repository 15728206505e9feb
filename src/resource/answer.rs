//! The form of a probe's answer: sections with their length, so that no text
//! of a host can be taken for a marker.

use std::collections::BTreeMap;

use zeroize::Zeroize;

use crate::shell::{Script, sh};

/// What a probe begins with: defines `kdiy_section NAME TEXT`.
pub const SECTION_FUNCTION: &str = sh!("probe/section.sh");

/// Sections of one answer, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers(BTreeMap<String, String>);

/// There may be keys in it, where authorities are read back.
impl Drop for Answers {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

/// Why an answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The text does not consist of sections.
    #[error("the answer of the host is not in the probe's form at byte {0}")]
    Form(usize),
    /// A section that was asked for is not there.
    #[error("the answer of the host lacks the section {0:?}")]
    Missing(String),
    /// A section says something that it cannot say.
    #[error("the answer of the host for {of} cannot be understood: {text:?}")]
    Text {
        /// What was asked about.
        of: String,
        /// A piece of the answer.
        text: String,
    },
}

/// A script that emits the output of `body` as a section.
#[must_use]
pub fn section(name: &'static str, body: &Script) -> Script {
    if body.is_empty() {
        return Script::new().call("kdiy_section", [name, ""]);
    }
    Script::new()
        .define("kdiy_question", body)
        .call("kdiy_answer", [name])
}

impl Answers {
    /// Splits the output of a probe into its sections.
    ///
    /// # Errors
    /// When it is not in the form that [`SECTION_FUNCTION`] gives.
    pub fn parse(output: &[u8]) -> Result<Self, AnswerError> {
        let mut sections = BTreeMap::new();
        let mut at = 0;
        while at < output.len() {
            let malformed = AnswerError::Form(at);
            let rest = &output[at..];
            let end = rest
                .iter()
                .take(80)
                .position(|&b| b == b'\n')
                .ok_or(malformed.clone())?;
            let head = std::str::from_utf8(&rest[..end]).map_err(|_| malformed.clone())?;
            let (name, length) = head
                .strip_prefix('@')
                .and_then(|head| head.rsplit_once(' '))
                .and_then(|(name, length)| Some((name, length.parse::<usize>().ok()?)))
                .ok_or(malformed.clone())?;
            let body = rest[end + 1..].get(..length).ok_or(malformed.clone())?;
            if rest.get(end + 1 + length) != Some(&b'\n') {
                return Err(malformed);
            }
            sections.insert(name.to_owned(), String::from_utf8_lossy(body).into_owned());
            at += end + 1 + length + 1;
        }
        Ok(Self(sections))
    }

    /// A section's text.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&str, AnswerError> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| AnswerError::Missing(name.to_owned()))
    }

    /// Lines of a section of the form `KEY REST`, the rest for one key.
    ///
    /// # Errors
    /// When the section is missing.
    pub fn line(&self, section: &str, key: &str) -> Result<Option<&str>, AnswerError> {
        Ok(self
            .get(section)?
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')))
    }
}

impl AnswerError {
    /// An answer about `of` that says something impossible.
    #[must_use]
    pub fn text(of: impl Into<String>, text: &str) -> Self {
        Self::Text {
            of: of.into(),
            text: text.chars().take(80).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_section_may_hold_what_looks_like_a_section() {
        let answers = Answers::parse(b"@a 5\n@b 1\n\n@c 0\n\n").unwrap();
        assert_eq!(answers.get("a").unwrap(), "@b 1\n");
        assert_eq!(answers.get("c").unwrap(), "");
        assert_eq!(answers.get("b"), Err(AnswerError::Missing("b".to_owned())));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        assert_eq!(Answers::parse(b"@a 99\nx\n"), Err(AnswerError::Form(0)));
        assert_eq!(
            Answers::parse(b"@a 18446744073709551615\nx\n"),
            Err(AnswerError::Form(0))
        );
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(output in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Answers::parse(&output);
        }

        #[test]
        fn sh_writes_what_is_read_back(text in "[^\0]{0,60}") {
            let script = Script::of(SECTION_FUNCTION)
                .then(&section("x", &Script::of("printf %s ").arg(&text).lit("\n")));
            let out = std::process::Command::new("sh").arg("-c").arg(script.as_str()).output().unwrap();
            let answers = Answers::parse(&out.stdout).unwrap();
            prop_assert_eq!(answers.get("x").unwrap(), text.trim_end_matches('\n'));
        }
    }
}
