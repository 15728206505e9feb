//! `kdiy ssh`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Log in to a host
#[derive(Debug, Clone, Args)]
pub struct Ssh {}

impl Ssh {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
