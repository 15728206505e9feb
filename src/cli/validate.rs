//! `kdiy validate`.

use clap::Args;

/// Check the inventory and say what the cluster tolerates
///
/// Every problem is shown at once, each at its line with the fix. No host is
/// contacted.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  kdiy validate
  kdiy validate -i prod.yaml --output json")]
pub struct Validate {}
