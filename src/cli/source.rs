//! The inventory as the command line names it: read, checked, reported.

use std::path::{Path, PathBuf};

use super::{Exit, Failed, Global};
use crate::cluster::{Cluster, Name};
use crate::inventory;
use crate::ui::Ui;

/// A valid inventory and where it lies.
#[derive(Debug)]
pub struct Source {
    /// What it means.
    pub cluster: Cluster,
    /// The folder that it lies in; the state is kept there.
    pub folder: PathBuf,
}

impl Source {
    /// Names of all hosts.
    pub fn hosts(&self) -> impl Iterator<Item = &Name> {
        self.cluster.nodes.iter().map(|node| &node.name)
    }
}

/// The folder that a file lies in.
pub fn folder(file: &Path) -> &Path {
    let parent = file.parent();
    parent
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The place of a file that an inventory names: relative to the folder that
/// the inventory lies in, `~` is the user's home.
pub fn place(folder: &Path, named: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (named.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(named),
    }
}

/// Reads the inventory; warnings are shown.
///
/// # Errors
/// When it cannot be read or is not valid; every problem was shown then.
pub fn load(global: &Global, ui: &Ui) -> Result<Source, Failed> {
    let path = &global.inventory;
    let text = std::fs::read_to_string(path).map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let failed = Failed::new(
            Exit::Inventory,
            anyhow::Error::new(error)
                .context(format!("cannot read the inventory {}", path.display())),
        );
        if missing {
            failed.hint("name it with -i FILE, or write one: kdiy init")
        } else {
            failed
        }
    })?;
    let folder = folder(path).to_owned();
    let place = |named: &Path| place(&folder, named);
    let read = |named: &Path| std::fs::read_to_string(place(named));
    let loaded = inventory::load(&text, &read);
    let style = inventory::Style {
        color: ui.err_style().color,
        width: ui.err_style().width,
    };
    if !loaded.findings.is_empty() {
        ui.tell(&inventory::render(
            &loaded.findings,
            &path.display().to_string(),
            &text,
            style,
        ));
    }
    match loaded.cluster {
        Some(mut cluster) => {
            for login in cluster.nodes.iter_mut().map(|node| &mut node.login) {
                for path in login.identities.iter_mut().chain(&mut login.known_hosts) {
                    *path = place(path);
                }
            }
            Ok(Source { cluster, folder })
        }
        None => Err(Failed::shown(Exit::Inventory)),
    }
}
