//! `docs/` says what the program says: every code has its entry and no entry
//! is about a code that does not exist; tables agree with what they tell of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kdiy::cli::Exit;
use kdiy::cluster::Quorum;
use kdiy::draft::imported::Imported;
use kdiy::draft::{self, ansible, terraform};
use kdiy::inventory::{CODES, load};

const PAGE: &str = "docs/troubleshooting.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines below a heading of the second level.
fn section<'p>(page: &'p str, title: &str) -> Vec<&'p str> {
    let heading = format!("## {title}");
    let lines = page.lines().skip_while(|line| **line != heading).skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("## ")).collect();
    assert!(!lines.is_empty(), "{PAGE} has no section {title:?}");
    lines
}

/// The cells of a row whose first one is `code` in backticks.
fn row(line: &str) -> Option<Vec<&str>> {
    let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<_> = cells.split(" | ").map(str::trim).collect();
    cells[0].starts_with('`').then_some(cells)
}

/// What a section has entries for: headings and rows that begin with a code.
fn entries(page: &str, title: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in section(page, title) {
        let heading = line.strip_prefix("### ");
        let Some(code) = heading.or_else(|| row(line).map(|cells| cells[0])) else {
            continue;
        };
        let Some(code) = code
            .strip_prefix('`')
            .and_then(|code| code.split('`').next())
        else {
            continue;
        };
        assert!(found.insert(code.to_owned()), "two entries for {code}");
    }
    found
}

/// The code of a file, without its unit tests.
fn product(path: &str) -> String {
    let text = read(path);
    let lines = text.lines();
    let lines = lines.take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Words in kebab case that stand in quotes after `before`; there are some.
fn words(path: &str, before: &str) -> BTreeSet<String> {
    let found = words_or_none(path, before);
    assert!(!found.is_empty(), "no {before:?} in {path}");
    found
}

fn words_or_none(path: &str, before: &str) -> BTreeSet<String> {
    let text = product(path);
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .map(str::to_owned)
        .collect()
}

/// Variants of an enum without fields, in kebab case as serde writes them.
fn variants(path: &str, name: &str) -> BTreeSet<String> {
    let text = product(path);
    let (_, body) = text.split_once(&format!("pub enum {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let names = body.lines().map(str::trim);
    let names = names.filter(|line| !line.starts_with("///") && !line.is_empty());
    names
        .map(|name| kebab(name.trim_end_matches(',')))
        .collect()
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn preflight() -> Vec<String> {
    let folder = fs::read_dir(root().join("src/plan/preflight")).unwrap();
    let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files = files.filter(|name| name.ends_with(".rs"));
    let mut files: Vec<_> = files
        .map(|name| format!("src/plan/preflight/{name}"))
        .collect();
    files.push("src/plan/preflight.rs".to_owned());
    files
}

fn same(title: &str, page: &BTreeSet<String>, code: &BTreeSet<String>) {
    let missing: Vec<_> = code.difference(page).collect();
    let extra: Vec<_> = page.difference(code).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{PAGE}, {title}: without an entry {missing:?}; entries for nothing {extra:?}"
    );
}

#[test]
fn every_exit_code_has_its_entry() {
    let page = read(PAGE);
    let wanted = Exit::ALL.map(|exit| format!("### Exit {}: {}", exit.code(), exit.meaning()));
    let headings = section(&page, "Exit codes").into_iter();
    let headings: Vec<_> = headings.filter(|line| line.starts_with("### ")).collect();
    assert_eq!(headings, wanted);
}

/// Texts with the codes of what is found in them.
type Broken = Vec<(String, BTreeSet<&'static str>)>;

/// The rows of a section are these codes, and each has a mistake that one of
/// the texts shows.
fn rows_of(title: &str, codes: &[(&str, &str)], broken: &Broken) {
    let page = read(PAGE);
    let rows = section(&page, title).into_iter();
    let rows: Vec<_> = rows.filter_map(row).collect();
    let told: Vec<_> = rows.iter().map(|cells| (cells[0], cells[1])).collect();
    let quoted: Vec<_> = codes
        .iter()
        .map(|(code, what)| (format!("`{code}`"), *what))
        .collect();
    let wanted: Vec<_> = quoted
        .iter()
        .map(|(code, what)| (code.as_str(), *what))
        .collect();
    assert_eq!(told, wanted);

    for cells in &rows {
        let code = cells[0].trim_matches('`');
        let mistakes: Vec<_> = cells[2]
            .split("`, `")
            .map(|text| text.trim_matches('`'))
            .collect();
        let shown = broken.iter().any(|(text, codes)| {
            codes.contains(code) && mistakes.iter().all(|mistake| text.contains(mistake))
        });
        assert!(shown, "{code}: no fixture of {title} has {mistakes:?}");
    }
}

#[test]
fn every_finding_has_its_row_with_a_mistake_that_is_one() {
    rows_of("Findings of the inventory", CODES, &broken_inventories());
}

#[test]
fn every_finding_of_an_import_has_its_row_with_a_mistake_that_is_one() {
    let broken = broken_imports();
    rows_of("Findings of imports", draft::CODES, &broken);
    // What the importers can say, they are listed with.
    let listed: BTreeSet<_> = CODES.iter().chain(draft::CODES).map(|row| row.0).collect();
    let mut said: BTreeSet<String> = BTreeSet::new();
    for importer in ["ansible", "terraform"] {
        for path in sources(&format!("src/draft/{importer}")) {
            for before in ["error(", "warning(", "code:"] {
                said.extend(words_or_none(&path, before));
            }
        }
    }
    assert!(said.len() >= 15, "{said:?}");
    let unlisted: Vec<_> = said
        .iter()
        .filter(|code| !listed.contains(code.as_str()))
        .collect();
    assert!(unlisted.is_empty(), "not listed: {unlisted:?}");
    let own: BTreeSet<_> = draft::CODES.iter().map(|(code, _)| *code).collect();
    let found: BTreeSet<_> = broken
        .iter()
        .flat_map(|(_, codes)| codes)
        .copied()
        .collect();
    assert!(own.is_subset(&found), "no fixture has one of {own:?}");
}

/// The files of a module that has a folder.
fn sources(folder: &str) -> Vec<String> {
    let files = fs::read_dir(root().join(folder)).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files = files.filter(|name| name.ends_with(".rs") && name != "tests.rs");
    let inner = files.map(|name| format!("{folder}/{name}"));
    inner.chain([format!("{folder}.rs")]).collect()
}

/// Texts of other tools that come to no draft, with the codes of their
/// findings.
fn broken_imports() -> Broken {
    let folder = root().join("tests/fixtures/imports");
    let map = |text: &str| text.parse().unwrap();
    let maps = vec![map("control-plane=ips"), map("control-plane.ssh=public")];
    let mapped = terraform::Wanted {
        mappings: maps,
        ..terraform::Wanted::default()
    };
    let mut found = Broken::new();
    let mut add = |kind: &str, import: &dyn Fn(String, String) -> Imported| {
        for entry in fs::read_dir(folder.join(kind)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            let imported = import(name, text.clone());
            assert_eq!(imported.draft, None, "{text}");
            let findings = imported.sources.iter().flat_map(|source| &source.findings);
            found.push((text, findings.map(|finding| finding.code).collect()));
        }
    };
    add("ansible-ini", &ansible_of(ansible::Kind::Ini));
    add("ansible-yaml", &ansible_of(ansible::Kind::Yaml));
    let outputs = |wanted: terraform::Wanted| {
        move |name: String, text: String| terraform::import(&name, &text, &wanted)
    };
    add("terraform", &outputs(terraform::Wanted::default()));
    add("terraform", &outputs(mapped));
    found
}

fn ansible_of(kind: ansible::Kind) -> impl Fn(String, String) -> Imported {
    move |name, text| {
        let kind = kind.clone();
        ansible::import(&[ansible::File { name, text, kind }], &[])
    }
}

/// Texts of inventories that are not valid, with the codes of their findings.
fn broken_inventories() -> Broken {
    let folder = root().join("tests/fixtures/broken");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let loaded = load(&text, &|name| fs::read_to_string(folder.join(name)));
        let codes = loaded.findings.iter().map(|finding| finding.code).collect();
        (text, codes)
    };
    files.map(read).collect()
}

#[test]
fn every_error_of_a_connection_has_its_entry() {
    let mut wanted = words("src/transport/code.rs", "=>");
    // A fake host of the tests is alone in saying so.
    assert!(wanted.remove("unscripted"));
    wanted.extend(words("src/execute/survey.rs", "=>"));
    same("connections", &entries(&read(PAGE), "Connections"), &wanted);
}

#[test]
fn every_problem_of_a_host_has_its_entry() {
    let mut wanted = words("src/ui/problems.rs", "code:");
    wanted.extend(words("src/plan/resolve.rs", "=>"));
    wanted.extend(words("src/execute/drains.rs", "code:"));
    for path in preflight() {
        if product(&path).contains("HostProblem {") && product(&path).contains("code: \"") {
            wanted.extend(words(&path, "code:"));
        }
    }
    assert!(wanted.contains("etcd-quorum") && wanted.contains("clock-skew"));
    same(
        "problems",
        &entries(&read(PAGE), "Problems of hosts"),
        &wanted,
    );
}

#[test]
fn every_error_of_the_cas_has_its_entry() {
    let mut wanted = words("src/execute/trust.rs", "=>");
    wanted.extend(words("src/state.rs", "=>"));
    wanted.extend(words("src/pki.rs", "=>"));
    same(
        "authorities",
        &entries(&read(PAGE), "Authorities and state"),
        &wanted,
    );
}

#[test]
fn every_fault_of_the_cluster_api_has_its_entry() {
    let wanted = words("src/api/error.rs", "=>");
    same("api", &entries(&read(PAGE), "The cluster API"), &wanted);
}

#[test]
fn every_failure_of_a_step_has_its_entry() {
    let wanted = words("src/execute/run.rs", "=> (");
    let wanted = wanted
        .into_iter()
        .filter(|word| word.starts_with("step-"))
        .collect();
    same("steps", &entries(&read(PAGE), "Steps that fail"), &wanted);
}

#[test]
fn every_state_of_etcd_has_its_entry() {
    let mut wanted = variants("src/etcd/status.rs", "Verdict");
    wanted.extend(variants("src/etcd/status.rs", "State"));
    same(
        "etcd",
        &entries(&read(PAGE), "What etcd status says"),
        &wanted,
    );
}

#[test]
fn the_quorum_table_is_what_the_program_counts() {
    let page = read("docs/topologies.md");
    let rows = page.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let numbers: Option<Vec<usize>> = cells.map(|cell| cell.parse().ok()).collect();
        numbers
    });
    let told: BTreeMap<usize, Vec<usize>> = rows.map(|row| (row[0], row[1..].to_vec())).collect();
    let counted = (1..=7).map(|members| {
        let quorum = Quorum::of(members);
        (members, vec![quorum.needed(), quorum.tolerated()])
    });
    assert_eq!(told, counted.collect());
}
