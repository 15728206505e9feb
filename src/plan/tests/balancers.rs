//! Every balancer: what is set up before what, and what is seen beforehand.

use super::*;
use crate::cluster::{Balancer, LoadBalancer, Vip};
use crate::lb::tests::pair;

fn with(load_balancer: LoadBalancer) -> ResolvedCluster {
    let mut resolved = few(VERSION);
    resolved.cluster.load_balancer = load_balancer;
    // The last one is the load-balancer host.
    resolved.cluster.nodes.pop();
    resolved
}

fn kube_vip() -> ResolvedCluster {
    with(LoadBalancer::KubeVip {
        vip: Vip {
            address: "192.0.2.16".parse().unwrap(),
            interface: None,
        },
        image: "ghcr.io/kube-vip/kube-vip:v0.8.9".to_owned(),
        lease: crate::cluster::Lease::default(),
    })
}

fn fresh(resolved: ResolvedCluster) -> Hosts {
    Hosts::of(resolved, facts, |_, resource| absent(resource))
}

fn all() -> [ResolvedCluster; 6] {
    [
        pair(VERSION, Balancer::Haproxy),
        pair(VERSION, Balancer::Nginx),
        with(LoadBalancer::Local { port: 7443 }),
        with(LoadBalancer::External),
        with(LoadBalancer::None),
        kube_vip(),
    ]
}

/// `host: title` of everything that a step comes after, wherever it stands.
fn before(plan: &Plan, host: &str, title: &str) -> BTreeSet<String> {
    let place = plan
        .steps
        .iter()
        .position(|step| step.actor.as_str() == host && step.title == title)
        .unwrap_or_else(|| panic!("{host} has no step {title}:\n{}", lines(plan)));
    let mut found = BTreeSet::new();
    let mut open = vec![place];
    while let Some(place) = open.pop() {
        for need in &plan.steps[place].needs {
            let step = &plan.steps[*need];
            if found.insert(format!("{}: {}", step.actor, step.title)) {
                open.push(*need);
            }
        }
    }
    found
}

#[test]
fn a_finished_cluster_needs_nothing_whatever_balances_it() {
    for resolved in all() {
        let shown = format!("{:?}", resolved.cluster.load_balancer);
        let hosts = Hosts::of(resolved, member, |_, resource| as_wanted(resource));
        assert_eq!(lines(&hosts.plan()), "", "{shown}");
        assert_eq!(hosts.codes(), [], "{shown}");
    }
}

#[test]
fn no_plan_holds_the_password_or_differs_from_itself() {
    for resolved in all() {
        let text = serde_json::to_string(&fresh(resolved.clone()).plan()).unwrap();
        assert!(!text.contains(PASSWORD));
        assert_eq!(
            text,
            serde_json::to_string(&fresh(resolved).plan()).unwrap()
        );
    }
    let hosts = fresh(pair(VERSION, Balancer::Haproxy));
    let kept = hosts.plan().steps.iter().flat_map(|step| step.changes().to_vec()).any(|change| {
        matches!(change.resource, Resource::File(file) if hosts.secrets.text(&file.content).contains(PASSWORD))
    });
    assert!(kept, "the password is planned, by its hash");
}

#[test]
fn the_address_is_held_before_anything_is_bootstrapped() {
    for kind in [Balancer::Haproxy, Balancer::Nginx] {
        let plan = fresh(pair(VERSION, kind)).plan();
        let before = before(&plan, "cp3", "start the control plane");
        for host in ["lb1", "lb2"] {
            for title in [
                &format!("configure {}", kind.as_str()),
                "check the load balancer",
                "configure keepalived",
                "check the virtual address",
            ] {
                let need = format!("{host}: {title}");
                assert!(before.contains(&need), "{need} is not among {before:?}");
            }
        }
    }
}

#[test]
fn each_node_has_its_own_balancer_before_it_joins() {
    let plan = fresh(with(LoadBalancer::Local { port: 7443 })).plan();
    for (host, title) in [
        ("cp1", "start the control plane"),
        ("cp2", "start the control plane"),
        ("w2", "join the cluster"),
    ] {
        let need = format!("{host}: check the load balancer");
        assert!(before(&plan, host, title).contains(&need), "{need}");
    }
    let text = serde_json::to_string(&plan).unwrap();
    assert!(text.contains("controlPlaneEndpoint: 127.0.0.1:7443"));
    assert!(text.contains("https://127.0.0.1:7443/readyz"));
}

#[test]
fn somebody_elses_balancer_is_tried_before_it_is_relied_upon() {
    let plan = fresh(with(LoadBalancer::External)).plan();
    let before = before(&plan, "cp2", "start the control plane");
    for need in [
        "cp3: reach the endpoint",
        "w2: reach the endpoint",
        "cp1: try the load balancer",
        "cp1: look for another cluster at the endpoint",
    ] {
        assert!(before.contains(need), "{need} is not among {before:?}");
    }
}

#[test]
fn kube_vip_comes_with_init_and_after_joins() {
    let plan = fresh(serial(kube_vip())).plan();
    let step = |host: &str, title: &str| {
        plan.steps
            .iter()
            .find(|step| step.actor.as_str() == host && step.title == title)
            .unwrap()
    };
    let init = &step("cp1", "initialise the control plane").changes()[0].resource;
    let Resource::Command(init) = init else {
        panic!("{init:?}");
    };
    let text = init.script.as_str();
    let places: Vec<_> = [
        "\nkdiy_put_kube_vip kube-vip-during-init.yaml /etc",
        "\nkdiy_kubeadm init cp1 ",
        "\nkdiy_put_kube_vip kube-vip.yaml /etc",
    ]
    .iter()
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
    .collect();
    assert!(places.is_sorted(), "{text}");
    let with_all_rights: Vec<_> = init
        .inputs
        .iter()
        .filter(|input| matches!(&input.content, Content::Plain(text) if text.contains("super-admin.conf")))
        .map(|input| input.name.as_str())
        .collect();
    assert_eq!(with_all_rights, ["kube-vip-during-init.yaml"]);
    assert!(before(&plan, "cp2", "place kube-vip").contains("cp2: join the cluster"));
    assert!(!lines(&plan).contains("w1   place kube-vip"));
}

#[test]
fn kube_vip_comes_with_one_bootstrap_node_and_after_all() {
    let plan = fresh(kube_vip()).plan();
    let command = |host: &str, title: &str| {
        let mut steps = plan.steps.iter();
        let step = steps.find(|step| step.actor.as_str() == host && step.title == title);
        match &step.unwrap().changes()[0].resource {
            Resource::Command(command) => command.clone(),
            other => panic!("{other:?}"),
        }
    };
    let start = command("cp1", "start the control plane");
    let text = start.script.as_str();
    let places = [
        "\nkdiy_phase kubeadm.yaml kubeconfig super-admin",
        "\nkdiy_put_kube_vip kube-vip-during-init.yaml /etc",
        "\nkdiy_phase kubeadm.yaml control-plane",
    ];
    let places = places.map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")));
    assert!(places.is_sorted(), "{text}");
    for other in ["cp2", "cp3"] {
        for title in ["prepare the control plane", "start the control plane"] {
            let text = command(other, title).script;
            assert!(!text.as_str().contains("kube-vip"), "{text}");
            assert!(!text.as_str().contains("super-admin"), "{text}");
        }
        let before = before(&plan, other, "place kube-vip");
        assert!(before.contains(&format!("{other}: complete the control plane")));
    }
    let set_up = command("cp1", "set up the cluster");
    let rights: Vec<_> = set_up
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    assert_eq!(rights, ["kubeadm.yaml", "kube-vip.yaml"]);
}

/// Problems of a fresh pair whose hosts differ by this.
fn seen(change: impl Fn(&str, &mut Facts)) -> Vec<(String, &'static str, String)> {
    seen_of(pair(VERSION, Balancer::Nginx), change)
}

fn seen_of(
    resolved: ResolvedCluster,
    change: impl Fn(&str, &mut Facts),
) -> Vec<(String, &'static str, String)> {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        change(host, &mut facts);
        facts
    };
    let hosts = Hosts::of(resolved, facts, |_, resource| absent(resource));
    problems(
        &hosts.resolved,
        &hosts.observed.cluster_state,
        "kdiy-0123456789abcdef",
        &hosts.seen,
    )
    .into_iter()
    .map(|problem| {
        let text = format!("{}\n{}", problem.what, problem.fix);
        (problem.host.to_string(), problem.code, text)
    })
    .collect()
}

#[test]
fn an_address_that_somebody_else_has_is_seen() {
    let taken = |host: &str, facts: &mut Facts| {
        if host.starts_with("lb") {
            facts.endpoint.vip_holder = Some("02:00:00:00:00:01".to_owned());
        }
    };
    insta::assert_debug_snapshot!(seen(taken));
    // One of ours holds it, and the other one hears of that.
    let ours = seen(|host, facts| match host {
        "lb1" => {
            facts
                .addresses
                .push(("eth0".to_owned(), "192.0.2.100/32".parse().unwrap()));
        }
        _ => taken(host, facts),
    });
    assert_eq!(ours, []);
}

#[test]
fn ports_that_balancers_need_are_seen() {
    let listening = |own: &'static str| {
        move |_: &str, facts: &mut Facts| {
            for port in [7443, 7444] {
                facts.listening.push((port, own.to_owned()));
            }
        }
    };
    let short = |found: Vec<(String, &'static str, String)>| -> Vec<String> {
        let line = |(host, _, text): &(String, &str, String)| {
            format!("{host} {}", text.lines().next().unwrap())
        };
        found.iter().map(line).collect()
    };
    assert_eq!(
        short(seen(listening("haproxy"))),
        [
            "lb1 port 7444 is taken by haproxy",
            "lb2 port 7444 is taken by haproxy"
        ]
    );
    assert_eq!(seen(listening("nginx")), []);
    let local = with(LoadBalancer::Local { port: 7443 });
    assert_eq!(
        short(seen_of(local.clone(), listening("nginx")))[0],
        "cp1 port 7443 is taken by nginx"
    );
    assert_eq!(seen_of(local, listening("haproxy")), []);
}

#[test]
fn balancers_take_up_a_new_control_plane_by_a_reload() {
    let pairs = ["lb1", "lb2"].as_slice();
    for (resolved, unit, on) in [
        (pair(VERSION, Balancer::Haproxy), "haproxy.service", pairs),
        (pair(VERSION, Balancer::Nginx), "nginx.service", pairs),
        (
            with(LoadBalancer::Local { port: 7443 }),
            "haproxy.service",
            &["cp1", "cp2", "w1", "w2"],
        ),
    ] {
        let mut old = resolved.clone();
        old.cluster.nodes.retain(|node| node.name.as_str() != "cp3");
        let before = Hosts::of(old.clone(), member, |_, resource| as_wanted(resource));
        let had = |host: &Name, resource: &Resource| {
            let all = before.blueprint.resources(host);
            all.into_iter().find(|had| had.key() == resource.key())
        };
        let hosts = Hosts::of(
            resolved,
            |resolved, host| match host {
                "cp3" => facts(resolved, host),
                _ => member(&old, host),
            },
            |host, resource| match had(host, resource) {
                Some(had) => as_wanted(had),
                None => absent(resource),
            },
        );
        let plan = hosts.plan();
        for host in on {
            let steps = plan
                .steps
                .iter()
                .filter(|step| step.actor.as_str() == *host);
            let changes = steps.flat_map(|step| step.changes());
            let units: Vec<_> = changes
                .filter(|change| matches!(change.resource, Resource::Service(_)))
                .map(|change| (change.resource.name(), change.difference.details.join(", ")))
                .collect();
            assert_eq!(
                units,
                [(unit, "reload".to_owned())],
                "{host}\n{}",
                lines(&plan)
            );
        }
    }
}

#[test]
fn an_address_that_stands_for_a_whole_subnet_is_seen() {
    for (vip, names) in [("192.0.2.255", "broadcasts"), ("192.0.2.0", "network")] {
        let mut resolved = pair(VERSION, Balancer::Nginx);
        if let LoadBalancer::Hosts {
            failover: Some(failover),
            ..
        } = &mut resolved.cluster.load_balancer
        {
            failover.vip.address = vip.parse().unwrap();
        }
        let found = seen_of(resolved, |_, _| {});
        let codes: Vec<_> = found
            .iter()
            .map(|(host, code, _)| (&**host, *code))
            .collect();
        assert_eq!(codes, [("lb1", "vip-subnet"), ("lb2", "vip-subnet")]);
        assert!(found[0].2.contains(names), "{}", found[0].2);
    }
}
