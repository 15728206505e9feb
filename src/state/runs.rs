//! Logs of each run for each host: `runs/<run>/<host>.log`, and for each
//! operation on the cluster: `runs/<run>/cluster.<step>.log`; what happened in
//! it over all hosts: `journal.jsonl`; and how it ended: `run.json`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::journal::{History, Journal};
use super::{Error, State, guard};
use crate::cluster::Name;
use crate::plan::Actor;

/// How many runs are kept.
pub const KEPT: usize = 20;
const RUNS: &str = "runs";
const LOG: &str = "log";
const RECORD: &str = "run.json";
const JOURNAL: &str = "journal.jsonl";

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The command, such as `apply`.
    pub command: String,
    /// When it began to change hosts.
    #[serde(with = "time::serde::rfc3339")]
    pub began: OffsetDateTime,
    /// When it ended; `None` while it runs, and when it was cut short.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub ended: Option<OffsetDateTime>,
    /// The code that it ended with.
    pub exit_code: Option<u8>,
    /// How many of its steps ended how. Earlier versions called it `steps`.
    #[serde(alias = "steps")]
    pub counts: Option<Steps>,
}

/// How many steps there were of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    /// Ended well.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Did not run.
    pub left: usize,
}

/// The directory of one run.
#[derive(Debug, Clone)]
pub struct Run {
    directory: PathBuf,
}

impl State {
    /// Makes the directory of a run and removes the logs of all but the last
    /// `KEPT`. Run ids have to sort by time, such as `20260504t030201z`.
    ///
    /// # Errors
    /// When it cannot be made. Old logs that cannot be removed are left.
    pub fn create_run(&self, id: &Name) -> Result<Run, Error> {
        let runs = self.root.join(RUNS);
        guard::directory(&runs)?;
        let directory = runs.join(id.as_str());
        guard::directory(&directory)?;
        let mut old = directories(&runs).map_err(|source| guard::io("list", &runs, source))?;
        old.sort_unstable();
        for run in old.iter().rev().skip(KEPT).filter(|run| **run != directory) {
            if let Err(error) = forget(run) {
                tracing::warn!(run = %run.display(), %error, "old logs are left");
            }
        }
        Ok(Run { directory })
    }

    /// The runs that are kept, the newest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        let runs = self.root.join(RUNS);
        if !guard::is_directory(&runs)? {
            return Ok(Vec::new());
        }
        let mut found = directories(&runs).map_err(|source| guard::io("list", &runs, source))?;
        found.sort_unstable();
        let found = found.into_iter().rev();
        Ok(found.map(|directory| Run { directory }).collect())
    }
}

impl Run {
    /// Where the logs are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> String {
        let name = self.directory.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Writes down what is known of it, over what was known before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<(), Error> {
        let mut text = serde_json::to_string_pretty(record).unwrap_or_default();
        text.push('\n');
        guard::write(&self.directory.join(RECORD), text.as_bytes())
    }

    /// What is known of it; nothing of runs that an older kdiy made, and of
    /// those whose record cannot be understood.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self) -> Result<Option<Record>, Error> {
        guard::is_directory(&self.directory)?;
        let text = guard::read(&self.directory.join(RECORD))?;
        Ok(text.and_then(|text| serde_json::from_str(text.expose_secret()).ok()))
    }

    /// Opens its journal to write at the end of it.
    ///
    /// # Errors
    /// When it cannot be made, or is not private.
    pub fn journal(&self) -> Result<Journal, Error> {
        guard::append(&self.directory.join(JOURNAL)).map(Journal::new)
    }

    /// What its journal says; nothing where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn history(&self) -> Result<History, Error> {
        let text = guard::read(&self.directory.join(JOURNAL))?;
        Ok(text.map_or_else(History::default, |text| History::read(text.expose_secret())))
    }

    /// Actors that it has logs of.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn actors(&self) -> Result<BTreeSet<Actor>, Error> {
        Ok(self.logs()?.into_iter().map(|(actor, _)| actor).collect())
    }

    /// What an actor said in it; of the cluster, one operation after the other.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_log(&self, actor: &Actor) -> Result<Option<String>, Error> {
        guard::is_directory(&self.directory)?;
        let mut said = None;
        for (_, step) in { self.logs()?.into_iter() }.filter(|(of, _)| of == actor) {
            let text = guard::read(&self.path(actor, step))?;
            let text = text.map(|text| text.expose_secret().to_owned());
            said = match (said, text) {
                (Some(said), Some(text)) => Some(said + text.as_str()),
                (one, other) => one.or(other),
            };
        }
        Ok(said)
    }

    /// Actors with the step that a log is of, where it is of one alone.
    fn logs(&self) -> Result<BTreeSet<(Actor, Option<usize>)>, Error> {
        let failed = |source| guard::io("list", &self.directory, source);
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let stem = path.file_stem().map(|stem| stem.to_string_lossy());
            if path.extension().is_some_and(|extension| extension == LOG) {
                found.extend(stem.and_then(|stem| log_of(&stem)));
            }
        }
        Ok(found)
    }

    /// Where a log is: of a host, or of one operation on the cluster.
    #[must_use]
    pub fn path(&self, actor: &Actor, step: Option<usize>) -> PathBuf {
        let step = step.map_or_else(String::new, |step| format!(".{step}"));
        self.directory.join(format!("{actor}{step}.{LOG}"))
    }

    /// Opens a log to write at its end.
    ///
    /// # Errors
    /// When it cannot be made, or is not private.
    pub fn log(&self, actor: &Actor, step: Option<usize>) -> Result<File, Error> {
        guard::append(&self.path(actor, step))
    }
}

/// What a log is of, by its name without `.log`.
fn log_of(stem: &str) -> Option<(Actor, Option<usize>)> {
    let (actor, step) = match stem.split_once('.') {
        None => (stem, None),
        Some((actor, step)) => (actor, Some(step.parse().ok()?)),
    };
    Some((Actor::try_from(actor.to_owned()).ok()?, step))
}

fn directories(runs: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(runs)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Removes logs and then the directory; one that holds anything that kdiy
/// did not write stays.
fn forget(run: &Path) -> io::Result<()> {
    for entry in fs::read_dir(run)? {
        let path = entry?.path();
        let own = |name: &std::ffi::OsStr| name == RECORD || name == JOURNAL;
        if path.file_name().is_some_and(own)
            || path.extension().is_some_and(|extension| extension == LOG)
        {
            fs::remove_file(path)?;
        }
    }
    fs::remove_dir(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_earlier_versions_are_read() {
        let old = r#"{"command":"apply","began":"2026-05-04T03:02:01Z","ended":null,
            "exitCode":null,"steps":{"done":3,"failed":1,"left":2}}"#;
        let record: Record = serde_json::from_str(old).unwrap();
        let counts = record.counts.expect("counts");
        assert_eq!((counts.done, counts.failed, counts.left), (3, 1, 2));
    }
}
