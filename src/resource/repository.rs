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
        let prepare = Script::of("install -d -m 0755 /etc/apt/keyrings\nkdiy_key=")
            .arg(format!("{key}.kdiy-new"))
            .lit("\n");
        let fetched = match &self.key {
            RepositoryKey::Armored(text) => {
                Script::of("printf %s ").arg(text).lit(" > \"$kdiy_key\"\n")
            }
            RepositoryKey::Pinned { url, fingerprint } => Script::of(DOWNLOAD)
                    .arg(url)
                    .lit(" \"$kdiy_key\"
kdiy_fpr=$(")
                .lit(FINGERPRINTS)
                .lit("\"$kdiy_key\")\nif [ \"$kdiy_fpr\" != ")
                .arg(fingerprint)
                .lit(" ]; then\nrm -f -- \"$kdiy_key\"\necho \"the key has the fingerprint $kdiy_fpr, not \"")
                .arg(fingerprint)
                .lit(" >&2\nexit 1\nfi\n"),
        };
        // The new key and list are tried by themselves first, so that a
        // repository that apt refuses never gets into its sources.
        let try_list = self.list().replace(
            &format!("signed-by={key}"),
            &format!("signed-by={key}.kdiy-new"),
        );
        prepare
            .then(&fetched)
            .lit("chmod 0644 \"$kdiy_key\"\nkdiy_try=")
            .arg(format!("/etc/apt/sources.list.d/{}.kdiy-new", self.name))
            .lit("\nprintf %s ")
            .arg(try_list)
            .lit(" > \"$kdiy_try\"\nkdiy_setting=")
            .arg(self.setting)
            .lit("\n")
            .lit(TRY)
            .lit("rm -f -- \"$kdiy_try\"\nmv -f -- \"$kdiy_key\" ")
            .arg(&key)
            .lit("\nprintf %s ")
            .arg(self.list())
            .lit(" > ")
            .arg(format!("{list}.kdiy-new"))
            .lit("\nmv -f -- ")
            .arg(format!("{list}.kdiy-new"))
            .lit(" ")
            .arg(&list)
            .lit("\n")
            .lit("kdiy_apt update -o Dir::Etc::sourcelist=")
            .arg(&list)
            .lit(" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0\n")
    }
}

/// apt's own way to fetch, which knows apt's proxy.
pub const DOWNLOAD: &str = "/usr/lib/apt/apt-helper -o Acquire::http::Timeout=60 -o APT::Sandbox::User=root download-file ";

/// Defines `kdiy_download URL NAME SHA256`, its parts, and `kdiy_note_sum NAME
/// SHA256`. It fetches by [`DOWNLOAD`].
pub const DOWNLOAD_FUNCTIONS: &str = sh!("resource/download.sh");

/// Fingerprints of the primary keys in a keyring file, which is appended.
const FINGERPRINTS: &str = "gpg_primary() { gpg --batch --show-keys --with-colons -- \"$1\" 2>/dev/null | { p=; while IFS=: read -r t _ _ _ _ _ _ _ _ f _; do case $t in pub) p=1;; fpr) [ -z \"$p\" ] || echo \"$f\"; p=;; esac; done; }; }; gpg_primary ";

/// `kdiy_expired FILE`: whether a key in a keyring file has. `kdiy_renewed FILE
/// URL NAME FINGERPRINT` says so where the one at the URL has not: what signs a
/// repository is given a later end from time to time, under the same
/// fingerprint. The URL is asked only where the key has expired.
const RENEWED: &str = r#"kdiy_expired() {
gpg --batch --show-keys --with-colons -- "$1" 2>/dev/null | {
  while IFS=: read -r t _ _ _ _ _ end _; do
    [ "$t" != pub ] || [ -z "$end" ] || [ "$end" -gt "$(date +%s)" ] || exit 0
  done
  exit 1
}
}
kdiy_renewed() {
kdiy_expired "$1" && kdiy_new=$(mktemp -d) || return 0
if timeout 20 $kdiy_download "$2" "$kdiy_new/key" >/dev/null 2>&1 \
  && [ "$(kdiy_primary "$kdiy_new/key")" = "$4" ] && ! kdiy_expired "$kdiy_new/key"; then
  echo "renewed $3"
fi
rm -rf -- "$kdiy_new"
}
"#;

/// Has apt verify the repository alone. apt only warns about a signature that
/// it cannot verify when it has older lists, so warnings count as errors.
const TRY: &str = sh!("resource/try-repository.sh");

pub(super) fn probe(all: &[&Repository]) -> Script {
    let pinned = |repository: &&&Repository| matches!(repository.key, RepositoryKey::Pinned { .. });
    let mut pinned = all.iter().filter(pinned).peekable();
    if pinned.peek().is_none() {
        return Script::new();
    }
    let functions = Script::of(RENEWED)
        .lit("kdiy_primary() {\n")
        .lit(FINGERPRINTS)
        .lit("\"$1\"\n}\nkdiy_download=")
        .arg(DOWNLOAD)
        .lit("\n");
    let body = pinned.fold(functions, |body, repository| {
        let RepositoryKey::Pinned { url, fingerprint } = &repository.key else {
            return body;
        };
        body.lit("for f in $(")
            .lit(FINGERPRINTS)
            .arg(repository.key_path())
            .lit("); do echo ")
            .arg(format!("fpr {} ", repository.name))
            .lit("\"$f\"; done\nkdiy_renewed ")
            .args([&repository.key_path(), url, &repository.name, fingerprint])
            .lit("\n")
    });
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
        let fakes = "gpg() { eval \"cat -- \\${$#}\"; }\ntimeout() { shift 3; cp -- \"$@\"; }\n";
        let renewed = |here: &str, there: &str| {
            let script = Script::of(RENEWED)
                .lit("kdiy_primary() {\n")
                .lit(FINGERPRINTS)
                .lit("\"$1\"\n}\nkdiy_download='helper download-file'\nkdiy_renewed ")
                .args([here, there, "kubernetes", "AB12"])
                .lit("\n");
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
