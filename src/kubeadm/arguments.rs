//! Command-line arguments of components: a map here, a list of names and
//! values in kubeadm's documents.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::cluster::{Component, LeaderElection};

/// Arguments without dashes, and their values.
pub type Arguments = BTreeMap<String, String>;

#[derive(Serialize)]
struct Argument {
    name: String,
    value: String,
}

/// As kubeadm reads them.
pub fn shaped(arguments: Arguments) -> Value {
    let list = arguments
        .into_iter()
        .map(|(name, value)| Argument { name, value });
    serde_json::to_value(list.collect::<Vec<_>>()).expect("texts are JSON")
}

/// Arguments of leader election, all of them written, and the inventory's
/// over them.
pub fn elected(election: &LeaderElection, component: &Component) -> Arguments {
    let mut arguments = Arguments::from([
        ("leader-elect".to_owned(), election.enabled.to_string()),
        (
            "leader-elect-lease-duration".to_owned(),
            go_duration(election.lease_duration),
        ),
        (
            "leader-elect-renew-deadline".to_owned(),
            go_duration(election.renew_deadline),
        ),
        (
            "leader-elect-retry-period".to_owned(),
            go_duration(election.retry_period),
        ),
    ]);
    arguments.extend(component.extra_args.clone());
    arguments
}

/// As Go's time.ParseDuration reads it, without loss: `1h0m30.5s`.
fn go_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut text = String::new();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if hours > 0 || minutes > 0 {
        text += &format!("{minutes}m");
    }
    text += &(seconds % 60).to_string();
    if nanos > 0 {
        text += format!(".{nanos:09}").trim_end_matches('0');
    }
    text + "s"
}

/// Whether two values of an argument mean the same: the same text, or the
/// same length of time.
#[must_use]
pub fn same_value(one: &str, other: &str) -> bool {
    one == other
        || matches!((nanoseconds(one), nanoseconds(other)), (Some(one), Some(other)) if one == other)
}

/// What Go's time.ParseDuration reads, but for signs.
fn nanoseconds(text: &str) -> Option<u128> {
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(number);
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let scale: u128 = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let mut value = format!("0{whole}")
            .parse::<u128>()
            .ok()?
            .checked_mul(scale)?;
        let mut place = scale;
        for digit in part.chars() {
            place /= 10;
            value += place * u128::from(digit.to_digit(10)?);
        }
        total = total.checked_add(value)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_compared_by_value() {
        for (one, other) in [
            ("15s", "0m15s"),
            ("1h", "60m0s"),
            ("1.5s", "1500ms"),
            ("x", "x"),
        ] {
            assert!(same_value(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("15s", "16s"),
            ("15", "15s"),
            ("", "0s"),
            ("1.2.3s", "1.2s"),
            ("a", "b"),
        ] {
            assert!(!same_value(one, other), "{one} {other}");
        }
    }

    #[test]
    fn durations_as_go_writes_them() {
        let rows = [
            (0, "0s"),
            (500, "0.5s"),
            (15_000, "15s"),
            (60_000, "1m0s"),
            (90_250, "1m30.25s"),
            (3_600_000, "1h0m0s"),
            (5_425_001, "1h30m25.001s"),
        ];
        for (millis, text) in rows {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }
}
