//! The cluster that is meant: valid by existing, every default resolved.
//!
//! [`crate::inventory`] is what was written; this is what it means. Nothing in
//! here is checked again further down, and no field is an `Option` that must
//! be `Some`.

pub mod arguments;
pub mod balancer;
pub mod change;
pub mod describe;
pub mod etcd;
pub mod net;
pub mod node;
pub mod packages;
pub mod quorum;
pub mod settings;
pub mod tolerance;
pub mod version;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use arguments::{Arguments, Values};
pub use balancer::{Balancer, Failover, Lease, LoadBalancer, Vip};
pub use change::Change;
pub use describe::describe;
pub use etcd::{
    ETCD_RELEASES, EtcdArchive, EtcdSource, OLDEST_ETCD, Topology, external_etcd_version,
    stacked_etcd_version, stepping_stone,
};
pub use net::{Cni, Endpoint, EndpointHost, ManifestSource, Network};
pub use node::{
    AddressSpec, CLUSTER, Jump, Login, Name, Node, NotAName, Role, Roles, SudoPassword, Taint,
    TaintEffect,
};
pub use packages::{
    AptSource, Archive, Containerd, Download, Origin, PackageKey, Packages, Runtime,
};
pub use quorum::Quorum;
pub use settings::{
    Audit, Bootstrap, CgroupDriver, Component, ControlPlane, Encryption, HttpProxy, Images,
    KubeProxy, Kubeadm, KubeletClient, KubeletServing, LeaderElection, ProxyMode, RegistryMirror,
};
pub use tolerance::Tolerance;
pub use version::{Version, VersionSpec};

/// A whole cluster as its inventory means it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Name of the cluster; also the name of its state directory.
    pub name: Name,
    /// Kubernetes version that was asked for.
    pub version: VersionSpec,
    /// Where etcd runs.
    pub topology: Topology,
    /// Where clients reach the API servers; nodes do so at
    /// [`Cluster::node_endpoint`].
    pub endpoint: Endpoint,
    /// What balances the endpoint over the API servers.
    pub load_balancer: LoadBalancer,
    /// All hosts, in the order of the inventory. Order has no meaning.
    pub nodes: Vec<Node>,
    /// Pod and service networks.
    pub network: Network,
    /// Container runtime.
    pub runtime: Runtime,
    /// cgroup driver of runtime and kubelet alike.
    pub cgroup_driver: CgroupDriver,
    /// How its control planes come up when it is new.
    pub bootstrap: Bootstrap,
    /// Where Kubernetes' packages come from.
    pub packages: Packages,
    /// Where images come from.
    pub images: Images,
    /// Settings of API server, controller-manager, scheduler, etcd.
    pub control_plane: ControlPlane,
    /// Extra arguments and configuration of every kubelet.
    pub kubelet: Component,
    /// Who signs the certificates that kubelets serve with.
    pub kubelet_serving: KubeletServing,
    /// How kubelets of workers come by their client certificates.
    pub kubelet_client: KubeletClient,
    /// How kube-proxy works.
    pub kube_proxy: KubeProxy,
    /// kubeadm's own switches.
    pub kubeadm: Kubeadm,
    /// Proxy that hosts use to reach the outside.
    pub http_proxy: Option<HttpProxy>,
}

/// A cluster whose open questions were answered by its hosts and repository:
/// which patch version `1.34` is, which address `eth1` has.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedCluster {
    /// What was meant.
    pub cluster: Cluster,
    /// The exact version to install.
    pub version: Version,
    addresses: BTreeMap<Name, IpAddr>,
}

impl ResolvedCluster {
    /// Whether a member of an external etcd is on this node.
    #[must_use]
    pub fn runs_external_etcd(&self, node: &Node) -> bool {
        matches!(self.cluster.topology, Topology::External(_)) && node.roles.has(Role::Etcd)
    }

    /// Joins a cluster with its answers; `None` when a node has no address.
    #[must_use]
    pub fn new(
        cluster: Cluster,
        version: Version,
        addresses: BTreeMap<Name, IpAddr>,
    ) -> Option<Self> {
        let complete = cluster
            .nodes
            .iter()
            .all(|node| addresses.contains_key(&node.name));
        complete.then_some(Self {
            cluster,
            version,
            addresses,
        })
    }

    /// The address by which the other hosts know a node of this cluster.
    ///
    /// # Panics
    /// When the node is of another cluster.
    #[must_use]
    pub fn address(&self, node: &Node) -> IpAddr {
        self.addresses[&node.name]
    }

    /// Nodes that have a role, in inventory order.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &Node> {
        self.cluster.with_role(role)
    }
}

impl Cluster {
    /// Nodes that have a role, in inventory order.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.roles.has(role))
    }

    /// Nodes that have a role, in order of their names: so what is written on
    /// hosts is the same in whatever order the inventory has them.
    #[must_use]
    pub fn by_name(&self, role: Role) -> Vec<&Node> {
        let mut nodes: Vec<_> = self.with_role(role).collect();
        nodes.sort_by_key(|node| &node.name);
        nodes
    }

    /// Nodes that run a kubelet: control planes and workers.
    pub fn kubelets(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.runs_kubelet())
    }

    /// Hosts that etcd's members run on.
    pub fn etcd_members(&self) -> impl Iterator<Item = &Node> {
        self.with_role(match self.topology {
            Topology::Stacked => Role::ControlPlane,
            Topology::External(_) => Role::Etcd,
        })
    }

    /// Quorum of the cluster's etcd.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        Quorum::of(self.etcd_members().count())
    }

    /// Where nodes reach the API servers: kubeadm's `controlPlaneEndpoint`.
    #[must_use]
    pub fn node_endpoint(&self) -> Endpoint {
        match self.load_balancer {
            LoadBalancer::Local { port } => {
                let loopback: IpAddr = match self.network.pod_cidr.addr() {
                    IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                };
                Endpoint {
                    host: EndpointHost::Address(loopback),
                    port,
                }
            }
            _ => self.endpoint.clone(),
        }
    }
}
