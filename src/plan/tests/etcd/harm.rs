//! What would harm an etcd is refused before the first change.

use super::*;

#[test]
fn what_would_harm_an_etcd_is_refused() {
    let foreign = |token: Option<&str>| EtcdFacts {
        marker: token.map(|token| Marker {
            bootstrapping: false,
            token: token.to_owned(),
        }),
        ..stopped(false)
    };
    type Case<'a> = (
        &'a str,
        bool,
        Box<dyn Fn(&str) -> EtcdFacts>,
        &'a [(&'a str, &'static str)],
    );
    let cases: Vec<Case> = vec![
        (
            "data of a member that kdiy did not make",
            false,
            Box::new(move |host| {
                if host == "e2" {
                    foreign(None)
                } else {
                    EtcdFacts::default()
                }
            }),
            &[("e2", "etcd-foreign-data")],
        ),
        (
            "data of another cluster",
            true,
            Box::new(move |host| {
                if host == "e2" {
                    foreign(Some("kdiy-other"))
                } else {
                    whole()
                }
            }),
            &[("e2", "etcd-foreign-data")],
        ),
        (
            "two of three lost",
            true,
            Box::new(|host| {
                if host == "e1" {
                    stopped(false)
                } else {
                    EtcdFacts::default()
                }
            }),
            &[
                ("e1", "etcd-quorum"),
                ("e2", "etcd-quorum"),
                ("e3", "etcd-quorum"),
            ],
        ),
        (
            "all lost under a cluster that is there",
            true,
            Box::new(|_| EtcdFacts::default()),
            &[
                ("e1", "etcd-lost"),
                ("e2", "etcd-lost"),
                ("e3", "etcd-lost"),
            ],
        ),
        (
            "the distribution's own unit",
            false,
            Box::new(|host| EtcdFacts {
                distribution_unit: host == "e3",
                ..EtcdFacts::default()
            }),
            &[("e3", "etcd-foreign-unit")],
        ),
        (
            "two clusters",
            true,
            Box::new(|host| {
                let mut facts = whole();
                if let Some(view) = facts.view.as_mut().filter(|_| host == "e1") {
                    view.cluster = "8".to_owned();
                }
                facts
            }),
            &[
                ("e1", "etcd-split"),
                ("e2", "etcd-split"),
                ("e3", "etcd-split"),
            ],
        ),
    ];
    for (what, running, etcd, expected) in cases {
        let codes = hosts(running, etcd, &[]).codes();
        let etcd: Vec<_> = codes
            .iter()
            .map(|(host, code)| (host.as_str(), *code))
            .collect();
        assert_eq!(etcd, expected, "{what}");
    }
}

#[test]
fn a_taken_port_and_a_missing_host_are_seen_before_bootstrap() {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        facts.etcd = host.starts_with('e').then(EtcdFacts::default);
        if host == "e1" {
            facts.listening.push((2380, "nginx".to_owned()));
        }
        facts
    };
    let mut hosts = Hosts::of(external(VERSION), facts, |_, resource| absent(resource));
    assert_eq!(hosts.codes(), [("e1".to_owned(), "port")]);
    hosts.seen.remove(&name("e3"));
    let codes = hosts.codes();
    assert!(
        codes.contains(&("e2".to_owned(), "etcd-incomplete")),
        "{codes:?}"
    );
}
