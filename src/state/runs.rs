//! Logs of each run for each host: `runs/<run>/<host>.log`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Error, State, guard};
use crate::cluster::Name;

/// How many runs are kept.
pub const KEPT: usize = 20;
const RUNS: &str = "runs";
const LOG: &str = "log";

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
}

impl Run {
    /// Where the logs are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a host's log is.
    #[must_use]
    pub fn path(&self, host: &Name) -> PathBuf {
        self.directory.join(format!("{host}.{LOG}"))
    }

    /// Opens a host's log to write at its end.
    ///
    /// # Errors
    /// When it cannot be made, or is not private.
    pub fn log(&self, host: &Name) -> Result<File, Error> {
        guard::append(&self.path(host))
    }
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
        if path.extension().is_some_and(|extension| extension == LOG) {
            fs::remove_file(path)?;
        }
    }
    fs::remove_dir(run)
}
