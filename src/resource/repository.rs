//! An apt repository with its own keyring, accepted only after apt has
//! verified it.

use serde::Serialize;

use super::{AnswerError, Answers, Difference, Verb, paths, section, sha256_hex};
use crate::shell::{Script, sh};
use crate::template::NOTICE;

/// An apt repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repository {
    /// Name of its files under /etc/apt.
    pub name: String,
    /// Its URL, with a slash at the end when it is flat.
    pub url: String,
    /// Suite and components, such as `bookworm stable`; `/` when it is flat.
    pub suite: String,
    /// The key that signs it.
    pub key: RepositoryKey,
    /// The key of the inventory under which it is described.
    pub setting: &'static str,
}

/// The key of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepositoryKey {
    /// Armored text.
    Armored(String),
    /// Fetched by the host, accepted by its fingerprint.
    Pinned {
        /// Where it is.
        url: String,
        /// Forty upper-case hex digits.
        fingerprint: String,
    },
}

/// What the host has of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Hash of the sources file.
    list: Option<String>,
    /// Hash of the keyring.
    key: Option<String>,
    /// Fingerprints in the keyring, where one is pinned.
    fingerprints: Vec<String>,
    /// The pinned key has expired here, and its URL has it with a later end.
    renewed: bool,
}

impl Repository {
    fn list_path(&self) -> String {
        format!("/etc/apt/sources.list.d/{}.list", self.name)
    }

    fn key_path(&self) -> String {
        format!("/etc/apt/keyrings/{}.asc", self.name)
    }

    /// What a host has that is as wanted.
    #[cfg(test)]
    pub(super) fn as_wanted(&self) -> Seen {
        let (key, fingerprints) = match &self.key {
            RepositoryKey::Armored(text) => (sha256_hex(text.as_bytes()), Vec::new()),
            RepositoryKey::Pinned { fingerprint, .. } => {
                ("0".repeat(64), vec![fingerprint.clone()])
            }
        };
        Seen {
            list: Some(sha256_hex(self.list().as_bytes())),
            key: Some(key),
            fingerprints,
            renewed: false,
        }
    }

    /// Its two files: the list among apt's sources, and the key.
    #[must_use]
    pub fn paths(&self) -> [String; 2] {
        [self.list_path(), self.key_path()]
    }

    /// As the plan names it.
    fn shown(&self) -> String {
        match self.suite.as_str() {
            "/" => self.url.clone(),
            suite => format!("{} {suite}", self.url),
        }
    }

    /// The text of its list.
    #[must_use]
    pub fn list(&self) -> String {
        let (key, url, suite) = (self.key_path(), &self.url, &self.suite);
        format!("{NOTICE}deb [signed-by={key}] {url} {suite}\n")
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Seen, AnswerError> {
        let mark = format!("fpr {} ", self.name);
        let fingerprints = match &self.key {
            RepositoryKey::Armored(_) => Vec::new(),
            RepositoryKey::Pinned { .. } => answers
                .get("repository")?
                .lines()
                .filter_map(|line| line.strip_prefix(&mark))
                .map(str::to_owned)
                .collect(),
        };
        let renewed = match &self.key {
            RepositoryKey::Armored(_) => false,
            RepositoryKey::Pinned { .. } => {
                let mark = format!("renewed {}", self.name);
                answers.get("repository")?.lines().any(|line| line == mark)
            }
        };
        Ok(Seen {
            list: paths::sum(answers, &self.list_path())?,
            key: paths::sum(answers, &self.key_path())?,
            fingerprints,
            renewed,
        })
    }

    pub(super) fn diff(&self, seen: &Seen) -> Option<Difference> {
        let mut details = Vec::new();
        if seen.list.as_deref() != Some(&sha256_hex(self.list().as_bytes())) {
            details.push(self.shown());
        }
        match &self.key {
            RepositoryKey::Armored(text) => {
                if seen.key.as_deref() != Some(&sha256_hex(text.as_bytes())) {
                    details.push(format!("keyring {}", self.key_path()));
                }
            }
            RepositoryKey::Pinned { url, fingerprint } => {
                if seen.key.is_none() || seen.fingerprints != [fingerprint.clone()] {
                    details.push(format!("key {fingerprint} from {url}"));
                } else if seen.renewed {
                    details.push(format!(
                        "key {fingerprint} has expired; {url} has it with a later end"
                    ));
                }
            }
        }
        let verb = if seen == &Seen::default() {
            Verb::Create
        } else {
            Verb::Change
        };
        (!details.is_empty()).then(|| Difference::with(verb, details))
    }

    pub(super) fn apply(&self) -> Script {
        let (key, list) = (self.key_path(), self.list_path());
        let script = match &self.key {
            RepositoryKey::Armored(text) => {
                Script::new().call("kdiy_give_key", [key.as_str(), text])
            }
            RepositoryKey::Pinned { url, fingerprint } => {
                Script::new().call("kdiy_fetch_key", [key.as_str(), url, fingerprint])
            }
        };
        let tried = self.list().replace(
            &format!("signed-by={key}"),
            &format!("signed-by={key}.kdiy-new"),
        );
        let words = [key.as_str(), &list, self.setting, &tried, &self.list()];
        script.call("kdiy_add_repository", words)
    }
}

/// Defines `kdiy_fetch URL FILE [WORD…]`.
pub const FETCH_FUNCTION: &str = sh!("resource/fetch.sh");

/// Defines `kdiy_download URL NAME SHA256`, its parts, and `kdiy_note_sum NAME
/// SHA256`. It comes after [`FETCH_FUNCTION`].
pub const DOWNLOAD_FUNCTIONS: &str = sh!("resource/download.sh");

/// Defines `kdiy_primary FILE`.
pub(super) const KEYS: &str = sh!("resource/keys.sh");

/// Defines `kdiy_renewed` and `kdiy_tell_key`.
const RENEWED: &str = sh!("resource/renewed.sh");

/// Defines `kdiy_give_key`, `kdiy_fetch_key` and `kdiy_add_repository`.
pub(super) const FUNCTIONS: &str = sh!("resource/repository.sh");

pub(super) fn probe(all: &[&Repository]) -> Script {
    let pinned: Vec<_> = all
        .iter()
        .filter_map(|repository| match &repository.key {
            RepositoryKey::Pinned { url, fingerprint } => {
                let path = repository.key_path();
                Some([
                    path,
                    url.clone(),
                    repository.name.clone(),
                    fingerprint.clone(),
                ])
            }
            RepositoryKey::Armored(_) => None,
        })
        .collect();
    if pinned.is_empty() {
        return Script::new();
    }
    let functions = Script::of(FETCH_FUNCTION).with(KEYS).with(RENEWED);
    let body = pinned
        .iter()
        .fold(functions, |body, words| body.call("kdiy_tell_key", words));
    section("repository", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Defect X5: a key that was given a later end was never fetched again.
    #[test]
    fn defect_x5_a_key_that_has_expired_is_fetched_again_once_it_has_a_later_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, end: &str, fingerprint: &str| {
            let text =
                format!("pub:-:4096:1:AA:1600000000:{end}:::::scSC:\nfpr:::::::::{fingerprint}:\n");
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (past, future, never) = ("1600000001", "99999999999", "");
        // gpg shows the file that it is given; what is fetched is a file.
        let fakes = "gpg() { eval \"cat -- \\${$#}\"; }\ntimeout() { shift 7; cp -- \"$@\"; }\n";
        let renewed = |here: &str, there: &str| {
            let script = Script::of(FETCH_FUNCTION)
                .with(KEYS)
                .with(RENEWED)
                .call("kdiy_renewed", [here, there, "kubernetes", "AB12"]);
            let script = format!("{fakes}{script}");
            let shell = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            String::from_utf8(shell.unwrap().stdout).unwrap()
        };
        let old = file("old", past, "AB12");
        assert_eq!(
            renewed(&old, &file("later", future, "AB12")),
            "renewed kubernetes\n"
        );
        assert_eq!(
            renewed(&old, &file("endless", never, "AB12")),
            "renewed kubernetes\n"
        );
        assert_eq!(renewed(&old, &file("as-old", past, "AB12")), "");
        assert_eq!(renewed(&old, &file("other", future, "CD34")), "");
        assert_eq!(renewed(&old, "/nowhere"), "");
        let good = file("good", future, "AB12");
        assert_eq!(
            renewed(&good, &file("later", never, "AB12")),
            "",
            "it is not asked"
        );

        let key = RepositoryKey::Pinned {
            url: "https://example.org/key".to_owned(),
            fingerprint: "AB12".to_owned(),
        };
        let repository = Repository {
            name: "kubernetes".to_owned(),
            url: "https://example.org/".to_owned(),
            suite: "/".to_owned(),
            key,
            setting: "packages",
        };
        let seen = repository.as_wanted();
        assert_eq!(repository.diff(&seen), None);
        let difference = repository
            .diff(&Seen {
                renewed: true,
                ..seen
            })
            .unwrap();
        assert_eq!(
            difference.details,
            ["key AB12 has expired; https://example.org/key has it with a later end"]
        );
    }
}
