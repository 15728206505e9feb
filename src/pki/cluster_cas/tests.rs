use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use time::macros::datetime;

use super::*;
use crate::pki::{LeafRequest, Usage, certificate, not_after};

const NOW: OffsetDateTime = datetime!(2026-05-04 03:02:01 UTC);
static OURS: LazyLock<ClusterCas> = LazyLock::new(|| ClusterCas::generate(NOW).unwrap());
static OTHERS: LazyLock<ClusterCas> = LazyLock::new(|| ClusterCas::generate(NOW).unwrap());

type Files = BTreeMap<String, SecretString>;

fn files(cas: &ClusterCas) -> Files {
    cas.files()
        .into_iter()
        .map(|file| (file.path.to_owned(), file.content))
        .collect()
}

fn read(files: &Files) -> Result<ClusterCas, Error> {
    ClusterCas::from_files(|path| files.get(path).cloned(), NOW)
}

/// Runs openssl in a directory; its output, or a panic with its complaint.
fn openssl(dir: &Path, args: &str) -> String {
    let out = Command::new("openssl")
        .args(args.split(' '))
        .current_dir(dir)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "openssl {args}: {complaint}");
    String::from_utf8(out.stdout).unwrap()
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}

/// Serial numbers, keys, identifiers and signatures differ from run to run.
fn profile(dir: &Path, certificate: &str) -> String {
    write(dir, "profile.crt", certificate);
    // newer releases of openssl put no blanks around the sign
    let text = openssl(dir, "x509 -in profile.crt -noout -text").replace(" = ", "=");
    let hex = |line: &str| {
        let line = line.trim();
        line.contains(':') && line.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
    };
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = if hex(line) {
            "                [hex]".to_owned()
        } else {
            line.trim_end().to_owned()
        };
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[test]
fn profile_of_an_authority() {
    let dir = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(profile(dir.path(), OURS.kubernetes.certificate()));
}

#[test]
fn profile_of_the_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let leaf = OURS.kubernetes.issue(&LeafRequest::admin(), NOW).unwrap();
    insta::assert_snapshot!(profile(dir.path(), &leaf.certificate));
}

#[test]
fn openssl_verifies_leaves_for_their_purpose_only() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let leaf = OURS.kubernetes.issue(&LeafRequest::admin(), NOW).unwrap();
    write(dir, "ca.crt", OURS.kubernetes.certificate());
    write(dir, "other.crt", OTHERS.kubernetes.certificate());
    write(dir, "leaf.crt", &leaf.certificate);
    write(dir, "leaf.key", leaf.key.expose_secret());
    let verify = |ca: &str, purpose: &str| {
        let at = NOW.unix_timestamp();
        let args =
            format!("verify -x509_strict -attime {at} -purpose {purpose} -CAfile {ca} leaf.crt");
        Command::new("openssl")
            .args(args.split(' '))
            .current_dir(dir)
            .output()
            .unwrap()
            .status
    };
    assert!(verify("ca.crt", "sslclient").success());
    assert!(!verify("ca.crt", "sslserver").success());
    assert!(!verify("other.crt", "sslclient").success());
    assert_eq!(
        openssl(dir, "x509 -in leaf.crt -noout -pubkey"),
        openssl(dir, "pkey -in leaf.key -pubout")
    );
}

#[test]
fn a_serving_leaf_names_what_it_serves() {
    let dir = tempfile::tempdir().unwrap();
    let request = LeafRequest {
        usages: vec![Usage::Server, Usage::Client],
        names: vec!["kube.example.org".to_owned()],
        addresses: vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
        ..LeafRequest::admin()
    };
    let leaf = OURS.etcd.issue(&request, NOW).unwrap();
    let text = profile(dir.path(), &leaf.certificate);
    assert!(
        text.contains("DNS:kube.example.org, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1")
    );
    assert!(text.contains("TLS Web Server Authentication, TLS Web Client Authentication"));
    let bad = LeafRequest {
        names: vec!["käse".to_owned()],
        ..request
    };
    assert!(matches!(
        OURS.etcd.issue(&bad, NOW),
        Err(Error::Sign { .. })
    ));
}

#[test]
fn serials_are_positive_and_differ() {
    let serials: Vec<_> = [&OURS.kubernetes, &OURS.etcd, &OTHERS.etcd]
        .map(|authority| {
            certificate::read("ca.crt", authority.certificate(), |c| {
                c.raw_serial().to_vec()
            })
        })
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(
        serials
            .iter()
            .all(|serial| serial.len() == 16 && serial[0] & 0x80 == 0)
    );
    assert!(serials[0] != serials[1] && serials[1] != serials[2]);
}

#[test]
fn a_leaf_ends_no_later_than_its_authority() {
    let authority_end = not_after("ca.crt", OURS.kubernetes.certificate()).unwrap();
    assert_eq!(authority_end, NOW + time::Duration::days(3650));
    let late = authority_end - time::Duration::days(3);
    let leaf = OURS.kubernetes.issue(&LeafRequest::admin(), late).unwrap();
    assert_eq!(not_after("leaf", &leaf.certificate).unwrap(), authority_end);
    let leaf = OURS.kubernetes.issue(&LeafRequest::admin(), NOW).unwrap();
    assert_eq!(
        not_after("leaf", &leaf.certificate).unwrap(),
        NOW + time::Duration::days(365)
    );
}

#[test]
fn the_pin_is_what_openssl_computes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "ca.crt", OURS.kubernetes.certificate());
    write(
        dir,
        "ca.pub",
        &openssl(dir, "x509 -in ca.crt -noout -pubkey"),
    );
    openssl(dir, "pkey -pubin -in ca.pub -outform DER -out ca.der");
    let hash = openssl(dir, "dgst -sha256 -r ca.der");
    let hash = hash.split(' ').next().unwrap();
    assert_eq!(OURS.kubernetes.pin(), format!("sha256:{hash}"));
    let print = openssl(dir, "x509 -in ca.crt -noout -fingerprint -sha256");
    assert_eq!(
        print.trim().split('=').nth(1).unwrap(),
        OURS.kubernetes.fingerprint().to_string()
    );
}

#[test]
fn files_have_kubeadms_paths_and_modes() {
    let rows: Vec<_> = OURS
        .files()
        .iter()
        .map(|file| {
            let label = file
                .content
                .expose_secret()
                .lines()
                .next()
                .unwrap()
                .replace('-', "");
            format!(
                "{:o} {} {} secret={}",
                file.mode, file.path, label, file.secret
            )
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn files_are_read_back() {
    let back = read(&files(&OURS)).unwrap();
    assert_eq!(compare(&OURS.fingerprints(), &back.fingerprints()), Ok(()));
    assert_eq!(back.service_account.public(), OURS.service_account.public());
}

#[test]
fn the_service_account_key_is_a_sound_rsa_pair() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "sa.key",
        OURS.service_account.private().expose_secret(),
    );
    let check = openssl(dir.path(), "rsa -in sa.key -check -noout");
    assert_eq!(check.trim(), "RSA key ok");
    assert_eq!(
        openssl(dir.path(), "pkey -in sa.key -pubout"),
        OURS.service_account.public()
    );
}

#[test]
fn broken_files_are_refused_by_name() {
    let spoil = |path: &str, with: Option<&SecretString>| {
        let mut files = files(&OURS);
        files.remove(path);
        files.extend(with.map(|text| (path.to_owned(), text.clone())));
        read(&files).unwrap_err().to_string()
    };
    let theirs = files(&OTHERS);
    let leaf = OURS.kubernetes.issue(&LeafRequest::admin(), NOW).unwrap();
    let text = SecretString::from("nothing");
    let errors = [
        spoil("etcd/ca.key", None),
        spoil("sa.pub", None),
        spoil("ca.crt", Some(&text)),
        spoil("ca.key", Some(&text)),
        spoil("ca.key", theirs.get("ca.key")),
        spoil("front-proxy-ca.crt", theirs.get("front-proxy-ca.crt")),
        spoil("sa.pub", theirs.get("sa.pub")),
        spoil("ca.crt", Some(&leaf.certificate.as_str().into())),
        spoil("sa.key", theirs.get("ca.crt")),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn an_authority_out_of_its_time_is_refused() {
    let files = files(&OURS);
    let at = |now| {
        let read = ClusterCas::from_files(|path| files.get(path).cloned(), now);
        read.unwrap_err().to_string()
    };
    insta::assert_snapshot!(at(NOW + time::Duration::days(3651)), @"ca.crt expired at 2036-05-01T03:02:01Z; authorities have to be rotated by hand");
    insta::assert_snapshot!(at(NOW - time::Duration::days(1)), @"ca.crt is valid only from 2026-05-04T02:57:01Z; check the clock here");
}

#[test]
fn another_clusters_cas_are_distinguished() {
    let difference = compare(&OURS.fingerprints(), &OTHERS.fingerprints()).unwrap_err();
    let text = difference.to_string();
    assert!(text.contains(&OURS.kubernetes.fingerprint().to_string()));
    assert!(text.contains(&OTHERS.service_account.fingerprint().to_string()));
    assert_eq!(text.lines().count(), 10);
    let almost = Fingerprints {
        etcd: OTHERS.etcd.fingerprint(),
        ..OURS.fingerprints()
    };
    let text = compare(&OURS.fingerprints(), &almost)
        .unwrap_err()
        .to_string();
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn keys_are_not_in_debug_output() {
    let shown = format!("{:?} {:?}", *OURS, OURS.files());
    assert!(!shown.contains("PRIVATE"));
    assert!(shown.contains("REDACTED"));
}

/// An authority as openssl makes it, its key in the form that kubeadm writes.
fn foreign(dir: &Path, keygen: &str, convert: &str) -> (String, SecretString) {
    openssl(dir, &format!("{keygen} -out raw.key"));
    openssl(dir, &format!("{convert} -in raw.key -out foreign.key"));
    openssl(
        dir,
        "req -x509 -key foreign.key -days 30000 -subj /CN=kubernetes -out foreign.crt \
         -addext keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
    );
    let text = |name| std::fs::read_to_string(dir.join(name)).unwrap();
    (text("foreign.crt"), text("foreign.key").into())
}

#[test]
fn cas_of_other_makers_are_adopted() {
    let rsa = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";
    let (p256, p384) = (
        "ecparam -genkey -name prime256v1",
        "ecparam -genkey -name secp384r1",
    );
    let kinds = [
        (rsa, "rsa -traditional", "BEGIN RSA PRIVATE KEY"),
        (rsa, "pkcs8 -topk8 -nocrypt", "BEGIN PRIVATE KEY"),
        (p256, "ec", "BEGIN EC PRIVATE KEY"),
        (p256, "pkcs8 -topk8 -nocrypt", "BEGIN PRIVATE KEY"),
        (p384, "ec", "BEGIN EC PRIVATE KEY"),
    ];
    for (keygen, convert, label) in kinds {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let (certificate, key) = foreign(dir, keygen, convert);
        assert!(key.expose_secret().contains(label), "{keygen} {convert}");
        // made by openssl's own clock
        let now = not_after("ca.crt", &certificate).unwrap() - time::Duration::days(400);
        let parts = (("ca.crt", certificate), ("ca.key", key));
        let authority = Authority::from_pem(parts.0, parts.1, now).unwrap();
        let leaf = authority.issue(&LeafRequest::admin(), now).unwrap();
        write(dir, "leaf.crt", &leaf.certificate);
        let at = now.unix_timestamp();
        openssl(
            dir,
            &format!("verify -attime {at} -purpose sslclient -CAfile foreign.crt leaf.crt"),
        );
    }
}
