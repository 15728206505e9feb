//! `kdiy inventory import vagrant`.

use std::time::Instant;

use clap::Args;

use crate::cli::{Exit, Failed, Global};
use crate::ui::Ui;

/// Import machines of a Vagrantfile
#[derive(Debug, Clone, Args)]
pub struct Vagrant {}

impl Vagrant {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub async fn run(&self, _: &Global, _: &Ui, _: Instant) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
