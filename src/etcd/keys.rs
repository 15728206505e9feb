//! Ranges of keys: which to ask for, and what comes back. Never values.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::gateway::{client, number, url};
use crate::cluster::{AddressSpec, Topology};
use crate::resource::AnswerError;
use crate::shell::{Script, sh};

/// Keys from `from` on and before `end`. An end of one zero byte is etcd's
/// word for no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    from: Vec<u8>,
    end: Vec<u8>,
}

/// What is asked about a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// How many keys there are.
    Count,
    /// The first so many of them.
    Keys(usize),
}

/// Some keys of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The keys as bytes, in ascending order.
    pub keys: Vec<Vec<u8>>,
    /// How many keys the whole range has.
    pub count: u64,
    /// The revision that was looked at.
    pub revision: u64,
}

/// The script that asks the member on a host about a range.
#[must_use]
pub fn script(
    topology: &Topology,
    address: &AddressSpec,
    range: &Range,
    ask: Ask,
    revision: u64,
) -> Script {
    let client = client(topology, address);
    client
        .functions()
        .with(sh!("etcd/keys.sh"))
        .then(&url(&client, address))
        .call("kdiy_range", [range.request(ask, revision)])
}

impl Range {
    /// All keys that begin so.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        if prefix.is_empty() {
            return Self {
                from: vec![0],
                end: vec![0],
            };
        }
        // The first text after all that begin so: what ends in 0xff has no
        // next byte, so the one before it moves on.
        let last = prefix.iter().rposition(|&byte| byte != u8::MAX);
        let end = last.map_or_else(
            || vec![0],
            |last| {
                let mut end = prefix[..=last].to_vec();
                end[last] += 1;
                end
            },
        );
        Self {
            from: prefix.to_vec(),
            end,
        }
    }

    /// What of it comes after a key.
    #[must_use]
    pub fn after(&self, key: &[u8]) -> Self {
        Self {
            from: [key, &[0]].concat(),
            end: self.end.clone(),
        }
    }

    /// The body of a request; `revision` 0 is the newest.
    #[must_use]
    pub fn request(&self, ask: Ask, revision: u64) -> String {
        let mut body = serde_json::json!({
            "key": STANDARD.encode(&self.from),
            "range_end": STANDARD.encode(&self.end),
            "revision": revision.to_string(),
        });
        match ask {
            Ask::Count => body["count_only"] = true.into(),
            Ask::Keys(limit) => {
                body["keys_only"] = true.into();
                body["limit"] = limit.to_string().into();
            }
        }
        body.to_string()
    }
}

impl Page {
    /// Reads etcd's answer.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let malformed = || AnswerError::text("keys of etcd", text);
        let raw: Raw = serde_json::from_str(text).map_err(|_| malformed())?;
        let keys = raw.kvs.iter().map(|kv| STANDARD.decode(&kv.key));
        Ok(Self {
            keys: keys.collect::<Result<_, _>>().map_err(|_| malformed())?,
            count: raw.count,
            revision: raw.header.revision,
        })
    }
}

/// A key as text: what is no printable UTF-8 as `\xNN`, and `\` as `\\`, so
/// that each key has its own text.
#[must_use]
pub fn escaped(key: &[u8]) -> String {
    let mut out = String::with_capacity(key.len());
    for chunk in key.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                ' '..='~' => out.push(c),
                _ if c.is_alphanumeric() => out.push(c),
                _ => hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        hex(&mut out, chunk.invalid());
    }
    out
}

fn hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(out, "\\x{byte:02x}").expect("writing to a String");
    }
}

#[derive(Deserialize)]
struct Raw {
    header: RawHeader,
    #[serde(default)]
    kvs: Vec<RawKey>,
    #[serde(default, deserialize_with = "number")]
    count: u64,
}

#[derive(Deserialize)]
struct RawHeader {
    #[serde(deserialize_with = "number")]
    revision: u64,
}

#[derive(Deserialize)]
struct RawKey {
    key: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Range {
        /// As etcd decides it.
        fn holds(&self, key: &[u8]) -> bool {
            key >= &self.from[..] && (self.end == [0] || key < &self.end[..])
        }
    }

    fn end(prefix: &[u8]) -> Vec<u8> {
        Range::prefix(prefix).end
    }

    #[test]
    fn ends_of_prefixes() {
        assert_eq!(end(b"/registry"), b"/registrz");
        assert_eq!(end(b"a\xff"), b"b");
        assert_eq!(end(b"a\xff\xff"), b"b");
        assert_eq!(end(b"\xff\xff"), b"\0");
        assert_eq!(end(b""), b"\0");
    }

    #[test]
    fn requests_are_as_etcd_reads_them() {
        let range = Range::prefix(b"/registry");
        assert_eq!(
            range.request(Ask::Keys(2), 0),
            r#"{"key":"L3JlZ2lzdHJ5","range_end":"L3JlZ2lzdHJ6","revision":"0","keys_only":true,"limit":"2"}"#
        );
        assert_eq!(
            range.after(b"/registry/a").request(Ask::Count, 7),
            r#"{"key":"L3JlZ2lzdHJ5L2EA","range_end":"L3JlZ2lzdHJ6","revision":"7","count_only":true}"#
        );
    }

    #[test]
    fn a_page_is_read() {
        // As etcd 3.6.8 and 3.7.0 answered.
        for text in [
            r#"{"header":{"cluster_id":"12521319786038175563", "member_id":"149099725883030476", "revision":"5", "raft_term":"3"}, "kvs":[{"key":"L3JlZ2lzdHJ5L2sx", "create_revision":"2", "mod_revision":"2", "version":"1"}, {"key":"L3JlZ2lzdHJ5L2sy", "create_revision":"3", "mod_revision":"3", "version":"1"}], "more":true, "count":"4"}"#,
            r#"{"header":{"cluster_id":"7797801124135783237","member_id":"17663474746117404156","revision":"5","raft_term":"4"},"kvs":[{"key":"L3JlZ2lzdHJ5L2sx","create_revision":"2","mod_revision":"2","version":"1"},{"key":"L3JlZ2lzdHJ5L2sy","create_revision":"3","mod_revision":"3","version":"1"}],"more":true,"count":"4"}"#,
        ] {
            let page = Page::parse(text).unwrap();
            assert_eq!((page.count, page.revision), (4, 5));
            let keys: Vec<_> = page.keys.iter().map(|key| escaped(key)).collect();
            assert_eq!(keys, ["/registry/k1", "/registry/k2"]);
        }
        let none = Page::parse(r#"{"header":{"revision":"7"}}"#).unwrap();
        assert_eq!((none.keys.len(), none.count), (0, 0));
        for bad in [
            "",
            "{}",
            r#"{"code":11,"message":"etcdserver: mvcc: required revision has been compacted"}"#,
            r#"{"header":{"revision":"7"},"kvs":[{"key":"%"}]}"#,
        ] {
            assert!(Page::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn odd_keys_are_escaped() {
        assert_eq!(escaped(b"/a\x00\x1b[2J\xff\\"), "/a\\x00\\x1b[2J\\xff\\\\");
        assert_eq!(
            escaped("/n\u{e4}\u{202e}".as_bytes()),
            "/n\u{e4}\\xe2\\x80\\xae"
        );
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(0_u8), Just(0xfe), Just(0xff), any::<u8>()];
        prop::collection::vec(byte, 0..5)
    }

    proptest! {
        #[test]
        fn a_range_holds_what_begins_with_its_prefix_and_nothing_else(prefix in bytes(), key in bytes(), rest in bytes()) {
            let range = Range::prefix(&prefix);
            prop_assume!(!key.is_empty());
            prop_assert_eq!(range.holds(&key), key.starts_with(&prefix));
            let inside = [&prefix[..], &rest[..]].concat();
            prop_assert!(inside.is_empty() || range.holds(&inside));
            prop_assert!(!range.after(&inside).holds(&inside));
        }

        #[test]
        fn each_key_has_its_own_harmless_text(one in bytes(), other in bytes()) {
            prop_assert_eq!(escaped(&one) == escaped(&other), one == other);
            prop_assert!(!escaped(&one).chars().any(char::is_control));
        }
    }
}
