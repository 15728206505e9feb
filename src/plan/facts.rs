//! What a host is: read in the same exec as the state of its resources.

pub mod endpoint;
pub mod host_info;
pub mod kubelet;
pub mod plane;
pub mod software;
pub mod stacked_etcd;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

pub use host_info::HostInfo;
pub use kubelet::KubeletView;
pub use plane::PlaneView;
pub use software::{Lookup, Software};
pub use stacked_etcd::StackedEtcd;

use super::etcd::{self, EtcdFacts, MemberQuestions};
use crate::cluster::{Name, ResolvedCluster};
use crate::etcd::Client;
use crate::kubeadm::API_PORT;
use crate::resource::{AnswerError, Answers, section, sha256_hex};
use crate::shell::{Script, sh};

pub use endpoint::{EndpointQuestions, EndpointView};

/// What a host is.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// `ID` of /etc/os-release.
    pub os: String,
    /// `VERSION_ID` of /etc/os-release.
    pub os_version: String,
    /// `VERSION_CODENAME` of /etc/os-release, such as `bookworm`.
    pub os_codename: String,
    /// Machine, such as `x86_64`.
    pub arch: String,
    /// Its own name.
    pub host_name: String,
    /// Its clock when the probe began, in seconds since 1970.
    pub clock: f64,
    /// Processors.
    pub cpus: u64,
    /// Memory in KiB.
    pub memory: u64,
    /// Free space under /var in KiB.
    pub disk_free: u64,
    /// /etc/machine-id.
    pub machine_id: String,
    /// The firmware's identity, where there is one.
    pub product_uuid: Option<String>,
    /// Whether systemd runs.
    pub systemd: bool,
    /// Whether apt is there.
    pub apt: bool,
    /// Whether systemd-resolved keeps a resolv.conf.
    pub systemd_resolved: bool,
    /// Whether its control groups are version 2 alone, as kubelets see it;
    /// not so where version 1 is there too (hybrid).
    pub unified_cgroups: bool,
    /// Whether root may raise limits (CAP_SYS_RESOURCE); not so in containers.
    pub sys_resource: bool,
    /// Whether a kubelet has joined a cluster here.
    pub kubelet_conf: bool,
    /// Whether a kubelet here has a certificate to log in with.
    pub kubelet_client: bool,
    /// [`ca_hash`] of the CA that its kubelet trusts, where it has joined.
    pub ca: Option<String>,
    /// Whether kubelets here are told to run an API server.
    pub api_server_manifest: bool,
    /// Whether its kubelet asks the cluster for a certificate to serve with.
    pub signed_serving: bool,
    /// What has not come to its end: `init`, `join`, or what
    /// [`BootstrapProgress`](super::bootstrap::BootstrapProgress) reads.
    pub unfinished: Option<String>,
    /// Control planes that kdiy has told haproxy here to send nothing to.
    pub out_of_rotation: Vec<Name>,
    /// Addresses, with the length of their networks' prefixes, and their
    /// interfaces.
    pub addresses: Vec<(String, IpNet)>,
    /// Listening TCP ports with the process, where it is known.
    pub listening: Vec<(u16, String)>,
    /// Hosts of the cluster that did not answer on their SSH port.
    pub unreachable: Vec<IpAddr>,
    /// What it could install.
    pub software: Software,
    /// What is at the endpoint before the cluster is.
    pub endpoint: EndpointView,
    /// What the API server of this control plane says.
    pub api: ApiView,
    /// What the member of an external etcd on this host says.
    pub etcd: Option<EtcdFacts>,
    /// What the member of stacked etcd on this control plane says.
    pub stacked_etcd: StackedEtcd,
    /// What its kubelet was last given.
    pub kubelet: KubeletView,
    /// What runs on this control plane.
    pub plane: PlaneView,
}

/// What the API server of one control plane says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ApiView {
    /// Not asked: nothing there.
    #[default]
    Absent,
    /// It did not answer; the reason.
    Silent(String),
    /// Its nodes.
    Nodes {
        /// All nodes.
        nodes: Vec<NodeView>,
        /// Hash of the applied network manifest.
        manifest: Option<String>,
        /// The settings that the cluster remembers, by path, as JSON each.
        settings: Option<BTreeMap<String, String>>,
    },
}

/// A node as the API server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Name of the Node object.
    pub name: String,
    /// Its identity: one that is deleted and made again has another.
    pub uid: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Version of its kubelet, such as `v1.34.1`.
    pub version: String,
    /// Its container runtime with its version, such as `containerd://1.7.2`.
    pub runtime: String,
    /// `key=value`.
    pub labels: Vec<String>,
    /// `key=value:effect`.
    pub taints: Vec<String>,
    /// /etc/machine-id of its host, as its kubelet says.
    pub machine_id: String,
    /// Its addresses of the type `InternalIP`, as its kubelet says.
    pub addresses: Vec<IpAddr>,
}

/// Kept while kubeadm runs; holds `init`, `join`, or how far a bootstrap by all
/// control planes has come.
pub const UNFINISHED: &str = "/var/lib/kdiy/unfinished";

const FACTS: &str = sh!("probe/facts.sh");

/// SHA-256 of a CA's PEM without blanks and line ends, as hosts tell it.
#[must_use]
pub fn ca_hash(pem: &str) -> String {
    let dense: String = pem.split_ascii_whitespace().collect();
    sha256_hex(dense.as_bytes())
}

/// What is asked of a host beside its resources; by default nothing more than
/// what is asked of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Questions {
    /// The address of its API server, when it is to be a control plane.
    pub api_server: Option<IpAddr>,
    /// Addresses and SSH ports that it has to reach, asked only of a host
    /// that is in no cluster yet.
    pub peers: Vec<(IpAddr, u16)>,
    /// What is at the endpoint.
    pub endpoint: EndpointQuestions,
    /// Whose requests for serving certificates are to be judged, if any.
    pub requests: Option<ResolvedCluster>,
    /// What is to be known of packages, where it is to have a kubelet.
    pub software: Option<software::Questions>,
    /// What is asked of its member, when it has one of an external etcd.
    pub etcd: Option<MemberQuestions>,
    /// How it speaks to its member of stacked etcd, where it is to have one.
    pub stacked_etcd: Option<Client>,
}

impl Questions {
    /// The fragment that asks.
    #[must_use]
    pub fn script(&self) -> Script {
        let addresses = ["-o", "addr", "show", "scope", "global"];
        let addresses = Script::new().call("ip", addresses);
        let listening = Script::new().call("ss", ["-Hltnp"]);
        let script = section("facts", &Script::of(FACTS))
            .then(&section("addresses", &addresses))
            .then(&section("listening", &listening))
            .then(&section("kubelet", &kubelet::script()))
            .then(&section("peers", &self.peers_script()))
            .then(&section("endpoint", &self.endpoint.script()))
            .then(&match &self.software {
                None => section("software", &Script::new()),
                Some(questions) => questions.script(),
            })
            .then(&match &self.etcd {
                None => section("etcd", &Script::new()),
                Some(questions) => etcd::member_script(questions),
            });
        let script = script.then(&stacked_etcd::script(self.stacked_etcd.as_ref()));
        match self.api_server {
            None => script,
            Some(address) => script.then(&plane::script(&url(address), self.requests.as_ref())),
        }
    }

    fn peers_script(&self) -> Script {
        if self.peers.is_empty() {
            return Script::new();
        }
        let peers = self.peers.iter();
        let targets = peers.map(|(address, port)| format!("{address}/{port}"));
        Script::of(sh!("probe/peers.sh")).call("kdiy_peers", targets)
    }
}

/// The URL of the API server on a control plane.
#[must_use]
pub fn url(address: IpAddr) -> String {
    format!("https://{}", SocketAddr::new(address, API_PORT))
}

impl Facts {
    /// Reads the answers to [`Questions`].
    ///
    /// # Errors
    /// When an answer is missing or cannot be read.
    pub fn parse(answers: &Answers) -> Result<Self, AnswerError> {
        let fact = |key: &str| {
            answers
                .line("facts", key)
                .map(|v| v.map(|v| v.trim().to_owned()))
        };
        let needed =
            |key: &str| fact(key)?.ok_or_else(|| AnswerError::Missing(format!("facts: {key}")));
        fn number<T: std::str::FromStr>(key: &str, text: &str) -> Result<T, AnswerError> {
            text.parse().map_err(|_| AnswerError::text(key, text))
        }
        let capabilities = u64::from_str_radix(&needed("capabilities")?, 16).unwrap_or(0);
        Ok(Self {
            os: needed("os")?,
            os_version: needed("os-version")?,
            os_codename: needed("os-codename")?,
            arch: needed("arch")?,
            host_name: needed("hostname")?,
            clock: number("clock", &needed("clock")?)?,
            cpus: number("cpus", &needed("cpus")?)?,
            memory: number("memory", &needed("memory")?)?,
            disk_free: number("disk", &needed("disk")?)?,
            machine_id: fact("machine-id")?.unwrap_or_default(),
            product_uuid: fact("product-uuid")?,
            systemd: fact("systemd")?.is_some(),
            apt: fact("apt")?.is_some(),
            systemd_resolved: fact("resolved")?.is_some(),
            // What the kubelet asks itself (IsCgroup2UnifiedMode).
            unified_cgroups: fact("cgroups")?.is_none_or(|kind| kind == "cgroup2fs"),
            // Bit 24, see capability.h.
            sys_resource: capabilities & (1 << 24) != 0,
            kubelet_conf: fact("kubelet")?.is_some(),
            kubelet_client: fact("kubelet-client")?.is_some(),
            ca: fact("ca")?,
            api_server_manifest: fact("api-server")?.is_some(),
            signed_serving: fact("signed-serving")?.is_some(),
            unfinished: fact("unfinished")?,
            out_of_rotation: fact("out-of-rotation")?
                .unwrap_or_default()
                .split_whitespace()
                .filter_map(|name| Name::try_from(name.to_owned()).ok())
                .collect(),
            addresses: answers
                .get("addresses")?
                .lines()
                .filter_map(address)
                .collect(),
            listening: answers
                .get("listening")?
                .lines()
                .filter_map(listener)
                .collect(),
            unreachable: answers
                .get("peers")?
                .lines()
                .filter_map(|l| l.parse().ok())
                .collect(),
            software: Software::parse(answers)?,
            endpoint: EndpointView::parse(answers)?,
            api: ApiView::Absent,
            etcd: EtcdFacts::parse(answers)?,
            stacked_etcd: StackedEtcd::parse(answers)?,
            kubelet: KubeletView::parse(answers.get("kubelet")?),
            plane: PlaneView::parse(answers),
        })
    }

    /// The first global address of an interface.
    #[must_use]
    pub fn address_of(&self, interface: &str) -> Option<IpAddr> {
        self.addresses
            .iter()
            .find(|(name, _)| name == interface)
            .map(|(_, address)| address.addr())
    }

    /// The interface that has an address.
    #[must_use]
    pub fn interface_with(&self, wanted: IpAddr) -> Option<&str> {
        let mut addresses = self.addresses.iter();
        let found = addresses.find(|(_, address)| address.addr() == wanted);
        found.map(|(interface, _)| interface.as_str())
    }
}

/// A line of `ip -o addr`: `2: eth0    inet 10.0.0.1/24 …`.
fn address(line: &str) -> Option<(String, IpNet)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let interface = words.get(1)?.split('@').next()?;
    let text = words.get(3)?;
    // A point-to-point one is its own network.
    let address = text
        .parse()
        .or_else(|_| text.parse().map(|address: IpAddr| address.into()));
    Some((interface.to_owned(), address.ok()?))
}

/// A line of `ss -Hltnp`: `LISTEN 0 128 0.0.0.0:22 0.0.0.0:*
/// users:(("sshd",…))`.
fn listener(line: &str) -> Option<(u16, String)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let port = words.get(3)?.rsplit(':').next()?.parse().ok()?;
    let process = words
        .get(5)
        .and_then(|users| users.split('"').nth(1))
        .unwrap_or("another process");
    Some((port, process.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_note_is_read_where_it_is_kept() {
        assert_eq!(FACTS.matches(UNFINISHED).count(), 2);
    }

    #[test]
    fn a_ca_is_known_however_its_lines_end() {
        assert_eq!(ca_hash("a b\r\nc\n"), ca_hash("ab\nc"));
        assert_eq!(ca_hash("abc"), crate::resource::sha256_hex(b"abc"));
    }

    #[test]
    fn a_host_that_refuses_is_reached_and_one_without_a_route_is_not() {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        // Multicast: no kernel connects to it.
        let nowhere = IpAddr::from(Ipv4Addr::new(224, 0, 0, 1));
        let questions = Questions {
            peers: vec![(loopback, 22), (nowhere, 22)],
            ..Questions::default()
        };
        let script = questions.peers_script();
        let output = std::process::Command::new("sh")
            .args(["-c", script.as_str()])
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "224.0.0.1\n",
            "{script}"
        );
    }
}
