//! Answers that a cluster's own text does not hold: which patch version
//! `1.34` is, and which address `eth1` has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::facts::software::{self, KUBERNETES, Lookup, Software};
use crate::cluster::{AddressSpec, Cluster, Name, Node, ResolvedCluster, Version, VersionSpec};
use crate::resource::{AnswerError, Answers, SECTION_FUNCTION, section};
use crate::shell::{Script, sh};

/// What one host answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The addresses of its interface that may be meant, where that is asked.
    pub addresses: Vec<IpAddr>,
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
    /// An interface has more than one address of the pods' family.
    #[error(
        "{host}: the interface {interface} has several addresses: {}",
        listed(addresses)
    )]
    SeveralAddresses {
        /// The host.
        host: Name,
        /// Its interface.
        interface: String,
        /// Those of the family.
        addresses: Vec<IpAddr>,
    },
    /// Hosts have different versions of it installed.
    #[error(
        "kubeadm {wanted} is installed in different versions: {}",
        listed(found.iter().map(|(host, version)| format!("{version} on {host}")))
    )]
    SeveralVersions {
        /// What was asked for.
        wanted: VersionSpec,
        /// Hosts with what they have.
        found: Vec<(Name, Version)>,
    },
    /// Each host is offered some, but none is offered to all.
    #[error(
        "no kubeadm {wanted} is offered to all hosts: {}",
        listed(newest.iter().map(|(host, version)| format!("{host} is offered {version} at most")))
    )]
    NoCommonVersion {
        /// What was asked for.
        wanted: VersionSpec,
        /// Hosts with the newest that each is offered.
        newest: Vec<(Name, Version)>,
    },
    /// The repository has no such version, or was not readable.
    #[error(
        "the repository {url} offers no kubeadm {wanted} to {}{}",
        listed(hosts),
        because(why)
    )]
    NoVersion {
        /// The hosts that looked in vain.
        hosts: Vec<Name>,
        /// What was asked for.
        wanted: VersionSpec,
        /// Where it looked.
        url: String,
        /// apt's words, where it could not read the repository.
        why: Option<String>,
    },
}

fn listed(all: impl IntoIterator<Item = impl ToString>) -> String {
    let all: Vec<_> = all.into_iter().map(|one| one.to_string()).collect();
    all.join(", ")
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
            Self::SeveralAddresses { .. } => "interface-with-addresses",
            Self::SeveralVersions { .. } => "versions-differ",
            Self::NoCommonVersion { .. } | Self::NoVersion { .. } => "version-not-offered",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoAddress { .. } => "name another `interface`, or the node's `address`",
            Self::SeveralAddresses { .. } => {
                "write the one that other hosts reach as the node's `address`, in place of `interface`"
            }
            Self::SeveralVersions { .. } => {
                "write the version that the cluster runs as `version`, with its patch"
            }
            Self::NoCommonVersion { .. } => {
                "let all hosts have the same repository: look at their mirrors, and at `packages`"
            }
            Self::NoVersion { .. } => "look at `version`, `packages` and `httpProxy`",
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

/// The script that asks one host.
#[must_use]
pub fn script(cluster: &Cluster, node: &Node) -> Script {
    let offered = match cluster.version {
        VersionSpec::Minor(major, minor) if node.runs_kubelet() => {
            software::kubeadms(cluster, (major, minor))
        }
        _ => Script::new(),
    };
    Script::of(SECTION_FUNCTION)
        .then(&local_script(cluster, node))
        .then(&offered)
        .run(":")
}

/// Asks a host what it knows without a repository; leaves the address of its
/// interface, the first where there are several, in `kdiy_address`.
#[must_use]
pub fn local_script(cluster: &Cluster, node: &Node) -> Script {
    let script = Script::of(sh!("probe/address.sh"));
    let script = match &node.address {
        AddressSpec::Fixed(_) => script.run("kdiy_own_address"),
        AddressSpec::Interface(name) => {
            // Of the family that pods have.
            let family = match cluster.network.pod_cidr.addr() {
                IpAddr::V4(_) => "-4",
                IpAddr::V6(_) => "-6",
            };
            let vip = cluster.load_balancer.vip();
            let vip = vip.map_or_else(String::new, |vip| vip.address.to_string());
            script.call("kdiy_own_address", [family, name, &vip])
        }
    };
    let installed = Script::new().run("kdiy_installed");
    script.then(&section("installed", &installed))
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
        let address = |line: &str| {
            line.split_whitespace()
                .nth(3)?
                .split('/')
                .next()?
                .parse()
                .ok()
        };
        let addresses = answers
            .get("address")?
            .lines()
            .filter_map(address)
            .collect();
        let installed = answers.get("installed")?.lines().find_map(package_version);
        let offered = offered(answers)?;
        Ok(Self {
            addresses,
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
        wanted @ VersionSpec::Minor(..) => newest(cluster, wanted, answers)?,
    };
    let mut addresses = BTreeMap::new();
    for node in &cluster.nodes {
        let address = match &node.address {
            AddressSpec::Fixed(address) => *address,
            AddressSpec::Interface(interface) => {
                let (host, interface) = (node.name.clone(), interface.clone());
                let found = answers.get(&node.name).map(|answer| &answer.addresses[..]);
                match found.unwrap_or_default() {
                    [] => return Err(Unresolved::NoAddress { host, interface }),
                    [address] => *address,
                    several => {
                        let addresses = several.to_vec();
                        return Err(Unresolved::SeveralAddresses {
                            host,
                            interface,
                            addresses,
                        });
                    }
                }
            }
        };
        addresses.insert(node.name.clone(), address);
    }
    Ok(ResolvedCluster::new(cluster.clone(), version, addresses)
        .expect("every node was given an address"))
}

/// The patch version that is meant: the one that hosts have, or else the
/// newest that is offered to all of them.
fn newest(
    cluster: &Cluster,
    wanted: VersionSpec,
    answers: &BTreeMap<Name, Answer>,
) -> Result<Version, Unresolved> {
    let nodes = cluster.nodes.iter().filter(|node| node.runs_kubelet());
    let asked: Vec<_> = nodes
        .filter_map(|node| Some((&node.name, answers.get(&node.name)?)))
        .collect();
    let installed = asked.iter().filter_map(|(name, answer)| {
        let version = answer.installed.filter(|version| wanted.admits(*version))?;
        Some(((*name).clone(), version))
    });
    let found: Vec<_> = installed.collect();
    match &found[..] {
        [] => {}
        [(_, first), others @ ..] if others.iter().all(|(_, other)| other == first) => {
            return Ok(*first);
        }
        _ => return Err(Unresolved::SeveralVersions { wanted, found }),
    }
    let mut offers: Vec<(&Name, BTreeSet<Version>)> = Vec::new();
    let (mut in_vain, mut why) = (Vec::new(), None);
    for (name, answer) in asked {
        let admitted: BTreeSet<_> = match &answer.offered {
            Lookup::Unasked => continue,
            Lookup::Read(all) => all.iter().filter(|v| wanted.admits(**v)).copied().collect(),
            Lookup::Unread(words) => {
                why.get_or_insert_with(|| words.clone());
                BTreeSet::new()
            }
        };
        if admitted.is_empty() {
            in_vain.push(name.clone());
        }
        offers.push((name, admitted));
    }
    if !in_vain.is_empty() || offers.is_empty() {
        return Err(Unresolved::NoVersion {
            hosts: in_vain,
            wanted,
            url: cluster.packages.url.clone(),
            why,
        });
    }
    let to_all = |version: &&Version| offers.iter().all(|(_, offered)| offered.contains(*version));
    let common = offers[0].1.iter().rev().find(to_all).copied();
    common.ok_or_else(|| Unresolved::NoCommonVersion {
        wanted,
        newest: { offers.iter() }
            .filter_map(|(name, offered)| Some(((*name).clone(), *offered.last()?)))
            .collect(),
    })
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
            Answer::parse(&output.stdout).unwrap().addresses
        };
        let addresses = |all: &[&str]| -> Vec<IpAddr> {
            all.iter().map(|address| address.parse().unwrap()).collect()
        };
        assert_eq!(ask(&cluster), addresses(&["192.0.2.16"]));
        cluster.load_balancer = crate::cluster::LoadBalancer::External;
        assert_eq!(ask(&cluster), addresses(&["192.0.2.100", "192.0.2.16"]));
    }

    /// A cluster whose first node names an interface, and what of its addresses
    /// comes back; the others are known.
    fn of_interface(addresses: &[&str]) -> Result<IpAddr, String> {
        let resolved = crate::kubeadm::tests::few(Version::new(1, 37, 2));
        let mut cluster = resolved.cluster.clone();
        for node in &mut cluster.nodes {
            node.address = AddressSpec::Fixed(resolved.address(node));
        }
        cluster.version = VersionSpec::Exact(Version::new(1, 37, 2));
        cluster.nodes[0].address = AddressSpec::Interface("eth1".to_owned());
        let name = cluster.nodes[0].name.clone();
        let answer = Answer {
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..Answer::default()
        };
        let resolved = resolve(&cluster, &BTreeMap::from([(name, answer)]));
        let resolved = resolved.map_err(|error| format!("{error} [{}]", error.code()))?;
        Ok(resolved.address(&cluster.nodes[0]))
    }

    /// Defect 27: the first global address was taken, of any family.
    #[test]
    fn defect_27_an_interface_has_one_address_of_the_pods_family() {
        let mut cluster = crate::kubeadm::tests::few(Version::new(1, 37, 2)).cluster;
        cluster.nodes[0].address = AddressSpec::Interface("eth1".to_owned());
        let asks = |cluster: &Cluster| {
            // ip prints its arguments where it would print an address.
            let ip = "ip() { echo \"1: eth1 inet $*\" >&2; }\n";
            let script = format!("{ip}{}", script(cluster, &cluster.nodes[0]));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            String::from_utf8(output.unwrap().stderr).unwrap()
        };
        assert!(
            asks(&cluster).contains("-o -4 addr show"),
            "{}",
            asks(&cluster)
        );
        cluster.network.pod_cidr = "fd00:10::/56".parse().unwrap();
        assert!(
            asks(&cluster).contains("-o -6 addr show"),
            "{}",
            asks(&cluster)
        );

        assert_eq!(
            of_interface(&["192.0.2.9"]),
            Ok("192.0.2.9".parse().unwrap())
        );
        let error = of_interface(&["192.0.2.9", "198.51.100.9"]).unwrap_err();
        assert!(
            error.contains("192.0.2.9, 198.51.100.9 [interface-with-addresses]"),
            "{error}"
        );
        let error = of_interface(&[]).unwrap_err();
        assert!(error.ends_with("[interface-without-address]"), "{error}");
    }

    /// Defect 28: the highest kubeadm of any host was taken.
    #[test]
    fn defect_28_a_minor_version_is_one_that_all_hosts_have_or_are_offered() {
        let (cluster, _) = newest("file:/nowhere/".to_owned());
        let kubelets: Vec<_> = { cluster.nodes.iter() }
            .filter(|node| node.runs_kubelet())
            .map(|node| node.name.clone())
            .collect();
        let [first, second, ..] = &kubelets[..] else {
            panic!("two at least")
        };
        let patch = |patch| Version::new(1, 37, patch);
        let installed = |version| Answer {
            installed: Some(version),
            ..Answer::default()
        };
        let offered = |patches: &[u64]| Answer {
            offered: Lookup::Read(patches.iter().map(|number| patch(*number)).collect()),
            ..Answer::default()
        };
        let of = |one: Answer, other: Answer| {
            let answers = BTreeMap::from([(first.clone(), one), (second.clone(), other)]);
            let resolved = resolve(&cluster, &answers).map(|resolved| resolved.version);
            resolved.map_err(|error| format!("{error} [{}]", error.code()))
        };
        assert_eq!(of(installed(patch(1)), offered(&[1, 2])), Ok(patch(1)));
        assert_eq!(
            of(installed(patch(1)), installed(Version::new(1, 36, 9))),
            Ok(patch(1))
        );
        assert_eq!(of(offered(&[1, 2, 3]), offered(&[2, 1])), Ok(patch(2)));
        let differ = of(installed(patch(1)), installed(patch(3))).unwrap_err();
        assert_eq!(
            differ,
            format!(
                "kubeadm 1.37 is installed in different versions: 1.37.1 on {first}, 1.37.3 on \
                 {second} [versions-differ]"
            )
        );
        let none = of(offered(&[1]), offered(&[2])).unwrap_err();
        assert_eq!(
            none,
            format!(
                "no kubeadm 1.37 is offered to all hosts: {first} is offered 1.37.1 at most, \
                 {second} is offered 1.37.2 at most [version-not-offered]"
            )
        );
        let vain = of(offered(&[1]), offered(&[])).unwrap_err();
        assert!(vain.contains(&format!("to {second} [version")), "{vain}");
        // A balancer runs no kubelet, whatever is installed there.
        if let Some(other) = cluster.nodes.iter().find(|node| !node.runs_kubelet()) {
            let answers = [
                (first.clone(), offered(&[1])),
                (other.name.clone(), installed(patch(3))),
            ];
            let resolved = resolve(&cluster, &answers.into()).unwrap();
            assert_eq!(resolved.version, patch(1));
        }
    }

    fn control_plane(cluster: &Cluster) -> &Node {
        let mut planes = cluster.with_role(crate::cluster::Role::ControlPlane);
        planes.next().unwrap()
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
        let output = std::process::Command::new("sh")
            .args(["-c", script(&cluster, control_plane(&cluster)).as_str()])
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
            let name = control_plane(&cluster).name.clone();
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
        let script = script(&cluster, control_plane(&cluster));
        assert!(
            script
                .as_str()
                .contains("\nhttps_proxy=http://proxy.example:3128\nexport https_proxy\n"),
            "{script}"
        );
    }
}
