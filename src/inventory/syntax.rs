//! Names, versions, durations, fingerprints: texts that stand for something.

use std::time::Duration;

use super::finding::quoted;
use super::reader::{ParseError, parse_error};
use crate::cluster::{CLUSTER, Name, Version, VersionSpec};

/// A lower-case RFC 1123 label.
pub fn name(text: &str) -> Result<Name, ParseError> {
    Name::try_from(text.to_owned()).or_else(|why| {
        let fixed: String = text
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(63)
            .collect();
        let fixed = fixed.trim_matches('-');
        let help = match fixed {
            "" => "write a name such as `cp-1`".to_owned(),
            fixed => format!("write `{fixed}`"),
        };
        parse_error(format!("the name {} {why}", quoted(text)), help)
    })
}

/// The same, but for the word that stands for the cluster itself.
pub fn node_name(text: &str) -> Result<Name, ParseError> {
    if text == CLUSTER {
        let message = format!(
            "no node may be named {}: that word is the cluster itself in plans and logs",
            quoted(text)
        );
        return parse_error(message, "write a name such as `cp-1`");
    }
    name(text)
}

/// `1.34`, `1.34.1`, either with a leading v.
pub fn version(text: &str) -> Result<VersionSpec, ParseError> {
    const HELP: &str =
        "write \"1.37\" for the newest patch of the repository, or an exact \"1.37.2\"";
    let digits = text.strip_prefix('v').unwrap_or(text);
    let numbers: Option<Vec<u64>> = digits
        .split('.')
        .map(|part| {
            let sound =
                part.chars().all(|c| c.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            sound.then(|| part.parse().ok()).flatten()
        })
        .collect();
    match numbers.as_deref() {
        Some([major, minor]) => Ok(VersionSpec::Minor(*major, *minor)),
        Some([major, minor, patch]) => Ok(VersionSpec::Exact(Version::new(*major, *minor, *patch))),
        _ if text.contains('-') => parse_error(
            format!(
                "{} is a pre-release; only releases are installed",
                quoted(text)
            ),
            HELP,
        ),
        _ => parse_error(
            format!("{} is no version of Kubernetes", quoted(text)),
            HELP,
        ),
    }
}

/// A duration as Go writes it: `15s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, ParseError> {
    let wrong = || {
        parse_error(
            format!("{} is no duration", quoted(text)),
            "write a number and a unit, such as 15s, 1m30s or 500ms",
        )
    };
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse::<u32>() else {
            return wrong();
        };
        rest = &rest[digits..];
        let letters = rest.chars().take_while(char::is_ascii_lowercase).count();
        let unit = match &rest[..letters] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return wrong(),
        };
        rest = &rest[letters..];
        let Some(sum) = unit
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
        else {
            return wrong();
        };
        total = sum;
    }
    if total.is_zero() {
        parse_error(
            format!("{} is no time at all", quoted(text)),
            "write a duration above zero, such as 15s",
        )
    } else {
        Ok(total)
    }
}

/// Whether a text is a DNS name in lower case; a trailing dot is not allowed.
pub fn is_dns_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .split('.')
            .all(|label| Name::try_from(label.to_owned()).is_ok())
}

/// A SHA-256 host key fingerprint as `ssh-keygen -l` prints it.
pub fn fingerprint(text: &str) -> Result<String, ParseError> {
    use base64::Engine as _;
    const HELP: &str = "write it as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it on the host: SHA256: and 43 characters";
    let Some(digest) = text.strip_prefix("SHA256:") else {
        return parse_error(format!("{} is no SHA-256 fingerprint", quoted(text)), HELP);
    };
    match base64::engine::general_purpose::STANDARD_NO_PAD.decode(digest.trim_end_matches('=')) {
        Ok(bytes) if bytes.len() == 32 => Ok(format!("SHA256:{}", digest.trim_end_matches('='))),
        _ => parse_error(
            format!("the fingerprint {} is not 32 bytes in base64", quoted(text)),
            HELP,
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_keep_what_was_written() {
        let exact = |major, minor, patch| VersionSpec::Exact(Version::new(major, minor, patch));
        let good = [
            ("1.30", VersionSpec::Minor(1, 30)),
            ("1.3", VersionSpec::Minor(1, 3)),
            ("v1.34", VersionSpec::Minor(1, 34)),
            ("1.34.0", exact(1, 34, 0)),
            ("v1.34.10", exact(1, 34, 10)),
        ];
        for (text, expected) in good {
            assert_eq!(version(text).ok(), Some(expected), "{text}");
        }
        for text in [
            "",
            "1",
            "1.",
            "1.034",
            "1.34.1.2",
            "1.34-rc.1",
            "vv1.34",
            "1.+34",
            "1.99999999999999999999",
        ] {
            assert!(version(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_those_of_go() {
        let millis = |text| duration(text).ok().map(|duration| duration.as_millis());
        assert_eq!(millis("15s"), Some(15_000));
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("1h500ms"), Some(3_600_500));
        for text in [
            "",
            "s",
            "15",
            "15 s",
            "-1s",
            "1d",
            "0s",
            "1.5s",
            "99999999999h",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn fingerprints_are_32_bytes() {
        let sound = "SHA256:jPWZpxNXZ8fQpAU3VyTkPEkVJP1sCGHKhUR4bV2JjB0";
        assert_eq!(fingerprint(sound).ok().as_deref(), Some(sound));
        assert_eq!(
            fingerprint(&format!("{sound}=")).ok().as_deref(),
            Some(sound)
        );
        assert!(fingerprint("SHA256:jPWZ").is_err());
        assert!(fingerprint(&sound.replace("SHA256", "sha256")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}") {
            let _ = (name(&text).is_ok(), version(&text).is_ok());
            let _ = (duration(&text).is_ok(), fingerprint(&text).is_ok());
        }
    }
}
