//! `kdiy inventory import terraform`.

use clap::Args;

use crate::cli::{Exit, Failed, Global};
use crate::ui::Ui;

/// Import an output of Terraform or OpenTofu
#[derive(Debug, Clone, Args)]
pub struct Terraform {}

impl Terraform {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
