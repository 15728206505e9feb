//! What would harm an etcd is refused before the first change.

use super::*;

#[test]
fn what_would_harm_an_etcd_is_refused() {
    let foreign = |token: Option<&str>| EtcdFacts {
        marker: token.map(|token| Marker {
            founding: false,
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
                foreign_unit: host == "e3",
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
fn a_taken_port_and_a_missing_host_are_seen_before_founding() {
    let facts = |settled: &Settled, host: &str| {
        let mut facts = facts(settled, host);
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

/// The codes of a cluster that takes the distribution's etcd, on hosts of a
/// system with such a package.
fn packaged(system: (&str, &str), package: Option<Packaged>) -> Vec<(String, &'static str)> {
    let mut settled = external(VERSION);
    settled.cluster.topology = Topology::External(EtcdSource::Distribution);
    let facts = |settled: &Settled, host: &str| {
        let mut facts = facts(settled, host);
        facts.etcd = host.starts_with('e').then(|| EtcdFacts {
            packaged: package,
            ..EtcdFacts::default()
        });
        (facts.os, facts.os_version) = (system.0.to_owned(), system.1.to_owned());
        facts
    };
    Hosts::of(settled, facts, |_, resource| absent(resource)).codes()
}

#[test]
fn a_packaged_etcd_that_kubeadm_refuses_is_told_on_all_hosts() {
    let version = |text: &str| text.parse::<EtcdVersion>().unwrap();
    let told = ["e1", "e2", "e3"].map(|host| (host.to_owned(), "etcd-version"));
    // Known though apt has no lists yet.
    assert_eq!(packaged(("ubuntu", "24.04"), None), told);
    assert_eq!(packaged(("debian", "13"), None), told);
    assert_eq!(packaged(("debian", "14"), None), []);
    // What the host says is believed before what is known of its system.
    let newer = Packaged::Offered(version("3.5.30-1"));
    assert_eq!(packaged(("debian", "13"), Some(newer)), []);
    for old in [Packaged::Offered, Packaged::Installed] {
        let old = old(version("3.5.23-2"));
        assert_eq!(packaged(("debian", "14"), Some(old)), told);
    }
}

#[test]
fn the_fix_of_an_old_package_names_what_would_do() {
    let mut settled = external(Version::new(1, 36, 3));
    settled.cluster.topology = Topology::External(EtcdSource::Distribution);
    let facts = |settled: &Settled, host: &str| {
        let mut facts = facts(settled, host);
        facts.etcd = host.starts_with('e').then(|| EtcdFacts {
            packaged: Some(Packaged::Offered(EtcdVersion::new(3, 4, 23))),
            ..EtcdFacts::default()
        });
        facts
    };
    let hosts = Hosts::of(settled, facts, |_, resource| absent(resource));
    let problems = problems(
        &hosts.settled,
        &hosts.circumstances.standing,
        TOKEN,
        &hosts.seen,
    );
    let (what, fix) = (&problems[0].what, &problems[0].fix);
    assert!(what.contains("3.4.23") && what.contains("3.5.24"), "{what}");
    assert!(fix.contains("3.6.8") && fix.contains("source"), "{fix}");
}

/// The codes where members run one version and another is asked for.
fn stepping(runs: &str, wanted: &str) -> Vec<(String, &'static str)> {
    let mut settled = external(VERSION);
    settled.cluster.topology = Topology::External(EtcdSource::Archive(EtcdArchive {
        version: wanted.parse().unwrap(),
        url: "https://example.org/etcd.tar.gz".to_owned(),
        sha256: None,
    }));
    let of = |_: &str| {
        let mut facts = whole();
        facts.view.as_mut().unwrap().version = runs.parse().ok();
        facts
    };
    hosts_of(settled, true, of, &[]).codes()
}

#[test]
fn etcd_goes_one_minor_version_at_a_time_and_never_back() {
    let refused = ["e1", "e2", "e3"].map(|host| (host.to_owned(), "etcd-step"));
    for (runs, wanted) in [("3.6.8", "3.7.0"), ("3.5.40", "3.7.0"), ("3.7.0", "3.6.16")] {
        assert_eq!(stepping(runs, wanted), refused, "{runs} -> {wanted}");
    }
    for (runs, wanted) in [("3.6.16", "3.7.0"), ("3.6.8", "3.6.16"), ("3.7.0", "3.7.0")] {
        assert_eq!(stepping(runs, wanted), [], "{runs} -> {wanted}");
    }
}
