//! The command line: one file a command, exit codes, help.

pub mod apply;
pub mod code;
pub mod complete;
pub mod completions;
pub mod connection_args;
mod connector;
pub mod etcd;
pub mod exec;
pub mod exit;
pub mod explain;
pub mod facts;
mod heartbeat;
pub mod init;
pub mod interrupt;
pub mod inventory;
pub mod kubeconfig;
mod log_recorder;
pub mod logs;
pub mod man;
mod owner;
pub mod plan;
mod saved;
pub mod schema;
pub mod selection;
mod source;
pub mod ssh;
pub mod status;
mod survey;
pub mod topology;
pub mod validate;
pub mod version;
pub mod write_inventory;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub use connection_args::ConnectionArgs;
pub use exit::{CliError, Exit};

use crate::cluster::{Name, node::NotAName};
use crate::ui::{Color, Output, Verbosity};

/// Brings up and keeps up highly available Kubernetes clusters over SSH
#[derive(Debug, Parser)]
#[command(
    name = "kdiy",
    version,
    propagate_version = false,
    after_help = after_help(),
    max_term_width = 100
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What kdiy can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write an inventory to begin with
    Init(init::Init),
    /// Make an inventory of what other tools know
    Inventory(inventory::Inventory),
    /// Check the inventory and say what the cluster tolerates
    Validate(validate::Validate),
    /// Show what apply would do, without changing anything
    Plan(plan::Plan),
    /// Make the hosts as the inventory says
    Apply(apply::Apply),
    /// Show how the cluster is, and what is down
    Status(status::Status),
    /// Draw the cluster: who serves whom, and what may fail
    Topology(topology::Topology),
    /// Print the admin kubeconfig or merge it into yours
    Kubeconfig(kubeconfig::Kubeconfig),
    /// Look at etcd's members and keys, save a snapshot
    Etcd(etcd::Etcd),
    /// Show what the hosts are
    Facts(facts::Facts),
    /// Run a command on hosts
    Exec(exec::Exec),
    /// Log in to a host
    Ssh(ssh::Ssh),
    /// Show what hosts said in past runs
    Logs(logs::Logs),
    /// Explain a field of the inventory
    Explain(explain::Explain),
    /// Print the JSON Schema of the inventory
    Schema(schema::Schema),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Print or write the manual pages
    Man(man::Man),
    /// Print the version
    Version(version::Version),
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The inventory
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "KDIY_INVENTORY",
        default_value = "kdiy.yaml"
    )]
    pub inventory: PathBuf,
    /// Text for people or JSON for programs
    #[arg(
        short,
        long,
        global = true,
        value_name = "text|json",
        default_value = "text",
        hide_possible_values = true
    )]
    pub output: Output,
    /// Colours; auto heeds NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        global = true,
        value_name = "auto|always|never",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: Color,
    /// Show everything: whole files, each resource, output of hosts
    #[arg(short, long, global = true, action = ArgAction::SetTrue, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Show results and failures only
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub quiet: bool,
}

impl Global {
    /// How much is shown.
    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// Reads one node name of `--limit`.
pub(crate) fn node_name(text: &str) -> Result<Name, NotAName> {
    Name::try_from(text.to_owned())
}

fn after_help() -> String {
    format!(
        "One inventory file says what the cluster shall be. kdiy looks at the hosts,
shows what is different, and brings it about. Nothing is installed on the hosts
but what Kubernetes needs.

Examples:
  kdiy init                      write kdiy.yaml, the inventory
  kdiy validate                  check it
  kdiy plan                      show what is different on the hosts
  kdiy apply                     show it, ask, and bring it about
  kdiy kubeconfig --merge        use the new cluster with kubectl

{}",
        Exit::table()
    )
}

#[cfg(test)]
mod tests;
