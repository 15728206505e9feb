//! How `init` and every import end: a draft is checked as every inventory is,
//! and written if it is valid.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::init::About;
use super::{CliError, Exit, Global, source};
use crate::cluster::{Cluster, Name};
use crate::draft::imported::Imported;
use crate::draft::{Base, Draft};
use crate::inventory::{self, Finding};
use crate::state::{self, Incoming};
use crate::transport::local;
use crate::ui::host_list::host_list;
use crate::ui::{Output, Ui, Verbosity, text};

/// Where the inventory goes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Result")]
pub struct Destination {
    /// Write it here instead of to -i FILE; - is standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long)]
    pub force: bool,
    /// Settings to start from: an inventory without nodes, whose keys win
    #[arg(long, value_name = "FILE", env = "KDIY_BASE", hide_env_values = true)]
    pub base: Option<PathBuf>,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// The file; left out for standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The text, where no file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<&'a str>,
    cluster: &'a Name,
    endpoint: String,
    hosts: Vec<Host<'a>>,
}

#[derive(Debug, Serialize)]
struct Host<'a> {
    name: &'a Name,
    roles: Vec<&'static str>,
}

impl Destination {
    /// The file; `None` for standard output.
    #[must_use]
    pub fn file<'a>(&'a self, global: &'a Global) -> Option<&'a Path> {
        let path = self.out.as_deref().unwrap_or(&global.inventory);
        (path != Path::new("-")).then_some(path)
    }

    /// Refuses at once what would be refused at the end, so that nobody is
    /// asked, and no host, for nothing.
    ///
    /// # Errors
    /// When the file is there already and is not to be replaced, or none can
    /// be written there.
    pub fn check(&self, global: &Global) -> Result<(), CliError> {
        match self.file(global) {
            Some(path) => begin(path, self.force).map(drop),
            None => Ok(()),
        }
    }

    fn base(&self, ui: &Ui) -> Result<Option<Base>, CliError> {
        let Some(path) = &self.base else {
            return Ok(None);
        };
        let shown = path.display().to_string();
        let text = read(path)?;
        Base::parse(&text).map(Some).map_err(|findings| {
            draw(&findings, &shown, &text, ui);
            CliError::shown(Exit::Inventory)
        })
    }
}

/// Reads a file that was named on the command line.
///
/// # Errors
/// When it cannot be read, or is not text.
pub fn read(path: &Path) -> Result<String, CliError> {
    local::text(path).map_err(|error| {
        let context = format!("cannot read {}", path.display());
        CliError::new(Exit::Inventory, anyhow::Error::new(error).context(context))
    })
}

/// Reads a file, or standard input where that is named `-`; with the name for
/// messages.
///
/// # Errors
/// As [`read`].
pub fn read_or_stdin(path: &Path) -> Result<(String, String), CliError> {
    if path != Path::new("-") {
        return Ok((path.display().to_string(), read(path)?));
    }
    if io::stdin().is_terminal() {
        return Err(
            CliError::message(Exit::Usage, "no file is named, and nothing is piped in")
                .hint("name a file, or pipe into this command; --help has examples"),
        );
    }
    let text = local::text_of(io::stdin()).map_err(|error| {
        let error = anyhow::Error::new(error).context("cannot read standard input");
        CliError::new(Exit::Inventory, error)
    })?;
    Ok(("standard input".to_owned(), text))
}

/// Shows what was found in a text.
pub fn draw(findings: &[Finding], file: &str, text: &str, ui: &Ui) {
    let style = inventory::Style {
        color: ui.err_style().color,
        width: ui.err_style().width,
    };
    ui.tell(&inventory::render(findings, file, text, style));
}

/// Shows what was found in another tool's files, and finishes what they came
/// to.
///
/// # Errors
/// When they are wrong; then everything was shown and nothing was written.
pub fn import(
    imported: Imported,
    about: &About,
    destination: &Destination,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, CliError> {
    for source in &imported.sources {
        if !source.findings.is_empty() {
            draw(&source.findings, &source.name, &source.text, ui);
            ui.tell("\n");
        }
    }
    let Some(mut draft) = imported.draft else {
        return Err(CliError::shown(Exit::Inventory));
    };
    about.apply_to(&mut draft);
    finish(draft, destination, global, ui)
}

/// Checks a draft, writes it and says what to do next.
///
/// # Errors
/// When it is not valid; then it was shown and nothing was written. When the
/// file is there already, or cannot be written.
pub fn finish(
    mut draft: Draft,
    destination: &Destination,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, CliError> {
    destination.check(global)?;
    if draft.base.is_none() {
        draft.base = destination.base(ui)?;
    }
    let text = draft.text();
    let file = destination.file(global);
    let folder = source::folder(file.unwrap_or(Path::new(".")));
    let loaded = inventory::load(&text, &|named| local::text(&source::place(folder, named)));
    let shown = file.map_or_else(
        || "standard output".to_owned(),
        |path| path.display().to_string(),
    );
    let Some(cluster) = loaded.cluster else {
        draw(
            &loaded.findings,
            &format!("{shown} (not written)"),
            &text,
            ui,
        );
        return Err(CliError::message(
            Exit::Inventory,
            "what is known makes no valid inventory yet; nothing was written",
        )
        .hint(hint(&loaded.findings)));
    };
    if !loaded.findings.is_empty() {
        draw(&loaded.findings, &shown, &text, ui);
    }
    if let Some(path) = file {
        write(path, &text, destination.force)?;
    }
    tell(&cluster, &text, file, global, ui)?;
    Ok(Exit::Ok)
}

/// What to do about the first error that an option answers.
fn hint(findings: &[Finding]) -> &'static str {
    let has = |code: &str| findings.iter().any(|finding| finding.code == code);
    if has("no-balancer") {
        "say what spreads clients over the control planes: a load-balancer host, --vip ADDR for \
         kube-vip, or --endpoint HOST of a balancer of your own"
    } else if has("no-address") {
        "name hosts by their addresses, or say which interface has them: --interface NAME"
    } else if has("no-vip") {
        "say which free address the hosts are to share: --vip ADDRESS"
    } else {
        "correct what is told above, with options (--help) or in a file for --base"
    }
}

fn exists(path: &Path) -> CliError {
    CliError::message(
        Exit::Error,
        format!("{} is there already; nothing was written", path.display()),
    )
    .hint(
        "choose another name with --out FILE, look at it with --out -, or replace it with --force",
    )
}

/// Begins the file beside its place. What is given up leaves nothing.
fn begin(path: &Path, force: bool) -> Result<Incoming, CliError> {
    let folder = source::folder(path);
    if !folder.is_dir() {
        let message = match folder.exists() {
            true => format!("{} is no folder", folder.display()),
            false => format!("there is no folder {}", folder.display()),
        };
        return Err(CliError::message(Exit::Error, message)
            .hint("make it, or write elsewhere with --out FILE; --out - shows the inventory"));
    }
    Incoming::create_public(path, force).map_err(refused)
}

fn refused(error: state::Error) -> CliError {
    match error {
        state::Error::Exists(path) => exists(&path),
        error => CliError::new(Exit::Error, error)
            .hint("write elsewhere with --out FILE; --out - shows the inventory"),
    }
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), CliError> {
    let mut incoming = begin(path, force)?;
    incoming.write_all(text.as_bytes())?;
    incoming.keep().map_err(refused)
}

fn tell(
    cluster: &Cluster,
    text: &str,
    file: Option<&Path>,
    global: &Global,
    ui: &Ui,
) -> Result<(), CliError> {
    let hosts = || cluster.nodes.iter();
    if ui.output() == Output::Json {
        let document = Document {
            file: file.map(|path| path.display().to_string()),
            inventory: file.is_none().then_some(text),
            cluster: &cluster.name,
            endpoint: cluster.endpoint.to_string(),
            hosts: hosts()
                .map(|node| Host {
                    name: &node.name,
                    roles: node.roles.all().iter().map(|role| role.as_str()).collect(),
                })
                .collect(),
        };
        return Ok(ui.json(&document)?);
    }
    let Some(path) = file else {
        return Ok(ui.print(text)?);
    };
    let option = match path == Path::new("kdiy.yaml") || path == global.inventory && named() {
        true => String::new(),
        false => format!(" -i {}", path.display()),
    };
    ui.note(&format!(
        "Wrote {}: cluster {}, endpoint {}, {}:",
        path.display(),
        cluster.name,
        cluster.endpoint,
        text::count(hosts().count(), "host"),
    ));
    if ui.err_style().verbosity > Verbosity::Quiet {
        ui.tell(&host_list(cluster, ui.err_style()));
    }
    ui.note(&format!(
        "Read it, then look at what would be done: kdiy plan{option}"
    ));
    Ok(())
}

/// Whether the environment names the inventory, so that no option is needed.
fn named() -> bool {
    std::env::var_os("KDIY_INVENTORY").is_some()
}
