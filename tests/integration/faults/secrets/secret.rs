//! Secrets of a run, and all the ways in which they can be written.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Something that must be nowhere but where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    pub name: String,
    /// Pieces of it, any of which gives it away.
    pieces: Vec<Vec<u8>>,
}

/// What is shorter is found everywhere by chance.
const SHORTEST: usize = 8;

impl Secret {
    pub fn text(name: &str, text: &str) -> Self {
        assert!(text.len() >= SHORTEST, "{name} is too short to look for");
        Self {
            name: name.to_owned(),
            pieces: vec![text.into()],
        }
    }

    /// The private keys in a text: each line of their PEM and, however it is
    /// broken into lines, what only the key's owner knows.
    pub fn keys(name: &str, text: &str) -> Vec<Self> {
        let blocks = text.split("-----BEGIN ").skip(1);
        let keys = blocks.filter_map(|block| {
            let (label, rest) = block.split_once("-----\n")?;
            let body = rest.split("-----END").next()?;
            label
                .ends_with("PRIVATE KEY")
                .then(|| Self::key(name, label, body))
        });
        keys.collect()
    }

    fn key(name: &str, label: &str, body: &str) -> Self {
        let flat: String = body.split_whitespace().collect();
        let der = STANDARD_NO_PAD
            .decode(flat.trim_end_matches('='))
            .expect("base64");
        let hidden = hidden(&der);
        // Lines that overlap with it; others may be the public half.
        let lines = body.lines().scan(0, |at, line| {
            let from = *at;
            *at += line.len() / 4 * 3;
            Some((from, *at, line))
        });
        let lines = lines.filter(|(from, to, line)| {
            line.len() >= 32 && *from + 16 < hidden.end && *to > hidden.start + 16
        });
        let mut pieces: Vec<Vec<u8>> = lines.map(|(.., line)| line.into()).collect();
        assert!(
            !pieces.is_empty(),
            "{name} ({label}) gives nothing to look for"
        );
        pieces.push(der[hidden].to_vec());
        Self {
            name: format!("{name} ({label})"),
            pieces,
        }
    }

    /// As it is, and as base64, hex and URLs have it.
    fn patterns(&self) -> BTreeSet<Vec<u8>> {
        self.pieces
            .iter()
            .flat_map(|piece| encoded(piece))
            .collect()
    }
}

/// Where in a key's DER lies what is not in its certificate too: 32 bytes of a
/// scalar in PKCS#8 or SEC 1, about the second half of an RSA key.
fn hidden(der: &[u8]) -> std::ops::Range<usize> {
    if der.len() > 300 {
        return der.len() / 2..der.len();
    }
    let octets = [0x04, 0x20];
    let at = der.windows(2).position(|window| window == octets);
    let from = at.expect("a scalar of 32 bytes") + 2;
    from..from + 32
}

/// How a piece may be written.
fn encoded(piece: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![piece.to_vec(), hex.to_uppercase().into(), hex.into()];
    let url: String = piece
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    all.push(url.to_lowercase().into());
    all.push(url.into());
    // Wherever it begins within three bytes, without letters at both ends that
    // depend on its neighbours.
    for before in 0..3 {
        let shifted = [&vec![0; before][..], piece].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            let from = (before * 8).div_ceil(6);
            let to = shifted.len() * 8 / 6;
            all.push(text[from..to].into());
        }
    }
    all
}

/// Looks for many secrets at once.
pub struct Search {
    automaton: AhoCorasick,
    /// By pattern.
    names: Vec<String>,
    patterns: Vec<Vec<u8>>,
}

impl Search {
    pub fn of(secrets: &[Secret]) -> Self {
        let all = secrets.iter().flat_map(|secret| {
            let patterns = secret.patterns().into_iter();
            patterns.map(|pattern| (secret.name.clone(), pattern))
        });
        let (names, patterns): (Vec<_>, Vec<_>) = all.unzip();
        assert!(patterns.iter().all(|pattern| pattern.len() >= SHORTEST));
        Self {
            automaton: AhoCorasick::new(&patterns).expect("patterns"),
            names,
            patterns,
        }
    }

    /// Names of the secrets in something.
    pub fn within(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let found = self.automaton.find_overlapping_iter(bytes);
        found.map(|found| &*self.names[found.pattern()]).collect()
    }

    /// Those of its patterns that `grep -F` can take, one a line.
    pub fn lines(&self) -> Vec<u8> {
        let lines = self.patterns.iter().filter(|pattern| {
            let text = std::str::from_utf8(pattern);
            text.is_ok_and(|text| !text.contains(['\n', '\0']))
        });
        lines.flat_map(|line| [line, &b"\n"[..]].concat()).collect()
    }

    pub fn len(&self) -> usize {
        self.patterns.len()
    }
}

#[test]
fn secrets_are_found_however_they_are_written() {
    let pem = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    let [key] = &Secret::keys("ca.key", &format!("before\n{pem}after"))[..] else {
        panic!("one key");
    };
    let password = Secret::text("password", "p4ss w/rd+?é");
    let search = Search::of(&[key.clone(), password]);
    let flat: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for before in ["", "x", "xy", "xyz"] {
        for hidden in [pem.clone(), format!("kind: {}", pem.replace('\n', "\\n"))] {
            let twice = STANDARD_NO_PAD.encode(format!("{before}{hidden}"));
            assert_eq!(search.within(twice.as_bytes()).len(), 1, "{twice}");
        }
        let text = format!("{before}p4ss w/rd+?é{before}");
        let base64 = STANDARD_NO_PAD.encode(&text);
        let url = URL_SAFE_NO_PAD.encode(&text);
        let percent = format!("{before}p4ss%20w%2Frd%2B%3F%C3%A9");
        for found in [&text, &base64, &url, &percent, &percent.to_lowercase()] {
            assert_eq!(
                search.within(found.as_bytes()),
                ["password"].into(),
                "{found}"
            );
        }
    }
    assert_eq!(
        search.within(flat.as_bytes()).len(),
        1,
        "without line breaks"
    );
    assert!(search.within(b"p4ss w/rd and nothing else").is_empty());
    let other = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    assert!(search.within(other.as_bytes()).is_empty(), "another key");
}
