//! `docs/security.md` names every path that a plan can write on a host, with
//! its mode.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kdiy::cluster::{AddressSpec, Cluster, ResolvedCluster, Version, VersionSpec};
use kdiy::execute::trust::trust;
use kdiy::inventory::load;
use kdiy::pki::{ClusterCas, SecretboxKey};
use kdiy::plan::install::{self, Observed};
use kdiy::resource::Resource;
use kdiy::secret_store::SecretStore;

const PAGE: &str = "docs/security.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All clusters of `inventories/`.
fn clusters() -> Vec<Cluster> {
    let folder = root().join("inventories");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    let cluster = |path| {
        let text = fs::read_to_string(path).unwrap();
        load(&text, &|name| fs::read_to_string(folder.join(name)))
            .cluster
            .expect("a cluster")
    };
    files.map(cluster).collect()
}

/// With what only hosts could answer made up.
fn resolved(cluster: Cluster) -> ResolvedCluster {
    let version = match cluster.version {
        VersionSpec::Exact(version) => version,
        VersionSpec::Minor(major, minor) => Version::new(major, minor, 1),
    };
    let address = |spec: &AddressSpec, place: usize| match spec {
        AddressSpec::Fixed(address) => *address,
        AddressSpec::Interface(_) => format!("198.51.100.{place}").parse().unwrap(),
    };
    let nodes = cluster.nodes.iter().zip(1..);
    let addresses = nodes.map(|(node, place)| (node.name.clone(), address(&node.address, place)));
    let addresses = addresses.collect();
    ResolvedCluster::new(cluster, version, addresses).unwrap()
}

/// Paths that the plans of all inventories write, with their modes in octal.
fn written() -> BTreeMap<String, BTreeSet<String>> {
    let cas = ClusterCas::generate(time::OffsetDateTime::now_utc()).unwrap();
    let key = SecretboxKey::generate().unwrap();
    let trust = trust(&cas, Some(&key));
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for cluster in clusters() {
        let resolved = resolved(cluster);
        let nothing = Observed::default();
        let blueprint = install::blueprint(&resolved, &trust, &nothing, &mut SecretStore::new());
        for node in &resolved.cluster.nodes {
            for resource in blueprint.resources(&node.name) {
                let (path, mode) = match resource {
                    Resource::File(file) => (file.path.clone(), file.mode),
                    Resource::Directory(directory) => (directory.path.clone(), directory.mode),
                    _ => continue,
                };
                found.entry(path).or_default().insert(format!("{mode:04o}"));
            }
        }
    }
    found
}

#[test]
fn every_path_that_a_plan_writes_is_named_with_its_mode() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let rows: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| `/"))
        .collect();
    let written = written();
    assert!(
        written.contains_key("/etc/kubernetes/pki/ca.key"),
        "{written:#?}"
    );
    let missing: Vec<_> = written
        .iter()
        .flat_map(|(path, modes)| modes.iter().map(move |mode| (path, mode)))
        .filter(|(path, mode)| {
            let named = |row: &&&str| {
                let cells: Vec<_> = row.split('|').map(str::trim).collect();
                let mut paths = cells[1].split(", ").map(|path| path.trim_matches('`'));
                paths.any(|pattern| fits(path, pattern)) && cells[2].contains(mode.as_str())
            };
            !rows.iter().any(|row| named(&row))
        })
        .collect();
    assert!(missing.is_empty(), "{PAGE} lacks {missing:#?}");
}

/// `*` in a pattern stands for anything within one name.
fn fits(path: &str, pattern: &str) -> bool {
    let (mut path, mut pattern) = (path.split('/'), pattern.split('/'));
    loop {
        match (path.next(), pattern.next()) {
            (None, None) => return true,
            (Some(name), Some(wanted)) => {
                let fits = match wanted.split_once('*') {
                    None => name == wanted,
                    Some((begin, end)) => {
                        name.len() >= begin.len() + end.len()
                            && name.starts_with(begin)
                            && name.ends_with(end)
                    }
                };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}
