//! `kdiy exec`.

use std::time::Instant;

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Run a command on hosts
#[derive(Debug, Clone, Args)]
pub struct Exec {}

impl Exec {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub async fn run(&self, _: &Global, _: &Ui, _: Instant) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
