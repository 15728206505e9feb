//! `kdiy inventory import terraform`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::init::About;
use crate::cli::write_inventory::{self, Destination};
use crate::cli::{CliError, Exit, Global};
use crate::draft::terraform::{self, Mapping, Wanted};
use crate::ui::Ui;

/// Import an output of Terraform or OpenTofu
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Three shapes of outputs are read. An output `kdiy` with the inventory's keys:

  output \"kdiy\" {
    value = {
      name = \"prod\", endpoint = aws_lb.api.dns_name, ssh = { user = \"ops\" }
      nodes = [for host in aws_instance.control_plane : {
        name = host.tags.Name, role = \"control-plane\"
        ssh = host.public_ip, address = host.private_ip
      }]
    }
  }

The outputs of KubeOne's modules, which are found by their names. And any
others by --map WHAT=OUTPUT, where WHAT is a role, ROLE.ssh (what is logged in
to), ROLE.name, endpoint, vip or name. The output may be one text, a list, an
object by name, or have objects with private_ip, public_ip and the like in it.
Behind its name a path may lead into it, as JSONPath (RFC 9535) has it:
OUTPUT.key, OUTPUT[*].key, OUTPUT[?@.role == 'db'].ip.

Sensitive outputs are refused, as an inventory is no secret.

Examples:
  terraform output -json | kdiy inventory import terraform
  tofu output -json > out.json
  kdiy inventory import terraform out.json --map endpoint=api_dns \\
      --map control-plane=cp_private_ips --map control-plane.ssh=cp_public_ips \\
      --map 'worker=nodes[*].private_ip'"
)]
pub struct Terraform {
    /// Output of `terraform output -json`; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
    /// The output with the inventory's keys, instead of kdiy
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    pub from_output: Option<String>,
    /// Which output is what
    #[arg(long, value_name = "WHAT=OUTPUT")]
    pub map: Vec<Mapping>,
    /// What is said beside the hosts.
    #[command(flatten)]
    pub about: About,
    /// Where it goes.
    #[command(flatten)]
    pub destination: Destination,
}

impl Terraform {
    /// Writes an inventory of outputs.
    ///
    /// # Errors
    /// When they cannot be read or make no valid inventory.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        self.destination.check(global)?;
        let (name, text) = write_inventory::read_or_stdin(&self.file)?;
        let wanted = Wanted {
            output: self.from_output.clone(),
            mappings: self.map.clone(),
        };
        let imported = terraform::import(&name, &text, &wanted);
        write_inventory::import(imported, &self.about, &self.destination, global, ui)
    }
}
