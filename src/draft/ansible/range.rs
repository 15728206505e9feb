//! Ranges in names of hosts: `node[1:3]`, `node[01:10:2]`, `rack-[a:c]`.

/// Most hosts that one name stands for.
const MOST: usize = 5_000;
/// Most ranges in one name.
const RANGES: usize = 8;

/// All hosts that a name stands for.
///
/// # Errors
/// When a range is none; says what to write.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    if pattern.matches('[').count() > RANGES {
        return Err(format!("there are more than {RANGES} ranges in one name"));
    }
    let Some((before, rest)) = pattern.split_once('[') else {
        return Ok(vec![pattern.to_owned()]);
    };
    let Some((range, after)) = rest.split_once(']') else {
        return Err("the bracket is not closed; write node[1:3]".to_owned());
    };
    let tails = expand(after)?;
    let mut names = Vec::new();
    for value in values(range)? {
        names.extend(tails.iter().map(|tail| format!("{before}{value}{tail}")));
        if names.len() > MOST {
            return Err(format!("these are more than {MOST} hosts; write fewer"));
        }
    }
    Ok(names)
}

fn values(range: &str) -> Result<Vec<String>, String> {
    let wrong = || "a range is written node[1:3], node[01:10:2] or node[a:c]".to_owned();
    let parts: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, "1"),
        [first, last, step] => (*first, *last, *step),
        _ => return Err(wrong()),
    };
    let first = if first.is_empty() { "0" } else { first };
    let step: usize = step
        .parse()
        .ok()
        .filter(|step| *step > 0)
        .ok_or_else(wrong)?;
    let letter = |text: &str| {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii_alphabetic() => Some(c),
            _ => None,
        }
    };
    if let (Some(first), Some(last)) = (letter(first), letter(last)) {
        let letters: Vec<String> = (first..=last).step_by(step).map(String::from).collect();
        return match letters.is_empty() || first.is_lowercase() != last.is_lowercase() {
            true => Err("the range ends before it begins".to_owned()),
            false => Ok(letters),
        };
    }
    let (Ok(from), Ok(to)) = (first.parse::<usize>(), last.parse::<usize>()) else {
        return Err(wrong());
    };
    let width = match first.len() > 1 && first.starts_with('0') {
        true if first.len() != last.len() => {
            return Err("with leading zeros both ends are of one length: node[01:10]".to_owned());
        }
        true => first.len(),
        false => 0,
    };
    if from > to {
        return Err("the range ends before it begins".to_owned());
    }
    if (to - from) / step > MOST {
        return Err(format!("these are more than {MOST} hosts; write fewer"));
    }
    let numbers = (from..=to).step_by(step);
    Ok(numbers.map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_those_of_ansible() {
        let names = |text: &str| expand(text).expect(text).join(" ");
        assert_eq!(names("node"), "node");
        assert_eq!(names("n[1:3]"), "n1 n2 n3");
        assert_eq!(names("n[08:10].x"), "n08.x n09.x n10.x");
        assert_eq!(names("n[:4:2]"), "n0 n2 n4");
        assert_eq!(names("[a:c]-[1:2]"), "a-1 a-2 b-1 b-2 c-1 c-2");
        for wrong in [
            "n[1:3",
            "n[1]",
            "n[3:1]",
            "n[1:2:0]",
            "n[01:100]",
            "n[a:]",
            "n[1:x]",
            "n[c:a]",
            "n[0:9999999]",
            "n[1:99][1:99]",
            "n[1:2:3:4]",
        ] {
            assert!(expand(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_range_is_too_odd(text in "[a-c0-9:\\[\\].-]{0,16}") {
            if let Ok(names) = expand(&text) {
                prop_assert!(!names.is_empty() && names.len() <= MOST);
            }
        }
    }
}
