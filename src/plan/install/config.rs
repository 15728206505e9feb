//! The file with which a command tells kubeadm what is wanted.

use crate::resource::{Content, Input};
use crate::shell::{Script, sh};

/// Its name among the command's inputs.
pub(super) const NAME: &str = "kubeadm.yaml";

/// Defines `kdiy_phase FILE WORD…` and `kdiy_phase_again FILE WORD…`.
pub(super) const PHASE_FUNCTION: &str = sh!("kubeadm/phase.sh");

/// Runs a phase of `kubeadm init` with it; after [`PHASE_FUNCTION`].
pub(super) fn phase<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Script {
    phase_with(NAME, words)
}

/// The same with another input.
pub(super) fn phase_with<W: AsRef<str>>(input: &str, words: impl IntoIterator<Item = W>) -> Script {
    call("kdiy_phase", input, words)
}

/// The same as [`phase`], where a run that broke off may be taken up.
pub(super) fn phase_again<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Script {
    call("kdiy_phase_again", NAME, words)
}

fn call<W: AsRef<str>>(
    function: &'static str,
    input: &str,
    words: impl IntoIterator<Item = W>,
) -> Script {
    let words = words.into_iter().map(|word| word.as_ref().to_owned());
    Script::new().call(function, [input.to_owned()].into_iter().chain(words))
}

/// One without secrets.
pub(super) fn plain(text: impl Into<String>) -> Input {
    Input::plain(NAME, text)
}

/// One whose secrets come when it is used.
pub(super) fn filled(text: &str) -> Input {
    Input {
        name: NAME.to_owned(),
        content: Content::Filled(text.to_owned()),
    }
}
