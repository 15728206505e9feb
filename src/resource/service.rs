//! A systemd unit: enabled, running, and running with the files it has now.

use serde::Serialize;

use super::{AnswerError, Answers, Difference, Verb, section};
use crate::shell::{Script, sh};

/// A unit that is enabled and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its name, such as `containerd.service`.
    pub unit: String,
    /// How it takes up changed files.
    pub on_change: OnChange,
    /// Files of this host that it reads; a change of one makes it restart.
    pub reads: Vec<String>,
    /// Hash over the wanted content of those files. The hash that the unit
    /// last took up is kept on the host.
    pub stamp: String,
}

/// How a unit takes up changed files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// By a restart.
    Restart,
    /// By a reload, which keeps connections.
    Reload,
    /// Not at all: only enabled. It may be crash-looping, as kubelet is
    /// before kubeadm has run.
    EnableOnly,
}

/// State of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Whether it starts with the system.
    pub enabled: bool,
    /// Whether it runs.
    pub active: bool,
    /// The stamp of the files that it last took up.
    pub stamp: Option<String>,
}

/// Defines `kdiy_stamp UNIT STAMP`.
pub const STAMP_FUNCTION: &str = sh!("resource/stamp.sh");

/// Defines `kdiy_enable` and `kdiy_take_up`.
pub(super) const FUNCTIONS: &str = sh!("resource/service.sh");

impl Service {
    /// A unit that reads files, with the stamp made from their hashes.
    #[must_use]
    pub fn new(unit: &str, on_change: OnChange, files: &[&super::File]) -> Self {
        let reads: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        let sums: Vec<_> = files.iter().map(|file| file.content.sha256()).collect();
        let stamp = super::sha256_hex(sums.join("\n").as_bytes());
        Self {
            unit: unit.to_owned(),
            on_change,
            reads,
            stamp,
        }
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Seen, AnswerError> {
        let unit = self.unit.as_str();
        let stamp = answers.line("stamp", unit)?.map(str::to_owned);
        // Blocks of properties, an empty line between them; Id comes with each.
        let id = format!("Id={unit}");
        let text = answers.get("service")?;
        let Some(block) = text
            .split("\n\n")
            .find(|block| block.lines().any(|line| line == id))
        else {
            return Ok(Seen {
                stamp,
                ..Seen::default()
            });
        };
        let property = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or("")
        };
        Ok(Seen {
            enabled: matches!(property("UnitFileState"), "enabled" | "static" | "alias"),
            active: matches!(property("ActiveState"), "active" | "reloading"),
            stamp,
        })
    }

    pub(super) fn diff(&self, seen: &Seen) -> Option<Difference> {
        let mut details = Vec::new();
        if !seen.enabled {
            details.push("enable".to_owned());
        }
        match self.on_change {
            OnChange::EnableOnly => {}
            _ if !seen.active => details.push("start".to_owned()),
            _ if seen.stamp.as_ref() != Some(&self.stamp) => details.push(self.verb().to_owned()),
            _ => {}
        }
        (!details.is_empty()).then(|| Difference::with(Verb::Run, details))
    }

    /// The difference when one of the files it reads is about to change.
    #[must_use]
    pub fn difference_on_change(&self) -> Option<Difference> {
        (self.on_change != OnChange::EnableOnly)
            .then(|| Difference::with(Verb::Run, vec![self.verb().to_owned()]))
    }

    const fn verb(&self) -> &'static str {
        match self.on_change {
            OnChange::Reload => "reload",
            _ => "restart",
        }
    }

    pub(super) fn apply(&self) -> Script {
        let enable = Script::new().call("kdiy_enable", [&self.unit]);
        let how = match self.on_change {
            OnChange::EnableOnly => return enable,
            OnChange::Restart => "restart",
            // Starts it where it does not run.
            OnChange::Reload => "reload-or-restart",
        };
        enable.call("kdiy_take_up", [self.unit.as_str(), how, &self.stamp])
    }

    /// Notes on the host that the unit has taken up its files: for commands
    /// that start it in a way of their own. [`STAMP_FUNCTION`] comes before it.
    #[must_use]
    pub fn stamped(&self) -> Script {
        Script::new().call("kdiy_stamp", [&self.unit, &self.stamp])
    }
}

pub(super) fn probe(all: &[&Service]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let units = || all.iter().map(|service| &service.unit);
    let show = Script::new().call("kdiy_units", units());
    let stamps = Script::new().call("kdiy_stamps", units());
    Script::of(sh!("resource/units.sh"))
        .then(&section("service", &show))
        .then(&section("stamp", &stamps))
}
