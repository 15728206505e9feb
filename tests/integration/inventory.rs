//! Inventories: good ones load, broken ones say what is wrong.

use std::path::{Path, PathBuf};

use kdiy::inventory::{Finding, Loaded, Severity, Style, load, render};

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
        let expected: &[&str] = if name_of(&path) == "single.yaml" {
            &["not-ha"]
        } else {
            &[]
        };
        assert_eq!(warnings, expected, "{said}");
    }
}

#[test]
fn every_broken_inventory_says_what_is_wrong() {
    let files = yaml_files("tests/fixtures/broken");
    assert!(files.len() >= 45, "only {} fixtures", files.len());
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
