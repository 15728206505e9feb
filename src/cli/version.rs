//! `kdiy version`.

use clap::Args;

/// Print the version
#[derive(Debug, Clone, Args)]
pub struct Version {}
