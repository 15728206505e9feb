//! `kdiy status`.

use std::time::Instant;

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Show how the cluster is, and what is down
#[derive(Debug, Clone, Args)]
pub struct Status {}

impl Status {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub async fn run(&self, _: &Global, _: &Ui, _: Instant) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
