//! `kdiy man`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Print or write the manual pages
#[derive(Debug, Clone, Args)]
pub struct Man {}

impl Man {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
