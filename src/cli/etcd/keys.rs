//! `kdiy etcd keys`.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde::Serialize;

use super::query;
use crate::cli::{CliError, ConnectionArgs, Exit, Global, source};
use crate::etcd::keys::{Page, Range, escaped};
use crate::execute;
use crate::execute::survey::HostError;
use crate::transport;
use crate::ui::{Output, Ui};

/// More keys than anybody reads; what is asked for is kept in memory.
const MOST: u64 = 1_000_000;

/// List keys, never values
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Keys that are not plain text are shown with \\xNN for their bytes; JSON has them
in base64 too. All are of one revision.

Examples:
  kdiy etcd keys                     the first hundred keys
  kdiy etcd keys --prefix /registry/configmaps/ --count-only
  kdiy etcd keys --prefix /registry/pods/ --limit 5000 --output json"
)]
pub struct Keys {
    /// Only keys that begin so; an empty one for all
    #[arg(long, value_name = "TEXT", default_value = "/registry")]
    pub prefix: String,
    /// The first so many
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub limit: u64,
    /// Only say how many there are
    #[arg(long, conflicts_with = "limit")]
    pub count_only: bool,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    prefix: &'a str,
    revision: u64,
    count: u64,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    key: String,
    base64: String,
}

impl Keys {
    /// Lists keys.
    ///
    /// # Errors
    /// When no member is healthy or its answer cannot be read.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        let query = query(&source, &self.connection_args, ui, start).await?;
        let (_, node, link) = query.reader(&source)?;
        let range = Range::prefix(self.prefix.as_bytes());
        let limit = usize::try_from(if self.count_only { 0 } else { self.limit })?;
        let topology = &source.cluster.topology;
        let page = execute::etcd::keys(link, topology, &node.address, &range, limit)
            .await
            .map_err(|host_error| {
                let exit = match &host_error {
                    HostError::Transport(transport::Error::TimeLimit { .. })
                    | HostError::AnswerError(_)
                    | HostError::Probe { .. } => Exit::Error,
                    HostError::Transport(_) => Exit::Unreachable,
                };
                let what = format!("{}: keys of etcd: {host_error}", node.name);
                CliError::message(exit, what).hint("see kdiy etcd status")
            })?;
        match ui.output() {
            Output::Json => ui.json(&document(&self.prefix, &page))?,
            Output::Text if self.count_only => ui.print(&format!("{}\n", page.count))?,
            Output::Text => {
                let lines = page.keys.iter().map(|key| escaped(key) + "\n");
                ui.print(&lines.collect::<String>())?;
                let shown = page.keys.len();
                if (shown as u64) < page.count {
                    ui.note(&format!(
                        "The first {shown} of {} keys; --limit N shows more.",
                        page.count
                    ));
                }
            }
        }
        Ok(Exit::Ok)
    }
}

fn document<'a>(prefix: &'a str, page: &Page) -> Document<'a> {
    let key = |key: &Vec<u8>| Key {
        key: escaped(key),
        base64: STANDARD.encode(key),
    };
    Document {
        prefix,
        revision: page.revision,
        count: page.count,
        keys: page.keys.iter().map(key).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_text_and_bytes() {
        let page = Page {
            keys: vec![b"/registry/a".to_vec(), b"/registry/\xff".to_vec()],
            count: 12,
            revision: 7,
        };
        let json = serde_json::to_string_pretty(&document("/registry", &page)).unwrap();
        insta::assert_snapshot!(json);
    }
}
