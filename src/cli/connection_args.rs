//! Options of the commands that connect to hosts.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Args;

/// How hosts are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Hosts that are worked on at a time [default: 16 a processor, at least
    /// 32]
    #[arg(long, value_name = "HOSTS")]
    pub width: Option<NonZeroUsize>,
    /// Seconds that connecting to a host may take
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// Accept and remember unknown host keys; changed ones stay refused
    #[arg(long)]
    pub accept_new_host_keys: bool,
}

impl ConnectionArgs {
    /// Hosts that are worked on at a time: those that were asked for, or as
    /// many as this machine carries. Each costs it some milliseconds of
    /// cryptography, and then time in which it only waits.
    pub(super) fn width(&self) -> usize {
        const OF_PROCESSOR: usize = 16;
        const LEAST: usize = 32;
        if let Some(width) = self.width {
            return width.get();
        }
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        LEAST.max(processors * OF_PROCESSOR)
    }
}

/// Whole seconds, at least one and at most an hour.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 3600".to_owned()),
    }
}
