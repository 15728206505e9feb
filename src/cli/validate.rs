//! `kdiy validate`.

use clap::Args;
use serde::Serialize;

use super::{Exit, Failed, Global, source};
use crate::cluster::{Cluster, LoadBalancer, Name, Role};
use crate::inventory;
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
    pub fn run(&self, ui: &Ui, global: &Global) -> Result<Exit, Failed> {
        let style = ui.err_style();
        let findings = inventory::Style {
            color: style.color,
            width: style.width,
        };
        let source = source::load(global, findings)?;
        ui.tell(&source.warnings);
        match ui.output() {
            Output::Text => {
                let file = global.inventory.display().to_string();
                ui.print(&describe(&source.cluster, &file, ui.style()))?;
            }
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

/// What the cluster is and what it tolerates.
fn describe(cluster: &Cluster, file: &str, style: &Style) -> String {
    let mut out = format!(
        "{} cluster {}, Kubernetes {}, {}.\n\n",
        style.paint(Tone::Good, &format!("{file} is valid:")),
        style.paint(Tone::Strong, cluster.name.as_str()),
        cluster.version,
        text::count(cluster.nodes.len(), "host"),
    );
    let mut row = |label: &str, value: &str| {
        for (place, line) in text::wrap(value, style.width - 16).iter().enumerate() {
            let label = format!("{:<16}", if place == 0 { label } else { "" });
            out.push_str(&format!("{}{line}\n", style.paint(Tone::Faint, &label)));
        }
    };
    let roles = [
        (Role::ControlPlane, "control planes"),
        (Role::Etcd, "etcd hosts"),
        (Role::Worker, "workers"),
        (Role::LoadBalancer, "load balancers"),
    ];
    for (role, label) in roles {
        let names: std::collections::BTreeSet<_> =
            cluster.with_role(role).map(|node| &node.name).collect();
        if !names.is_empty() {
            row(label, &text::names(&names));
        }
    }
    row(
        "endpoint",
        &format!("{}, {}", cluster.endpoint, balanced(cluster)),
    );
    row("etcd", &cluster.quorum().to_string());
    out
}

/// What becomes of the endpoint when a host fails.
fn balanced(cluster: &Cluster) -> &'static str {
    match cluster.load_balancer {
        LoadBalancer::None => "the control plane itself",
        LoadBalancer::External => "balanced by somebody else's load balancer",
        LoadBalancer::Haproxy if cluster.with_role(Role::LoadBalancer).count() == 1 => {
            "balanced by haproxy; while its one host is away the API cannot be reached, pods go on"
        }
        LoadBalancer::Haproxy => "balanced by haproxy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str) -> Cluster {
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        inventory::load(text, &read).cluster.unwrap()
    }

    const HA: &str = include_str!("../../inventories/stacked-ha.yaml");
    const SINGLE: &str = include_str!("../../inventories/single.yaml");

    #[test]
    fn says_what_the_cluster_tolerates() {
        let style = Style::test(80, false);
        insta::assert_snapshot!("ha", describe(&example(HA), "kdiy.yaml", &style));
        insta::assert_snapshot!("single", describe(&example(SINGLE), "one.yaml", &style));
    }

    #[test]
    fn says_it_to_programs() {
        let cluster = example(HA);
        let json = serde_json::to_string_pretty(&document(&cluster)).unwrap();
        insta::assert_snapshot!("ha-json", json);
    }
}
