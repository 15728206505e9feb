//! Clusters in all states of health.

use time::OffsetDateTime;
use time::macros::datetime;

use super::answer::{Lease, NodeSeen, Probe};
use super::backend::Backend;
use super::certificate::Certificate;
use super::rows::NodeState;
use super::*;
use crate::cluster::{Balancer, Cluster, LoadBalancer, Node, Role, Version};
use crate::etcd::status::tests as members;
use crate::kubeadm::tests::{external, few};
use crate::lb::tests::pair;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-21 14:00:00 UTC);
const VERSION: Version = Version::new(1, 34, 1);

pub(crate) fn stacked() -> Cluster {
    few(VERSION).cluster
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

/// The answer of the member of etcd at this place.
fn member(cluster: &Cluster, place: usize) -> crate::etcd::Answer {
    let names: Vec<_> = cluster
        .etcd_members()
        .map(|node| node.name.to_string())
        .collect();
    let mut host = members::well(3).remove(place);
    members::edit(&mut host, |said| {
        for (member, name) in said.members.iter_mut().flatten().zip(&names) {
            member.name.clone_from(name);
        }
    });
    host.answer.unwrap()
}

fn seen(node: &Node) -> NodeSeen {
    NodeSeen {
        name: node.name.to_string(),
        ready: "True".to_owned(),
        why: "kubelet is posting ready status".to_owned(),
        control_plane: node.roles.has(Role::ControlPlane),
        version: "v1.34.1".to_owned(),
        runtime: "containerd://1.7.2".to_owned(),
        address: Some([192, 0, 2, 7].into()),
        ..NodeSeen::default()
    }
}

fn backends(cluster: &Cluster) -> Vec<Backend> {
    let planes = cluster.with_role(Role::ControlPlane).map(|node| Backend {
        name: node.name.to_string(),
        up: true,
        why: None,
    });
    planes.collect()
}

/// All hosts of a cluster that is well; the first control plane leads and the
/// first balancer holds the address.
pub(crate) fn well(cluster: &Cluster) -> Hosts {
    let good = || Some(Probe::Code(200, Vec::new()));
    let first = |role| cluster.with_role(role).next().map(|node| &node.name);
    let lead = first(Role::ControlPlane).unwrap().to_string();
    let holder = first(Role::LoadBalancer);
    let vip = cluster.load_balancer.vip().is_some();
    let hosts = cluster.nodes.iter().map(|node| {
        let plane = node.roles.has(Role::ControlPlane);
        let balances = node.roles.has(Role::LoadBalancer);
        let lease = |name: &str| Lease {
            name: name.to_owned(),
            holder: Some(lead.clone()),
        };
        let place = cluster
            .etcd_members()
            .position(|member| member.name == node.name);
        let units = script::units(cluster, node).into_iter();
        let file = match node.runs_kubelet() {
            true => "/var/lib/kubelet/pki/kubelet-client-current.pem",
            false => "/etc/haproxy/kdiy-ca.crt",
        };
        let answer = Answer {
            joined: node.runs_kubelet(),
            clock: Some(NOW.unix_timestamp()),
            units: units.map(|unit| (unit, "active".to_owned())).collect(),
            api: plane.then(good).flatten(),
            nodes: plane.then(|| cluster.kubelets().map(seen).collect()),
            leases: plane.then(|| vec![lease("kube-scheduler"), lease("kube-controller-manager")]),
            controller_manager: plane.then(good).flatten(),
            scheduler: plane.then(good).flatten(),
            etcd: place.map(|place| member(cluster, place)),
            backends: balances.then(|| Ok(backends(cluster))),
            endpoint: node.runs_kubelet().then(good).flatten(),
            holds_vip: (balances && vip).then_some(holder == Some(&node.name)),
            certificates: vec![Certificate {
                file: file.to_owned(),
                end: Ok(NOW + time::Duration::days(300)),
            }],
            ..Answer::default()
        };
        (node.name.clone(), Ok(answer))
    });
    hosts.collect()
}

pub(crate) fn edit(hosts: &mut Hosts, host: &str, change: impl FnOnce(&mut Answer)) {
    change(hosts.get_mut(&name(host)).unwrap().as_mut().unwrap());
}

/// A host without power.
pub(crate) fn lose(hosts: &mut Hosts, host: &str) {
    let unreachable = Unreachable {
        what: format!("cannot reach {host}:22: no answer within 10 s"),
        fix: Some("check that the host is up and that no firewall drops the port".to_owned()),
    };
    hosts.insert(name(host), Err(unreachable));
}

/// No API server, no member of etcd, no way to the endpoint.
pub(crate) fn outage(hosts: &mut Hosts, planes: &[&str]) {
    let refused = || Some(Probe::Silent("connection refused".to_owned()));
    for host in planes {
        edit(hosts, host, |answer| {
            answer.api = refused();
            answer.controller_manager = refused();
            answer.scheduler = refused();
            (answer.nodes, answer.leases) = (None, None);
            let etcd = answer.etcd.as_mut().unwrap();
            etcd.reply = Err(crate::etcd::gateway::NoReply::NoAnswer(
                "refused".to_owned(),
            ));
        });
    }
    for answer in hosts.values_mut().filter_map(|host| host.as_mut().ok()) {
        if answer.endpoint.is_some() {
            answer.endpoint = refused();
        }
        for backend in answer.backends.iter_mut().flatten().flatten() {
            backend.up = false;
        }
    }
}

fn look(cluster: &Cluster, hosts: &Hosts) -> ClusterStatus {
    ClusterStatus::of(cluster, hosts, NOW)
}

/// Problems as `HOST: WHAT`.
fn first_known(cluster_status: &ClusterStatus) -> Vec<String> {
    let problems = cluster_status.problems.iter().map(|problem| {
        let host = problem.host.as_ref().map_or("-", Name::as_str);
        format!("{host}: {}", problem.what)
    });
    problems.collect()
}

#[test]
fn all_is_well() {
    for (cluster, planes, members, balancers) in [
        (stacked(), 1, 1, Some(0)),
        (external(VERSION).cluster, 1, 1, Some(0)),
        (pair(VERSION, Balancer::Haproxy).cluster, 1, 1, Some(1)),
    ] {
        let cluster_status = look(&cluster, &well(&cluster));
        assert_eq!(
            cluster_status.verdict,
            Verdict::Healthy,
            "{:#?}",
            cluster_status.problems
        );
        let tolerates = cluster_status.tolerates;
        assert_eq!(
            (
                tolerates.control_planes,
                tolerates.etcd_members,
                tolerates.balancers
            ),
            (planes, members, balancers)
        );
        assert!(
            cluster_status
                .nodes
                .iter()
                .all(|row| row.state == NodeState::Ready)
        );
        let leaders = cluster_status
            .control_planes
            .iter()
            .filter(|row| row.scheduler.leader == Some(true));
        assert_eq!(leaders.count(), 1);
    }
}

#[test]
fn a_lost_control_plane_is_reported_once() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    lose(&mut hosts, "cp2");
    edit(&mut hosts, "lb1", |answer| {
        answer.backends.as_mut().unwrap().as_mut().unwrap()[1].up = false;
    });
    edit(&mut hosts, "cp1", |answer| {
        let node = &mut answer.nodes.as_mut().unwrap()[1];
        node.ready = "Unknown".to_owned();
    });
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(cluster_status.verdict, Verdict::Degraded);
    assert_eq!(
        first_known(&cluster_status),
        ["cp2: cannot reach cp2:22: no answer within 10 s"]
    );
    assert_eq!(cluster_status.tolerates.control_planes, 0);
    assert_eq!(cluster_status.nodes[1].state, NodeState::Lost);
    assert_eq!(cluster_status.etcd.votes.alive, 2);
}

#[test]
fn without_an_api_it_is_down() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    outage(&mut hosts, &["cp1", "cp2", "cp3"]);
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(cluster_status.verdict, Verdict::Down);
    let down = cluster_status
        .problems
        .iter()
        .filter(|of| of.severity == Severity::Down);
    assert_eq!(down.count(), 3, "{:#?}", first_known(&cluster_status));
    assert!(
        cluster_status
            .nodes
            .iter()
            .all(|row| row.state == NodeState::Unknown)
    );
    let of_cp1 = first_known(&cluster_status)
        .into_iter()
        .filter(|what| what.starts_with("cp1: "));
    assert_eq!(
        of_cp1.collect::<Vec<_>>(),
        [
            "cp1: its member of etcd is silent: refused",
            "cp1: no component of its control plane answers"
        ]
    );
}

#[test]
fn an_api_that_only_others_reach_is_not_down() {
    let cluster = external(VERSION).cluster;
    let mut hosts = well(&cluster);
    for host in ["cp1", "cp2"] {
        lose(&mut hosts, host);
    }
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(
        cluster_status.verdict,
        Verdict::Degraded,
        "the worker reaches it"
    );
    for host in ["e1", "e2"] {
        lose(&mut hosts, host);
    }
    edit(&mut hosts, "e3", |answer| {
        let etcd = answer.etcd.as_mut().unwrap().reply.as_mut().unwrap();
        etcd.status.leader = 0;
        etcd.health = crate::etcd::gateway::Health::Bad("there is no leader".to_owned());
    });
    assert_eq!(look(&cluster, &hosts).verdict, Verdict::Down, "no quorum");
}

#[test]
fn nobody_there_and_no_cluster_there_are_distinguished() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    for answer in hosts.values_mut() {
        *answer = Ok(Answer::default());
    }
    assert_eq!(look(&cluster, &hosts).verdict, Verdict::Absent);
    lose(&mut hosts, "w1");
    assert_eq!(look(&cluster, &hosts).verdict, Verdict::Absent);
    // What has joined may be there.
    lose(&mut hosts, "cp3");
    assert_eq!(look(&cluster, &hosts).verdict, Verdict::Down);
    for node in &cluster.nodes {
        lose(&mut hosts, node.name.as_str());
    }
    assert_eq!(look(&cluster, &hosts).verdict, Verdict::Unknown);
}

#[test]
fn nodes_are_compared_with_the_inventory() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    edit(&mut hosts, "cp1", |answer| {
        let nodes = answer.nodes.as_mut().unwrap();
        nodes[3].cordoned = true;
        nodes[4].name = "w9".to_owned();
    });
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(
        first_known(&cluster_status),
        [
            "w2: the cluster has no such node",
            "-: the cluster has a node w9 that the inventory has not",
            "w1: no pods are scheduled to it",
        ]
    );
    let severities: Vec<_> = cluster_status
        .problems
        .iter()
        .map(|of| of.severity)
        .collect();
    assert_eq!(
        severities,
        [Severity::Degraded, Severity::Warning, Severity::Warning]
    );
    assert!(!cluster_status.nodes.last().unwrap().in_inventory);
}

#[test]
fn a_stopped_kubelet_is_the_reason() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    edit(&mut hosts, "w1", |answer| {
        answer.units[0].1 = "inactive".to_owned()
    });
    edit(&mut hosts, "cp1", |answer| {
        let node = &mut answer.nodes.as_mut().unwrap()[3];
        (node.ready, node.why) = ("False".to_owned(), "container runtime is down".to_owned());
    });
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(
        first_known(&cluster_status),
        [
            "w1: its node is not ready: container runtime is down",
            "w1: kubelet.service is inactive",
        ]
    );
    assert_eq!(cluster_status.problems[0].fix, None);
}

#[test]
fn nobody_leads() {
    let mut cluster = stacked();
    let mut hosts = well(&cluster);
    for host in ["cp1", "cp2", "cp3"] {
        edit(&mut hosts, host, |answer| {
            answer.leases.as_mut().unwrap()[0].holder = None
        });
    }
    let lead = "-: no scheduler leads: its lease has run out";
    assert_eq!(first_known(&look(&cluster, &hosts)), [lead]);
    cluster.control_plane.scheduler_election.enabled = false;
    assert_eq!(look(&cluster, &hosts).verdict, Verdict::Healthy);
}

#[test]
fn the_address_is_held_by_one() {
    let cluster = pair(VERSION, Balancer::Haproxy).cluster;
    let hold = |holders: &[&str]| {
        let mut hosts = well(&cluster);
        for host in ["lb1", "lb2"] {
            edit(&mut hosts, host, |answer| {
                answer.holds_vip = Some(holders.contains(&host))
            });
        }
        hosts
    };
    assert_eq!(look(&cluster, &hold(&["lb2"])).verdict, Verdict::Healthy);
    assert_eq!(
        first_known(&look(&cluster, &hold(&["lb1", "lb2"]))),
        ["-: lb1 and lb2 hold the virtual address 192.0.2.100 at once"]
    );
    let mut hosts = hold(&[]);
    assert_eq!(
        first_known(&look(&cluster, &hosts)),
        ["-: no host holds the virtual address 192.0.2.100"]
    );
    lose(&mut hosts, "lb2");
    let cluster_status = look(&cluster, &hosts);
    assert!(first_known(&cluster_status)[1].contains("is not known, as lb2 cannot be asked"));
    assert_eq!(
        cluster_status.load_balancer.vip.unwrap().unasked,
        [name("lb2")]
    );
}

#[test]
fn a_balancer_that_is_wrong_about_a_server_is_reported() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    edit(&mut hosts, "lb1", |answer| {
        let backend = &mut answer.backends.as_mut().unwrap().as_mut().unwrap()[0];
        (backend.up, backend.why) = (false, Some("DOWN: L4TOUT".to_owned()));
    });
    assert_eq!(
        first_known(&look(&cluster, &hosts)),
        ["lb1: its balancer takes cp1 for down: DOWN: L4TOUT"]
    );
    edit(&mut hosts, "lb1", |answer| {
        answer.units[0].1 = "failed".to_owned();
        answer.backends = Some(Err("admin.sock: Connection refused".to_owned()));
    });
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(
        first_known(&cluster_status),
        ["lb1: haproxy.service is failed"]
    );
    assert!(!cluster_status.load_balancer.balancers[0].works());
}

#[test]
fn nodes_with_balancers_of_their_own_are_reported_one_by_one() {
    let mut cluster = stacked();
    cluster.load_balancer = LoadBalancer::Local { port: 7443 };
    cluster
        .nodes
        .retain(|node| !node.roles.has(Role::LoadBalancer));
    let mut hosts = well(&cluster);
    edit(&mut hosts, "w2", |answer| {
        answer.endpoint = Some(Probe::Silent("Connection refused".to_owned()));
    });
    assert_eq!(
        first_known(&look(&cluster, &hosts)),
        ["w2: it does not reach the API at 127.0.0.1:7443: Connection refused"]
    );
}

#[test]
fn certificates_are_reported_in_time() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    let end = |days: i64| Ok(NOW + time::Duration::days(days));
    let of = |file: &str, end| Certificate {
        file: file.to_owned(),
        end,
    };
    edit(&mut hosts, "cp1", |answer| {
        answer.certificates = vec![
            of("/etc/kubernetes/pki/apiserver.crt", end(29)),
            of("/etc/kubernetes/pki/apiserver-etcd-client.crt", end(12)),
            of("/etc/kubernetes/pki/etcd/peer.crt", end(31)),
        ];
    });
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(cluster_status.verdict, Verdict::Healthy);
    assert_eq!(
        first_known(&cluster_status),
        [
            "cp1: ends on 2026-12-03: /etc/kubernetes/pki/apiserver-etcd-client.crt, \
          /etc/kubernetes/pki/apiserver.crt"
        ]
    );
    assert!(
        cluster_status.problems[0]
            .fix
            .as_ref()
            .unwrap()
            .contains("kubeadm certs renew all on cp1")
    );
    edit(&mut hosts, "w1", |answer| {
        answer.certificates[0].end = Ok(NOW - time::Duration::hours(1));
    });
    edit(&mut hosts, "w2", |answer| {
        answer.certificates[0].end = Err("no PEM block".to_owned())
    });
    let cluster_status = look(&cluster, &hosts);
    assert_eq!(cluster_status.verdict, Verdict::Degraded);
    assert!(first_known(&cluster_status)[0].starts_with("w1: expired since 2026-11-21: "));
    // One without an end is first, and is no end at all.
    let days: Vec<_> = cluster_status
        .certificates
        .iter()
        .map(|row| row.days_left)
        .take(3)
        .collect();
    assert_eq!(days, [None, Some(-1), Some(12)]);
}
