//! Requests judged by the shell text itself, as a control plane does.

use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SanType};

use super::*;
use crate::cluster::Version;
use crate::kubeadm::tests::{few, ipv6};

const NODE: &str = "w1";
const USAGES: &str = "u-dks";
const GROUPS: &str = "g-n";

/// A request as Go makes one.
fn request(organization: &str, common_name: &str, names: &[SanType]) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let printable = |text: &str| DnValue::PrintableString(text.try_into().unwrap());
    let subject = &mut params.distinguished_name;
    subject.push(DnType::OrganizationName, printable(organization));
    subject.push(DnType::CommonName, printable(common_name));
    params.subject_alt_names = names.into();
    let key = KeyPair::generate().unwrap();
    let pem = params.serialize_request(&key).unwrap().pem().unwrap();
    BASE64_STANDARD.encode(pem.replace('\r', ""))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn ip(address: &str) -> SanType {
    SanType::IpAddress(address.parse().unwrap())
}

fn judge(
    resolved: &ResolvedCluster,
    usages: &str,
    groups: &str,
    request: &str,
    requestor: &str,
) -> String {
    let script = functions(resolved)
        .lit("kdiy_judge ")
        .args([usages, groups, request, requestor]);
    let output = Command::new("sh")
        .args(["-c", script.as_str()])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn honest() -> String {
    let names = [dns(NODE), ip("192.0.2.14")];
    request("system:nodes", "system:node:w1", &names)
}

#[test]
fn what_a_kubelet_asks_for_itself_is_good() {
    let resolved = few(Version::new(1, 34, 1));
    let who = requestor(NODE);
    for names in [
        vec![dns(NODE), ip("192.0.2.14")],
        vec![dns(NODE)],
        vec![ip("192.0.2.14")],
    ] {
        let text = request("system:nodes", "system:node:w1", &names);
        for usages in ["u-dks", "u-ds", "u-sd"] {
            assert_eq!(judge(&resolved, usages, GROUPS, &text, &who), "good");
        }
    }
    let names = [dns(NODE), ip("2001:db8::14")];
    let text = request("system:nodes", "system:node:w1", &names);
    let resolved = ipv6(Version::new(1, 34, 1));
    assert_eq!(judge(&resolved, USAGES, GROUPS, &text, &who), "good");
}

#[test]
fn whatever_is_not_its_own_is_not() {
    let resolved = few(Version::new(1, 34, 1));
    let who = requestor(NODE);
    let says = |names: &[SanType]| {
        let text = request("system:nodes", "system:node:w1", names);
        judge(&resolved, USAGES, GROUPS, &text, &who)
    };
    let own = || vec![dns(NODE), ip("192.0.2.14")];
    let with = |more: SanType| [own(), vec![more]].concat();
    assert_eq!(says(&with(dns("api.example"))), "names");
    assert_eq!(says(&with(ip("192.0.2.11"))), "names");
    assert_eq!(
        says(&with(SanType::Rfc822Name("a@b".try_into().unwrap()))),
        "names"
    );
    assert_eq!(says(&[dns("cp1"), ip("192.0.2.14")]), "names");
    assert_eq!(says(&[dns(NODE), ip("192.0.2.11")]), "names");
    assert_eq!(says(&[]), "names");
    for (organization, common_name) in [
        ("system:nodes", "system:node:cp1"),
        ("system:masters", "system:node:w1"),
        ("system:nodes", "system:node:w11"),
    ] {
        let text = request(organization, common_name, &own());
        assert_eq!(judge(&resolved, USAGES, GROUPS, &text, &who), "subject");
    }
}

#[test]
fn who_asks_and_for_what_counts_too() {
    let resolved = few(Version::new(1, 34, 1));
    let (text, who) = (honest(), requestor(NODE));
    let says = |usages: &str, groups: &str, who: &str| judge(&resolved, usages, groups, &text, who);
    for usages in ["u-", "u-d", "u-s", "u-dksx", "u-x", ""] {
        assert_eq!(says(usages, GROUPS, &who), "usages", "{usages}");
    }
    assert_eq!(says(USAGES, "g-", &who), "groups");
    for stranger in [
        requestor("lb1"),
        requestor("w9"),
        "w1".to_owned(),
        "*".to_owned(),
        String::new(),
    ] {
        assert_eq!(says(USAGES, GROUPS, &stranger), "stranger", "{stranger}");
    }
    assert_eq!(says(USAGES, GROUPS, &requestor("cp1")), "subject");
}

#[test]
fn other_forms_of_a_good_request_are_refused() {
    let resolved = few(Version::new(1, 34, 1));
    let pem = BASE64_STANDARD.decode(honest()).unwrap();
    let pem = String::from_utf8(pem).unwrap();
    let zero = pem.replacen('\n', "\0\n", 1);
    let header = pem.replacen('\n', "\nA: b\n", 1);
    let texts = [
        String::new(),
        "AAAA".to_owned(),
        format!("x\n{pem}"),
        format!("{pem}{pem}"),
        pem.trim().to_owned(),
        pem.replace("NEW ", "")
            .replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        zero,
        header,
    ];
    for text in texts {
        let text = BASE64_STANDARD.encode(&text);
        let said = judge(&resolved, USAGES, GROUPS, &text, &requestor(NODE));
        assert_eq!(said, "form", "{text}");
    }
}

#[test]
fn answers_are_read_and_nothing_unknown_is_good() {
    let requests = parse(
        "csr-1 good \"system:node:w1\"\ncsr-2 names \"system:node:a b\"\ncsr-3 well \"x\"\nbroken\n",
    );
    let objections: Vec<_> = requests.iter().map(|r| (&*r.name, r.objection)).collect();
    assert_eq!(
        objections,
        [
            ("csr-1", None),
            (
                "csr-2",
                Some("it asks for other names or addresses than the node's own")
            ),
            ("csr-3", Some("it could not be judged")),
        ]
    );
    assert_eq!(requests[1].requestor, "\"system:node:a b\"");
}
