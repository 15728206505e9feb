//! `kdiy apply`.

use std::path::PathBuf;

use clap::Args;

use super::{Reach, node_name};
use crate::cluster::Name;

/// Make the hosts as the inventory says
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Shows the plan, asks, and runs it. A run that was cut short or failed is
continued by running apply again.

Examples:
  kdiy apply
  kdiy apply --yes                   ask nothing, as CI needs it
  kdiy apply new.plan                what plan --out saved, or nothing
  kdiy apply --limit w-4,w-5         only these nodes and what they need
  kdiy apply --yes --output json     one JSON object a line while it runs"
)]
pub struct Apply {
    /// A plan saved by plan --out; refused if a host has changed since
    #[arg(value_name = "PLANFILE", conflicts_with = "limit")]
    pub plan: Option<PathBuf>,
    /// Do not ask before the first change
    #[arg(short, long)]
    pub yes: bool,
    /// Only these nodes, and steps of other nodes that they need
    #[arg(long, value_name = "NODE,..", value_delimiter = ',', value_parser = node_name)]
    pub limit: Vec<Name>,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: Reach,
}
