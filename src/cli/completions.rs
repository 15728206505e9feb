//! `kdiy completions`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Print completions for a shell
#[derive(Debug, Clone, Args)]
pub struct Completions {}

impl Completions {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
