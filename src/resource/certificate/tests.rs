//! What makes a certificate be issued anew, and a real shell's answers.

use std::process::Command as Process;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};

use super::*;
use crate::resource::SECTION_FUNCTION;
use crate::resource::file::{OWN_FUNCTION, PUT_FUNCTION};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "etcd-ca");
    let pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    Authority { pem, issuer }
}

fn subject() -> Subject {
    Subject {
        common_name: "e-1".to_owned(),
        organizations: BTreeSet::new(),
        usages: [Usage::Client, Usage::Server].into(),
        names: ["e-1".to_owned(), "localhost".to_owned()].into(),
        addresses: ["10.0.0.21", "::1"].map(|a| a.parse().unwrap()).into(),
    }
}

/// A leaf that ends so many days from now, with its key.
fn leaf(by: &Authority, subject: &Subject, days: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, subject.common_name.as_str());
    params.not_before = OffsetDateTime::from_unix_timestamp(NOW - 400 * DAY).unwrap();
    params.not_after = OffsetDateTime::from_unix_timestamp(NOW + days * DAY).unwrap();
    params.extended_key_usages = subject
        .usages
        .iter()
        .map(|usage| match usage {
            Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
        })
        .collect();
    let names = subject.names.iter();
    let names = names.map(|name| SanType::DnsName(name.as_str().try_into().unwrap()));
    let addresses = subject.addresses.iter().copied().map(SanType::IpAddress);
    params.subject_alt_names = names.chain(addresses).collect();
    let certificate = params.signed_by(&key, &by.issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn wanted(folder: &str, authority: &Authority) -> Certificate {
    Certificate {
        path: format!("{folder}/server.crt"),
        keeping: Keeping::Apart {
            key: format!("{folder}/server.key"),
            group: None,
        },
        subject: subject(),
        authority: authority.pem.clone(),
        host: "e-1".to_owned(),
    }
}

fn present(certificate: &Certificate, pem: &str) -> Seen {
    let Seen::Present {
        sha256,
        stat,
        key,
        link,
        pair,
        ..
    } = certificate.as_wanted()
    else {
        unreachable!()
    };
    let issued = Issued::read(pem, &certificate.authority, NOW).map(Box::new);
    Seen::Present {
        sha256,
        stat,
        key,
        link,
        pair,
        issued,
    }
}

#[test]
fn what_is_wrong_with_it_is_said() {
    let (ours, theirs) = (authority(), authority());
    let certificate = wanted("/etc/etcd/pki", &ours);
    let with = |change: fn(&mut Subject)| {
        let mut other = subject();
        change(&mut other);
        leaf(&ours, &other, 365).0
    };
    let cases: [(&str, String, &[&str]); 8] = [
        ("as wanted", leaf(&ours, &subject(), 365).0, &[]),
        ("31 days left", leaf(&ours, &subject(), 31).0, &[]),
        (
            "29 days left",
            leaf(&ours, &subject(), 29).0,
            &["expires 2027-02-13"],
        ),
        (
            "ended",
            leaf(&ours, &subject(), -1).0,
            &["expired 2027-01-14"],
        ),
        // Of the same name: the signature tells them apart.
        (
            "another authority",
            leaf(&theirs, &subject(), 365).0,
            &["another authority issued it"],
        ),
        (
            "another address",
            with(|s| s.addresses = ["10.0.0.99".parse().unwrap()].into()),
            &["for e-1, localhost, 10.0.0.99 -> e-1, localhost, 10.0.0.21, ::1"],
        ),
        (
            "another name",
            with(|s| s.common_name = "e-9".to_owned()),
            &["issued to e-9 -> e-1"],
        ),
        (
            "a client's only",
            with(|s| s.usages = [Usage::Client].into()),
            &["other usages"],
        ),
    ];
    for (what, pem, expected) in cases {
        let difference = certificate.diff(&present(&certificate, &pem));
        let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        match difference {
            None => assert!(expected.is_empty(), "{what}"),
            Some(difference) => {
                expected.push("issue a new one".to_owned());
                assert_eq!(difference.details, expected, "{what}");
            }
        }
    }
    let rubbish = certificate.diff(&present(&certificate, "rubbish")).unwrap();
    assert_eq!(rubbish.details[0], "it is no certificate");
}

/// Runs a probe here and reads it.
fn probed(certificate: &Certificate) -> Seen {
    let script = Script::of(SECTION_FUNCTION).then(&probe(&[certificate]));
    let output = Process::new("sh")
        .args(["-c", script.as_str()])
        .output()
        .unwrap();
    certificate
        .parse(&Answers::parse(&output.stdout).unwrap())
        .unwrap()
}

#[test]
fn a_pair_is_put_in_place_seen_and_distinguished_from_another_key() {
    let ours = authority();
    let folder = tempfile::tempdir().unwrap();
    let certificate = wanted(&folder.path().display().to_string(), &ours);
    assert_eq!(probed(&certificate), Seen::Absent);
    let (pem, key) = leaf(&ours, &subject(), 365);
    let fill = |content: &Content| match content {
        Content::Filled(name) if *name == certificate.certificate_placeholder() => {
            Zeroizing::new(pem.clone())
        }
        Content::Filled(name) if *name == certificate.key_placeholder() => {
            Zeroizing::new(key.clone())
        }
        other => panic!("{other:?} was not expected"),
    };
    let apply = |seen: &Seen| {
        // Only root may give a file away; the tests need not be root.
        let script = Script::of("set -eu\nchown() { :; }\n")
            .with(OWN_FUNCTION)
            .with(PUT_FUNCTION)
            .with(FUNCTIONS)
            .then(&certificate.apply(seen, &fill));
        Process::new("sh")
            .args(["-c", script.as_str()])
            .output()
            .unwrap()
    };
    let output = apply(&Seen::Absent);
    assert!(output.status.success(), "{output:?}");
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    assert_eq!(
        (read(&certificate.path), read(certificate.key())),
        (pem.clone(), key.clone())
    );

    let Seen::Present {
        pair,
        issued,
        key: Some(stat),
        ..
    } = probed(&certificate)
    else {
        panic!("it is there")
    };
    assert!(pair);
    assert_eq!(issued.unwrap().subject, subject());
    assert!(
        stat.differences_of("", 0o600, "regular")
            .iter()
            .all(|d| d.starts_with("owner"))
    );

    std::fs::write(certificate.key(), leaf(&ours, &subject(), 365).1).unwrap();
    let seen = probed(&certificate);
    assert!(
        certificate
            .diff(&seen)
            .unwrap()
            .details
            .contains(&"the key is another's".to_owned())
    );

    // Somebody replaces the certificate after the plan was made.
    std::fs::write(&certificate.path, leaf(&ours, &subject(), 99).0).unwrap();
    assert_eq!(apply(&seen).status.code(), Some(75));
}

#[test]
fn both_in_one_file_are_put_beside_a_link_and_the_key_stays_on_the_host() {
    let ours = authority();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubelet-client-current.pem");
    let certificate = Certificate {
        path: path.display().to_string(),
        keeping: Keeping::Linked,
        ..wanted("", &ours)
    };
    assert_eq!(probed(&certificate), Seen::Absent);
    let apply = |pem: &str, key: &str| {
        let both = certificate.certificate_placeholder() + &certificate.key_placeholder();
        let fill = |content: &Content| match content {
            Content::Filled(name) if *name == both => Zeroizing::new(format!("{pem}{key}")),
            other => panic!("{other:?} was not expected"),
        };
        let script = Script::of("set -eu\nchown() { :; }\n")
            .with(OWN_FUNCTION)
            .with(PUT_FUNCTION)
            .with(FUNCTIONS)
            .then(&certificate.apply(&Seen::Absent, &fill));
        let output = Process::new("sh")
            .args(["-c", script.as_str()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let (old, old_key) = leaf(&ours, &subject(), 10);
    apply(&old, &old_key);
    let (pem, key) = leaf(&ours, &subject(), 365);
    apply(&pem, &key);
    let target = std::fs::read_link(&path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&target).unwrap(),
        format!("{pem}{key}")
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        3,
        "the old file stays, and nothing else is there"
    );

    let owned = |seen: &Seen| {
        let details = certificate.diff(seen).map_or_else(Vec::new, |d| d.details);
        let matters = |detail: &String| !detail.contains("owner") && detail != "issue a new one";
        details.into_iter().filter(matters).collect::<Vec<_>>()
    };
    let seen = probed(&certificate);
    assert_eq!(owned(&seen), [""; 0]);
    assert!(matches!(
        seen,
        Seen::Present {
            pair: true,
            link: true,
            ..
        }
    ));

    std::fs::remove_file(&path).unwrap();
    std::fs::copy(&target, &path).unwrap();
    assert_eq!(owned(&probed(&certificate)), ["no link, as kubelets want"]);
    let script = probe(&[&certificate]);
    let output = Process::new("sh")
        .args(["-c", script.as_str()])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("PRIVATE"), "{said}");
}
