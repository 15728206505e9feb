//! `kdiy plan`.

use std::path::PathBuf;

use clap::Args;

use super::{Reach, node_name};
use crate::cluster::Name;

/// Show what apply would do, without changing anything
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  kdiy plan
  kdiy plan -v                       whole files and all particulars
  kdiy plan --limit w-4,w-5          only these nodes and what they need
  kdiy plan --out new.plan           keep it for: kdiy apply new.plan
  kdiy plan --detailed-exitcode      for CI: 0 no changes, 2 changes")]
pub struct Plan {
    /// Save the plan, to be applied exactly as shown; holds no secrets
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Only these nodes, and steps of other nodes that they need
    #[arg(long, value_name = "NODE,..", value_delimiter = ',', value_parser = node_name)]
    pub limit: Vec<Name>,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: Reach,
}
