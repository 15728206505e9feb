//! Answers that a cluster's own text does not hold: which patch version
//! `1.34` is, and which address `eth1` has.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::facts::software::{self, KUBERNETES, Lookup, Software};
use crate::cluster::{
    AddressSpec, Cluster, Name, Node, ResolvedCluster, Role, Version, VersionSpec,
};
use crate::resource::{AnswerError, Answers, SECTION_FUNCTION, section};
use crate::shell::Script;

/// What one host answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The address of its interface, where that is asked.
    pub address: Option<IpAddr>,
    /// The kubeadm that it has.
    pub installed: Option<Version>,
    /// Versions in the repository, where the host was asked to look.
    pub offered: Lookup<Vec<Version>>,
}

/// Why a cluster cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// An interface is missing or has no address.
    #[error("{host}: the interface {interface} has no global address")]
    NoAddress {
        /// The host.
        host: Name,
        /// Its interface.
        interface: String,
    },
    /// The repository has no such version, or was not readable.
    #[error(
        "the repository {url} offers no kubeadm {wanted} to {host}{}",
        because(why)
    )]
    NoVersion {
        /// The host that looked.
        host: Name,
        /// What was asked for.
        wanted: VersionSpec,
        /// Where it looked.
        url: String,
        /// apt's words, where it could not read the repository.
        why: Option<String>,
    },
}

fn because(why: &Option<String>) -> String {
    let why = why.iter().map(|why| format!(": apt says {why}"));
    why.collect()
}

impl Unresolved {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAddress { .. } => "interface-without-address",
            Self::NoVersion { .. } => "version-not-offered",
        }
    }
}

/// The cluster with its answers, when its own text holds them all.
#[must_use]
pub fn from_text(cluster: &Cluster) -> Option<ResolvedCluster> {
    let VersionSpec::Exact(version) = cluster.version else {
        return None;
    };
    let addresses = cluster.nodes.iter().map(|node| match node.address {
        AddressSpec::Fixed(address) => Some((node.name.clone(), address)),
        AddressSpec::Interface(_) => None,
    });
    ResolvedCluster::new(cluster.clone(), version, addresses.collect::<Option<_>>()?)
}

/// The control plane that looks into the repository.
fn version_probe_node(cluster: &Cluster) -> Option<&Node> {
    cluster.with_role(Role::ControlPlane).next()
}

/// The script that asks one host.
#[must_use]
pub fn script(cluster: &Cluster, node: &Node) -> Script {
    let looks = version_probe_node(cluster)
        .is_some_and(|version_probe_node| version_probe_node.name == node.name);
    let offered = match cluster.version {
        VersionSpec::Minor(major, minor) if looks => software::kubeadms(cluster, (major, minor)),
        _ => Script::new(),
    };
    Script::of("export LC_ALL=C\n")
        .lit(SECTION_FUNCTION)
        .then(&local_script(cluster, node))
        .then(&offered)
        .lit(":\n")
}

/// Asks a host what it knows without a repository; leaves the address of its
/// interface in `kdiy_address`.
#[must_use]
pub fn local_script(cluster: &Cluster, node: &Node) -> Script {
    let address = match &node.address {
        AddressSpec::Fixed(_) => Script::new(),
        AddressSpec::Interface(name) => {
            let all = Script::of("ip -o addr show scope global dev ").arg(name);
            // It may be there, but is no node's own.
            let own = match cluster.load_balancer.vip() {
                Some(vip) => all.lit(" | grep -vF -- ").arg(format!(" {}/", vip.address)),
                None => all,
            };
            own.lit("\n")
        }
    };
    Script::of("kdiy_address=$(\n")
        .then(&address)
        .lit(")\nkdiy_section address \"$kdiy_address\"\n")
        .lit("set -- $kdiy_address\nkdiy_address=${4%%/*}\n")
        .then(&section(
            "installed",
            &Script::of("dpkg-query -W -f '${Version}\\n' kubeadm 2>/dev/null\n"),
        ))
}

/// The versions of kubeadm that a host was offered.
fn offered(answers: &Answers) -> Result<Lookup<Vec<Version>>, AnswerError> {
    // Most are not asked.
    if answers.get("software").is_err() {
        return Ok(Lookup::Unasked);
    }
    Ok(match Software::parse(answers)?.kubernetes {
        Lookup::Unasked => Lookup::Unasked,
        Lookup::Unread(why) => Lookup::Unread(why),
        Lookup::Read(all) => {
            let all = all.get(KUBERNETES[0]).into_iter().flatten();
            Lookup::Read(all.filter_map(|version| package_version(version)).collect())
        }
    })
}

impl Answer {
    /// Reads the answer to [`script`].
    ///
    /// # Errors
    /// When it is not in the form of sections.
    pub fn parse(output: &[u8]) -> Result<Self, AnswerError> {
        Self::read(&Answers::parse(output)?)
    }

    /// Reads the answer to [`local_script`], and to the rest where it was
    /// asked.
    ///
    /// # Errors
    /// When sections are missing.
    pub fn read(answers: &Answers) -> Result<Self, AnswerError> {
        let address = answers.get("address")?.split_whitespace().nth(3);
        let address = address.and_then(|text| text.split('/').next()?.parse().ok());
        let installed = answers.get("installed")?.lines().find_map(package_version);
        let offered = offered(answers)?;
        Ok(Self {
            address,
            installed,
            offered,
        })
    }
}

/// The Kubernetes version of a package's: `1.34.1-1.1` is 1.34.1.
fn package_version(text: &str) -> Option<Version> {
    let mut numbers = text
        .split('-')
        .next()?
        .split('.')
        .map(|number| number.parse().ok());
    Some(Version::new(
        numbers.next()??,
        numbers.next()??,
        numbers.next()??,
    ))
}

/// Settles a cluster with the answers of its hosts. A version that runs is
/// kept: a newer patch in the repository is no reason for an upgrade.
///
/// # Errors
/// When an address or a version is not available.
pub fn resolve(
    cluster: &Cluster,
    answers: &BTreeMap<Name, Answer>,
) -> Result<ResolvedCluster, Unresolved> {
    let version = match cluster.version {
        VersionSpec::Exact(version) => version,
        wanted @ VersionSpec::Minor(..) => {
            let admitted = |versions: &mut dyn Iterator<Item = Version>| {
                versions.filter(|version| wanted.admits(*version)).max()
            };
            admitted(&mut answers.values().filter_map(|answer| answer.installed))
                .or_else(|| {
                    let offered = answers.values().filter_map(|answer| match &answer.offered {
                        Lookup::Read(all) => Some(all.clone()),
                        Lookup::Unasked | Lookup::Unread(_) => None,
                    });
                    admitted(&mut offered.flatten())
                })
                .ok_or_else(|| Unresolved::NoVersion {
                    host: version_probe_node(cluster)
                        .map_or_else(|| cluster.name.clone(), |node| node.name.clone()),
                    wanted,
                    url: cluster.packages.url.clone(),
                    why: answers.values().find_map(|answer| match &answer.offered {
                        Lookup::Unread(why) => Some(why.clone()),
                        Lookup::Unasked | Lookup::Read(_) => None,
                    }),
                })?
        }
    };
    let mut addresses = BTreeMap::new();
    for node in &cluster.nodes {
        let address = match &node.address {
            AddressSpec::Fixed(address) => *address,
            AddressSpec::Interface(interface) => answers
                .get(&node.name)
                .and_then(|answer| answer.address)
                .ok_or_else(|| Unresolved::NoAddress {
                    host: node.name.clone(),
                    interface: interface.clone(),
                })?,
        };
        addresses.insert(node.name.clone(), address);
    }
    Ok(ResolvedCluster::new(cluster.clone(), version, addresses)
        .expect("every node was given an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_address_is_no_nodes_own() {
        use crate::cluster::Balancer;
        let resolved = crate::lb::tests::pair(Version::new(1, 34, 1), Balancer::Haproxy);
        let mut cluster = resolved.cluster;
        let node = cluster.nodes[5].clone();
        let ask = |cluster: &Cluster| {
            let ip = "ip() { echo '2: eth1    inet 192.0.2.100/32 scope global eth1'; \
                      echo '2: eth1    inet 192.0.2.16/24 scope global eth1'; }\n";
            let script = format!("{ip}{}", script(cluster, &node));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            Answer::parse(&output.stdout).unwrap().address
        };
        assert_eq!(ask(&cluster), Some("192.0.2.16".parse().unwrap()));
        cluster.load_balancer = crate::cluster::LoadBalancer::External;
        assert_eq!(ask(&cluster), Some("192.0.2.100".parse().unwrap()));
    }

    /// A cluster that asks for the newest patch version of a flat repository,
    /// and what its first control plane says to that.
    fn newest(url: String) -> (Cluster, Answer) {
        let resolved = crate::kubeadm::tests::few(Version::new(1, 37, 2));
        let mut cluster = resolved.cluster.clone();
        for node in &mut cluster.nodes {
            node.address = AddressSpec::Fixed(resolved.address(node));
        }
        cluster.version = VersionSpec::Minor(1, 37);
        cluster.packages.url = url;
        let version_probe_node = version_probe_node(&cluster).unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", script(&cluster, version_probe_node).as_str()])
            .output()
            .unwrap();
        let answer = Answer::parse(&output.stdout).unwrap();
        (cluster, answer)
    }

    #[test]
    fn the_newest_patch_version_is_looked_for_as_everything_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let entry = |version: &str| {
            format!(
                "Package: kubeadm\nVersion: {version}\nArchitecture: all\nMaintainer: a\n\
                 Filename: ./{version}.deb\nSize: 1\nSHA256: {}\nDescription: a\n\n",
                "0".repeat(64)
            )
        };
        let packages = ["1.37.1-1.1", "1.37.2-1.1", "1.36.9-1.1"].map(entry);
        let file = dir.path().join("Packages");
        std::fs::write(&file, packages.concat()).unwrap();
        // A repository may have its index compressed alone.
        let packed = std::process::Command::new("gzip").arg(&file).status();
        assert!(packed.unwrap().success());
        let (cluster, answer) = newest(format!("file:{}/", dir.path().display()));
        let of = |answer| {
            let name = version_probe_node(&cluster).unwrap().name.clone();
            resolve(&cluster, &BTreeMap::from([(name, answer)])).map(|resolved| resolved.version)
        };
        assert_eq!(of(answer), Ok(Version::new(1, 37, 2)));
        let (_, nothing) = newest("file:/nowhere/".to_owned());
        let error = of(nothing).unwrap_err().to_string();
        assert!(error.contains("/nowhere"), "{error}");
    }

    #[test]
    fn the_newest_patch_version_is_looked_for_by_the_proxy() {
        let mut cluster = crate::kubeadm::tests::few(Version::new(1, 37, 2)).cluster;
        cluster.version = VersionSpec::Minor(1, 37);
        cluster.http_proxy = crate::kubeadm::tests::most(Version::new(1, 37, 2))
            .cluster
            .http_proxy;
        let script = script(&cluster, version_probe_node(&cluster).unwrap());
        assert!(
            script
                .as_str()
                .contains("export https_proxy=http://proxy.example:3128"),
            "{script}"
        );
    }
}
