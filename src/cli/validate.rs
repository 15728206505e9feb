//! `kdiy validate`.

use clap::Args;
use serde::Serialize;

use super::{CliError, Exit, Global, source};
use crate::cluster::{self, Cluster, Name, Node, Topology};
use crate::inventory::Row;
use crate::ui::{Output, Style, Tone, Ui, text};

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

/// What is printed as JSON: the cluster, if it is valid, and what was found.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    #[serde(flatten)]
    cluster: Option<Document<'a>>,
    findings: Vec<Row>,
}

/// A valid cluster.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    cluster: &'a Name,
    version: String,
    endpoint: String,
    hosts: Vec<Host<'a>>,
    etcd: Etcd,
    failures_tolerated: Failures,
}

/// Hosts of each kind that may fail; kinds that there are none of are left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failures {
    control_planes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    etcd_hosts: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_balancers: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Host<'a> {
    name: &'a Name,
    roles: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Etcd {
    topology: &'static str,
    members: usize,
    quorum: usize,
    failures_tolerated: usize,
}

impl Validate {
    /// Checks the inventory.
    ///
    /// # Errors
    /// When it is not valid, with every problem.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        match ui.output() {
            Output::Text => {
                let source = source::load(global, ui)?;
                let file = global.inventory.display().to_string();
                ui.print(&describe(&source.cluster, &file, ui.style()))?;
                Ok(Exit::Ok)
            }
            Output::Json => {
                let (source, findings) = source::load_for_program(global)?;
                let cluster = source.as_ref().map(|source| document(&source.cluster));
                ui.json(&Checked { cluster, findings })?;
                Ok(if source.is_some() {
                    Exit::Ok
                } else {
                    Exit::Inventory
                })
            }
        }
    }
}

fn document(cluster: &Cluster) -> Document<'_> {
    let host =
        |node: &Node| -> Vec<_> { node.roles.all().iter().map(|role| role.as_str()).collect() };
    let (quorum, tolerance) = (cluster.quorum(), cluster.tolerance());
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
        failures_tolerated: Failures {
            control_planes: tolerance.control_planes,
            etcd_hosts: tolerance.etcd_hosts,
            load_balancers: tolerance.balancers,
        },
        etcd: Etcd {
            topology: match cluster.topology {
                Topology::Stacked => "stacked",
                Topology::External(_) => "external",
            },
            members: quorum.members,
            quorum: quorum.needed(),
            failures_tolerated: quorum.tolerated(),
        },
    }
}

/// What the cluster is and what it tolerates, its rows fitted to the columns.
fn describe(cluster: &Cluster, file: &str, style: &Style) -> String {
    let mut out = format!("{} is valid.\n\n", style.paint(Tone::Good, file));
    let mut noted = false;
    for row in cluster::describe(cluster).lines() {
        // Labels have 16 columns, but for notes, which stand apart.
        let note = row.strip_prefix("note: ").map(|note| ("note: ", note, 6));
        let (label, value, indent) = match (note, row.split_at_checked(16)) {
            (Some(note), _) => note,
            (None, Some((label, value))) => (label, value, 16),
            (None, None) => ("", row, 0),
        };
        if note.is_some() && !std::mem::replace(&mut noted, true) {
            out.push('\n');
        }
        let room = style.width - indent;
        for (place, line) in text::wrap(value, room).iter().enumerate() {
            let label = match place {
                0 => style.paint(Tone::Faint, label),
                _ => " ".repeat(indent),
            };
            out.push_str(&format!("{label}{line}\n"));
        }
    }
    out
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
    const EXTERNAL: &str = include_str!("../../inventories/external-etcd-ha.yaml");
    const SINGLE: &str = include_str!("../../inventories/single.yaml");

    #[test]
    fn says_what_the_cluster_tolerates() {
        let style = Style::test(80, false);
        insta::assert_snapshot!("ha", describe(&example(HA), "kdiy.yaml", &style));
        insta::assert_snapshot!(
            "external",
            describe(&example(EXTERNAL), "kdiy.yaml", &style)
        );
        insta::assert_snapshot!("single", describe(&example(SINGLE), "one.yaml", &style));
    }

    #[test]
    fn says_it_to_programs() {
        for (name, text) in [("ha-json", HA), ("external-json", EXTERNAL)] {
            let cluster = example(text);
            let json = serde_json::to_string_pretty(&document(&cluster)).unwrap();
            insta::assert_snapshot!(name, json);
        }
    }
}
