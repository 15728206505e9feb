//! Inventories: good ones load, broken ones say what is wrong.

mod shapes;

use std::path::{Path, PathBuf};

use kdiy::cluster::describe;
use kdiy::inventory::{CODES, Finding, Loaded, Severity, Style, load, render};
use proptest::prelude::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn load_file(path: &Path) -> (String, Loaded) {
    let text = std::fs::read_to_string(path).expect("an inventory");
    let beside = path.parent().expect("a folder").to_owned();
    let loaded = load(&text, &|name| std::fs::read_to_string(beside.join(name)));
    (text, loaded)
}

fn yaml_files(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).expect("a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    files
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn drawn(findings: &[Finding], name: &str, text: &str) -> String {
    render(
        findings,
        name,
        text,
        Style {
            color: false,
            width: 120,
        },
    )
}

#[test]
fn examples_load_without_errors() {
    for path in yaml_files("inventories") {
        let (text, loaded) = load_file(&path);
        let said = drawn(&loaded.findings, &name_of(&path), &text);
        assert!(loaded.cluster.is_some(), "{said}");
        let warnings: Vec<&str> = loaded.findings.iter().map(|finding| finding.code).collect();
        let expected: &[&str] = match name_of(&path).as_str() {
            "single.yaml" | "docker.yaml" | "vagrant.yaml" => &["not-ha"],
            _ => &[],
        };
        assert_eq!(warnings, expected, "{said}");
    }
}

#[test]
fn every_broken_inventory_says_what_is_wrong() {
    let files = yaml_files("tests/fixtures/broken");
    assert!(files.len() >= 130, "only {} fixtures", files.len());
    for path in files {
        let name = name_of(&path);
        let (text, loaded) = load_file(&path);
        assert!(
            text.starts_with("# "),
            "{name} must begin with a comment that says what is wrong"
        );
        let errors = loaded
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        assert!(errors.count() > 0, "{name} has no error");
        assert_eq!(loaded.cluster, None, "{name} came to a cluster");
        for finding in &loaded.findings {
            assert!(
                finding.help.is_some(),
                "{name}: {} has no help",
                finding.code
            );
        }
        insta::assert_snapshot!(
            name.trim_end_matches(".yaml"),
            drawn(&loaded.findings, &name, &text)
        );
    }
}

/// Defect P1: where a password has no place, it is not shown either.
#[test]
fn defect_p1_no_password_of_a_broken_inventory_is_shown() {
    for path in yaml_files("tests/fixtures/broken") {
        let (name, (text, loaded)) = (name_of(&path), load_file(&path));
        let drawn = drawn(&loaded.findings, &name, &text);
        assert!(!drawn.contains("hunter2"), "{name}: {drawn}");
        for row in kdiy::inventory::rows(&loaded.findings, &name, &text) {
            assert!(!format!("{row:?}").contains("hunter2"), "{row:?}");
        }
    }
}

#[test]
fn eight_mistakes_come_out_in_one_run() {
    let (_, loaded) = load_file(&folder("tests/fixtures/broken/eight-mistakes.yaml"));
    let errors = loaded
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let codes: Vec<&str> = errors.map(|finding| finding.code).collect();
    let expected = [
        "invalid-name",
        "unsupported-version",
        "unknown-key",
        "duplicate",
        "even-members",
        "no-balancer",
        "invalid-cidr",
        "election-times",
        "dashed-argument",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn every_code_is_listed_and_has_an_inventory_that_shows_it() {
    let mut seen = std::collections::BTreeSet::new();
    for path in yaml_files("tests/fixtures/broken") {
        seen.extend(
            load_file(&path)
                .1
                .findings
                .iter()
                .map(|finding| finding.code),
        );
    }
    let listed: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), listed);
}

#[test]
fn examples_mean_what_they_say() {
    for path in yaml_files("inventories") {
        let cluster = load_file(&path).1.cluster.expect("a cluster");
        let name = name_of(&path).replace(".yaml", "");
        insta::assert_snapshot!(format!("describe-{name}"), describe(&cluster));
        insta::assert_debug_snapshot!(format!("cluster-{name}"), cluster);
    }
}

/// Whatever is read, what comes of it holds together and can be drawn.
fn holds_together(text: &str) {
    let loaded = load(text, &|_| {
        Ok("-----BEGIN PGP PUBLIC KEY BLOCK-----".to_owned())
    });
    let errors = loaded
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    assert_eq!(
        errors.count() == 0,
        loaded.cluster.is_some(),
        "{text:?}\n{:?}",
        loaded.findings
    );
    for finding in &loaded.findings {
        let (line, column) = finding.span.line_column(text);
        assert!(line >= 1 && column >= 1);
        assert!(finding.span.start <= finding.span.end && finding.span.end <= text.len());
    }
    for style in [
        Style {
            color: true,
            width: 0,
        },
        Style {
            color: false,
            width: 80,
        },
    ] {
        let drawn = render(&loaded.findings, "x.yaml", text, style);
        assert_eq!(drawn.is_empty(), loaded.findings.is_empty());
    }
}

/// A good inventory with some of its characters and lines changed.
fn mutated() -> impl Strategy<Value = String> {
    let texts: Vec<String> = yaml_files("inventories")
        .into_iter()
        .map(|path| std::fs::read_to_string(path).expect("an inventory"))
        .collect();
    let pieces = [
        "", "\"", "'", "\n", "  ", "\t", "{", "]", ": ", "- ", "*a", "&a ", "null", "é", "0", "-1",
        "#", "\r", "|", "!x ", "? ",
    ];
    let change = (
        0.0..1.0f64,
        0usize..6,
        prop::sample::select(pieces.to_vec()),
    );
    let changes = prop::collection::vec(change, 1..6);
    (prop::sample::select(texts), changes).prop_map(|(mut text, changes)| {
        for (place, removed, piece) in changes {
            let chars: Vec<char> = text.chars().collect();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place in a short text"
            )]
            let start = (place * chars.len() as f64) as usize;
            let end = (start + removed).min(chars.len());
            text = chars[..start].iter().collect::<String>()
                + piece
                + &chars[end..].iter().collect::<String>();
        }
        text
    })
}

/// A good inventory with whole lines left out.
fn thinned() -> impl Strategy<Value = String> {
    let texts: Vec<String> = yaml_files("inventories")
        .into_iter()
        .map(|path| std::fs::read_to_string(path).expect("an inventory"))
        .collect();
    (
        prop::sample::select(texts),
        prop::collection::vec(prop::bool::weighted(0.9), 80),
    )
        .prop_map(|(text, keep)| {
            let lines = text
                .lines()
                .zip(keep.into_iter().cycle())
                .filter(|(_, keep)| *keep);
            lines.map(|(line, _)| line).collect::<Vec<_>>().join("\n")
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in "(?s).{0,200}") {
        holds_together(&text);
    }

    #[test]
    fn any_yaml_like_text_is_read_without_a_panic(text in "([a-z&*!:{}\\[\\],?|>'\"#% -]{1,6}\n? {0,4}){0,60}") {
        holds_together(&text);
    }

    #[test]
    fn damaged_inventories_are_read_without_a_panic(text in mutated()) {
        holds_together(&text);
    }

    #[test]
    fn thinned_inventories_are_read_without_a_panic(text in thinned()) {
        holds_together(&text);
    }
}

#[test]
fn large_inventories_are_refused() {
    let long = "# ".repeat(600_000);
    let deep = format!("a: {}", "[".repeat(100_000));
    let many = format!("a: [{}]", "x,".repeat(200_000));
    for text in [long, deep, many] {
        let loaded = load(&text, &|_| Err(std::io::ErrorKind::NotFound.into()));
        assert_eq!(loaded.cluster, None);
        let codes: Vec<&str> = loaded.findings.iter().map(|finding| finding.code).collect();
        assert!(
            matches!(codes[..], ["too-large" | "yaml-syntax"]),
            "{codes:?}"
        );
    }
}

#[test]
fn text_from_the_file_cannot_drive_the_terminal() {
    let text = "apiVersion: \"\\e[31mred\\x07\"\n";
    let loaded = load(text, &|_| Err(std::io::ErrorKind::NotFound.into()));
    let drawn = drawn(&loaded.findings, "x.yaml", text);
    assert!(drawn.contains("red"), "{drawn}");
    assert!(!drawn.contains(['\u{1b}', '\u{7}']), "{drawn}");
}

#[test]
fn even_members_are_taken_when_they_are_asked_for() {
    let text = "\
apiVersion: kdiy/v1alpha1
name: growing
version: 1.40
endpoint: api.example.org
loadBalancer: external
nodes:
  - {name: cp-1, address: 192.0.2.11, roles: [control-plane, worker]}
  - {name: cp-2, ssh: ops@two, interface: eth1, role: control-plane, taints: []}
network: {cni: none}
controlPlane: {etcd: {allowEvenMembers: true}}
";
    let loaded = load(text, &|_| Err(std::io::ErrorKind::NotFound.into()));
    let codes: Vec<&str> = loaded.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["untried-version", "even-members"]);
    let cluster = loaded.cluster.expect("a cluster");
    insta::assert_snapshot!("describe-even", describe(&cluster));
    assert_eq!(cluster.version.to_string(), "1.40");
    assert_eq!(cluster.nodes[0].login.host, "192.0.2.11");
    assert_eq!(cluster.nodes[0].taints, Some(Vec::new()), "a worker, too");
    assert_eq!(cluster.nodes[1].taints, Some(Vec::new()), "as written");
}

#[test]
fn thousands_of_mistakes_are_counted_and_the_first_ones_drawn() {
    let text: String = (0..20_000)
        .map(|number| format!("key-{number}: x\n"))
        .collect();
    let loaded = load(&text, &|_| Err(std::io::ErrorKind::NotFound.into()));
    let drawn = drawn(&loaded.findings, "x.yaml", &text);
    assert_eq!(drawn.matches("error[").count(), 200);
    assert!(
        drawn.ends_with("x.yaml: 20005 errors; 19805 more are not shown\n"),
        "{}",
        &drawn[drawn.len() - 200..]
    );
}
