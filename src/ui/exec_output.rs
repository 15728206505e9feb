//! What a command of the operator's own said on hosts, and how it ended.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sanitise::{sanitise, sanitise_output};
use super::style::{Style, Tone};
use super::text::{count, duration, wrap};
use crate::cluster::Name;
use crate::execute::command::Ended;
use crate::shell::Script;
use crate::transport::{Error, Exit, Stream};

/// How lines of hosts are shown.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// Colours.
    pub style: Style,
    /// Columns of the widest host name.
    pub hosts: usize,
    /// Whether a terminal reads standard output, which must not obey a host.
    /// Other readers get it as it came. Standard error is for people.
    pub terminal: bool,
}

impl Lines {
    /// A line of output behind its host's name.
    #[must_use]
    pub fn line(&self, host: &Name, stream: Stream, text: &str) -> String {
        let tone = match stream {
            Stream::Out => Tone::Active,
            Stream::Err => Tone::Notable,
        };
        let name = format!("{host:<0$}", self.hosts);
        let text = match stream {
            Stream::Out => self.text(text),
            Stream::Err => sanitise_output(text),
        };
        format!("{}  {text}\n", self.style.paint(tone, &name))
    }

    /// All that one host said, under its name.
    #[must_use]
    pub fn group(&self, host: &Name, ended: &Ended) -> String {
        let how = format!("{}, {}", outcome(ended), duration(ended.took));
        let tone = if succeeded(ended) {
            Tone::Good
        } else {
            Tone::Bad
        };
        let mut out = format!(
            "{} {}\n",
            self.style.paint(Tone::Strong, &format!("{host}:")),
            self.style.paint(tone, &how)
        );
        if let Ok(output) = &ended.result {
            for bytes in [&output.stdout, &output.stderr] {
                for line in String::from_utf8_lossy(bytes).lines() {
                    out.push_str(&self.text(line));
                    out.push('\n');
                }
            }
        }
        out.push('\n');
        out
    }

    fn text(&self, text: &str) -> String {
        if self.terminal {
            sanitise_output(text)
        } else {
            text.to_owned()
        }
    }
}

/// A script that is about to run, with its lines as they are.
#[must_use]
pub fn script(hosts: &str, script: &Script, style: &Style) -> String {
    let lines = script.as_str().lines();
    let lines = lines.map(|line| format!("  {}\n", style.paint(Tone::Faint, &sanitise(line))));
    let head = style.paint(Tone::Strong, &format!("script for {hosts}:"));
    format!("{head}\n{}", lines.collect::<String>())
}

/// How it ended, as a fragment: `exit code 1`.
#[must_use]
pub fn outcome(ended: &Ended) -> String {
    match &ended.result {
        Ok(output) => match &output.exit {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Signal(name) => format!("killed by SIG{}", sanitise(name)),
        },
        Err(error) => error.to_string(),
    }
}

fn succeeded(ended: &Ended) -> bool {
    matches!(&ended.result, Ok(output) if output.exit == Exit::Code(0))
}

/// Hosts by how the command ended there, a line for each way; the good one
/// first.
#[must_use]
pub fn summary(all: &[(Name, Ended)], style: &Style) -> String {
    let mut ways: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    for (host, ended) in all {
        // Names of hosts that failed on the way stand with their reasons.
        let way = match &ended.result {
            Ok(_) => outcome(ended),
            Err(Error::TimeLimit { .. }) => "not ended in time".to_owned(),
            Err(Error::Lost { .. }) => "connection lost".to_owned(),
            Err(_) => "not reached".to_owned(),
        };
        let hosts = ways.entry((!succeeded(ended), way)).or_default();
        hosts.push(host.as_str());
    }
    let mut out = String::new();
    for ((bad, way), hosts) in ways {
        let tone = if bad { Tone::Bad } else { Tone::Good };
        let head = format!("{way} on {}", count(hosts.len(), "host"));
        out.push_str(&style.paint(tone, &format!("{head}:")));
        let names = wrap(&hosts.join(", "), style.width.saturating_sub(2));
        let fits = names.len() == 1 && head.len() + 2 + names[0].len() <= style.width;
        match fits {
            true => out.push_str(&format!(" {}\n", names[0])),
            false => {
                out.push('\n');
                names
                    .iter()
                    .for_each(|line| out.push_str(&format!("  {line}\n")));
            }
        }
    }
    out
}

/// How a command ended on one host, as programs read it.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    host: &'a Name,
    /// `null` when it did not come to its end.
    exit_code: Option<u32>,
    /// The signal that ended it.
    signal: Option<&'a str>,
    stdout: String,
    stderr: String,
    /// Why the host was not reached, or the command not ended.
    error: Option<String>,
    /// The stable name of that.
    code: Option<&'static str>,
    /// Seconds, with the time to connect.
    took: f64,
}

impl<'a> Document<'a> {
    /// Of what came of a command on a host.
    #[must_use]
    pub fn of(host: &'a Name, ended: &'a Ended) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let output = ended.result.as_ref().ok();
        let error = ended.result.as_ref().err();
        let exit = output.map(|output| &output.exit);
        Self {
            host,
            exit_code: match exit {
                Some(Exit::Code(code)) => Some(*code),
                _ => None,
            },
            signal: match exit {
                Some(Exit::Signal(name)) => Some(name),
                _ => None,
            },
            stdout: output.map_or_else(String::new, |output| text(&output.stdout)),
            stderr: output.map_or_else(String::new, |output| text(&output.stderr)),
            error: error.map(ToString::to_string),
            code: error.map(Error::code),
            took: rounded(ended.took),
        }
    }
}

fn rounded(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Output;
    use crate::ui::progress::tests::name;

    fn ended(exit: Exit, stdout: &str, stderr: &str) -> Ended {
        Ended {
            result: Ok(Output {
                exit,
                stdout: stdout.into(),
                stderr: stderr.into(),
            }),
            took: Duration::from_millis(310),
        }
    }

    fn all() -> Vec<(Name, Ended)> {
        let cut = Error::Lost {
            address: "192.0.2.9:22".to_owned(),
            why: "it broke while a script ran".to_owned(),
        };
        let cut = Ended {
            result: Err(cut),
            took: Duration::from_secs(2),
        };
        vec![
            (
                name("cp-1"),
                ended(Exit::Code(0), "\x1b[32mup\x1b[0m\n", ""),
            ),
            (name("cp-2"), ended(Exit::Code(0), "up\n", "a\x07b\n")),
            (name("w-1"), ended(Exit::Code(1), "", "no\n")),
            (name("w-2"), ended(Exit::Signal("KILL".to_owned()), "", "")),
            (name("w-3"), cut),
        ]
    }

    fn lines(terminal: bool) -> Lines {
        Lines {
            style: Style::test(80, false),
            hosts: 4,
            terminal,
        }
    }

    #[test]
    fn hosts_by_how_it_ended() {
        let all = all();
        insta::assert_snapshot!(summary(&all, &Style::test(80, false)), @r"
        exit code 0 on 2 hosts: cp-1, cp-2
        connection lost on 1 host: w-3
        exit code 1 on 1 host: w-1
        killed by SIGKILL on 1 host: w-2
        ");
        let many: Vec<_> = (0..30)
            .map(|place| (name(&format!("worker-{place}")), all[0].1.clone()))
            .collect();
        let shown = summary(&many, &Style::test(80, false));
        assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    }

    #[test]
    fn groups_have_the_hosts_name_and_end_over_them() {
        let shown: String = all()
            .iter()
            .map(|(host, ended)| lines(true).group(host, ended))
            .collect();
        insta::assert_snapshot!(shown, @r"
        cp-1: exit code 0, 0.3s
        up

        cp-2: exit code 0, 0.3s
        up
        a␇b

        w-1: exit code 1, 0.3s
        no

        w-2: killed by SIGKILL, 0.3s

        w-3: lost the connection to 192.0.2.9:22: it broke while a script ran, 2.0s
        ");
    }

    #[test]
    fn terminals_are_protected_and_other_readers_get_what_was_said() {
        let said = "\x1b[2J\x1b[31mred\x1b[0m";
        let shown = |terminal| lines(terminal).line(&name("w-1"), Stream::Out, said);
        assert_eq!(shown(true), "w-1   red\n");
        assert_eq!(shown(false), format!("w-1   {said}\n"));
    }

    #[test]
    fn programs_get_one_object_a_host() {
        let all = all();
        let documents: Vec<_> = all
            .iter()
            .map(|(host, ended)| serde_json::to_string(&Document::of(host, ended)).unwrap())
            .collect();
        insta::assert_snapshot!(documents.join("\n"));
    }
}
