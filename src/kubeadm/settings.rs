//! What kdiy decides about the static pods of a control plane: known here once, for kubeadm's documents and for the comparison with the
//! processes that run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::arguments::elected;
use super::encryption::{self, Stage};
use super::{audit, document, image_repository};
use crate::cluster::{Arguments, ControlPlane, ResolvedCluster, Topology};
use crate::resource::sha256_hex;

/// A component that kubeadm runs as a static pod on each control plane.
/// etcd is another matter: it holds data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaneComponent {
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
}

/// What is decided about one component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The image, as a registry has it; of etcd, which version of kubeadm
    /// chooses it.
    #[serde(default)]
    pub image: String,
    /// Arguments, without dashes; kubeadm adds its own.
    pub arguments: Arguments,
    /// Hash of what else reaches its static pod: volumes and patches.
    pub pod: String,
}

/// How an API server goes: it says that it is not ready and serves on until
/// balancers have noticed, then ends the watches of its clients. By itself it
/// would refuse connections at once, and wait for watches, which nobody ends,
/// until its kubelet kills it after 30 s.
///
/// Facts: kube-apiserver's flags of these names, 1.27 and later.
const SHUTDOWN: [(&str, &str); 2] = [
    ("shutdown-delay-duration", "5s"),
    ("shutdown-watch-termination-grace-period", "5s"),
];

/// The name of stacked etcd's static pod, beside those of [`PlaneComponent`].
pub const ETCD: &str = "etcd";

/// Settings of all components, stacked etcd among them, by their names.
pub type PlaneSettings = BTreeMap<String, Settings>;

impl PlaneComponent {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ApiServer, Self::ControllerManager, Self::Scheduler];

    /// The name of its program, its static pod and its manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
        }
    }

    /// Where it tells of its health on its own host; `None` for the API
    /// server, which is asked at its node's address.
    #[must_use]
    pub const fn health_port(self) -> Option<u16> {
        match self {
            Self::ApiServer => None,
            Self::ControllerManager => Some(10257),
            Self::Scheduler => Some(10259),
        }
    }
}

/// The settings of a cluster's control planes at one stage of encryption.
#[must_use]
pub fn plane_settings(resolved: &ResolvedCluster, stage: Stage) -> PlaneSettings {
    let cluster = &resolved.cluster;
    let (repository, version) = (image_repository(resolved), resolved.version);
    let mut all: PlaneSettings = PlaneComponent::ALL
        .into_iter()
        .map(|component| {
            let settings = Settings {
                image: format!("{repository}/{}:v{version}", component.name()),
                arguments: arguments(&cluster.control_plane, component, stage),
                pod: hash(resolved, section(&cluster.control_plane, component)),
            };
            (component.name().to_owned(), settings)
        })
        .collect();
    if cluster.topology == Topology::Stacked {
        let etcd = &cluster.control_plane.etcd;
        let settings = Settings {
            image: format!("{repository}/etcd of kubeadm {version}"),
            arguments: etcd.extra_args.clone(),
            pod: hash(resolved, etcd.extra_config.clone()),
        };
        all.insert(ETCD.to_owned(), settings);
    }
    all
}

/// The arguments of one component that the inventory decides.
pub fn arguments(plane: &ControlPlane, component: PlaneComponent, stage: Stage) -> Arguments {
    match component {
        PlaneComponent::ApiServer => {
            let shutdown = SHUTDOWN.map(|(name, time)| (name.to_owned(), time.into()));
            let mut all = Arguments::from(shutdown);
            all.extend(plane.audit.iter().flat_map(audit::arguments));
            all.extend(encryption::arguments(stage));
            all.extend(plane.api_server.extra_args.clone());
            all
        }
        PlaneComponent::ControllerManager => elected(
            &plane.controller_manager_election,
            &plane.controller_manager,
        ),
        PlaneComponent::Scheduler => elected(&plane.scheduler_election, &plane.scheduler),
    }
}

/// The inventory's section of a component, with kdiy's volumes before its own.
pub fn section(plane: &ControlPlane, component: PlaneComponent) -> Map<String, Value> {
    let (section, volumes) = match component {
        PlaneComponent::ApiServer => (
            &plane.api_server.extra_config,
            plane.audit.as_ref().map(|_| audit::volumes()),
        ),
        PlaneComponent::ControllerManager => (&plane.controller_manager.extra_config, None),
        PlaneComponent::Scheduler => (&plane.scheduler.extra_config, None),
    };
    let mut section = section.clone();
    if let Some(ours) = volumes {
        let mut all: Vec<Value> = ours
            .iter()
            .map(|volume| serde_json::to_value(volume).expect("plain structs are JSON"))
            .collect();
        if let Some(Value::Array(theirs)) = section.remove("extraVolumes") {
            all.extend(theirs);
        }
        section.insert("extraVolumes".to_owned(), Value::Array(all));
    }
    section
}

/// Patches of all components count for each: their names say for which only
/// by a convention of kubeadm's.
fn hash(resolved: &ResolvedCluster, section: Map<String, Value>) -> String {
    let patches = &resolved.cluster.kubeadm.patches;
    let both = document::yaml(&(Value::Object(section), patches));
    sha256_hex(both.as_bytes())
}
