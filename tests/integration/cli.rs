//! The command line without any host.

use std::path::{Path, PathBuf};
use std::time::Instant;

use assert_cmd::Command;

pub fn kdiy() -> Command {
    let mut command = Command::cargo_bin("kdiy").expect("the program");
    command
        .env_remove("KDIY_INVENTORY")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("SSH_AUTH_SOCK");
    command
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs it; the exit code must be this one. Both streams.
pub fn run(command: &mut Command, code: i32) -> (String, String) {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

#[test]
fn the_version_is_reported() {
    let (out, _) = run(kdiy().arg("--version"), 0);
    assert_eq!(out, format!("kdiy {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_missing_inventory_is_named() {
    for verb in ["validate", "plan", "apply", "kubeconfig", "status"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (out, err) = run(kdiy().arg(verb).current_dir(folder.path()), 3);
        assert_eq!(out, "");
        assert!(
            err.contains("kdiy.yaml") && err.contains("-i FILE"),
            "{err}"
        );
        assert!(
            !folder.path().join(".kdiy").exists(),
            "state was made for nothing"
        );
    }
}

#[test]
fn broken_inventories_are_refused_by_every_command() {
    let folder = root().join("tests/fixtures/broken");
    let copy = tempfile::tempdir().expect("a folder");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "only {} fixtures", files.len());
    for (place, file) in files.iter().enumerate() {
        let verb = ["validate", "plan", "apply", "kubeconfig"][place % 4];
        let (out, err) = run(
            kdiy().args([verb, "-i"]).arg(file).current_dir(copy.path()),
            3,
        );
        let name = file.file_name().expect("a name").to_string_lossy();
        assert_eq!(out, "", "{name}");
        assert!(err.contains(&*name), "{name} is not named:\n{err}");
    }
    assert!(!folder.join(".kdiy").exists(), "state was made for nothing");
}

#[test]
fn examples_are_valid_and_say_what_they_tolerate() {
    let inventory = root().join("inventories/stacked-ha.yaml");
    let (out, err) = run(kdiy().arg("validate").arg("-i").arg(&inventory), 0);
    assert!(out.contains("tolerates"), "{out}");
    assert_eq!(err, "");
    let (out, _) = run(
        kdiy()
            .args(["validate", "--output", "json", "-i"])
            .arg(&inventory),
        0,
    );
    serde_json::from_str::<serde_json::Value>(&out).expect("JSON");
}

#[test]
fn colours_are_for_terminals_or_when_asked_for() {
    let broken = root().join("tests/fixtures/broken/unknown-keys.yaml");
    let validate =
        |words: &[&str]| run(kdiy().arg("validate").arg("-i").arg(&broken).args(words), 3).1;
    assert!(!validate(&[]).contains('\x1b'));
    assert!(!validate(&["--color", "never"]).contains('\x1b'));
    assert!(validate(&["--color", "always"]).contains('\x1b'));
}

/// Addresses that nobody has (RFC 5737).
const NOWHERE: &str = "apiVersion: kdiy/v1alpha1
name: nowhere
version: 1.34.1
nodes:
  - {name: cp-1, ssh: 192.0.2.1, role: control-plane}
network: {cni: bridge}
";

#[test]
fn unknown_nodes_in_the_limit_are_refused_before_anything_is_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("kdiy.yaml"), NOWHERE).expect("a file");
    let began = Instant::now();
    let plan = ["plan", "--limit", "cp-9", "--connect-timeout", "30"];
    let (_, err) = run(kdiy().args(plan).current_dir(folder.path()), 64);
    assert!(
        err.contains("cp-9") && err.contains("its nodes are cp-1"),
        "{err}"
    );
    assert!(began.elapsed().as_secs() < 10);
}

#[test]
fn an_unreachable_host_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("kdiy.yaml"), NOWHERE).expect("a file");
    let apply = ["apply", "--yes", "--connect-timeout", "1"];
    let mut command = kdiy();
    command
        .args(apply)
        .current_dir(folder.path())
        .env("HOME", folder.path());
    let (_, err) = run(&mut command, 4);
    assert!(err.contains("cp-1: cannot reach 192.0.2.1:22"), "{err}");
    assert!(
        !folder.path().join(".kdiy").exists(),
        "state was made for nothing"
    );
}

#[test]
fn a_saved_plan_of_something_else_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("kdiy.yaml"), NOWHERE).expect("a file");
    let saved = format!(
        r#"{{"kdiy":"{}","cluster":"other","limit":[],"plan":{{"steps":[]}}}}"#,
        env!("CARGO_PKG_VERSION")
    );
    std::fs::write(folder.path().join("saved.plan"), saved).expect("a file");
    let apply = ["apply", "--yes", "saved.plan"];
    let (_, err) = run(kdiy().args(apply).current_dir(folder.path()), 8);
    assert!(err.contains("a plan of another cluster"), "{err}");
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_nothing_is_reached_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("kdiy.yaml"), NOWHERE).expect("a file");
    let file = folder.path().join("snap.db");
    std::fs::write(&file, "old").expect("a file");
    let began = Instant::now();
    let save = [
        "etcd",
        "snapshot",
        "save",
        "snap.db",
        "--connect-timeout",
        "30",
    ];
    let (_, err) = run(kdiy().args(save).current_dir(folder.path()), 1);
    assert!(
        err.contains("there already") && err.contains("--force"),
        "{err}"
    );
    assert_eq!(std::fs::read(&file).expect("a file"), b"old");
    assert!(began.elapsed().as_secs() < 10);
}

#[test]
fn etcd_on_hosts_that_nobody_reaches_is_shown_and_not_called_down() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("kdiy.yaml"), NOWHERE).expect("a file");
    let kdiy = |words: &[&str]| {
        let mut command = kdiy();
        command
            .args(words)
            .args(["--connect-timeout", "1"])
            .current_dir(folder.path())
            .env("HOME", folder.path());
        run(&mut command, 4)
    };
    let (out, _) = kdiy(&["etcd", "status"]);
    assert!(out.contains("cp-1") && out.contains("unreachable"), "{out}");
    assert!(!out.contains('\x1b'), "{out}");
    let (out, _) = kdiy(&["etcd", "status", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(document["verdict"], "unknown");
    assert_eq!(document["members"][0]["state"], "unreachable");
    let (out, _) = kdiy(&["status"]);
    assert!(out.contains("unknown, as no host can be asked"), "{out}");
    assert!(out.contains("cp-1: cannot reach"), "{out}");
    let (out, _) = kdiy(&["status", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(document["verdict"], "unknown");
    assert_eq!(document["drift"], serde_json::Value::Null);
    let (_, err) = kdiy(&["etcd", "snapshot", "save", "snap.db"]);
    assert!(err.contains("cp-1: cannot reach 192.0.2.1:22"), "{err}");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "something was left behind");
}
