//! Text files for hosts, filled from typed contexts.
//!
//! The templates lie under `templates/`, in the same folder names as `src/`,
//! and are part of the program. Kubernetes documents are not made here: they
//! are typed structs, see [`crate::kubeadm`].

pub mod yaml_limits;

use std::fmt;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Serialize;
use tera::{Context, Kwargs, State, Tera};
use zeroize::Zeroize as _;

/// First line of a file whose format has `#` comments.
pub const NOTICE: &str =
    "# Written by kdiy; changes made here are undone by the next kdiy apply.\n";

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Scripts lie there, too; they are no templates, see [`crate::shell`].
const SCRIPTS: &str = "sh/";

static TEMPLATES: LazyLock<Tera> = LazyLock::new(|| {
    let mut tera = Tera::new();
    tera.autoescape_on(Vec::<&str>::new());
    tera.register_filter("quoted", |text: &str, _: Kwargs, _: &State| quoted(text));
    let texts = files(&FILES).filter(|(name, _)| !name.starts_with(SCRIPTS));
    let texts = texts.map(|(name, text)| (name, noticed(text)));
    tera.add_raw_templates(texts)
        .unwrap_or_else(|error| panic!("a template of kdiy is broken: {error}"));
    tera
});

/// A file that is to be on a host.
#[derive(Clone, PartialEq, Eq)]
pub struct HostFile {
    /// Absolute path.
    pub path: String,
    /// Permissions, such as `0o644`. A file that not everybody may read holds
    /// a secret: its text is not to be shown.
    pub mode: u32,
    /// The whole text.
    pub text: String,
}

impl HostFile {
    /// A file that everybody may read.
    #[must_use]
    pub fn public(path: impl Into<String>, text: String) -> Self {
        Self {
            path: path.into(),
            mode: 0o644,
            text,
        }
    }

    /// A file that only root may read.
    #[must_use]
    pub fn secret(path: impl Into<String>, text: String) -> Self {
        Self {
            path: path.into(),
            mode: 0o600,
            text,
        }
    }

    /// A program.
    #[must_use]
    pub fn program(path: impl Into<String>, text: String) -> Self {
        Self {
            path: path.into(),
            mode: 0o755,
            text,
        }
    }

    /// Whether the text is not to be shown.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.mode & 0o004 == 0
    }
}

/// A secret does not outlive its use.
impl Drop for HostFile {
    fn drop(&mut self) {
        if self.is_secret() {
            self.text.zeroize();
        }
    }
}

/// Without the text of a secret file.
impl fmt::Debug for HostFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.is_secret() {
            "(secret)"
        } else {
            &self.text
        };
        f.debug_struct("HostFile")
            .field("path", &self.path)
            .field("mode", &format_args!("{:04o}", self.mode))
            .field("text", &text)
            .finish()
    }
}

/// Fills the template of this name, such as `lb/haproxy.cfg`. The first line
/// of the text is [`NOTICE`], the second where the first names an interpreter.
///
/// # Panics
/// When there is no such template or it asks for something that the context
/// does not have: a bug of kdiy, which the snapshots of every template catch.
#[must_use]
pub fn render(name: &str, context: &impl Serialize) -> String {
    Context::from_serialize(context)
        .and_then(|context| TEMPLATES.render(name, &context))
        .unwrap_or_else(|error| panic!("template {name} of kdiy is broken: {error:?}"))
}

/// The text with [`NOTICE`] as its first line, below that of an interpreter.
fn noticed(text: &str) -> String {
    let line = if text.starts_with("#!") {
        text.find('\n').map_or(0, |end| end + 1)
    } else {
        0
    };
    let (interpreter, rest) = text.split_at(line);
    format!("{interpreter}{NOTICE}{rest}")
}

/// A string between double quotes, as TOML and systemd's environment files
/// read it: JSON's escapes of `"`, `\` and control characters are theirs.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// Every template below a folder, with its path.
fn files(dir: &'static Dir<'static>) -> Box<dyn Iterator<Item = (String, &'static str)>> {
    let here = dir.files().map(|file| {
        let name = file.path().to_string_lossy().into_owned();
        (name, file.contents_utf8().expect("a template is UTF-8"))
    });
    Box::new(here.chain(dir.dirs().flat_map(files)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        assert!(TEMPLATES.get_template_names().count() >= 6);
    }

    #[test]
    fn quotes_are_escaped() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }

    #[test]
    #[should_panic(expected = "template runtime/crictl.yaml of kdiy is broken")]
    fn a_missing_value_is_a_bug() {
        let _ = render("runtime/crictl.yaml", &serde_json::json!({}));
    }

    #[test]
    fn a_secret_file_does_not_show_its_text() {
        let file = HostFile::secret("/etc/x", "hunter2".into());
        insta::assert_snapshot!(format!("{file:?}"), @r#"HostFile { path: "/etc/x", mode: 0600, text: "(secret)" }"#);
    }
}
