//! The real kubeadm and what kdiy writes for it: each version reads every
//! document of every inventory in `inventories/`, and of what these leave out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kdiy::cluster::{AddressSpec, Cluster, ProxyMode, ResolvedCluster, Role, Version, VersionSpec};
use kdiy::inventory::load;
use kdiy::kubeadm::{self, Stage, kubelet_client};

use super::lab;

const TOKEN: &str = "abcdef.0123456789abcdef";
const PIN: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// The versions that the lab builds, with their programs.
fn kubeadms() -> Vec<(Version, PathBuf)> {
    lab::ok(&mut lab::command(&["build"]));
    let said = lab::ok(&mut lab::command(&["versions"]));
    let program = |name: &str| {
        let numbers: Vec<u64> = name.split('.').filter_map(|n| n.parse().ok()).collect();
        let [major, minor, patch] = numbers[..] else {
            panic!("{name} is no version");
        };
        let kubeadm = lab::program("kubeadm", Some(name));
        (Version::new(major, minor, patch), kubeadm)
    };
    let all: Vec<_> = said.split_whitespace().map(program).collect();
    assert!(all.len() > 1, "the lab has built too few: {said}");
    all
}

/// The clusters of all inventories but the lab's, which needs a lab.
fn clusters() -> Vec<(String, Cluster)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventories");
    let entries = std::fs::read_dir(&folder).expect("inventories/");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("an inventory");
        let loaded = load(&text, &|name| std::fs::read_to_string(folder.join(name)));
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let cluster = loaded
            .cluster
            .unwrap_or_else(|| panic!("{:?}", loaded.findings));
        all.push((name.into_owned(), cluster));
    }
    let (_, reference) = all
        .iter()
        .find(|(name, _)| name == "reference")
        .expect("the reference inventory");
    all.push(("what the others leave out".to_owned(), others(reference)));
    all
}

/// The reference with words in place of those that are in it.
fn others(reference: &Cluster) -> Cluster {
    let mut cluster = reference.clone();
    cluster.kubeadm.ignore_preflight_errors = ["NumCPU", "All"].map(str::to_owned).into();
    let phases = kubeadm::phases::INIT.iter().chain(kubeadm::phases::JOIN);
    cluster.kubeadm.skip_phases = phases.map(|&phase| phase.to_owned()).collect();
    cluster.kube_proxy.mode = ProxyMode::Ipvs;
    cluster
}

fn resolved(mut cluster: Cluster, version: Version) -> ResolvedCluster {
    cluster.version = VersionSpec::Exact(version);
    let nodes = cluster.nodes.iter().zip(1..);
    let addresses: BTreeMap<_, IpAddr> = nodes
        .map(|(node, place)| {
            let address = match node.address {
                AddressSpec::Fixed(address) => address,
                AddressSpec::Interface(_) => [198, 51, 100, place].into(),
            };
            (node.name.clone(), address)
        })
        .collect();
    ResolvedCluster::new(cluster, version, addresses).expect("an address for each")
}

/// Everything that kubeadm is given for one cluster.
fn documents(resolved: &ResolvedCluster) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for node in resolved.cluster.kubelets() {
        let mut add = |what: &str, text: &str| {
            all.push((format!("{what} of {}", node.name), text.to_owned()));
        };
        add("join", &kubeadm::join(resolved, node, TOKEN, PIN));
        if !node.roles.has(Role::ControlPlane) {
            add("start", &kubelet_client::start(resolved, node));
            continue;
        }
        add("init", &kubeadm::init(resolved, node, TOKEN));
        for stage in [Stage::Plain, Stage::Reads, Stage::Writes] {
            add("phase", &kubeadm::phase(resolved, node, stage));
        }
        let members = format!("{}=https://192.0.2.1:2380", node.name);
        add(
            "bootstrap",
            &kubeadm::bootstrap_etcd(resolved, node, &members),
        );
    }
    all
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn kubeadm_takes_everything_that_is_written_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kubeadm.yaml");
    let mut refused = Vec::new();
    for (version, kubeadm) in kubeadms() {
        for (name, cluster) in clusters() {
            let resolved = resolved(cluster, version);
            for (what, text) in documents(&resolved) {
                let mut options = std::fs::OpenOptions::new();
                let options = options.create(true).write(true).truncate(true).mode(0o600);
                let mut open = options.open(&file).expect("a file");
                std::io::Write::write_all(&mut open, text.as_bytes()).expect("room");
                let output = Command::new(&kubeadm)
                    .args(["config", "validate", "--config"])
                    .arg(&file)
                    .output()
                    .unwrap_or_else(|error| panic!("{}: {error}", kubeadm.display()));
                let said = String::from_utf8_lossy(&output.stderr);
                // Of what it no longer likes it warns; of ipvs kdiy does, too.
                let mut lines = said.lines().filter(|line| !line.contains("\"ipvs\""));
                let warned =
                    lines.any(|line| line.contains("deprecated") || line.contains("unknown"));
                if !output.status.success() || warned {
                    refused.push(format!("{version} {name}, {what}: {said}"));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
