//! `kdiy explain`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Explain a field of the inventory
#[derive(Debug, Clone, Args)]
pub struct Explain {}

impl Explain {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
