//! `kdiy facts`.

use std::time::Instant;

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Show what the hosts are
#[derive(Debug, Clone, Args)]
pub struct Facts {}

impl Facts {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub async fn run(&self, _: &Global, _: &Ui, _: Instant) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
