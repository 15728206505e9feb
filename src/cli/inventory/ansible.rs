//! `kdiy inventory import ansible`.

use clap::Args;

use crate::cli::{Exit, Failed, Global};
use crate::ui::Ui;

/// Import an Ansible inventory, also one of kubespray's
#[derive(Debug, Clone, Args)]
pub struct Ansible {}

impl Ansible {
    /// Not built yet.
    ///
    /// # Errors
    /// Always.
    pub fn run(&self, _: &Global, _: &Ui) -> Result<Exit, Failed> {
        Err(Failed::message(Exit::Error, "not built yet"))
    }
}
