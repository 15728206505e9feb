//! Questions. Each needs a terminal; without one it says what to do instead.

use std::io::{self, BufRead, Write};

use super::sanitise::sanitise;
use super::text::wrap;
use crate::transport::error::UnknownKey;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// There is no terminal.
    #[error("nobody can be asked: standard input or error is not a terminal; {instead}")]
    NoTerminal {
        /// What to do instead.
        instead: String,
    },
    /// The input ended before an answer.
    #[error("the question was not answered")]
    Ended,
    /// The terminal could not be used.
    #[error("the terminal cannot be used")]
    Terminal(#[from] io::Error),
}

/// What to do about an unknown key where nobody can be asked.
pub(super) fn instead_of_asking(key: &UnknownKey) -> String {
    format!(
        "to trust {}, pass --accept-new-host-keys or write its fingerprint {} into the inventory",
        key.address, key.fingerprint
    )
}

/// Asks until the answer is yes or no; only a full `yes` is one.
pub(super) fn confirm(
    question: &str,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<bool, PromptError> {
    let mut question = format!("{question} Only yes goes ahead: ");
    loop {
        match ask(&question, input, output)?.as_str() {
            "yes" => return Ok(true),
            "" | "no" | "n" => return Ok(false),
            _ => question = "Please answer yes or no: ".to_owned(),
        }
    }
}

/// Shows a key and asks whether to trust it. As with OpenSSH, the fingerprint
/// itself is an answer too.
pub(super) fn host_key(
    key: &UnknownKey,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<bool, PromptError> {
    let mut question = format!(
        "The key of {} is not known yet:\n  {}  {}\n\
         Compare it with what the host itself says:\n  \
         for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf \"$k\"; done\n",
        sanitise(&key.address),
        sanitise(&key.kind),
        sanitise(&key.fingerprint)
    );
    if let Some(fault) = &key.certificate {
        question.push_str(&format!(
            "No authority vouches for it: {}\n",
            sanitise(&fault.to_string())
        ));
    }
    for other in &key.others {
        let line = format!("It is known by a key of another type: {other}\n");
        question.push_str(&line);
    }
    let file = key.file.as_ref().map(|file| file.display().to_string());
    let file = sanitise(&file.unwrap_or_default());
    question.push_str(&format!(
        "Trust it and write it to {file}?\nAnswer yes, no or the fingerprint: "
    ));
    loop {
        match ask(&question, input, output)?.as_str() {
            "yes" => return Ok(true),
            answer if answer == key.fingerprint => return Ok(true),
            "" | "no" | "n" => return Ok(false),
            answer if answer.starts_with("SHA256:") => {
                writeln!(output, "That is not the fingerprint of this key.")?;
                return Ok(false);
            }
            _ => question = "Please answer yes, no or the fingerprint: ".to_owned(),
        }
    }
}

/// Asks until `check` takes the answer; what it says of others is shown, on
/// lines of `width` columns. An empty answer is the default, which is shown in
/// brackets.
pub(super) fn question<T>(
    label: &str,
    default: &str,
    check: &dyn Fn(&str) -> Result<T, String>,
    width: usize,
    (input, output): (&mut dyn BufRead, &mut dyn Write),
) -> Result<T, PromptError> {
    let shown = match default {
        "" => format!("{label}: "),
        default => format!("{label} [{default}]: "),
    };
    loop {
        let answer = ask(&shown, input, output)?;
        let answer = if answer.is_empty() { default } else { &answer };
        match check(answer) {
            Ok(value) => return Ok(value),
            Err(why) => {
                for line in wrap(&sanitise(&why), width.saturating_sub(2).max(1)) {
                    writeln!(output, "  {line}")?;
                }
            }
        }
    }
}

fn ask(
    question: &str,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<String, PromptError> {
    output.write_all(question.as_bytes())?;
    output.flush()?;
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Err(PromptError::Ended);
    }
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(answers: &str) -> Result<bool, PromptError> {
        confirm("Go ahead?", &mut answers.as_bytes(), &mut Vec::new())
    }

    #[test]
    fn only_a_full_yes_is_one() {
        assert!(confirmed("yes\n").unwrap());
        assert!(confirmed("y\nyes\n").unwrap());
        for no in ["no\n", "n\n", "\n", "y\nno\n", "YES\n\n"] {
            assert!(!confirmed(no).unwrap(), "{no:?}");
        }
        assert!(matches!(confirmed(""), Err(PromptError::Ended)));
        assert!(matches!(confirmed("y\n"), Err(PromptError::Ended)));
    }

    fn key() -> UnknownKey {
        UnknownKey {
            address: "10.0.0.11:22".to_owned(),
            kind: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".to_owned(),
            file: Some("/home/ada/.ssh/known_hosts".into()),
            entry: String::new(),
            hashed: false,
            others: Vec::new(),
            certificate: None,
        }
    }

    #[test]
    fn a_key_is_trusted_for_yes_or_its_own_fingerprint() {
        let trusted = |answer: &str| {
            let mut shown = Vec::new();
            let trusted = host_key(&key(), &mut answer.as_bytes(), &mut shown).unwrap();
            (trusted, String::from_utf8(shown).unwrap())
        };
        assert!(trusted("yes\n").0);
        assert!(trusted(&format!("{}\n", key().fingerprint)).0);
        assert!(!trusted("no\n").0);
        assert!(!trusted("SHA256:other\n").0);
        insta::assert_snapshot!(trusted("what?\nno\n").1);
    }

    #[test]
    fn answers_are_checked_at_once_and_the_default_is_shown() {
        let number = |text: &str| {
            let read = text.parse::<u8>();
            read.map_err(|_| format!("{text} is no number\x1b[2J"))
        };
        let asked = |answers: &str| {
            let (mut input, mut output) = (answers.as_bytes(), Vec::new());
            let got = question("How many", "3", &number, 80, (&mut input, &mut output));
            (got, String::from_utf8(output).unwrap())
        };
        assert_eq!(asked("\n").0.unwrap(), 3);
        let (got, shown) = asked("x\n7\n");
        assert_eq!(got.unwrap(), 7);
        assert_eq!(shown, "How many [3]:   x is no number␛[2J\nHow many [3]: ");
        assert!(matches!(asked("x\n").0, Err(PromptError::Ended)));
    }

    #[test]
    fn without_a_terminal_the_way_out_is_named() {
        let error = PromptError::NoTerminal {
            instead: instead_of_asking(&key()),
        };
        let text = error.to_string();
        assert!(text.contains("--accept-new-host-keys") && text.contains(&key().fingerprint));
    }
}
