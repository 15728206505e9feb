//! Packages of apt, installed in one go, at a version and held if so wanted.

use serde::Serialize;

use super::{AnswerError, Answers, Difference, ReplaceError, Verb, section};
use crate::shell::{Script, sh};

/// Packages that are installed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// What they are for.
    pub name: String,
    /// Which ones.
    pub all: Vec<Package>,
    /// Packages that cannot be installed beside them; removed where they are,
    /// in the same run of apt. Their configuration and data stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival>,
}

/// A package that conflicts with a wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rival {
    /// Name of the package.
    pub name: &'static str,
    /// The wanted package.
    pub with: &'static str,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Name of the package.
    pub name: String,
    /// What its version begins with, such as `1.34.1-`; `None` takes any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether upgrades by others are prevented.
    pub hold: bool,
}

/// State of one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Its version, when it is wholly installed.
    pub version: Option<String>,
    /// Whether it is held.
    pub held: bool,
}

impl Package {
    /// Any version, free to be upgraded.
    #[must_use]
    pub fn any(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: None,
            hold: false,
        }
    }

    /// What is said of an installed version that is newer than the wanted one.
    fn newer(&self, seen: &Seen) -> Option<String> {
        let wanted = self.version.as_deref()?;
        let version = seen.version.as_deref()?;
        let newer = !version.starts_with(wanted) && release(version)? > release(wanted)?;
        newer.then(|| {
            let wanted = wanted.trim_end_matches('-');
            format!("{} {version} is newer than {wanted}", self.name)
        })
    }

    fn differences(&self, seen: &Seen) -> Option<String> {
        let wanted = self.version.as_deref().unwrap_or("");
        let held = if self.hold { ", held" } else { "" };
        match &seen.version {
            None if wanted.is_empty() => Some(format!("{}{held}", self.name)),
            None => Some(format!(
                "{} {}{held}",
                self.name,
                wanted.trim_end_matches('-')
            )),
            Some(version) if !version.starts_with(wanted) => Some(format!(
                "{} {version} -> {}{held}",
                self.name,
                wanted.trim_end_matches('-')
            )),
            Some(version) if self.hold && !seen.held => {
                Some(format!("{} {version}: hold", self.name))
            }
            Some(_) => None,
        }
    }
}

/// The numbers of a package's version before its revision: `1.34.1-1.1` is
/// 1.34.1. `None` where it is made of other things.
fn release(version: &str) -> Option<Vec<u64>> {
    let release = version.split('-').next()?;
    release
        .split('.')
        .map(|number| number.parse().ok())
        .collect()
}

pub(super) fn probe(all: &[&Packages]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let names = all.iter().flat_map(|packages| packages.names());
    let body = Script::of(sh!("resource/packages.sh")).call("kdiy_packages", names);
    section("packages", &body)
}

impl Packages {
    /// Packages for a purpose.
    #[must_use]
    pub fn new(name: &str, all: Vec<Package>) -> Self {
        Self {
            name: name.to_owned(),
            all,
            rivals: Vec::new(),
        }
    }

    /// Those that are asked about, in the order of what is seen: the wanted
    /// ones, then their rivals.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let wanted = self.all.iter().map(|package| package.name.as_str());
        wanted.chain(self.rivals.iter().map(|rival| rival.name))
    }

    /// The installed rivals with their versions.
    fn displaced<'a>(&'a self, seen: &'a [Seen]) -> impl Iterator<Item = (&'a Rival, &'a str)> {
        let seen = seen.iter().skip(self.all.len());
        let rivals = self.rivals.iter().zip(seen);
        rivals.filter_map(|(rival, seen)| Some((rival, seen.version.as_deref()?)))
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Vec<Seen>, AnswerError> {
        self.names()
            .map(|name| {
                let Some(line) = answers.line("packages", name)? else {
                    return Ok(Seen::default());
                };
                // Two letters: what is wanted (h: hold), what is (i:
                // installed).
                let (status, version) = line.trim_start().split_once(' ').unwrap_or((line, ""));
                let mut letters = status.chars();
                let (want, is) = (letters.next(), letters.next());
                if want.is_none() {
                    return Err(AnswerError::text(name, line));
                }
                let version = version.trim();
                let installed = is == Some('i') && !version.is_empty();
                Ok(Seen {
                    version: installed.then(|| version.to_owned()),
                    held: want == Some('h'),
                })
            })
            .collect()
    }

    /// Refuses what would put an older version in a newer one's place: apt
    /// does not without being told to, and data may not survive it.
    pub(super) fn diff(&self, seen: &[Seen]) -> Result<Option<Difference>, ReplaceError> {
        let wanted = self.all.iter().zip(seen);
        let newer: Vec<_> = wanted
            .filter_map(|(package, seen)| package.newer(seen))
            .collect();
        match newer.is_empty() {
            true => Ok(self.difference(seen)),
            false => Err(ReplaceError {
                what: newer.join(", "),
                why: "kdiy puts no older version in a newer one's place. Write the `version` that \
                      is installed; or, if it came here by accident and nothing has run with it, \
                      install the wanted one there by hand (apt-get install --allow-downgrades)"
                    .to_owned(),
            }),
        }
    }

    fn difference(&self, seen: &[Seen]) -> Option<Difference> {
        let displaced = self.displaced(seen).map(|(Rival { name, with }, version)| {
            format!("{name} {version}, conflicts with {with}; its configuration and data stay")
        });
        let removes: Vec<_> = displaced.collect();
        let wanted = self.all.iter().zip(seen);
        let details: Vec<_> = wanted
            .filter_map(|(package, seen)| package.differences(seen))
            .collect();
        if details.is_empty() && removes.is_empty() {
            return None;
        }
        let fresh = seen.iter().all(|seen| seen.version.is_none());
        let verb = if fresh { Verb::Create } else { Verb::Change };
        Some(Difference {
            removes,
            ..Difference::with(verb, details)
        })
    }

    pub(super) fn apply(&self, seen: &[Seen]) -> Script {
        let todo: Vec<_> = self
            .all
            .iter()
            .zip(seen)
            .filter(|(p, seen)| p.differences(seen).is_some())
            .collect();
        let install: Vec<_> = todo
            .iter()
            .filter(|(package, seen)| {
                let wanted = package.version.as_deref().unwrap_or("");
                seen.version
                    .as_ref()
                    .is_none_or(|version| !version.starts_with(wanted))
            })
            .map(|(package, _)| match &package.version {
                // apt takes a trailing * as "begins with".
                Some(version) => format!("{}={version}*", package.name),
                None => package.name.clone(),
            })
            .collect();
        let hold: Vec<_> = todo
            .iter()
            .filter(|(package, _)| package.hold)
            .map(|(package, _)| &package.name)
            .collect();
        // apt takes a trailing - as "remove".
        let displaced = self.displaced(seen);
        let remove: Vec<_> = displaced
            .map(|(rival, _)| format!("{}-", rival.name))
            .collect();
        let mut script = Script::new();
        if !install.is_empty() || !remove.is_empty() {
            script = script.call("kdiy_apt_install", install.iter().chain(&remove));
        }
        if !hold.is_empty() {
            script = script.call("kdiy_hold", hold);
        }
        script
    }
}

/// Defines `kdiy_apt_install PACKAGE…`; a name with a trailing - is removed; and
/// `kdiy_hold PACKAGE…`.
/// The lock of dpkg is waited for by apt itself; lists are fetched when a
/// package is not in them. A run of dpkg that was cut short has left its
/// journal, with which apt refuses to go on: it is taken up first, unless it
/// still runs and comes to its end by itself. apt removes what stands in its
/// way without a question under -y: what the plan did not show stays, and the
/// installation fails before it has begun.
/// needrestart would restart etcd, containerd and kubelets, on all hosts side
/// by side, when any library is upgraded: it is told to restart nothing.
pub const APT_FUNCTION: &str = sh!("resource/apt.sh");

#[cfg(test)]
mod tests {
    use super::*;

    /// Defect 10: needrestart restarted what it liked (mode `a`).
    #[test]
    fn defect_10_no_run_of_apt_restarts_anything_by_itself() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let apt = folder.path().join("apt-get");
        std::fs::write(&apt, "#!/bin/sh\nenv | grep ^NEEDRESTART_ | sort\n").unwrap();
        std::fs::set_permissions(&apt, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().display();
        let script = format!("PATH={path}:$PATH\n{APT_FUNCTION}kdiy_apt update\n");
        let shell = std::process::Command::new("sh")
            .args(["-c", &script])
            .output();
        let told = String::from_utf8(shell.unwrap().stdout).unwrap();
        assert_eq!(told, "NEEDRESTART_MODE=l\nNEEDRESTART_SUSPEND=1\n");
    }
}
