//! `kdiy init`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Write an inventory to begin with
#[derive(Debug, Clone, Args)]
pub struct Init {}

impl Init {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
