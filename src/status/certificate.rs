//! Certificates of hosts and how long they last.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::pki;

/// Certificates of one host at most.
const MOST: usize = 200;

/// A certificate on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The file that it is in.
    pub file: String,
    /// When it ends, or why that cannot be told.
    pub end: Result<OffsetDateTime, String>,
}

/// Reads what the script found: `file PATH` and PEM, or `data PATH BASE64` of
/// a kubeconfig.
pub(super) fn read(text: &str) -> Vec<Certificate> {
    let mut all = Vec::new();
    let mut open: Option<(&str, String)> = None;
    let close = |open: Option<(&str, String)>, all: &mut Vec<Certificate>| {
        if let Some((file, pem)) = open {
            all.push(of(file, &pem));
        }
    };
    for line in text.lines() {
        if let Some(file) = line.strip_prefix("file ") {
            close(open.take(), &mut all);
            open = Some((file, String::new()));
        } else if let Some((file, data)) = line
            .strip_prefix("data ")
            .and_then(|rest| rest.split_once(' '))
        {
            close(open.take(), &mut all);
            let pem = STANDARD.decode(data.trim()).unwrap_or_default();
            all.push(of(file, &String::from_utf8_lossy(&pem)));
        } else if let Some((_, pem)) = &mut open {
            pem.push_str(line);
            pem.push('\n');
        }
    }
    close(open, &mut all);
    all.truncate(MOST);
    all
}

fn of(file: &str, pem: &str) -> Certificate {
    Certificate {
        end: pki::not_after(file, pem).map_err(|error| error.to_string()),
        file: file.chars().take(300).collect(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::pki::ClusterCas;

    #[test]
    fn files_and_kubeconfigs_are_read() {
        let now = datetime!(2026-05-04 03:02:01 UTC);
        let cas = ClusterCas::generate(now).unwrap();
        let pem = cas.kubernetes.certificate();
        let text = format!(
            "file /a.crt\n{pem}file /empty.crt\ndata /b.conf {}\ndata /c.conf ?\n",
            STANDARD.encode(pem)
        );
        let all = read(&text);
        let end = pki::not_after("a", pem).unwrap();
        let ends: Vec<_> = all
            .iter()
            .map(|of| (of.file.as_str(), of.end.clone().ok()))
            .collect();
        assert_eq!(
            ends,
            [
                ("/a.crt", Some(end)),
                ("/empty.crt", None),
                ("/b.conf", Some(end)),
                ("/c.conf", None)
            ]
        );
    }
}
