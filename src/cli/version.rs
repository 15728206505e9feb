//! `kdiy version`.

use clap::Args;
use serde::Serialize;

use super::{CliError, Exit};
use crate::ui::{Output, Ui};

/// Print the version
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  kdiy version
  kdiy version --output json")]
pub struct Version {}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document {
    version: &'static str,
}

impl Version {
    /// Prints it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn run(&self, ui: &Ui) -> Result<Exit, CliError> {
        let version = env!("CARGO_PKG_VERSION");
        match ui.output() {
            Output::Text => ui.print(&format!("kdiy {version}\n"))?,
            Output::Json => ui.json(&Document { version })?,
        }
        Ok(Exit::Ok)
    }
}
