//! `kdiy logs`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Show what hosts said in past runs
#[derive(Debug, Clone, Args)]
pub struct Logs {}

impl Logs {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
