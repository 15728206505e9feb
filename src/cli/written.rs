//! How `init` and every import end: a draft is checked as every inventory is,
//! and written if it is valid.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Exit, Failed, Global, source};
use crate::cluster::{Cluster, Name};
use crate::draft::{Base, Draft};
use crate::inventory::{self, Finding};
use crate::state::{self, Incoming};
use crate::ui::{Output, Ui, text};

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
    /// When the file is there already and is not to be replaced.
    pub fn check(&self, global: &Global) -> Result<(), Failed> {
        match self.file(global) {
            Some(path) if !self.force && path.symlink_metadata().is_ok() => Err(exists(path)),
            _ => Ok(()),
        }
    }

    fn base(&self, ui: &Ui) -> Result<Option<Base>, Failed> {
        let Some(path) = &self.base else {
            return Ok(None);
        };
        let shown = path.display().to_string();
        let text = read(path)?;
        Base::parse(&text).map(Some).map_err(|findings| {
            draw(&findings, &shown, &text, ui);
            Failed::shown(Exit::Inventory)
        })
    }
}

/// Reads a file that was named on the command line.
///
/// # Errors
/// When it cannot be read, or is not text.
pub fn read(path: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(path).map_err(|error| {
        let context = format!("cannot read {}", path.display());
        Failed::new(Exit::Inventory, anyhow::Error::new(error).context(context))
    })
}

/// Shows what was found in a text.
pub fn draw(findings: &[Finding], file: &str, text: &str, ui: &Ui) {
    let style = inventory::Style {
        color: ui.err_style().color,
        width: ui.err_style().width,
    };
    ui.tell(&inventory::render(findings, file, text, style));
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
) -> Result<Exit, Failed> {
    destination.check(global)?;
    if draft.base.is_none() {
        draft.base = destination.base(ui)?;
    }
    let text = draft.text();
    let file = destination.file(global);
    let folder = source::folder(file.unwrap_or(Path::new(".")));
    let loaded = inventory::load(&text, &|named| {
        std::fs::read_to_string(source::place(folder, named))
    });
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
        return Err(Failed::message(
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
fn hint(findings: &[Finding]) -> String {
    let has = |code: &str| findings.iter().any(|finding| finding.code == code);
    if has("no-balancer") {
        "say what spreads clients over the control planes: a load-balancer host, --vip ADDR for \
         kube-vip, or --endpoint HOST of a balancer of your own"
            .to_owned()
    } else {
        "say what is missing with options (--help), or in a file for --base".to_owned()
    }
}

fn exists(path: &Path) -> Failed {
    Failed::message(
        Exit::Error,
        format!("{} is there already; nothing was written", path.display()),
    )
    .hint(
        "choose another name with --out FILE, look at it with --out -, or replace it with --force",
    )
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failed> {
    let failed = |error: state::Error| match error {
        state::Error::Exists(path) => exists(&path),
        error => error.into(),
    };
    let mut incoming = Incoming::create_public(path, force).map_err(failed)?;
    incoming.write_all(text.as_bytes())?;
    incoming.keep().map_err(failed)
}

fn tell(
    cluster: &Cluster,
    text: &str,
    file: Option<&Path>,
    global: &Global,
    ui: &Ui,
) -> Result<(), Failed> {
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
        "Wrote {}: cluster {}, {}. Read it, then look at what would be done: kdiy plan{option}",
        path.display(),
        cluster.name,
        text::count(hosts().count(), "host"),
    ));
    Ok(())
}

/// Whether the environment names the inventory, so that no option is needed.
fn named() -> bool {
    std::env::var_os("KDIY_INVENTORY").is_some()
}
