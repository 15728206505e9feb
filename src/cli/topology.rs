//! `kdiy topology`.

use clap::Args;

use super::{Exit, Failed, Global};
use crate::ui::Ui;

/// Draw the cluster: who serves whom, and what may fail
#[derive(Debug, Clone, Args)]
pub struct Topology {}

impl Topology {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
