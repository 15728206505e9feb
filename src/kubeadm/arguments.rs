//! Command-line arguments of components: a map here, a list of names and
//! values in kubeadm's documents.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::cluster::{Arguments, Component, LeaderElection, Values, Version};

#[derive(Serialize)]
struct Argument<'a> {
    name: &'a str,
    value: &'a str,
}

/// As kubeadm reads them: an argument of several values stands there as often.
pub fn shaped(arguments: &Arguments) -> Value {
    let list = arguments
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| Argument { name, value }));
    serde_json::to_value(list.collect::<Vec<_>>()).expect("texts are JSON")
}

/// Arguments of leader election, all of them written, and the inventory's
/// over them.
pub fn elected(election: &LeaderElection, component: &Component) -> Arguments {
    let mut arguments = Arguments::from([
        (
            "leader-elect".to_owned(),
            election.enabled.to_string().into(),
        ),
        (
            "leader-elect-lease-duration".to_owned(),
            go_duration(election.lease_duration).into(),
        ),
        (
            "leader-elect-renew-deadline".to_owned(),
            go_duration(election.renew_deadline).into(),
        ),
        (
            "leader-elect-retry-period".to_owned(),
            go_duration(election.retry_period).into(),
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

/// Whether kubeadm of a version gives the values of an argument in the order in
/// which they are written. Others sort them.
///
/// Source: `ArgumentsToCommand` in cmd/kubeadm/app/util/arguments.go of
/// k8s.io/kubernetes at v1.31.14, v1.32.11, v1.33.7, v1.34.3 and v1.35.0, which
/// sort, v1.34.4, v1.35.1, v1.36.3 and v1.37.2, which do not. Pull requests
/// 135850 and 135851 brought that into the patches after 1.32.11 and 1.33.7.
#[must_use]
pub const fn keeps_order(version: Version) -> bool {
    match version.minor {
        ..=31 => false,
        32 => version.patch >= 12,
        33 => version.patch >= 8,
        34 => version.patch >= 4,
        35 => version.patch >= 1,
        36.. => true,
    }
}

/// Whether an argument is given the same twice: as many values that mean the
/// same, in the same order.
#[must_use]
pub fn same_values(one: &Values, other: &Values) -> bool {
    one.iter().count() == other.iter().count()
        && one
            .iter()
            .zip(other.iter())
            .all(|(one, other)| same_value(one, other))
}

/// Whether two values of an argument mean the same: the same text, or the
/// same length of time.
fn same_value(one: &str, other: &str) -> bool {
    one == other
        || matches!((nanoseconds(one), nanoseconds(other)), (Some(one), Some(other)) if one == other)
}

/// What Go's time.ParseDuration reads, but for signs.
#[must_use]
pub fn nanoseconds(text: &str) -> Option<u128> {
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
    fn values_are_the_same_in_one_order_only() {
        let values = |values: &[&str]| {
            let values = values.iter().map(|&value| value.to_owned());
            Values::of(values.collect()).unwrap()
        };
        let same = |one: &[&str], other: &[&str]| same_values(&values(one), &values(other));
        assert!(same(&["a", "60s"], &["a", "1m"]));
        for other in [&["b", "a"][..], &["a"], &["a", "b", "b"], &["a", "c"]] {
            assert!(!same(&["a", "b"], other), "{other:?}");
        }
    }

    #[test]
    fn a_repeated_argument_stands_in_the_list_as_often() {
        let issuers = Values::of(vec!["https://b".to_owned(), "https://a".to_owned()]).unwrap();
        let arguments = [("v".to_owned(), "2".into()), ("issuer".to_owned(), issuers)].into();
        let expected = serde_json::json!([
            {"name": "issuer", "value": "https://b"},
            {"name": "issuer", "value": "https://a"},
            {"name": "v", "value": "2"},
        ]);
        assert_eq!(shaped(&arguments), expected);
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
