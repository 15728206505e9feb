//! The schema, the reference and what shells are told: made of one table, and
//! held against inventories, documents and real shells.

use std::path::{Path, PathBuf};
use std::process::Command;

use kdiy::inventory::fields::{find, places};
use kdiy::inventory::reference::reference;
use kdiy::inventory::schema::schema;
use kdiy::inventory::{Severity, load};
use serde_json::Value;

/// Codes of findings that a schema refuses, too.
const KNOWN_TO_A_SCHEMA: &[&str] = &["unknown-key", "unknown-choice", "invalid-hash"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    let all = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = all
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A committed document is what the table says; `KDIY_WRITE=1` writes it.
fn committed(name: &str, made: &str) {
    let path = root().join(name);
    if std::env::var_os("KDIY_WRITE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, made).expect("it is written");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == made,
        "{name} is not what src/inventory/fields says; `KDIY_WRITE=1 cargo test --test integration schema` writes it"
    );
}

#[test]
fn the_committed_schema_is_the_one_that_is_printed() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    committed("docs/kdiy.schema.json", &text);
}

#[test]
fn the_committed_table_of_changes_is_made_of_the_code() {
    committed("docs/changes.md", &kdiy::inventory::changes::document());
}

#[test]
fn the_committed_reference_is_made_of_the_table() {
    let text = reference();
    committed("docs/inventory.md", &text);
    // Each link leads to an anchor.
    for link in text.split("](#").skip(1) {
        let anchor = link.split(')').next().unwrap_or_default();
        assert!(
            text.contains(&format!("<a id=\"{anchor}\"></a>")),
            "{anchor}"
        );
    }
    for place in places() {
        assert!(
            text.contains(&format!("# `{}`\n", place.path)),
            "{}",
            place.path
        );
    }
}

#[test]
fn every_example_of_an_inventory_fits_the_schema() {
    let validator = jsonschema::draft7::new(&schema()).expect("a schema");
    let mut all = files("inventories");
    all.push(root().join("inventories/lab/kdiy.yaml"));
    for path in all {
        let text = std::fs::read_to_string(&path).expect("an inventory");
        let value: Value = serde_yaml::from_str(&text).expect("YAML");
        let wrong: Vec<_> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(wrong, [""; 0], "{}", path.display());
    }
}

#[test]
fn the_reference_inventory_has_every_field() {
    let text = std::fs::read_to_string(root().join("inventories/reference.yaml")).expect("it");
    for place in places() {
        let key = format!("{}:", place.field.name);
        assert!(text.contains(&key), "{} is not in it", place.path);
    }
}

#[test]
fn what_the_schema_refuses_is_wrong_and_it_refuses_what_it_can_know() {
    let validator = jsonschema::draft7::new(&schema()).expect("a schema");
    let (mut refused, mut passed) = (0, Vec::new());
    for path in files("tests/fixtures/broken") {
        let text = std::fs::read_to_string(&path).expect("an inventory");
        // What is no YAML to others is nothing for a schema.
        let Ok(value) = serde_yaml::from_str::<Value>(&text) else {
            continue;
        };
        let fits = validator.is_valid(&value);
        let beside = path.parent().expect("a folder").to_owned();
        let loaded = load(&text, &|name| std::fs::read_to_string(beside.join(name)));
        let errors = loaded
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        let codes: Vec<_> = errors.map(|finding| finding.code).collect();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if fits {
            let known = codes.iter().any(|code| KNOWN_TO_A_SCHEMA.contains(code));
            assert!(!known, "{name} fits the schema: {codes:?}");
            passed.push(format!("{name}: {}", codes.join(", ")));
        } else {
            refused += 1;
        }
    }
    assert!(refused > 50, "only {refused} are refused");
    // What only `kdiy validate` knows.
    insta::assert_snapshot!(passed.join("\n"));
}

#[test]
fn every_field_is_found_by_its_path() {
    for place in places() {
        for name in [
            place.path.clone(),
            place.path.replace("[]", ""),
            place.path.to_uppercase(),
        ] {
            assert_eq!(find(&name).map(|found| found.path), Ok(place.path.clone()));
        }
    }
}

/// A folder with an inventory, and the program on the PATH.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(root().join("inventories/stacked-ha.yaml")).expect("it");
    std::fs::write(folder.path().join("kdiy.yaml"), &text).expect("a file");
    // Of an inventory that is not valid the names are still known.
    std::fs::write(
        folder.path().join("other.yaml"),
        "nodes: [{name: n-1}, {name: n-2}]",
    )
    .expect("a file");
    std::fs::write(folder.path().join("broken.yaml"), "nodes: [{name: ").expect("a file");
    let program = assert_cmd::cargo::cargo_bin("kdiy");
    let bin = program.parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").expect("a PATH"));
    (folder, path)
}

/// What a shell says to a script, with the program on its PATH.
fn shell(name: &str, script: &str) -> Option<String> {
    let (folder, path) = folder();
    let output = Command::new(name)
        .args(["-c", script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env_remove("KDIY_INVENTORY")
        .env("HOME", folder.path())
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.expect("it runs"),
    };
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(err, "", "{name}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// Lines as typed, and what bash is told of each.
const TYPED: &[(&[&str], &str)] = &[
    (&["kdiy", "pl"], "plan"),
    (&["kdiy", "plan", "--limit", "cp"], "cp-1 cp-2 cp-3"),
    (
        &["kdiy", "plan", "--limit", "cp-1,w"],
        "cp-1,worker-1 cp-1,worker-2",
    ),
    (
        &["kdiy", "etcd", "snapshot", "save", "--from", "cp"],
        "cp-1 cp-2 cp-3",
    ),
    (
        &["kdiy", "-i", "other.yaml", "plan", "--limit", ""],
        "n-1 n-2",
    ),
    (&["kdiy", "-i", "broken.yaml", "plan", "--limit", ""], ""),
    (&["kdiy", "-i", "missing.yaml", "plan", "--limit", ""], ""),
    (
        &["kdiy", "explain", "network."],
        "network.podCIDR network.serviceCIDR network.dnsDomain network.cni",
    ),
    (&["kdiy", "explain", "no-v"], "no-vip"),
    (&["kdiy", "-o", "j"], "json"),
    (&["kdiy", "-i", "oth"], "other.yaml"),
];

#[test]
fn bash_completes() {
    let mut script = "source <(kdiy completions bash)\n".to_owned();
    for (words, _) in TYPED {
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        let last = quoted.last().expect("a word");
        script.push_str(&format!(
            "COMP_WORDS=({}); COMP_CWORD={}; COMPREPLY=(); _clap_complete_kdiy kdiy {last}; echo \"${{COMPREPLY[*]}}\"\n",
            quoted.join(" "),
            words.len() - 1
        ));
    }
    let said = shell("bash", &script).expect("bash");
    let said: Vec<_> = said.lines().map(str::trim_end).collect();
    let wanted: Vec<_> = TYPED.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(said, wanted);
}

#[test]
fn fish_completes() {
    let script = "kdiy completions fish | source; complete -C 'kdiy plan --limit cp'; complete -C 'kdiy explain network.p'";
    // Installed by tests/packages.
    if let Some(said) = shell("fish", script) {
        let names: Vec<_> = said
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default())
            .collect();
        assert_eq!(names, ["cp-1", "cp-2", "cp-3", "network.podCIDR"]);
    }
}

#[test]
fn zsh_takes_the_script() {
    let script = "autoload -Uz compinit && compinit -u -D && source <(kdiy completions zsh) && print -r -- $_comps[kdiy]";
    if let Some(said) = shell("zsh", script) {
        assert_eq!(said, "_clap_dynamic_completer_kdiy\n");
    }
}

#[test]
fn manual_pages_are_sound() {
    let (folder, path) = folder();
    let dir = folder.path().join("man1");
    let made = Command::new("kdiy")
        .args(["man", "--dir"])
        .arg(&dir)
        .env("PATH", path)
        .output()
        .expect("it runs");
    assert!(made.status.success());
    let mut pages: Vec<_> = std::fs::read_dir(&dir)
        .expect("pages")
        .map(|entry| entry.expect("a page").path())
        .collect();
    pages.sort();
    assert!(pages.len() > 20, "{pages:?}");
    assert!(dir.join("kdiy-etcd-snapshot-save.1").exists());
    let lint = Command::new("mandoc")
        .args(["-T", "lint", "-W", "warning"])
        .args(&pages)
        .output();
    // Installed by tests/packages.
    let Ok(lint) = lint else { return };
    let said = String::from_utf8_lossy(&lint.stdout).into_owned();
    // A page has no date, so that it is the same whenever it is made.
    let said: Vec<_> = said
        .lines()
        .filter(|line| !line.contains("missing date"))
        .collect();
    assert_eq!(said, [""; 0]);
}
