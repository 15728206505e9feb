//! Which etcd is taken from where, and which ones are refused.

use super::*;
use crate::cluster::{EtcdArchive, EtcdSource, Topology};
use crate::plan::etcd::Packaged;

#[test]
fn the_plan_says_which_etcd_comes_from_where() {
    let details = |plan: &Plan, name: &str| -> Vec<String> {
        let changes = plan.steps.iter().flat_map(|step| step.changes());
        let of = changes.filter(|change| change.resource.name() == name);
        of.flat_map(|change| change.difference.details.clone())
            .collect()
    };
    let archive = hosts(false, |_| EtcdFacts::default(), &[]).plan();
    assert_eq!(
        details(&archive, "etcd's release archive"),
        ["etcd 3.6.16 from https://example.org/etcd-{arch}.tar.gz to /usr/local/lib/kdiy/etcd-3.6.16";
            3]
    );
    let mut resolved = external(VERSION);
    resolved.cluster.topology = Topology::External(EtcdSource::Distribution);
    let offered = |_: &str| EtcdFacts {
        packaged: Some(Packaged::Offered(Version::new(3, 5, 30))),
        ..EtcdFacts::default()
    };
    let packages = hosts_of(resolved, false, offered, &[]);
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
    let version = Version::new;
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
    let mut resolved = external(VERSION);
    resolved.cluster.topology = Topology::External(EtcdSource::Distribution);
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        facts.etcd = host.starts_with('e').then(|| EtcdFacts {
            packaged: package,
            ..EtcdFacts::default()
        });
        (facts.os, facts.os_version) = (system.0.to_owned(), system.1.to_owned());
        facts
    };
    Hosts::of(resolved, facts, |_, resource| absent(resource)).codes()
}

#[test]
fn a_packaged_etcd_that_kubeadm_refuses_is_reported_on_all_hosts() {
    let version = |text: &str| text.parse::<Version>().unwrap();
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
    let mut resolved = external(Version::new(1, 36, 3));
    resolved.cluster.topology = Topology::External(EtcdSource::Distribution);
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        facts.etcd = host.starts_with('e').then(|| EtcdFacts {
            packaged: Some(Packaged::Offered(Version::new(3, 4, 23))),
            ..EtcdFacts::default()
        });
        facts
    };
    let hosts = Hosts::of(resolved, facts, |_, resource| absent(resource));
    let problems = problems(
        &hosts.resolved,
        &hosts.observed.cluster_state,
        TOKEN,
        &hosts.seen,
    );
    let (what, fix) = (&problems[0].what, &problems[0].fix);
    assert!(what.contains("3.4.23") && what.contains("3.5.24"), "{what}");
    assert!(fix.contains("3.6.16") && fix.contains("source"), "{fix}");
}

/// The codes where members run one version and another is asked for.
fn stepping(runs: &str, wanted: &str) -> Vec<(String, &'static str)> {
    let mut resolved = external(VERSION);
    resolved.cluster.topology = Topology::External(EtcdSource::Archive(EtcdArchive {
        version: wanted.parse().unwrap(),
        url: "https://example.org/etcd.tar.gz".to_owned(),
        sha256: None,
    }));
    let of = |_: &str| {
        let mut facts = whole();
        facts.view.as_mut().unwrap().version = runs.parse().ok();
        facts
    };
    hosts_of(resolved, true, of, &[]).codes()
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

/// The codes of a cluster that takes the distribution's etcd and runs.
fn distribution(etcd: impl Fn(&str) -> EtcdFacts) -> Vec<(String, &'static str)> {
    let mut resolved = external(VERSION);
    resolved.cluster.topology = Topology::External(EtcdSource::Distribution);
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = member(resolved, host);
        facts.etcd = host.starts_with('e').then(|| etcd(host));
        // Of whose package nothing is known.
        (facts.os, facts.os_version) = ("debian".to_owned(), "14".to_owned());
        facts
    };
    Hosts::of(resolved, facts, |_, resource| as_wanted(resource)).codes()
}

fn offered(mut etcd: EtcdFacts, version: &str) -> EtcdFacts {
    etcd.packaged = version.parse().ok().map(Packaged::Offered);
    etcd
}

#[test]
fn a_package_takes_no_member_back() {
    let refused = ["e1", "e2", "e3"].map(|host| (host.to_owned(), "etcd-step"));
    // They run 3.6.16.
    assert_eq!(distribution(|_| offered(whole(), "3.5.30-1")), refused);
    assert_eq!(distribution(|_| offered(whole(), "3.6.16-2")), []);
    assert_eq!(distribution(|_| offered(whole(), "3.6.17-1")), []);
    // Which one there will be is not known.
    assert_eq!(distribution(|_| whole()), refused);
    assert_eq!(
        distribution(|_| offered(stopped(false), "3.5.30-1")),
        refused
    );
    // A new member, too, has to be as new as the others.
    let new = |host: &str| match host {
        "e1" => offered(EtcdFacts::default(), "3.5.30-1"),
        _ => offered(whole(), "3.6.16-1"),
    };
    assert_eq!(distribution(new), refused[..1]);
}

#[test]
fn a_silent_member_is_judged_by_its_program_and_by_the_others() {
    let refused = |hosts: &[&str]| -> Vec<_> {
        { hosts.iter() }
            .map(|host| ((*host).to_owned(), "etcd-step"))
            .collect()
    };
    let codes =
        |etcd: &dyn Fn(&str) -> EtcdFacts| hosts_of(external(VERSION), true, etcd, &[]).codes();
    let program = |version: &str| EtcdFacts {
        program: version.parse().ok(),
        ..stopped(false)
    };
    // 3.6.16 is asked for.
    let silent = |version: &'static str| {
        move |host: &str| match host {
            "e1" => program(version),
            _ => whole(),
        }
    };
    assert_eq!(codes(&silent("3.7.0")), refused(&["e1"]));
    assert_eq!(codes(&silent("3.5.24")), refused(&["e1"]));
    assert_eq!(codes(&silent("3.6.8")), []);
    assert_eq!(codes(&silent("unknown")), []);
    let newer = |host: &str| match host {
        "e1" => program("unknown"),
        "e2" => program("3.7.0"),
        _ => whole(),
    };
    assert_eq!(codes(&newer), refused(&["e1", "e2"]));
    // Nobody knows.
    assert_eq!(
        codes(&|_: &str| program("unknown")),
        refused(&["e1", "e2", "e3"])
    );
    assert_eq!(codes(&|_: &str| program("3.6.5")), []);
}

#[test]
fn a_host_says_what_the_unit_of_its_member_would_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let questions = crate::plan::etcd::MemberQuestions {
        client: crate::etcd::Client::of(
            &external(VERSION).cluster.topology,
            "192.0.2.1".parse().unwrap(),
        ),
        packages: false,
    };
    let script = crate::plan::etcd::member_script(&questions)
        .to_string()
        .replace("/var/lib/etcd/member", &path("member"))
        .replace("/etc/systemd/system/kdiy-etcd.service", &path("unit"));
    let ask = || {
        let script = format!("{}{script}", crate::resource::SECTION_FUNCTION);
        let out = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let answers = crate::resource::Answers::parse(&out.stdout).unwrap();
        EtcdFacts::parse(&answers).unwrap().unwrap().version()
    };
    std::fs::create_dir(path("member")).unwrap();
    assert_eq!(ask(), None);
    std::fs::write(
        path("unit"),
        format!("ExecStart={} --config-file x\n", path("etcd")),
    )
    .unwrap();
    assert_eq!(ask(), None);
    std::fs::write(
        path("etcd"),
        "#!/bin/sh\necho 'etcd Version: 3.6.8'\necho 'Git SHA: 1'\n",
    )
    .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path("etcd"), mode).unwrap();
    assert_eq!(ask(), Some(Version::new(3, 6, 8)));
}
