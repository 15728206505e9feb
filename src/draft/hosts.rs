//! Hosts as operators type them: `[NAME=][user@]HOST[:PORT]`.

use std::collections::HashMap;

use super::DraftLogin;
use crate::cluster::{Name, Role};
use crate::inventory::address;
use crate::inventory::finding::{Finding, Span, quoted};
use crate::inventory::hosts::ROLES;
use crate::inventory::reader::{ParseError, nearest};
use crate::inventory::syntax;

/// A host as it was named.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name, where one was said.
    pub name: Option<Name>,
    /// Host, and perhaps port and user.
    pub ssh: DraftLogin,
    /// Its role, where one was said.
    pub role: Option<Role>,
}

/// Why a text names no host, and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct NotAHost {
    message: String,
    help: String,
}

impl From<ParseError> for NotAHost {
    fn from(error: ParseError) -> Self {
        let ParseError { message, help } = error;
        Self { message, help }
    }
}

/// Reads `[NAME=][user@]HOST[:PORT]`.
///
/// # Errors
/// When it is none.
pub fn host(text: &str) -> Result<Listed, NotAHost> {
    let (name, login) = match text.split_once('=') {
        Some((name, login)) => (Some(syntax::name(name.trim())?), login.trim()),
        None => (None, text),
    };
    let (user, host, port) = address::login(login)?;
    if let Ok(address) = host.parse() {
        address::usable(address)?;
    } else if host.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(NotAHost {
            message: format!("{} is no IPv4 address", quoted(&host)),
            help: "write four numbers from 0 to 255".to_owned(),
        });
    }
    Ok(Listed {
        name: name.or_else(|| own_name(&host)),
        ssh: DraftLogin {
            host: Some(host),
            port,
            user,
            ..DraftLogin::default()
        },
        role: None,
    })
}

/// The name that a host has already: the first label of a DNS name.
fn own_name(host: &str) -> Option<Name> {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    Name::try_from(host.split('.').next()?.to_owned()).ok()
}

/// Reads a list of hosts: one a line, perhaps with a role behind it; comments
/// begin with `#`.
///
/// # Errors
/// Every line that names no host or a host that is named above.
pub fn list(text: &str) -> Result<Vec<Listed>, Vec<Finding>> {
    let mut hosts = Vec::new();
    let mut findings = Vec::new();
    let mut first: HashMap<String, Span> = HashMap::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.split('#').next().unwrap_or_default();
        let mut words = content.split_whitespace().map(move |word| {
            let at = start + (word.as_ptr() as usize - line.as_ptr() as usize);
            let end = at + word.len();
            (word, Span { start: at, end })
        });
        start += line.len();
        let Some((word, span)) = words.next() else {
            continue;
        };
        let listed = match host(word) {
            Ok(listed) => listed,
            Err(NotAHost { message, help }) => {
                findings.push(Finding::error("invalid-login", span, message).help(help));
                continue;
            }
        };
        let key = listed.ssh.host.clone().unwrap_or_default().to_lowercase();
        let key = format!("{key}:{}", listed.ssh.port.unwrap_or(22));
        if let Some(first) = first.get(&key) {
            let message = format!("the host {} is listed twice", quoted(word));
            let finding = Finding::error("duplicate", span, message);
            findings.push(
                finding
                    .related(*first, "first listed here")
                    .help("take one of the two out"),
            );
            continue;
        }
        first.insert(key, span);
        let role = match words.next() {
            None => None,
            Some((word, span)) => match role(word, span) {
                Ok(role) => Some(role),
                Err(finding) => {
                    findings.push(finding);
                    continue;
                }
            },
        };
        if let Some((word, span)) = words.next() {
            let message = format!("{} follows a host and its role", quoted(word));
            findings.push(
                Finding::error("invalid-value", span, message)
                    .help("write one host a line: `[NAME=][user@]HOST[:PORT] [ROLE]`"),
            );
            continue;
        }
        hosts.push(Listed { role, ..listed });
    }
    if findings.is_empty() {
        Ok(hosts)
    } else {
        Err(findings)
    }
}

fn role(word: &str, span: Span) -> Result<Role, Finding> {
    let known = ROLES.iter().find(|(known, _)| *known == word);
    known.map(|(_, role)| *role).ok_or_else(|| {
        let near = nearest(word, ROLES.iter().map(|(word, _)| *word));
        let help = match near {
            Some(near) => format!("is `{near}` meant?"),
            None => "write control-plane, worker, etcd or load-balancer, or nothing".to_owned(),
        };
        let message = format!("{} is no role", quoted(word));
        Finding::error("unknown-choice", span, message).help(help)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_named_as_operators_type_them() {
        let login = |text: &str| {
            let listed = host(text).expect(text);
            let name = listed.name.map(|name| name.to_string());
            (name, listed.ssh.user, listed.ssh.host, listed.ssh.port)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(login("192.0.2.1"), (None, None, some("192.0.2.1"), None));
        assert_eq!(
            login("cp-1=ops@192.0.2.1:2200"),
            (some("cp-1"), some("ops"), some("192.0.2.1"), Some(2200))
        );
        assert_eq!(login("[fd00::1]:22").2, some("fd00::1"));
        assert_eq!(login("db.example.org").0, some("db"));
        for wrong in [
            "",
            "a b",
            "CP=1.2.3.4",
            "1.2.3",
            "1.2.3.4:0",
            "127.0.0.1",
            "@x",
            "x=",
        ] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_say_what_is_wrong_and_where() {
        let text = "# ours\n192.0.2.1 load-balancer  # in front\n\n a=192.0.2.2\r\n";
        let hosts = list(text).expect("hosts");
        assert_eq!(hosts.len(), 2);
        assert_eq!(hosts[0].role, Some(Role::LoadBalancer));
        assert_eq!(hosts[1].role, None);
        let text = "192.0.2.1\n1.2.3.4.5 x\n192.0.2.1:22\n192.0.2.3 workr\n192.0.2.4 etcd now\n";
        let findings = list(text).expect_err("findings");
        let places: Vec<_> = findings
            .iter()
            .map(|finding| (finding.code, finding.span.line_column(text)))
            .collect();
        assert_eq!(
            places,
            [
                ("invalid-login", (2, 1)),
                ("duplicate", (3, 1)),
                ("unknown-choice", (4, 11)),
                ("invalid-value", (5, 16)),
            ]
        );
    }

    proptest! {
        #[test]
        fn no_list_is_too_odd(text in "[a-z0-9 .:=@#\\[\\]\r\n\u{e9}-]{0,60}") {
            match list(&text) {
                Ok(hosts) => prop_assert!(hosts.iter().all(|host| host.ssh.host.is_some())),
                Err(findings) => {
                    for finding in findings {
                        prop_assert!(text.get(finding.span.range()).is_some());
                    }
                }
            }
        }
    }
}
