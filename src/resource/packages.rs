//! Packages of apt, installed in one go, at a version and held if so wanted.

use serde::Serialize;

use super::{Answers, Difference, Malformed, Verb, section};
use crate::shell::Script;

/// Packages that are installed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// What they are for.
    pub name: String,
    /// Which ones.
    pub all: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name.
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

pub(super) fn probe(all: &[&Packages]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let names = all
        .iter()
        .flat_map(|packages| packages.all.iter().map(|package| &package.name));
    let body = Script::of("dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Version}\\n' -- ")
        .args(names)
        .lit(" 2>/dev/null\n");
    section("packages", &body)
}

impl Packages {
    /// Packages for a purpose.
    #[must_use]
    pub fn new(name: &str, all: Vec<Package>) -> Self {
        Self {
            name: name.to_owned(),
            all,
        }
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Vec<Seen>, Malformed> {
        self.all
            .iter()
            .map(|package| {
                let Some(line) = answers.line("packages", &package.name)? else {
                    return Ok(Seen::default());
                };
                // Two letters: what is wanted (h: hold), what is (i: installed).
                let (status, version) = line.trim_start().split_once(' ').unwrap_or((line, ""));
                let mut letters = status.chars();
                let (want, is) = (letters.next(), letters.next());
                if want.is_none() {
                    return Err(Malformed::text(&package.name, line));
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

    pub(super) fn diff(&self, seen: &[Seen]) -> Option<Difference> {
        let details: Vec<_> = self
            .all
            .iter()
            .zip(seen)
            .filter_map(|(package, seen)| package.differences(seen))
            .collect();
        if details.is_empty() {
            return None;
        }
        let fresh = seen.iter().all(|seen| seen.version.is_none());
        Some(Difference::with(
            if fresh { Verb::Create } else { Verb::Change },
            details,
        ))
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
        let mut script = Script::new();
        if !install.is_empty() {
            script = script.lit("kdiy_apt_install ").args(&install).lit("\n");
        }
        if !hold.is_empty() {
            script = script
                .lit("apt-mark hold -- ")
                .args(hold)
                .lit(" >/dev/null\n");
        }
        script
    }
}

/// Defines `kdiy_apt_install PACKAGE…`. The lock of dpkg is waited for by apt
/// itself; lists are fetched when a package is not in them. A run of dpkg that
/// was cut short has left its journal, with which apt refuses to go on: it is
/// taken up first, unless it still runs and comes to its end by itself.
pub const APT_FUNCTION: &str = r#"kdiy_apt() {
DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@"
}
kdiy_apt_mend() {
ls /var/lib/dpkg/updates/[0-9]* >/dev/null 2>&1 || return 0
if kdiy_apt check >/dev/null 2>&1; then return 0; fi
echo 'taking up a run of dpkg that was cut short'
DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a || :
kdiy_apt --no-install-recommends --fix-broken install
}
kdiy_apt_install() {
kdiy_apt_mend
if ! kdiy_apt install --no-install-recommends --allow-change-held-packages --simulate -- "$@" >/dev/null 2>&1; then
  kdiy_apt update
fi
kdiy_apt install --no-install-recommends --allow-change-held-packages -- "$@"
}
"#;
