//! `kdiy schema`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Print the JSON Schema of the inventory
#[derive(Debug, Clone, Args)]
pub struct Schema {}

impl Schema {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
