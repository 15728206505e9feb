//! known_hosts: the file format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
//!
//! russh's own reader is not used: it knows neither markers (`@revoked`,
//! `@cert-authority`) nor wildcards nor negation, and takes a revoked key for
//! a good one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use russh::keys::PublicKey;

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

    /// Whether an [`entry_line`] is in it.
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
