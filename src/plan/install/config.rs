//! The file with which a command tells kubeadm what is wanted.

use crate::resource::{Content, Input};

/// Its name among the command's inputs.
const NAME: &str = "kubeadm.yaml";
/// kubeadm's option that names it.
pub(super) const OPTION: &str = " --config \"$kdiy_tmp/kubeadm.yaml\"";

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
