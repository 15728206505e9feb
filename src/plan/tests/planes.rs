//! Settings of running control planes: what is different, in which order it
//! is applied, and what is refused.

mod repeated;

use super::*;
use crate::cluster::Audit;

/// The small cluster, changed.
fn changed(change: impl FnOnce(&mut crate::cluster::Cluster)) -> ResolvedCluster {
    let resolved = few(VERSION);
    let mut cluster = resolved.cluster.clone();
    change(&mut cluster);
    let addresses = cluster
        .nodes
        .iter()
        .map(|node| (node.name.clone(), resolved.address(node)))
        .collect();
    ResolvedCluster::new(cluster, VERSION, addresses).unwrap()
}

/// The cluster when `view` says what runs on each control plane.
fn running(resolved: ResolvedCluster, view: impl Fn(&str) -> PlaneView) -> Hosts {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = member(resolved, host);
        if host.starts_with("cp") {
            facts.plane = view(host);
        }
        facts
    };
    Hosts::of(resolved, facts, |_, resource| as_wanted(resource))
}

/// Steps with the particulars of their commands.
pub(super) fn told(plan: &Plan) -> String {
    let line = |(place, step): (usize, &PlannedStep)| {
        let details = details(step).into_iter();
        let details = details.map(|detail| format!("\n       {detail}"));
        format!(
            "{place:>2} {:<4} {} after {:?}{}",
            step.actor.as_str(),
            step.title,
            step.needs,
            details.collect::<String>()
        )
    };
    let steps: Vec<_> = plan.steps.iter().enumerate().map(line).collect();
    steps.join("\n")
}

fn secretbox() -> ResolvedCluster {
    changed(|cluster| cluster.control_plane.encryption = Encryption::Secretbox)
}

#[test]
fn another_audit_policy_is_another_argument() {
    let audit = |policy: &str| {
        changed(|cluster| {
            cluster.control_plane.audit = Some(Audit {
                policy: policy.to_owned(),
                max_age: 30,
                max_backups: 10,
                max_size: 100,
            });
        })
    };
    let (one, other) = (audit("one\n"), audit("other\n"));
    let same = running(one.clone(), |_| plane_with(&one, Stage::Plain));
    assert_eq!(told(&same.plan()), "");
    let told = told(&running(other, |_| plane_with(&one, Stage::Plain)).plan());
    assert_eq!(told.matches("--audit-policy-file").count(), 3, "{told}");
}

/// Killed anywhere: no plan lets one write while another cannot read.
#[test]
fn encryption_is_safe_from_every_state_that_a_kill_can_leave() {
    let stages = [Stage::Plain, Stage::Reads, Stage::Writes];
    let all = (0..27).map(|n| [n / 9, n / 3 % 3, n % 3].map(|place: usize| stages[place]));
    for state in all {
        let resolved = secretbox();
        let view = |host: &str| {
            let place = host.strip_prefix("cp").unwrap().parse::<usize>().unwrap() - 1;
            let mut view = plane_with(&resolved, state[place]);
            view.encrypted = None;
            view
        };
        let plan = running(secretbox(), view).plan();
        let mut now = state;
        for step in &plan.steps {
            let stage = match step.title.as_str() {
                "let the API server read encrypted secrets" => Stage::Reads,
                "restart the control plane with new settings" => Stage::Writes,
                "encrypt the secrets" => {
                    assert_eq!(now, [Stage::Writes; 3], "{state:?}");
                    continue;
                }
                _ => continue,
            };
            let place: usize = step.actor.as_str()[2..].parse().unwrap();
            now[place - 1] = stage;
            // What a kill had left is no step of this plan.
            if stage == Stage::Writes {
                assert!(!now.contains(&Stage::Plain), "{state:?} {now:?}");
            }
        }
        assert_eq!(now, [Stage::Writes; 3], "{state:?}");
        assert!(plan.steps.iter().any(|s| s.title == "encrypt the secrets"));
    }
}

#[test]
fn who_joins_under_a_limit_runs_with_the_settings_of_now() {
    let after = changed(|cluster| {
        let plane = &mut cluster.control_plane;
        plane.scheduler.extra_args = [("v".to_owned(), "4".into())].into();
    });
    let facts = |resolved: &ResolvedCluster, host: &str| {
        if host == "cp3" {
            return super::facts(resolved, host);
        }
        let mut facts = member(resolved, host);
        if let ApiView::Nodes { nodes, .. } = &mut facts.api {
            nodes.retain(|node| node.name != "cp3");
            facts.plane = plane_with(&few(VERSION), Stage::Plain);
        }
        facts
    };
    let hosts = Hosts::of(after, facts, |host, resource| match host.as_str() {
        "cp3" => absent(resource),
        _ => as_wanted(resource),
    });
    let limit = BTreeSet::from([name("cp3")]);
    let plan = Plan::new(&hosts.blueprint, &hosts.seen, Some(&limit)).unwrap();
    let of = |title: &str| plan.steps.iter().position(|step| step.title == title);
    let upload = of("upload kubeadm's configuration").expect("it is uploaded");
    let join = &plan.steps[of("join the cluster").unwrap()];
    assert!(join.needs.contains(&upload), "{}", lines(&plan));
    assert_eq!(of("restart the control plane with new settings"), None);
}

#[test]
fn a_limit_takes_all_of_encryption_or_nothing_of_it() {
    let hosts = running(secretbox(), |_| plane_with(&few(VERSION), Stage::Plain));
    let of = |host: &str| {
        let limit = BTreeSet::from([name(host)]);
        Plan::new(&hosts.blueprint, &hosts.seen, Some(&limit)).unwrap()
    };
    assert_eq!(told(&of("cp2")), "");
    assert_eq!(told(&of("cp1")), told(&hosts.plan()));
}

#[test]
fn an_encrypted_cluster_needs_nothing() {
    let hosts = running(secretbox(), |_| plane_with(&secretbox(), Stage::Writes));
    assert_eq!(told(&hosts.plan()), "");
    assert_eq!(hosts.codes(), []);
}

#[test]
fn encryption_is_not_taken_back_by_leaving_it_out() {
    let encryption = |host: &str| (host.to_owned(), "encryption");
    let left_out = running(few(VERSION), |_| plane_with(&secretbox(), Stage::Writes));
    assert_eq!(left_out.codes(), ["cp1", "cp2", "cp3"].map(encryption));
    // Decrypted by hand, and forgotten.
    let view = |_: &str| PlaneView {
        encrypted: None,
        ..plane_with(&secretbox(), Stage::Reads)
    };
    let decrypted = running(few(VERSION), view);
    assert_eq!(decrypted.codes(), []);
    assert!(told(&decrypted.plan()).contains("--encryption-provider-config"));
}

#[test]
fn encryption_waits_for_control_planes_that_are_unknown() {
    let resolved = secretbox();
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = member(resolved, host);
        facts.plane = plane_with(&few(VERSION), Stage::Plain);
        if let ApiView::Nodes { nodes, .. } = &mut facts.api {
            let mut foreign = nodes[0].clone();
            foreign.name = "cp9".to_owned();
            nodes.push(foreign);
        }
        facts
    };
    let hosts = Hosts::of(resolved, facts, |_, resource| as_wanted(resource));
    let encryption = |host: &str| (host.to_owned(), "encryption");
    assert_eq!(hosts.codes(), ["cp1", "cp2", "cp3"].map(encryption));

    let mut hosts = running(secretbox(), |_| plane_with(&few(VERSION), Stage::Plain));
    hosts.seen.remove(&name("cp3"));
    assert_eq!(hosts.codes(), ["cp1", "cp2"].map(encryption));
}

#[test]
fn a_fresh_cluster_encrypts_from_the_first_write_and_signs_at_its_end() {
    let resolved = changed(|cluster| {
        cluster.control_plane.encryption = Encryption::Secretbox;
        cluster.kubelet_serving = KubeletServing::Signed;
    });
    let hosts = Hosts::of(resolved, facts, |_, resource| absent(resource));
    let plan = hosts.plan();
    let starts = plan
        .steps
        .iter()
        .filter(|s| s.title == "start the control plane");
    let starts: Vec<_> = starts.map(|step| &step.changes()[0].resource).collect();
    assert_eq!(starts.len(), 3, "{}", told(&plan));
    for start in starts {
        let Resource::Command(start) = start else {
            panic!("{start:?}");
        };
        let Content::Plain(text) = &start.inputs[0].content else {
            panic!("{start:?}");
        };
        assert!(text.contains("/etc/kubernetes/pki/kdiy-encryption.yaml"));
        assert!(text.contains("serverTLSBootstrap: true"));
    }
    let [.., approve, remember] = &plan.steps[..] else {
        panic!("{}", told(&plan))
    };
    assert_eq!(remember.title, "remember the settings");
    assert_eq!(approve.title, "approve serving certificates");
    assert_eq!(approve.changes()[0].difference.details.len(), 5);
}

#[test]
fn a_cluster_that_runs_keeps_its_endpoint_and_topology() {
    let with = |change: &dyn Fn(&mut PlaneView)| {
        let facts = |resolved: &ResolvedCluster, host: &str| {
            let mut facts = member(resolved, host);
            if host.starts_with("cp") {
                change(&mut facts.plane);
            }
            facts
        };
        Hosts::of(few(VERSION), facts, |_, resource| as_wanted(resource))
    };
    let servers = |servers: &'static str| {
        move |plane: &mut PlaneView| {
            let arguments = plane.running.get_mut("kube-apiserver").unwrap();
            arguments.insert("etcd-servers".to_owned(), servers.into());
        }
    };
    for stacked in ["https://127.0.0.1:2379", "https://[::1]:2379"] {
        assert_eq!(with(&servers(stacked)).codes(), []);
    }
    let only = |hosts: Hosts, code: &str| {
        let codes = hosts.codes();
        assert!(
            !codes.is_empty() && codes.iter().all(|(_, c)| *c == code),
            "{codes:?}"
        );
    };
    let apart = "https://192.0.2.31:2379,https://192.0.2.32:2379";
    only(with(&servers(apart)), "topology-changed");
    let moved = |plane: &mut PlaneView| plane.endpoint = Some("192.0.2.99:6443".to_owned());
    only(with(&moved), "endpoint-moved");
}
