//! Texts as YAML scalars, quoted only where they must be.

/// A text as a scalar that reads back as itself, in a list as well as on a
/// line of its own.
pub fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text in double quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // The last two are not printable in YAML (1.2.2, 5.1).
            c if c.is_control()
                || matches!(
                    c,
                    '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'
                ) =>
            {
                out.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

/// Several texts as a list on one line.
pub fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(scalar).collect();
    format!("[{}]", texts.join(", "))
}

/// Whether every reader of YAML takes an unquoted text as this text, and not
/// as a number, a truth or nothing.
fn is_plain(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.') || c == '~';
    let rest = |c: char| c.is_ascii_alphanumeric() || "._/@~:+=-".contains(c);
    let words = [
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".inf", ".nan",
    ];
    // `1:30` is a number in old YAML, and `fd00::10` may end a key.
    let parts = || text.split(':');
    let colons_are_letters = parts().all(|part| !part.is_empty())
        && (parts().nth(1).is_none()
            || text.contains('.')
            || text.starts_with(|c: char| c.is_ascii_alphabetic()));
    let number = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && (text.replace('_', "").parse::<f64>().is_ok()
                || ["0x", "0o", "0b"].iter().any(|base| text.starts_with(base)))
    };
    text.starts_with(first)
        && text.chars().all(rest)
        && colons_are_letters
        && !words.contains(&text.to_ascii_lowercase().as_str())
        && !number(text)
        && (!text.starts_with('~') || text.starts_with("~/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_back(yaml: &str) -> serde_yaml::Value {
        serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error} in {yaml}"))
    }

    #[test]
    fn only_what_must_be_is_quoted() {
        for plain in [
            "ops",
            "192.0.2.10",
            "192.0.2.10:6443",
            "api.example.org:6443",
            "~/.ssh/id_ed25519",
            "ops@192.0.2.13:2200",
            "cp-1",
            "node.kubernetes.io/pool",
            "10.244.0.0/16",
            "SHA256:jPWZpxNXZ8fQ",
        ] {
            assert_eq!(scalar(plain), plain);
        }
        for text in [
            "",
            "yes",
            "No",
            "~",
            "null",
            "1.34",
            "12",
            "1e3",
            "0x1f",
            "12:30",
            "fd00::10",
            "[fd00::10]:22",
            "a: b",
            "a #b",
            "- a",
            "*a",
            "!a",
            "a,b",
            "é",
            "a b",
            "~root",
        ] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
    }

    #[test]
    fn what_yaml_does_not_print_is_escaped() {
        for text in ["\u{fffe}", "\u{ffff}", "\u{feff}", "\u{7f}", "\0"] {
            let quoted = scalar(text);
            assert!(quoted.is_ascii() && !quoted.contains(text), "{quoted:?}");
            assert_eq!(
                read_back(&quoted),
                serde_yaml::Value::String(text.to_owned())
            );
        }
    }

    proptest! {
        #[test]
        fn every_text_reads_back_as_itself(text in prop_oneof![".{0,30}", "[a-z0-9.:~/@+=-]{0,12}"]) {
            let list = read_back(&list([text.as_str(), "x"]));
            prop_assert_eq!(&list[0], &serde_yaml::Value::String(text.clone()));
            let line = read_back(&format!("key: {}   # a comment\n", scalar(&text)));
            prop_assert_eq!(&line["key"], &serde_yaml::Value::String(text));
        }
    }
}
