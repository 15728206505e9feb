//! Texts that are nearly right: right ones with some changes.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What parsers stumble over.
const TOKENS: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "\u{1b}[2J",
    "\u{feff}",
    "\u{202e}",
    "é",
    "🦀",
    "\"",
    "'",
    "\\",
    "`",
    "$(",
    "${",
    "%",
    "%%",
    "%h",
    "#",
    "@",
    "@revoked",
    "@cert-authority",
    "|1|",
    "!",
    "!!map",
    "!x",
    "&a",
    "*a",
    "&a [*a]",
    "<<: *a",
    "---",
    "...",
    "- ",
    "- - - ",
    ": ",
    "? ",
    "{",
    "}",
    "{{",
    "[",
    "]",
    "[]",
    "{}",
    ",",
    ",,",
    "=",
    "|",
    "|\n",
    ">-\n",
    "~",
    "null",
    "true",
    "no",
    "0",
    "-0",
    "-1",
    "00",
    "1e999",
    "1.30",
    "0x7fffffffffffffff",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "NaN",
    ".inf",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "255.255.255.255",
    "fe80::1%eth0",
    "::ffff:10.0.0.1",
    "[::1]:22",
    "localhost",
    "..",
    "../../etc/passwd",
    "/dev/zero",
    "a,b",
    "a b",
    "1.2.3.4.5",
    "v1.34.1",
    "kdiy/v1alpha1",
    "[1:99999999]",
    "[a:z]",
    "[z:a]",
    "[01:10]",
    "host[1:3].x",
    "ansible_host=",
    "Match exec x",
    "Include *",
    "Host !*",
    "ProxyJump a,b,c",
    "ssh-ed25519",
    "AAAAC3NzaC1lZDI1NTE5",
    "\"}",
    "\":[",
    "\\u0000",
    "\\ud800",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "@x 1\n",
    "@clock 99\n",
];

/// One change to a text.
#[derive(Debug, Clone)]
pub enum Edit {
    Insert(Index, String),
    Remove(Index, usize),
    Word(Index, String),
    LineTwice(Index, usize),
    LinesSwapped(Index, Index),
    CutOff(Index),
    Indented(Index, usize),
    Repeated(Index, &'static str, usize),
}

/// A piece of text.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(TOKENS).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
        1 => prop::collection::vec(any::<u8>(), 0..8)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<Index>;
    let edit = prop_oneof![
        3 => (at(), piece()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        3 => (at(), 1..40_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        6 => (at(), piece()).prop_map(|(at, piece)| Edit::Word(at, piece)),
        2 => (at(), 1..60_usize).prop_map(|(at, times)| Edit::LineTwice(at, times)),
        2 => (at(), at()).prop_map(|(one, other)| Edit::LinesSwapped(one, other)),
        1 => at().prop_map(Edit::CutOff),
        2 => (at(), 0..9_usize).prop_map(|(at, depth)| Edit::Indented(at, depth)),
        1 => (at(), select(TOKENS), 1..600_usize)
            .prop_map(|(at, token, times)| Edit::Repeated(at, token, times)),
    ];
    prop::collection::vec(edit, 0..6)
}

/// A text with changes.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits {
        apply(&mut text, edit);
    }
    text
}

fn apply(text: &mut String, edit: &Edit) {
    match edit {
        Edit::Insert(at, piece) => text.insert_str(place(text, at), piece),
        Edit::Repeated(at, token, times) => text.insert_str(place(text, at), &token.repeat(*times)),
        Edit::CutOff(at) => text.truncate(place(text, at)),
        Edit::Remove(at, length) => {
            let start = place(text, at);
            let end = boundary(text, start + length);
            text.replace_range(start..end, "");
        }
        Edit::Word(at, piece) => {
            let start = place(text, at);
            let is_word = |c: char| c.is_alphanumeric() || "._-/".contains(c);
            let from = text[..start].trim_end_matches(is_word).len();
            let rest = &text[start..];
            let end = text.len() - rest.trim_start_matches(is_word).len();
            text.replace_range(from..end, piece);
        }
        Edit::LineTwice(at, times) => change_lines(text, |lines| {
            let line = lines[at.index(lines.len())].clone();
            let at = at.index(lines.len());
            lines.splice(at..at, std::iter::repeat_n(line, *times));
        }),
        Edit::LinesSwapped(one, other) => change_lines(text, |lines| {
            let count = lines.len();
            lines.swap(one.index(count), other.index(count));
        }),
        Edit::Indented(at, depth) => change_lines(text, |lines| {
            let at = at.index(lines.len());
            lines[at] = " ".repeat(*depth) + lines[at].trim_start();
        }),
    }
}

fn change_lines(text: &mut String, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    change(&mut lines);
    *text = lines.join("\n");
}

fn place(text: &str, at: &Index) -> usize {
    boundary(text, at.index(text.len() + 1))
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

/// One of these texts, changed; now and then any text at all.
pub fn nearly(seeds: Vec<String>) -> impl Strategy<Value = String> {
    prop_oneof![
        9 => (select(seeds), edits()).prop_map(|(seed, edits)| edited(&seed, &edits)),
        1 => "(\\PC|[\n:#{}*&@|=%\"'-]){0,300}",
    ]
}
