//! The inventory as the command line names it: read, checked, reported.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{CliError, Exit, Global};
use crate::cluster::{Cluster, Name};
use crate::inventory::{self, Loaded, Row, Severity};
use crate::transport::local;
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
pub fn load(global: &Global, ui: &Ui) -> Result<Source, CliError> {
    read(global, ui, Severity::Warning)
}

/// Reads the inventory for a command that builds nothing from it: only an
/// invalid one is worth a word.
///
/// # Errors
/// As [`load`].
pub fn load_tersely(global: &Global, ui: &Ui) -> Result<Source, CliError> {
    read(global, ui, Severity::Error)
}

/// Reads the inventory for a program: whatever is wrong with it is in the
/// second value, and nothing is shown.
///
/// # Errors
/// When it cannot be read.
pub fn load_for_program(global: &Global) -> Result<(Option<Source>, Vec<Row>), CliError> {
    let file = open(global)?;
    let name = global.inventory.display().to_string();
    let rows = inventory::rows(&file.loaded.findings, &name, &file.text);
    Ok((file.source(), rows))
}

fn read(global: &Global, ui: &Ui, shown: Severity) -> Result<Source, CliError> {
    let file = open(global)?;
    warn_of_others(&global.inventory, ui);
    let style = inventory::Style {
        color: ui.err_style().color,
        width: ui.err_style().width,
    };
    let findings = &file.loaded.findings;
    if findings.iter().any(|finding| finding.severity <= shown) {
        let name = global.inventory.display().to_string();
        ui.tell(&inventory::render(findings, &name, &file.text, style));
    }
    file.source()
        .ok_or_else(|| CliError::shown(Exit::Inventory))
}

/// An inventory names commands that run here, and whom hosts trust.
fn warn_of_others(path: &Path, ui: &Ui) {
    let found = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file);
    let mode = found.map_or(0, |found| found.permissions().mode() & 0o7777);
    if mode & 0o002 != 0 {
        let path = path.display();
        ui.warn(&format!(
            "{path} has mode {mode:04o}, so everybody on this machine may change the cluster and \
             what kdiy runs here; run `chmod o-w {path}`"
        ));
    }
}

/// An inventory that was read, whatever it came to.
struct Opened {
    text: String,
    folder: PathBuf,
    loaded: Loaded,
}

fn open(global: &Global) -> Result<Opened, CliError> {
    let path = &global.inventory;
    let text = local::text(path).map_err(|error| unread(path, error))?;
    let folder = folder(path).to_owned();
    let read = |named: &Path| local::text(&place(&folder, named));
    let loaded = inventory::load(&text, &read);
    Ok(Opened {
        text,
        folder,
        loaded,
    })
}

impl Opened {
    fn source(self) -> Option<Source> {
        let mut cluster = self.loaded.cluster?;
        for login in cluster.nodes.iter_mut().map(|node| &mut node.login) {
            for path in login.identities.iter_mut().chain(&mut login.known_hosts) {
                *path = place(&self.folder, path);
            }
        }
        let folder = self.folder;
        Some(Source { cluster, folder })
    }
}

/// Why there is no inventory: most often this is not its folder, or there is
/// none yet.
fn unread(path: &Path, error: std::io::Error) -> CliError {
    let shown = path.display();
    let failed = |message: String| CliError::message(Exit::Inventory, message);
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            let place = match std::env::current_dir() {
                Ok(folder) if path.is_relative() => format!(" in {}", folder.display()),
                _ => String::new(),
            };
            failed(format!("there is no inventory {shown}{place}"))
                .hint("write one with kdiy init, or name yours with -i FILE")
        }
        std::io::ErrorKind::IsADirectory => {
            failed(format!("{shown} is a folder, and the inventory is a file"))
                .hint(format!("name it: -i {}", path.join("kdiy.yaml").display()))
        }
        std::io::ErrorKind::InvalidData => failed(format!(
            "{shown} is no text in UTF-8, so it is no inventory"
        ))
        .hint("name the inventory with -i FILE"),
        _ => CliError::new(
            Exit::Inventory,
            anyhow::Error::new(error).context(format!("cannot read the inventory {shown}")),
        )
        .hint("name another one with -i FILE, or make this one readable"),
    }
}
