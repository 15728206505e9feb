//! Settings of the software that is installed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::Arguments;

/// Who manages cgroups, for runtime and kubelet alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupDriver {
    /// systemd (default).
    Systemd,
    /// cgroupfs.
    Cgroupfs,
}

impl CgroupDriver {
    /// Its name in kubelet's configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Cgroupfs => "cgroupfs",
        }
    }
}

/// How the control planes of a new cluster come up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    /// All at once, by kubeadm's phases (default).
    Parallel,
    /// One by `kubeadm init`, the others by joins.
    Serial,
}

/// Where images come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// kubeadm's imageRepository; `None` is kubeadm's own default.
    pub repository: Option<String>,
    /// Mirrors that the runtime asks first.
    pub mirrors: Vec<RegistryMirror>,
    /// The pause image; `None` is the one that the Kubernetes version wants.
    pub sandbox: Option<String>,
    /// Registries (`host:port`) that are spoken to without TLS.
    pub insecure: Vec<String>,
}

/// Mirrors of one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryMirror {
    /// Name of the registry, such as `registry.k8s.io`.
    pub registry: String,
    /// URLs to ask before the registry itself, in order.
    pub endpoints: Vec<String>,
}

/// Components of the control plane.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPlane {
    /// kube-apiserver.
    pub api_server: Component,
    /// Extra names and addresses in the API server's certificate.
    pub cert_sans: Vec<String>,
    /// kube-controller-manager.
    pub controller_manager: Component,
    /// Leader election of kube-controller-manager.
    pub controller_manager_election: LeaderElection,
    /// kube-scheduler.
    pub scheduler: Component,
    /// Leader election of kube-scheduler.
    pub scheduler_election: LeaderElection,
    /// etcd.
    pub etcd: Component,
    /// What API servers write down about requests.
    pub audit: Option<Audit>,
    /// How secrets are kept in etcd.
    pub encryption: Encryption,
}

/// The audit log of API servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The policy document, YAML.
    pub policy: String,
    /// Days that old logs are kept.
    pub max_age: u32,
    /// Old logs that are kept.
    pub max_backups: u32,
    /// Size in megabytes at which a log is rotated.
    pub max_size: u32,
}

/// Encryption of secrets at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// As they are.
    None,
    /// XSalsa20 and Poly1305, with a key made by kdiy.
    Secretbox,
}

/// Who signs the certificates that kubelets serve with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubeletServing {
    /// Each its own (kubeadm's default): clients cannot verify them.
    SelfSigned,
    /// The cluster's authority, after kdiy has checked the request.
    Signed,
}

/// How kubelets of workers come by the certificate that they log in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubeletClient {
    /// kdiy issues it and puts it there (default).
    Issued,
    /// They ask for it, with a bootstrap token: `kubeadm join`.
    Bootstrap,
}

/// Extra arguments and configuration of one component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Component {
    /// Command-line arguments without dashes.
    pub extra_args: Arguments,
    /// Merged over the component's configuration document (kubelet) or over
    /// its section of kubeadm's (the others).
    pub extra_config: serde_json::Map<String, Value>,
}

/// How kube-proxy works.
#[derive(Debug, Clone, PartialEq)]
pub struct KubeProxy {
    /// What it makes services of.
    pub mode: ProxyMode,
    /// Merged over its configuration document.
    pub extra_config: serde_json::Map<String, Value>,
}

/// What kube-proxy makes services of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyMode {
    /// Rules of iptables (default): what kube-proxy takes by itself.
    Iptables,
    /// A table of nftables.
    Nftables,
    /// The kernel's balancer; deprecated since 1.35.
    Ipvs,
}

impl ProxyMode {
    /// Its name in kube-proxy's configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iptables => "iptables",
            Self::Nftables => "nftables",
            Self::Ipvs => "ipvs",
        }
    }
}

/// Leader election of an active-standby component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderElection {
    /// Whether replicas elect a leader.
    pub enabled: bool,
    /// How long a lease is valid; longer than `renew_deadline`.
    pub lease_duration: Duration,
    /// How long a leader tries to renew; longer than `retry_period`.
    pub renew_deadline: Duration,
    /// How often it is tried.
    pub retry_period: Duration,
}

/// 15 s, 10 s, 2 s: the defaults of kube-controller-manager and kube-scheduler.
impl Default for LeaderElection {
    fn default() -> Self {
        Self {
            enabled: true,
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

/// kubeadm's own switches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubeadm {
    /// Preflight checks whose errors become warnings.
    pub ignore_preflight_errors: Vec<String>,
    /// Phases of init that are left out.
    pub skip_phases: Vec<String>,
    /// Patches of static pods: file name (`etcd0+merge.yaml`) and text.
    pub patches: BTreeMap<String, String>,
}

impl Kubeadm {
    /// Whether an addon of kubeadm's, such as `coredns`, is left out.
    #[must_use]
    pub fn skips_addon(&self, addon: &str) -> bool {
        let mut skipped = self.skip_phases.iter();
        skipped.any(|phase| phase == "addon" || phase.strip_prefix("addon/") == Some(addon))
    }

    /// Whether every preflight check is passed over.
    #[must_use]
    pub fn ignores_all(&self) -> bool {
        let mut ignored = self.ignore_preflight_errors.iter();
        ignored.any(|check| check.eq_ignore_ascii_case("all"))
    }
}

/// Proxy that hosts use to reach the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProxy {
    /// `http_proxy`.
    pub http: Option<String>,
    /// `https_proxy`.
    pub https: Option<String>,
    /// `no_proxy`, completed with nodes, endpoint, pods and services.
    pub no_proxy: Vec<String>,
}
