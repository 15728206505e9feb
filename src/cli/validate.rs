//! `kdiy validate`.

use clap::Args;

/// Check the inventory and say what the cluster tolerates
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Every problem is shown at once, each at its line with the fix. No host is
contacted.

Examples:
  kdiy validate
  kdiy validate -i prod.yaml --output json"
)]
pub struct Validate {}
