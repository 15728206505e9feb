//! `kdiy schema`.

use clap::Args;

use super::{CliError, Exit, Global};
use crate::inventory::schema;
use crate::ui::Ui;

/// Print the JSON Schema of the inventory
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Editors complete and check an inventory with it, and show what a field is for.
With yaml-language-server, which VS Code's YAML extension and others use, a
first line of the inventory names it:

  # yaml-language-server: $schema=kdiy.schema.json

kdiy validate knows more than a schema can say.

Examples:
  kdiy schema > kdiy.schema.json"
)]
pub struct Schema {}

impl Schema {
    /// Prints it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn run(&self, _: &Global, ui: &Ui) -> Result<Exit, CliError> {
        ui.json(&schema::schema())?;
        Ok(Exit::Ok)
    }
}
