//! What is planned for blank hosts with each inventory of `inventories/`.

use std::path::Path;

use super::*;
use crate::cluster::{AddressSpec, VersionSpec};
use crate::inventory::load;

/// The cluster of an inventory, what only hosts could answer made up.
fn resolved_of(file: &Path) -> ResolvedCluster {
    let folder = file.parent().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let loaded = load(&text, &|name| std::fs::read_to_string(folder.join(name)));
    let cluster = loaded
        .cluster
        .unwrap_or_else(|| panic!("{:#?}", loaded.findings));
    let version = match cluster.version {
        VersionSpec::Exact(version) => version,
        VersionSpec::Minor(major, minor) => Version::new(major, minor, 1),
    };
    let nodes = cluster.nodes.iter().zip(1..);
    let addresses = nodes.map(|(node, place)| {
        let address = match &node.address {
            AddressSpec::Fixed(address) => *address,
            AddressSpec::Interface(_) => format!("198.51.100.{place}").parse().unwrap(),
        };
        (node.name.clone(), address)
    });
    let addresses = addresses.collect();
    ResolvedCluster::new(cluster, version, addresses).unwrap()
}

/// Titles of the steps of each host in their order; hosts with the same ones
/// are named together.
fn steps(plan: &Plan) -> String {
    let mut of_hosts = BTreeMap::<&Actor, Vec<&str>>::new();
    for planned in &plan.steps {
        let titles = of_hosts.entry(&planned.actor).or_default();
        titles.push(&planned.title);
    }
    let mut alike = Vec::<(Vec<&str>, Vec<&str>)>::new();
    for (host, titles) in of_hosts {
        match alike.iter_mut().find(|(_, those)| *those == titles) {
            Some((hosts, _)) => hosts.push(host.as_str()),
            None => alike.push((vec![host.as_str()], titles)),
        }
    }
    let parts = alike.iter().map(|(hosts, titles)| {
        let lines = titles.iter().map(|title| format!("\n  {title}"));
        format!("{}{}\n", hosts.join(" "), lines.collect::<String>())
    });
    parts.collect()
}

#[test]
fn every_example_is_planned_for_blank_hosts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventories");
    let files = std::fs::read_dir(&folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let hosts = Hosts::of(resolved_of(&file), facts, |_, resource| absent(resource));
        let plan = hosts.plan();
        let every: BTreeSet<_> = hosts
            .resolved
            .cluster
            .nodes
            .iter()
            .map(|node| &node.name)
            .collect();
        let example = file.file_stem().unwrap().to_str().unwrap();
        assert_eq!(plan.hosts(), every, "{example}: a host without a step");
        assert_eq!(hosts.codes(), [], "{example}: blank hosts have problems");
        insta::assert_snapshot!(format!("example-{example}"), steps(&plan));
    }
}
