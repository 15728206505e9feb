//! What several kinds ask about paths: asked once for all of them, since each
//! program that a host starts costs it more than what the program does.

use super::{AnswerError, Answers, section};
use crate::shell::{Script, sh};

/// Asks for mode, owner and kind of some paths, and for SHA-256 of others,
/// which it leaves in `kdiy_sums`.
pub(super) fn probe(stats: &[&str], sums: &[String]) -> Script {
    let mut script = Script::of(sh!("resource/paths.sh"));
    if !stats.is_empty() {
        script = script.then(&section("stat", &Script::new().call("kdiy_stat", stats)));
    }
    if !sums.is_empty() {
        script = script.call("kdiy_sum", sums);
    }
    script
}

/// Mode, owner and kind of a path; `None` where nothing is.
pub(super) fn stat<'a>(answers: &'a Answers, path: &str) -> Result<Option<&'a str>, AnswerError> {
    answers.line("stat", path)
}

/// SHA-256 of a regular file that could be read.
pub(super) fn sum(answers: &Answers, path: &str) -> Result<Option<String>, AnswerError> {
    Ok(answers.get("sum")?.lines().find_map(|line| {
        let (sum, at) = line.split_once("  ")?;
        (at == path).then(|| sum.to_owned())
    }))
}
