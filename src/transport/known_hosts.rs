//! known_hosts: the file format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
//!
//! russh's own reader is not used: it knows neither markers (`@revoked`,
//! `@cert-authority`) nor wildcards nor negation, and takes a revoked key for
//! a good one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use russh::keys::{HashAlg, PublicKey};

/// The entries of one file.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
}

/// What one line says.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Number of the line, counted from 1.
    pub line: usize,
    /// What the key is for.
    pub marker: Marker,
    /// The key.
    pub key: PublicKey,
    hosts: Hosts,
}

/// What the key of an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// It is the key of the host.
    HostKey,
    /// It signs certificates of hosts. It never vouches for a plain key.
    CertAuthority,
    /// It must not be accepted.
    Revoked,
}

#[derive(Debug, Clone)]
enum Hosts {
    Patterns(Vec<Pattern>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// A pattern with `*` and `?`, perhaps negated.
#[derive(Debug, Clone)]
struct Pattern {
    negated: bool,
    text: String,
}

/// The name under which known_hosts keeps a host.
#[must_use]
pub fn entry_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

/// The line that records a key.
#[must_use]
pub fn entry_line(name: &str, key: &PublicKey) -> String {
    use russh::keys::PublicKeyBase64 as _;
    format!("{name} {} {}", key.algorithm(), key.public_key_base64())
}

/// An [`entry_line`] with the name hashed, as `HashKnownHosts` wants it.
///
/// # Errors
/// When the system has no randomness.
pub fn hashed_line(line: &str) -> std::io::Result<String> {
    let (name, key) = line.split_once(' ').unwrap_or((line, ""));
    let mut salt = [0; 20];
    getrandom::fill(&mut salt)?;
    let secret = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    let hash = hmac::sign(&secret, name.as_bytes());
    let (salt, hash) = (STANDARD.encode(salt), STANDARD.encode(hash));
    Ok(format!("|1|{salt}|{hash} {key}"))
}

impl KnownHosts {
    /// Reads a file. Lines that make no sense are passed over, as ssh does.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entries = text
            .lines()
            .enumerate()
            .filter_map(|(place, line)| Entry::parse(place + 1, line))
            .collect();
        Self { entries }
    }

    /// Whether an [`entry_line`] is in it, be it hashed.
    #[must_use]
    pub fn has_line(&self, line: &str) -> bool {
        let Some(wanted) = Entry::parse(0, line) else {
            return false;
        };
        let name = line.split(' ').next().unwrap_or_default();
        self.of(name).any(|entry| {
            entry.marker == Marker::HostKey && entry.key.key_data() == wanted.key.key_data()
        })
    }

    /// Entries for a host, by its [`entry_name`].
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.hosts.matches(name))
    }
}

impl Entry {
    /// `SHA256:...` of the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    fn parse(line: usize, text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let mut hosts = words.next().filter(|word| !word.starts_with('#'))?;
        let marker = match hosts {
            "@revoked" => Marker::Revoked,
            "@cert-authority" => Marker::CertAuthority,
            word if word.starts_with('@') => return None,
            _ => Marker::HostKey,
        };
        if marker != Marker::HostKey {
            hosts = words.next()?;
        }
        let hosts = Hosts::parse(hosts)?;
        let kind = words.next()?;
        let key = russh::keys::parse_public_key_base64(words.next()?).ok()?;
        (key.algorithm().as_str() == kind).then_some(Self {
            line,
            marker,
            key,
            hosts,
        })
    }
}

impl Hosts {
    fn parse(word: &str) -> Option<Self> {
        let Some(hashed) = word.strip_prefix("|1|") else {
            let patterns = word
                .split(',')
                .filter(|word| !word.is_empty())
                .map(Pattern::parse);
            return Some(Self::Patterns(patterns.collect()));
        };
        let (salt, hash) = hashed.split_once('|')?;
        Some(Self::Hashed {
            salt: STANDARD.decode(salt).ok()?,
            hash: STANDARD.decode(hash).ok()?,
        })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => {
                let matching = || patterns.iter().filter(|pattern| pattern.matches(name));
                matching().next().is_some() && !matching().any(|pattern| pattern.negated)
            }
            Self::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, name.as_bytes(), hash).is_ok()
            }
        }
    }
}

impl Pattern {
    fn parse(word: &str) -> Self {
        let (negated, text) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        Self {
            negated,
            text: text.to_ascii_lowercase(),
        }
    }

    fn matches(&self, name: &str) -> bool {
        glob_matches(&self.text, name)
    }
}

/// Whether a name matches a pattern of `*` (any characters) and `?` (one), the
/// only two that ssh knows. Takes time of at most their product.
#[must_use]
pub(super) fn glob_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn lines_of(text: &str, name: &str) -> Vec<usize> {
        KnownHosts::parse(text)
            .of(name)
            .map(|entry| entry.line)
            .collect()
    }

    /// The lines that OpenSSH finds for a host.
    fn lines_of_openssh(text: &str, name: &str) -> Vec<usize> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, text).unwrap();
        let out = Command::new("ssh-keygen")
            .args(["-F", name, "-f"])
            .arg(&path)
            .output()
            .expect("this test needs ssh-keygen: install openssh-client");
        String::from_utf8(out.stdout)
            .unwrap()
            .lines()
            .filter_map(|line| line.split_once("found: line "))
            .map(|(_, rest)| rest.split(' ').next().unwrap().parse().unwrap())
            .collect()
    }

    #[test]
    fn entries_are_found_as_openssh_finds_them() {
        let text = format!(
            "# comment\n\
             plain {ED25519} a comment\n\
             \n\
             one,two,10.0.0.? {ED25519}\n\
             *.example.com,!bad.example.com {ED25519}\n\
             [plain]:2222\t{ED25519}\n\
             @revoked plain {ED25519}\n\
             @cert-authority *.example.com {ED25519}\n\
             @unknown plain {ED25519}\n\
             \x20 UPPER {ED25519}\n\
             plain\n"
        );
        for name in [
            "plain",
            "two",
            "10.0.0.7",
            "10.0.0.77",
            "a.example.com",
            "bad.example.com",
            "[plain]:2222",
            "[plain]:22",
            "upper",
            "comment",
            "other",
        ] {
            assert_eq!(
                lines_of(&text, name),
                lines_of_openssh(&text, name),
                "{name}"
            );
        }
        let marker = |line| {
            let hosts = KnownHosts::parse(&text);
            hosts
                .entries
                .iter()
                .find(|entry| entry.line == line)
                .unwrap()
                .marker
        };
        assert_eq!(
            [marker(2), marker(7), marker(8)],
            [Marker::HostKey, Marker::Revoked, Marker::CertAuthority]
        );
    }

    #[test]
    fn an_entry_whose_key_makes_no_sense_knows_nobody() {
        let blob = ED25519.split(' ').nth(1).unwrap();
        let text = format!("host ssh-ed25519 not-base64\nhost ssh-rsa {blob}\nhost {ED25519}");
        assert_eq!(lines_of(&text, "host"), [3]);
    }

    #[test]
    fn hashed_entries_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, format!("one {ED25519}\n[two]:2222 {ED25519}\n")).unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("one"));
        assert_eq!(lines_of(&text, &entry_name("ONE", 22)), [1]);
        assert_eq!(lines_of(&text, &entry_name("two", 2222)), [2]);
        assert_eq!(lines_of(&text, "two"), [0_usize; 0]);
    }

    #[test]
    fn a_line_that_is_written_is_found_again() {
        let key = russh::keys::parse_public_key_base64(ED25519.split(' ').nth(1).unwrap()).unwrap();
        let line = entry_line(&entry_name("Host", 2222), &key);
        assert_eq!(line, format!("[host]:2222 {ED25519}"));
        assert!(KnownHosts::parse(&line).has_line(&line));
        let hashed = hashed_line(&line).unwrap();
        assert!(hashed.starts_with("|1|") && !hashed.contains("host"));
        assert_ne!(hashed, hashed_line(&line).unwrap());
        assert!(KnownHosts::parse(&hashed).has_line(&line));
        assert_eq!(lines_of_openssh(&hashed, "[host]:2222"), [1]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(\\PC|[\n@|1*?!,# ]){0,200}", name in ".{0,20}") {
            lines_of(&text, &name);
        }

        #[test]
        fn patterns_match_as_in_openssh(
            patterns in prop::collection::vec("!?[ab*?]{1,5}", 1..4),
            name in "[ab]{1,6}",
        ) {
            let text = format!("{} {ED25519}\n", patterns.join(","));
            prop_assert_eq!(lines_of(&text, &name), lines_of_openssh(&text, &name), "{}", text);
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let pattern = "*a".repeat(2000);
        assert!(!glob_matches(&pattern, &"a".repeat(1999)));
        assert!(glob_matches(&pattern, &"a".repeat(2000)));
    }
}
