//! `kdiy topology`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CliError, Exit, Global, source};
use crate::state::Incoming;
use crate::topology::Diagram;
use crate::transport::local;
use crate::ui::topology::{Glyphs, MARK, svg, text};
use crate::ui::{Output, Ui};

/// Draw the cluster: who serves whom, and what may fail
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Drawn from the inventory alone; no host is contacted. For how the cluster is
now, see kdiy status.

Examples:
  kdiy topology
  kdiy topology --svg cluster.svg    a diagram for documents, light and dark
  kdiy topology --svg - > new.svg
  kdiy topology --output json        tiers, boxes and links"
)]
pub struct Topology {
    /// Write the diagram as SVG to a file instead; - is standard output
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write over a file that is no diagram of kdiy's
    #[arg(long, requires = "svg")]
    pub force: bool,
    /// Draw with + - | only, as where the locale is not UTF-8
    #[arg(long, conflicts_with = "svg")]
    pub ascii: bool,
}

impl Topology {
    /// Draws the cluster.
    ///
    /// # Errors
    /// When the inventory is not valid, or the diagram cannot be written.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let map = Diagram::of(&source::load(global, ui)?.cluster);
        match (&self.svg, ui.output()) {
            (Some(path), _) if path == Path::new("-") => ui.print(&svg(&map))?,
            (Some(path), _) => {
                write(path, &svg(&map), self.force)?;
                ui.note(&format!("The diagram is in {}.", path.display()));
            }
            (None, Output::Json) => ui.json(&map)?,
            (None, Output::Text) => {
                let glyphs = if self.ascii {
                    Glyphs::Ascii
                } else {
                    ui.glyphs()
                };
                ui.print(&text(&map, glyphs, ui.style()))?;
            }
        }
        Ok(Exit::Ok)
    }
}

/// Writes the whole diagram or nothing, over earlier diagrams of kdiy's only.
fn write(path: &Path, diagram: &str, force: bool) -> Result<(), CliError> {
    let shown = path.display();
    let failed = |error: std::io::Error| {
        let context = format!("cannot write the diagram to {shown}");
        CliError::new(Exit::Error, anyhow::Error::new(error).context(context))
    };
    if !force && path.symlink_metadata().is_ok() {
        let there = local::bytes(path).map_err(failed)?;
        let own = there
            .windows(MARK.len())
            .any(|bytes| bytes == MARK.as_bytes());
        if !own {
            let message = format!("{shown} is there already and is no diagram of kdiy's");
            return Err(CliError::message(Exit::Error, message)
                .hint("name another file, or write over it with --force"));
        }
    }
    let mut file = Incoming::create_public(path, true)?;
    file.write_all(diagram.as_bytes()).map_err(failed)?;
    Ok(file.keep()?)
}
