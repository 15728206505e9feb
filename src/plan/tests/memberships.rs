//! Healthy clusters that have lost one sign or another: nothing that lives is
//! removed, and what is gone is put back.

use super::*;
use crate::plan::membership::{Astray, Membership, Outside};
use crate::plan::{settings_kept, unlisted, unwell};

/// The small cluster, whole but for what `change` does to the facts of a host.
fn but(change: impl Fn(&str, &mut Facts)) -> Hosts {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = member(resolved, host);
        change(host, &mut facts);
        facts
    };
    Hosts::of(few(VERSION), facts, |_, resource| as_wanted(resource))
}

/// Changes what the API servers say of the nodes.
fn nodes_but(facts: &mut Facts, change: impl Fn(&mut Vec<NodeView>)) {
    if let ApiView::Nodes { nodes, .. } = &mut facts.api {
        change(nodes);
    }
}

fn unlabelled(nodes: &mut [NodeView], which: &[&str]) {
    for node in nodes {
        if which.contains(&node.name.as_str()) {
            node.labels.clear();
        }
    }
}

fn membership(hosts: &Hosts, host: &str) -> Membership {
    hosts.observed.cluster_state.memberships[&name(host)]
}

/// `actor: title` of all steps; nobody is forgotten and nothing bootstrapped.
fn steps(hosts: &Hosts) -> Vec<String> {
    assert_eq!(hosts.codes(), []);
    let plan = hosts.plan();
    let all: Vec<_> = { plan.steps.iter() }
        .map(|step| format!("{}: {}", step.actor.as_str(), step.title))
        .collect();
    let harms = |title: &String| title.contains("forget") || title.contains("initialise");
    assert!(!all.iter().any(harms), "{all:#?}");
    all
}

#[test]
fn defect_1_a_label_that_is_gone_is_put_back() {
    let all = ["cp1", "cp2", "cp3"];
    for which in [&["cp2"][..], &["cp1", "cp3"], &all] {
        let hosts = but(|_, facts| nodes_but(facts, |nodes| unlabelled(nodes, which)));
        assert_eq!(steps(&hosts), ["cluster: label the nodes"]);
        let labelled: Vec<_> = details(&hosts.plan().steps[0]);
        let wanted = which
            .iter()
            .map(|node| format!("label {node}: node-role.kubernetes.io/control-plane="));
        assert_eq!(labelled, wanted.collect::<Vec<_>>());
    }
}

#[test]
fn defect_1_a_node_that_was_deleted_registers_again() {
    for host in ["cp2", "w1"] {
        let hosts = but(|_, facts| nodes_but(facts, |nodes| nodes.retain(|n| n.name != host)));
        assert_eq!(
            membership(&hosts, host),
            Membership::Astray(Astray::Unregistered)
        );
        let steps = steps(&hosts);
        assert!(steps.contains(&format!("{host}: put the kubelet back")));
        assert!(steps.contains(&"cluster: label the nodes".to_owned()));
        assert!(!steps.iter().any(|step| step.contains("join")), "{steps:?}");
    }
    let hosts = but(|_, facts| nodes_but(facts, |nodes| nodes.retain(|n| n.name != "cp2")));
    let plan = hosts.plan();
    let label = { plan.steps.iter() }.find(|step| step.title == "label the nodes");
    insta::assert_snapshot!(details(label.unwrap()).join("\n"));
}

#[test]
fn defect_4_a_kubeconfig_that_is_gone_is_written_again() {
    for host in ["cp1", "cp3", "w2"] {
        let hosts = but(|here, facts| facts.kubelet_conf &= here != host);
        let put_back = steps(&hosts);
        assert!(put_back.contains(&format!("{host}: put the kubelet back")));
        assert_eq!(hosts.observed.cluster_state.living_voters.len(), 3);
    }
}

#[test]
fn defect_4_a_mark_that_was_left_removes_nobody() {
    let hosts = but(|host, facts| {
        if ["cp2", "w1"].contains(&host) {
            facts.unfinished = Some("join".to_owned());
        }
    });
    let steps = steps(&hosts);
    let wanted = ["cp2", "w1"].map(|host| format!("{host}: put the kubelet back"));
    assert!(wanted.iter().all(|step| steps.contains(step)), "{steps:?}");
    assert!(!steps.iter().any(|step| step.contains("undo")), "{steps:?}");
}

#[test]
fn a_member_that_is_silent_is_no_member_that_is_gone() {
    let hosts = but(|host, facts| {
        if host == "cp2" {
            facts.stacked_etcd.view = None;
            facts.api = ApiView::Silent("connection refused".to_owned());
        }
    });
    assert_eq!(membership(&hosts, "cp2"), Membership::Joined);
    assert_eq!(steps(&hosts), [""; 0]);
    let Observed {
        facts,
        cluster_state,
        ..
    } = &hosts.observed;
    let warnings = unwell::warnings(&hosts.resolved.cluster, facts, cluster_state);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("member of etcd does not answer"));
}

#[test]
fn nobody_lives_on_a_host_that_was_made_anew() {
    let hosts = but(|host, facts| {
        if host == "cp2" {
            *facts = super::facts(&few(VERSION), host);
        }
    });
    assert_eq!(membership(&hosts, "cp2"), Membership::Wiped);
    let titles: Vec<_> = hosts.plan().steps.iter().map(|s| s.title.clone()).collect();
    assert!(titles.contains(&"forget cp2".to_owned()), "{titles:?}");
}

#[test]
fn defect_4_data_without_a_cluster_that_answers_is_a_silent_cluster() {
    let hosts = but(|host, facts| {
        let data = host.starts_with("cp");
        *facts = super::facts(&few(VERSION), host);
        facts.stacked_etcd.data = data;
        facts.api = ApiView::Silent("connection refused".to_owned());
    });
    let silent = ["cp1", "cp2", "cp3"].map(|host| (host.to_owned(), "api-silent"));
    assert_eq!(hosts.codes(), silent);
}

#[test]
fn another_clusters_host_is_left_alone() {
    let hosts = but(|host, facts| {
        if host == "w1" {
            facts.ca = Some("of another".to_owned());
        }
        nodes_but(facts, |nodes| nodes.retain(|node| node.name != "w1"));
    });
    assert_eq!(
        membership(&hosts, "w1"),
        Membership::Outside(Outside::OtherCa)
    );
    assert_eq!(hosts.codes(), [("w1".to_owned(), "foreign-node")]);
}

#[test]
fn who_was_removed_from_etcd_is_not_taken_for_a_member() {
    let hosts = but(|host, facts| {
        if let Some(view) = &mut facts.stacked_etcd.view {
            view.members.retain(|member| member.name != "cp3");
        }
        if host == "cp3" {
            facts.stacked_etcd.view = None;
        }
    });
    assert_eq!(hosts.codes(), [("cp3".to_owned(), "foreign-node")]);
}

#[test]
fn defect_8_a_machine_under_another_name_or_address_is_recognised() {
    let renamed = but(|_, facts| {
        nodes_but(facts, |nodes| {
            for node in nodes.iter_mut().filter(|node| node.name == "w1") {
                node.name = "w7".to_owned();
            }
        });
    });
    assert_eq!(renamed.codes(), [("w1".to_owned(), "renamed-node")]);
    let elsewhere: std::net::IpAddr = "192.0.2.77".parse().unwrap();
    let node = but(|_, facts| nodes_but(facts, |nodes| nodes[0].addresses = vec![elsewhere]));
    assert_eq!(node.codes(), [("cp1".to_owned(), "moved-node")]);
    let etcd = but(|_, facts| {
        if let Some(view) = &mut facts.stacked_etcd.view {
            view.members[1].peer_urls = vec![member::peer_url(elsewhere)];
        }
    });
    assert_eq!(etcd.codes(), [("cp2".to_owned(), "moved-node")]);
}

#[test]
fn the_order_of_the_inventory_means_nothing() {
    use crate::kubeadm::tests::external;
    for resolved in [few(VERSION), external(VERSION)] {
        let mut shuffled = resolved.clone();
        shuffled.cluster.nodes.reverse();
        let files = |resolved: &ResolvedCluster| {
            let hosts = Hosts::of(resolved.clone(), member, |_, resource| as_wanted(resource));
            let names = resolved.cluster.nodes.iter().map(|node| node.name.clone());
            let of_host = |name: Name| {
                let resources = hosts.blueprint.resources(&name).into_iter();
                let files: BTreeMap<_, _> = resources
                    .filter_map(|resource| match resource {
                        Resource::File(file) => Some((file.path.clone(), file.content.clone())),
                        _ => None,
                    })
                    .collect();
                (name, files)
            };
            names.map(of_host).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(files(&resolved), files(&shuffled));
    }
}

#[test]
fn defect_2_what_a_worker_says_of_itself_changes_nothing_of_others() {
    let hosts = but(|_, facts| {
        nodes_but(facts, |nodes| {
            let worker = nodes.iter_mut().find(|node| node.name == "w2").unwrap();
            worker.machine_id = "id of cp2".to_owned();
            worker.addresses = vec!["192.0.2.12".parse().unwrap()];
            worker.runtime = "containerd://1 node cp2 False v1 x".to_owned();
        });
    });
    let others: Vec<_> = { hosts.codes().into_iter() }
        .filter(|(host, _)| host != "w2")
        .collect();
    assert_eq!(others, []);
}

#[test]
fn defect_7_a_setting_that_is_not_changed_is_refused_or_told() {
    let with = |change: &dyn Fn(&mut crate::cluster::Cluster)| {
        let mut hosts = but(|_, _| {});
        change(&mut hosts.resolved.cluster);
        let state = &hosts.observed.cluster_state;
        let told = settings_kept::warnings(&hosts.resolved.cluster, state);
        (hosts.codes(), told.len())
    };
    let fixed = || vec![("cp1".to_owned(), "setting-fixed")];
    assert_eq!(with(&|_| {}), (vec![], 0));
    let service = |cluster: &mut crate::cluster::Cluster| {
        cluster.network.service_cidr = "10.43.0.0/16".parse().unwrap();
    };
    assert_eq!(with(&service), (fixed(), 0));
    let phases = |cluster: &mut crate::cluster::Cluster| {
        cluster.kubeadm.skip_phases = vec!["addon/coredns".to_owned()];
    };
    assert_eq!(with(&phases), (vec![], 1));
}

#[test]
fn defect_9_whom_the_inventory_does_not_have_is_told() {
    let mut hosts = but(|_, _| {});
    hosts
        .resolved
        .cluster
        .nodes
        .retain(|node| !["cp3", "w2"].contains(&node.name.as_str()));
    let warnings = unlisted::warnings(&hosts.resolved.cluster, &hosts.observed.cluster_state);
    insta::assert_snapshot!(warnings.join("\n"));
}
