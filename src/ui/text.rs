//! Text fitted to columns.

use std::collections::BTreeSet;
use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::sanitise::{sanitise, sanitise_output};

/// Characters for each column at most: letters with several marks are rare.
const MARKS: usize = 4;

/// Words on lines of at most `width` columns. A word that is wider than that
/// has a line to itself: paths and commands must stay whole to be copied.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Words on lines of at most `width` columns, words that are wider broken.
#[must_use]
pub fn fit(text: &str, width: usize) -> Vec<String> {
    let lines = wrap(text, width);
    lines.iter().flat_map(|line| fold(line, width)).collect()
}

/// Items on lines of at most `width` columns, with a separator between those
/// on the same line. An item that is wider than that is wrapped.
#[must_use]
pub fn pack(items: &[String], separator: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.width() + separator.width() + item.width() <= width => {
                line.push_str(separator);
                line.push_str(item);
            }
            _ => lines.extend(wrap(item, width)),
        }
    }
    lines
}

/// Text on lines of at most `width` columns, broken anywhere.
#[must_use]
pub fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if column + wide > width && column > 0 {
            lines.push(String::new());
            column = 0;
        }
        column += wide;
        lines.last_mut().expect("there is always a line").push(c);
    }
    lines
}

/// Text cut to `width` columns, with `…` at its end where something is gone.
/// Marks that take no column count as well where there are very many.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    let most = width.saturating_mul(MARKS);
    if text.width() <= width && text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut column = 0;
    for (place, c) in text.chars().enumerate() {
        column += c.width().unwrap_or(0);
        if column >= width || place >= most {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// A step and the resource it has come to. Its key begins with its kind; of a
/// command the rest says enough.
#[must_use]
pub fn step(title: &str, resource: Option<&str>) -> String {
    match resource {
        Some(key) => {
            let name = key.strip_prefix("command ").unwrap_or(key);
            format!("{title} › {}", sanitise(name))
        }
        None => title.to_owned(),
    }
}

/// A step that is tried again, with what went wrong, in `width` columns.
#[must_use]
pub fn retried(title: &str, what: &str, wait: Duration, width: usize) -> String {
    let text = format!("{title} in {} s: {}", wait.as_secs(), sanitise_output(what));
    cut(&text, width)
}

/// How long nothing is said until it is said what is waited for, after it was
/// said so often: a log shall not fill up with it.
#[must_use]
pub fn sign_of_life(said: usize) -> Duration {
    let seconds = [10, 20, 40].get(said).copied().unwrap_or(60);
    Duration::from_secs(seconds)
}

/// `1 host`, `2 hosts`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `512 B`, `1.3 MiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let place = bytes.checked_ilog2().unwrap_or(0) / 10;
    match units.get((place as usize).wrapping_sub(1)) {
        None => format!("{bytes} B"),
        Some(unit) => {
            // In tenths, rounded down.
            let tenths = (u128::from(bytes) * 10) >> (10 * place);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
    }
}

/// `0.4s`, `12s`, `3m04s`, `1h02m`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{}.{}s", seconds, duration.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Names with commas; four and more that are numbered in a row as `w-1..w-9`.
#[must_use]
pub fn names<T: ToString + ?Sized>(names: &BTreeSet<&T>) -> String {
    let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
    let mut numbered: Vec<(&str, &str, Option<u32>)> = names
        .iter()
        .map(|name| {
            let stem = name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
            let digits = &name.as_str()[stem.len()..];
            (stem, digits, digits.parse().ok())
        })
        .collect();
    numbered.sort_by_key(|&(stem, digits, number)| (stem, number, digits));
    let follows = |a: &(&str, &str, Option<u32>), b: &(&str, &str, Option<u32>)| {
        let next =
            a.2.zip(b.2)
                .is_some_and(|(a, b)| a.checked_add(1) == Some(b));
        // w-9 and w-10 are a row, w-09 and w-10 too, w-9 and w-010 are not.
        let alike = a.1.len() == b.1.len() || (!a.1.starts_with('0') && !b.1.starts_with('0'));
        a.0 == b.0 && next && alike
    };
    let mut parts = Vec::new();
    for row in numbered.chunk_by(follows) {
        match row {
            [first, .., last] if row.len() >= 4 => {
                parts.push(format!("{}{}..{}{}", first.0, first.1, last.0, last.1));
            }
            _ => parts.extend(
                row.iter()
                    .map(|(stem, digits, _)| format!("{stem}{digits}")),
            ),
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Name;

    fn named(all: &[&str]) -> String {
        let all: Vec<_> = all
            .iter()
            .map(|name| Name::try_from((*name).to_owned()).unwrap())
            .collect();
        names(&all.iter().collect())
    }

    #[test]
    fn rows_of_names_are_short() {
        assert_eq!(
            named(&["cp-1", "cp-2", "cp-3", "lb"]),
            "cp-1, cp-2, cp-3, lb"
        );
        assert_eq!(
            named(&["w-1", "w-2", "w-3", "w-9", "w-10", "w-11", "w-12", "w-8"]),
            "w-1, w-2, w-3, w-8..w-12"
        );
        assert_eq!(named(&["w08", "w09", "w10", "w11"]), "w08..w11");
        assert_eq!(named(&["w1", "w2", "w03", "w4"]), "w1, w2, w03, w4");
    }

    #[test]
    fn words_wrap_and_long_ones_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap("see /a/very/long/path now", 8),
            ["see", "/a/very/long/path", "now"]
        );
        assert_eq!(wrap("", 7), [""]);
    }

    #[test]
    fn items_share_lines() {
        let items = ["one", "two", "three", "four five six"].map(str::to_owned);
        assert_eq!(
            pack(&items, "; ", 10),
            ["one; two", "three", "four five", "six"]
        );
    }

    #[test]
    fn cut_counts_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("日本語", 5), "日本…");
        let marks = format!("a{}", "\u{301}".repeat(1000));
        assert_eq!(cut(&marks, 6).chars().count(), 6 * MARKS + 1);
        assert_eq!(fold("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn bytes_are_short() {
        let shown = [0, 1023, 1024, 1_347_584, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.2 MiB", "15.9 EiB"]);
    }

    #[test]
    fn durations_are_short() {
        let shown = [40, 460, 9_990, 12_300, 184_000, 3_720_000];
        let shown = shown.map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["0.0s", "0.4s", "9.9s", "12s", "3m04s", "1h02m"]);
    }
}
