//! Drafts become inventories that read well and mean what was meant.

use std::path::Path;

use super::*;
use crate::inventory;

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).expect(text)
}

fn node(text: &str, address: &str, role: Role) -> DraftNode {
    let mut node = DraftNode::new(name(text), vec![role]);
    node.ssh.host = Some(address.to_owned());
    node
}

fn stacked() -> Draft {
    let mut draft = Draft::new(name("demo"), "`kdiy init`");
    draft.nodes = vec![
        node("lb-1", "192.0.2.10", Role::LoadBalancer),
        node("cp-1", "192.0.2.11", Role::ControlPlane),
        node("cp-2", "192.0.2.12", Role::ControlPlane),
        node("cp-3", "192.0.2.13", Role::ControlPlane),
        node("w-1", "192.0.2.21", Role::Worker),
    ];
    draft
}

fn load(text: &str) -> inventory::Loaded {
    let unread = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    inventory::load(text, &unread)
}

#[test]
fn a_stacked_cluster_reads_well() {
    let text = stacked().text();
    insta::assert_snapshot!(text);
    assert!(load(&text).cluster.is_some(), "{text}");
}

#[test]
fn what_all_nodes_share_is_written_once() {
    let mut draft = stacked();
    for node in &mut draft.nodes {
        node.ssh.user = Some("ops".to_owned());
        node.ssh.identities = vec![PathBuf::from("~/.ssh/lab")];
        node.ssh.port = Some(2222);
    }
    draft.nodes[4].ssh.user = Some("root".to_owned());
    draft.nodes[4].labels = BTreeMap::from([("disk".to_owned(), "1".to_owned())]);
    draft.nodes[3].ssh.host_key = Some(format!("SHA256:{}", "A".repeat(43)));
    draft.nodes[3].address = Some("10.0.0.3".parse().expect("an address"));
    let text = draft.text();
    insta::assert_snapshot!(text);
    let cluster = load(&text).cluster.expect("valid");
    assert_eq!(cluster.nodes[0].login.user.as_deref(), Some("ops"));
    assert_eq!(cluster.nodes[4].login.user.as_deref(), Some("root"));
    assert_eq!(cluster.nodes[4].login.port, Some(2222));
}

#[test]
fn a_base_replaces_and_adds_with_its_comments() {
    let base = "---
# Our mirrors.
images:
  mirrors:
    docker.io: https://mirror.example.org   # nightly
  # indented: belongs to images

# Not a layer-2 network.
network:
  cni: none
";
    let mut draft = stacked();
    draft.base = Some(Base::parse(base).expect("a base"));
    let text = draft.text();
    insta::assert_snapshot!(text);
    assert!(load(&text).cluster.is_some(), "{text}");
    for (wrong, code) in [
        ("nodes: []\n", "unknown-key"),
        ("- a\n", "wrong-type"),
        ("{name: a}\n", "wrong-type"),
        ("", "empty"),
        ("a: 1\na: 2\n", "duplicate-key"),
        ("a: [\n", "yaml-syntax"),
    ] {
        let findings = Base::parse(wrong).expect_err(wrong);
        assert_eq!(findings[0].code, code, "{wrong}");
    }
}

/// Everything that is said of files that come to no draft; what is told of one
/// file is one finding at least, each with what to do.
pub(super) fn refused(imported: &imported::Imported) -> String {
    use crate::inventory::{Style, render};
    let source = &imported.sources[0];
    assert_eq!(imported.draft, None, "{} came to a draft", source.text);
    assert!(!source.findings.is_empty());
    assert!(source.findings.iter().all(|finding| finding.help.is_some()));
    let style = Style {
        color: false,
        width: 100,
    };
    render(&source.findings, &source.name, &source.text, style)
}

/// The files of `tests/fixtures/imports` of one kind, by name, with their
/// texts.
pub(super) fn fixtures(kind: &str) -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/fixtures/imports").join(kind);
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let text = std::fs::read_to_string(entry.path()).expect("a text");
        let name = entry.file_name().into_string().expect("a name");
        (name, text)
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the fixtures")
        .map(read)
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{kind}: {} fixtures", files.len());
    files
}
