//! Plans of a whole cluster: fresh, finished, drifted, grown.

mod balancers;
mod etcd;
mod kubelets;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use zeroize::Zeroizing;

use super::facts::{
    ApiView, EndpointQuestions, EndpointView, KubeletView, NodeView, PlaneView, StackedEtcd,
    ca_hash,
};
use super::install::{Observed, Trust, blueprint};
use super::preflight::problems;
use super::*;
use crate::cluster::{
    Bootstrap, Encryption, KubeletClient, KubeletServing, Name, Node, ResolvedCluster, Role,
    Topology, Version,
};
use crate::etcd::member;
use crate::etcd::members::{MemberView, View};
use crate::secret_store::SecretStore;

use crate::kubeadm::tests::few;
use crate::kubeadm::{ETCD, Resolver, Stage, kubelet_settings, plane_settings};
use crate::resource::Content;
use crate::resource::tests::{absent, as_wanted};
use crate::template::HostFile;

const VERSION: Version = Version::new(1, 34, 1);
const PASSWORD: &str = "hunter2x";
const TOKEN: &str = "kdiy-0123456789abcdef";
const KEY: &str = "the key of the authority";

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

pub(super) fn trust() -> Trust {
    Trust {
        files: vec![
            HostFile::public("/etc/kubernetes/pki/ca.crt", "certificate\n".to_owned()),
            HostFile::secret("/etc/kubernetes/pki/ca.key", KEY.to_owned()),
        ],
        ca_certificate: "certificate\n".to_owned(),
        ca_pin: "sha256:00".to_owned(),
        failover_password: PASSWORD.into(),
        etcd_certificate: "etcd certificate\n".to_owned(),
        etcd_token: TOKEN.to_owned(),
        encryption_key: None,
    }
}

/// [`trust`], with a key where the cluster encrypts.
fn trust_of(resolved: &ResolvedCluster) -> Trust {
    let encrypts = resolved.cluster.control_plane.encryption == Encryption::Secretbox;
    Trust {
        encryption_key: encrypts.then(|| "QUFBQUFBQUFBQUFBQUFBQQ==".to_owned().into()),
        ..trust()
    }
}

pub(super) fn facts(resolved: &ResolvedCluster, host: &str) -> Facts {
    let node = resolved
        .cluster
        .nodes
        .iter()
        .find(|node| node.name.as_str() == host)
        .unwrap();
    Facts {
        os: "debian".to_owned(),
        os_version: "12".to_owned(),
        os_codename: "bookworm".to_owned(),
        arch: "x86_64".to_owned(),
        host_name: host.to_owned(),
        clock: 0.0,
        cpus: 2,
        memory: 4_000_000,
        disk_free: 10_000_000,
        machine_id: format!("id of {host}"),
        product_uuid: Some(format!("uuid of {host}")),
        systemd: true,
        apt: true,
        systemd_resolved: false,
        sys_resource: true,
        kubelet_conf: false,
        kubelet_client: false,
        ca: None,
        api_server_manifest: false,
        signed_serving: false,
        kubelet: KubeletView::default(),
        unfinished: None,
        out_of_rotation: Vec::new(),
        addresses: vec![(
            "eth0".to_owned(),
            IpNet::new(resolved.address(node), 24).unwrap(),
        )],
        listening: vec![(22, "sshd".to_owned())],
        unreachable: Vec::new(),
        api: ApiView::Absent,
        endpoint: EndpointView::default(),
        plane: PlaneView::default(),
        unified_cgroups: true,
        software: Default::default(),
        etcd: None,
        stacked_etcd: Default::default(),
    }
}

/// What is known of a cluster's hosts.
struct Hosts {
    resolved: ResolvedCluster,
    observed: Observed,
    seen: BTreeMap<Name, Observation>,
    blueprint: Blueprint,
    secrets: SecretStore,
}

mod memberships;
mod parallel_bootstrap;
mod planes;
mod software;

/// The same, with its control planes one after the other.
fn serial(mut resolved: ResolvedCluster) -> ResolvedCluster {
    resolved.cluster.bootstrap = Bootstrap::Serial;
    resolved
}

impl Hosts {
    /// Hosts with these facts that have what `seen` says of every resource.
    fn with(
        facts: impl Fn(&ResolvedCluster, &str) -> Facts,
        seen: impl Fn(&Name, &Resource) -> Seen,
    ) -> Self {
        Self::of(few(VERSION), facts, seen)
    }

    fn of(
        resolved: ResolvedCluster,
        facts: impl Fn(&ResolvedCluster, &str) -> Facts,
        seen: impl Fn(&Name, &Resource) -> Seen,
    ) -> Self {
        let facts: BTreeMap<_, _> = resolved
            .cluster
            .nodes
            .iter()
            .map(|node| (node.name.clone(), facts(&resolved, node.name.as_str())))
            .collect();
        let cluster_state = ClusterState::of(&resolved.cluster, &facts, &trust());
        let observed = Observed {
            facts: facts.clone(),
            cluster_state,
            limit: None,
        };
        let mut secrets = SecretStore::new();
        // What is asked is made before anything is known.
        let asked = blueprint(
            &resolved,
            &trust_of(&resolved),
            &Observed::default(),
            &mut SecretStore::new(),
        );
        let blueprint = blueprint(&resolved, &trust_of(&resolved), &observed, &mut secrets);
        let seen = facts
            .into_iter()
            .map(|(host, facts)| {
                // What an asked resource is to hold may be known only later.
                let wanted: BTreeMap<_, _> = blueprint
                    .resources(&host)
                    .into_iter()
                    .map(|resource| (resource.key(), resource))
                    .collect();
                let of_resource = |resource: &&Resource| {
                    let key = resource.key();
                    let wanted = wanted.get(&key).copied().unwrap_or(resource);
                    (key, seen(&host, wanted))
                };
                let all = asked.resources(&host).iter().map(of_resource).collect();
                let observation = Observation::new(facts, Duration::ZERO, all);
                (host, observation)
            })
            .collect();
        Self {
            resolved,
            observed,
            seen,
            blueprint,
            secrets,
        }
    }

    fn fresh() -> Self {
        Self::with(facts, |_, resource| absent(resource))
    }

    fn plan(&self) -> Plan {
        Plan::new(&self.blueprint, &self.seen, None).unwrap()
    }

    fn codes(&self) -> Vec<(String, &'static str)> {
        problems(
            &self.resolved,
            &self.observed.cluster_state,
            TOKEN,
            &self.seen,
        )
        .into_iter()
        .map(|problem| (problem.host.to_string(), problem.code))
        .collect()
    }
}

/// Facts of a host that is part of the running cluster.
fn member(resolved: &ResolvedCluster, host: &str) -> Facts {
    let mut facts = facts(resolved, host);
    let node = resolved
        .cluster
        .nodes
        .iter()
        .find(|node| node.name.as_str() == host)
        .unwrap();
    facts.kubelet_conf = node.runs_kubelet();
    facts.kubelet_client = facts.kubelet_conf;
    facts.ca = { facts.kubelet_conf }.then(|| ca_hash(&trust().ca_certificate));
    facts.signed_serving = resolved.cluster.kubelet_serving == KubeletServing::Signed;
    facts.kubelet.last_applied =
        { facts.kubelet_conf }.then(|| kubelet_settings(resolved, node, Resolver::ResolvConf));
    if node.roles.has(Role::ControlPlane) {
        let manifest = crate::cni::manifest(&resolved.cluster.network.cni);
        let manifest = manifest.map(|source| match source {
            crate::cluster::ManifestSource::File { text, .. } => {
                crate::resource::sha256_hex(text.as_bytes())
            }
            crate::cluster::ManifestSource::Url(url) => crate::resource::sha256_hex(url.as_bytes()),
        });
        facts.api = ApiView::Nodes {
            nodes: nodes(resolved),
            manifest,
            settings: Some(crate::cluster::change::remembered(resolved)),
        };
        facts.api_server_manifest = true;
        if resolved.cluster.topology == Topology::Stacked {
            facts.stacked_etcd = stacked_member(resolved, node);
        }
        let stage = Stage::wanted(resolved.cluster.control_plane.encryption);
        facts.plane = plane_with(resolved, stage);
    }
    facts
}

/// A member of stacked etcd that serves with all the others.
fn stacked_member(resolved: &ResolvedCluster, node: &Node) -> StackedEtcd {
    let planes = resolved.with_role(Role::ControlPlane);
    let member = |plane: &Node| MemberView {
        id: format!("of {}", plane.name),
        name: plane.name.to_string(),
        peer_urls: vec![member::peer_url(resolved.address(plane))],
        learner: false,
    };
    StackedEtcd {
        data: true,
        view: Some(View {
            cluster: "1".to_owned(),
            id: format!("of {}", node.name),
            version: None,
            led: true,
            learner: false,
            members: planes.map(member).collect(),
        }),
    }
}

/// A control plane that runs with what the inventory says, at this stage.
fn plane_with(resolved: &ResolvedCluster, stage: Stage) -> PlaneView {
    let settings = plane_settings(resolved, stage);
    let running = settings.iter();
    PlaneView {
        running: running
            .filter(|(name, _)| *name != ETCD)
            .map(|(name, settings)| (name.clone(), settings.arguments.clone()))
            .collect(),
        last_applied: Some(settings),
        endpoint: Some(resolved.cluster.node_endpoint().to_string()),
        encrypted: (stage == Stage::Writes).then(|| "secretbox".to_owned()),
        kubelet_access: true,
        server_names: None,
        requests: Vec::new(),
    }
}

fn nodes(resolved: &ResolvedCluster) -> Vec<NodeView> {
    let view = |node: &crate::cluster::Node| {
        let mut labels: Vec<_> = crate::kubeadm::node_labels(node)
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        if node.roles.has(Role::ControlPlane) {
            labels.push("node-role.kubernetes.io/control-plane=".to_owned());
        }
        NodeView {
            name: node.name.to_string(),
            ready: true,
            version: format!("v{}", resolved.version),
            runtime: "containerd://1.7.2".to_owned(),
            labels,
            taints: Vec::new(),
            uid: format!("uid of {}", node.name),
            machine_id: format!("id of {}", node.name),
            addresses: vec![resolved.address(node)],
        }
    };
    resolved.cluster.kubelets().map(view).collect()
}

/// The particulars of a step.
fn details(step: &PlannedStep) -> Vec<String> {
    match &step.action {
        Action::Do(operation) => operation.details(),
        Action::Converge(changes) => { changes.iter() }
            .flat_map(|change| change.difference.details.clone())
            .collect(),
    }
}

fn lines(plan: &Plan) -> String {
    let line = |(place, step): (usize, &PlannedStep)| {
        format!(
            "{place:>2} {:<4} {} after {:?}",
            step.actor.as_str(),
            step.title,
            step.needs
        )
    };
    plan.steps
        .iter()
        .enumerate()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_data_of_a_stacked_etcd_is_for_root_alone_however_it_is_bootstrapped() {
    for resolved in [few(VERSION), serial(few(VERSION))] {
        let hosts = Hosts::of(resolved, facts, |_, resource| absent(resource));
        let plan = hosts.plan();
        let makes = |place: &usize| {
            let mut changes = plan.steps[*place].changes().iter();
            changes.any(|change| {
                matches!(&change.resource, Resource::Directory(directory)
                    if directory.path == "/var/lib/etcd" && directory.mode == 0o700)
            })
        };
        let made: Vec<_> = (0..plan.steps.len()).filter(makes).collect();
        let of: Vec<_> = made
            .iter()
            .map(|place| plan.steps[*place].actor.as_str())
            .collect();
        assert_eq!(of, ["cp1", "cp2", "cp3"]);
        // Before etcd starts there: a host's steps come in their order.
        for place in made {
            let host = &plan.steps[place].actor;
            let starts = plan.steps.iter().position(|step| {
                step.actor == *host
                    && (step.title.contains("start the control plane")
                        || step.title.contains("initialise")
                        || step.title.contains("join the cluster"))
            });
            assert!(place < starts.unwrap(), "{host}");
        }
    }
}

/// Places of steps with such a gate.
fn gates(plan: &Plan, is: impl Fn(&gate::Gate) -> bool) -> Vec<usize> {
    let waits = |place: &usize| plan.steps[*place].gate.as_ref().is_some_and(&is);
    (0..plan.steps.len()).filter(waits).collect()
}

#[test]
fn the_endpoint_is_known_to_serve_before_nodes_are_waited_for() {
    for resolved in [few(VERSION), serial(few(VERSION))] {
        let hosts = Hosts::of(resolved, facts, |_, resource| absent(resource));
        let plan = hosts.plan();
        let endpoint = gates(&plan, |gate| matches!(gate, gate::Gate::Endpoint { .. }));
        let nodes = gates(&plan, |gate| matches!(gate, gate::Gate::Nodes { .. }));
        assert_eq!((endpoint.len(), nodes.len()), (1, 1));
        assert!(endpoint < nodes);
        let gate::Gate::Nodes { server, names, .. } = plan.steps[nodes[0]].gate.as_ref().unwrap()
        else {
            panic!("no nodes")
        };
        assert_eq!(server, "https://192.0.2.11:6443");
        assert_eq!(names[..], ["cp1", "cp2", "cp3", "w1", "w2"]);
        // Workers and control planes say why their kubelets do not come.
        assert!(gates(&plan, |gate| *gate == gate::Gate::Kubelet).len() == 2);
        assert!(gates(&plan, |gate| *gate == gate::Gate::ControlPlane).len() >= 3);
    }
}

#[test]
fn plans_are_the_same_to_the_letter_and_hold_no_secret() {
    let (one, other) = (Hosts::fresh(), Hosts::fresh());
    let text = serde_json::to_string(&one.plan()).unwrap();
    assert_eq!(text, serde_json::to_string(&other.plan()).unwrap());
    assert!(!text.contains(KEY));
    let secret = one.plan().steps.iter().flat_map(|step| step.changes().to_vec()).any(|change| {
        matches!(change.resource, Resource::File(file) if matches!(&file.content, Content::Secret { .. })
            && one.secrets.text(&file.content) == Zeroizing::new(KEY.to_owned()))
    });
    assert!(secret, "the key is planned, by its hash");
}

/// Nothing is there on one host, and everything on the others.
fn blank(one: &str) -> impl Fn(&Name, &Resource) -> Seen {
    move |host, resource| {
        if host.as_str() == one {
            absent(resource)
        } else {
            as_wanted(resource)
        }
    }
}

/// A cluster that lacks a worker, on a blank host.
fn with_a_new_worker(client: KubeletClient) -> Hosts {
    let mut resolved = few(VERSION);
    resolved.cluster.kubelet_client = client;
    Hosts::of(
        resolved,
        |resolved, host| {
            let mut facts = if host == "w2" {
                facts(resolved, host)
            } else {
                member(resolved, host)
            };
            if let ApiView::Nodes { nodes, .. } = &mut facts.api {
                nodes.retain(|node| node.name != "w2");
            }
            facts
        },
        blank("w2"),
    )
}

#[test]
fn a_new_worker_touches_others_only_for_what_it_needs() {
    let elsewhere = |client| {
        let plan = with_a_new_worker(client).plan();
        let others = plan.steps.iter().filter(|step| step.actor.as_str() != "w2");
        let others = others.map(|step| format!("{}: {}", step.actor, step.title));
        others.collect::<Vec<_>>()
    };
    assert_eq!(
        elsewhere(KubeletClient::Issued),
        [
            "cp1: wait for the endpoint",
            "cluster: label the nodes",
            "cluster: wait for the nodes"
        ]
    );
    assert_eq!(
        elsewhere(KubeletClient::Bootstrap),
        [
            "cp1: wait for the endpoint",
            "cluster: make a bootstrap token",
            "cluster: label the nodes",
            "cluster: wait for the nodes"
        ]
    );
    let hosts = with_a_new_worker(KubeletClient::Bootstrap);
    let limit = BTreeSet::from([name("w2")]);
    let limited = Plan::new(&hosts.blueprint, &hosts.seen, Some(&limit)).unwrap();
    let of = |step: &PlannedStep| ["w2", "cp1", "cluster"].contains(&step.actor.as_str());
    assert!(limited.steps.iter().all(of));
    let token = |step: &PlannedStep| step.title == "make a bootstrap token";
    assert!(limited.steps.iter().any(token));
}

#[test]
fn nodes_that_a_limit_leaves_out_before_they_join_are_not_waited_for() {
    let hosts = Hosts::fresh();
    let texts = |limit: Option<BTreeSet<Name>>| -> Vec<String> {
        let observed = Observed {
            limit: limit.clone(),
            ..hosts.observed.clone()
        };
        let trust = trust_of(&hosts.resolved);
        let blueprint = blueprint(&hosts.resolved, &trust, &observed, &mut SecretStore::new());
        let plan = Plan::new(&blueprint, &hosts.seen, limit.as_ref()).unwrap();
        let of_nodes = |step: &&PlannedStep| step.title.ends_with("the nodes");
        let steps = plan.steps.iter().filter(of_nodes);
        steps.flat_map(details).collect()
    };
    let (all, limited) = (texts(None), texts(Some([name("cp1"), name("w1")].into())));
    assert!(all.iter().any(|text| text.contains("w2")), "{all:?}");
    assert!(
        limited.iter().any(|text| text.contains("w1")),
        "{limited:?}"
    );
    assert!(
        !limited.iter().any(|text| text.contains("w2")),
        "{limited:?}"
    );
}

#[test]
fn a_wiped_control_plane_is_forgotten_before_it_joins_behind_all_gates() {
    let hosts = Hosts::with(
        |resolved, host| {
            if host == "cp1" {
                facts(resolved, host)
            } else {
                member(resolved, host)
            }
        },
        blank("cp1"),
    );
    let plan = hosts.plan();
    let join = plan
        .steps
        .iter()
        .find(|step| step.title == "join the cluster")
        .unwrap();
    assert_eq!(
        join.actor,
        name("cp1").into(),
        "the first of the list joins like any other"
    );
    let before: BTreeSet<_> = join
        .needs
        .iter()
        .map(|need| format!("{}: {}", plan.steps[*need].actor, plan.steps[*need].title))
        .collect();
    for need in [
        "cp2: forget cp1",
        "cp2: wait for etcd and the API server",
        "cp3: wait for etcd and the API server",
    ] {
        assert!(before.contains(need), "{need} is not among {before:?}");
    }
    assert!(!lines(&plan).contains("initialise"));
}

#[test]
fn no_cluster_is_bootstrapped_while_a_control_plane_is_unreachable() {
    let mut hosts = Hosts::fresh();
    assert_eq!(hosts.codes(), []);
    // Such as cp1 wiped, and the others up but out of reach from here.
    hosts.seen.remove(&name("cp3"));
    assert_eq!(hosts.codes(), [("cp1".to_owned(), "control-plane-unseen")]);
    hosts.resolved.cluster.kubeadm.ignore_preflight_errors = vec!["all".to_owned()];
    assert_eq!(
        hosts.codes().len(),
        1,
        "kubeadm's `all` is not meant for it"
    );
}

#[test]
fn the_probe_of_a_whole_host_is_read_back_from_a_real_shell() {
    let resolved = few(VERSION);
    let blueprint = blueprint(
        &resolved,
        &trust(),
        &Observed::default(),
        &mut SecretStore::new(),
    );
    let host = name("cp1");
    let questions = super::facts::Questions {
        api_server: Some("192.0.2.11".parse().unwrap()),
        peers: vec![("127.0.0.1".parse().unwrap(), 1)],
        endpoint: EndpointQuestions {
            served: Some((resolved.cluster.endpoint.clone(), "certificate".to_owned())),
            vip: Some(("127.0.0.1".parse().unwrap(), 1)),
        },
        ..super::facts::Questions::default()
    };
    let script = observe::script(&blueprint, &host, &questions);
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(script.as_str())
        .output()
        .unwrap();
    let window = observe::Window {
        from: 0.0,
        to: f64::MAX,
    };
    let seen = Observation::parse(&blueprint, &host, &output.stdout, window).unwrap();
    assert_eq!(seen.skew, Duration::ZERO);
    assert!(
        seen.facts.cpus > 0 && seen.facts.memory > 0,
        "{:?}",
        seen.facts
    );
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let unified = |line: &str| {
        line.split(' ')
            .skip(1)
            .take(2)
            .eq(["/sys/fs/cgroup", "cgroup2"])
    };
    assert_eq!(seen.facts.unified_cgroups, mounts.lines().any(unified));
    assert_eq!(
        seen.facts.unreachable,
        Vec::<std::net::IpAddr>::new(),
        "refused is reached"
    );
}
