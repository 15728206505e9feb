//! `kdiy inventory`.

use std::time::Instant;

use clap::{Args, Subcommand};

use super::{CliError, Exit, Global};
use crate::ui::Ui;

mod ansible;
mod terraform;
mod vagrant;

/// Make an inventory of what other tools know
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  kdiy inventory import vagrant
  kdiy inventory import --help       what each of them needs")]
pub struct Inventory {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with inventories.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Import hosts from Vagrant, Terraform or Ansible
    Import(Import),
}

/// Import hosts from Vagrant, Terraform or Ansible
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Where from.
    #[command(subcommand)]
    pub from: From,
}

/// Where hosts are imported from.
#[derive(Debug, Clone, Subcommand)]
pub enum From {
    /// Import machines of a Vagrantfile
    Vagrant(Box<vagrant::Vagrant>),
    /// Import an output of Terraform or OpenTofu
    Terraform(terraform::Terraform),
    /// Import an Ansible inventory, also one of kubespray's
    Ansible(ansible::Ansible),
}

impl Inventory {
    /// Writes an inventory of what another tool knows.
    ///
    /// # Errors
    /// When that cannot be read, or makes no valid inventory.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let Command::Import(import) = &self.command;
        match &import.from {
            From::Vagrant(vagrant) => vagrant.run(global, ui, start).await,
            From::Terraform(terraform) => terraform.run(global, ui),
            From::Ansible(ansible) => ansible.run(global, ui),
        }
    }
}
