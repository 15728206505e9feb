//! `kdiy validate`.

use clap::Args;
use serde::Serialize;

use super::{Exit, Failed, Global, source};
use crate::cluster::{Cluster, Name, describe};
use crate::ui::{Output, Ui};

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

/// What is printed as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    cluster: &'a Name,
    version: String,
    endpoint: String,
    hosts: Vec<Host<'a>>,
    etcd: Etcd,
}

#[derive(Debug, Serialize)]
struct Host<'a> {
    name: &'a Name,
    roles: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Etcd {
    members: usize,
    quorum: usize,
    failures_tolerated: usize,
}

impl Validate {
    /// Checks the inventory.
    ///
    /// # Errors
    /// When it is not valid, with every problem.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, Failed> {
        let source = source::load(global, ui)?;
        match ui.output() {
            Output::Text => ui.print(&describe(&source.cluster))?,
            Output::Json => ui.json(&document(&source.cluster))?,
        }
        Ok(Exit::Ok)
    }
}

fn document(cluster: &Cluster) -> Document<'_> {
    let host = |node: &'_ crate::cluster::Node| -> Vec<_> {
        node.roles.all().iter().map(|role| role.as_str()).collect()
    };
    let quorum = cluster.quorum();
    Document {
        cluster: &cluster.name,
        version: cluster.version.to_string(),
        endpoint: cluster.endpoint.to_string(),
        hosts: cluster
            .nodes
            .iter()
            .map(|node| Host {
                name: &node.name,
                roles: host(node),
            })
            .collect(),
        etcd: Etcd {
            members: quorum.members,
            quorum: quorum.needed(),
            failures_tolerated: quorum.tolerated(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory;

    fn example(text: &str) -> Cluster {
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        inventory::load(text, &read).cluster.unwrap()
    }

    const HA: &str = include_str!("../../inventories/stacked-ha.yaml");

    #[test]
    fn says_it_to_programs() {
        let cluster = example(HA);
        let json = serde_json::to_string_pretty(&document(&cluster)).unwrap();
        insta::assert_snapshot!("ha-json", json);
    }
}
