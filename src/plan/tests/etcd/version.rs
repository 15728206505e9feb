//! Which etcd is taken from where, and which ones are refused.

use super::*;
use crate::cluster::{EtcdArchive, EtcdSource, Topology};
use crate::plan::etcd::Packaged;

#[test]
fn the_plan_says_which_etcd_comes_from_where() {
    let details = |plan: &Plan, name: &str| -> Vec<String> {
        let changes = plan.steps.iter().flat_map(|step| &step.changes);
        let of = changes.filter(|change| change.resource.name() == name);
        of.flat_map(|change| change.difference.details.clone())
            .collect()
    };
    let archive = hosts(false, |_| EtcdFacts::default(), &[]).plan();
    assert_eq!(
        details(&archive, "etcd's release archive"),
        ["etcd 3.6.5 from https://example.org/etcd-{arch}.tar.gz to /usr/local/lib/kdiy/etcd-3.6.5";
            3]
    );
    let mut settled = external(VERSION);
    settled.cluster.topology = Topology::External(EtcdSource::Distribution);
    let offered = |_: &str| EtcdFacts {
        packaged: Some(Packaged::Offered(EtcdVersion::new(3, 5, 30))),
        ..EtcdFacts::default()
    };
    let packages = hosts_of(settled, false, offered, &[]);
    assert_eq!(packages.codes(), []);
    assert_eq!(
        details(&packages.plan(), "the version of etcd"),
        ["3.5.30 of the distribution; kubeadm takes 3.5.24 and later"; 3]
    );
}

#[test]
fn the_version_of_a_package_is_read_as_dpkg_and_apt_write_it() {
    let read = |lines: &str| {
        let text = format!("asked\n{lines}\n");
        let answer = format!("@etcd {}\n{text}\n", text.len());
        let answers = crate::resource::Answers::parse(answer.as_bytes()).unwrap();
        EtcdFacts::parse(&answers).unwrap().unwrap().packaged
    };
    let version = EtcdVersion::new;
    assert_eq!(
        read("installed 3.5.16-4+b1"),
        Some(Packaged::Installed(version(3, 5, 16)))
    );
    assert_eq!(
        read("offered 3.4.23-4+deb12u1"),
        Some(Packaged::Offered(version(3, 4, 23)))
    );
    assert_eq!(read("offered (none)"), None);
    assert_eq!(read(""), None);
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
