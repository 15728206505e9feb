//! The architecture and the dependencies, as far as they can be read off files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules from top to bottom; one uses those below it, and its own line's.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["ui"],
    &["execute"],
    &["state"],
    &["status"],
    &["plan"],
    &["api"],
    &["pki"],
    &["draft"],
    &["inventory"],
    &["topology"],
    &["runtime", "lb", "cni", "etcd", "kubeadm"],
    &["secret_store"],
    &["resource"],
    &["transport"],
    &["template", "shell"],
    &["cluster"],
];

/// Those that may know of a terminal and of the process they are in.
const FRONT: &[&str] = &["main", "cli", "ui"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of `src`.
struct Source {
    /// Relative to `src`.
    path: PathBuf,
    /// Its lines with numbers; without comments, blank ones and unit tests.
    code: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().zip(1..);
        let product = lines.take_while(|(line, _)| !line.starts_with("#[cfg(test)]"));
        let code = product.filter(|(line, _)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with("//")
        });
        Self {
            path: path.strip_prefix(root().join("src")).unwrap().to_owned(),
            code: code
                .map(|(line, number)| (number, line.to_owned()))
                .collect(),
        }
    }

    /// The module at the crate's root that it belongs to.
    fn module(&self) -> &str {
        let first = self.path.iter().next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs")
    }

    /// How many modules it lies in, its own included.
    fn depth(&self) -> usize {
        self.path.iter().count()
    }

    /// Where a text is in its code, as `path:line`.
    fn places(&self, text: &str) -> Vec<String> {
        let found = self.code.iter().filter(|(_, line)| has_word(line, text));
        found
            .map(|(number, _)| format!("src/{}:{number}: {text}", self.path.display()))
            .collect()
    }

    /// Modules of the crate's root that its code names.
    fn uses(&self) -> BTreeSet<String> {
        let code: Vec<&str> = self.code.iter().map(|(_, line)| line.as_str()).collect();
        let code = code.join("\n");
        let mut found = BTreeSet::new();
        for rest in code.split("crate::").skip(1) {
            match rest.strip_prefix('{') {
                Some(group) => {
                    let group = group.split_once("};").expect("the end of `use`").0;
                    found.extend(group.split(',').map(|name| word(name.trim())));
                }
                None => _ = found.insert(word(rest)),
            }
        }
        found
    }
}

fn word(text: &str) -> String {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split(ends).next().unwrap_or_default().to_owned()
}

/// Whether a text is in a line and no other word ends in it.
fn has_word(line: &str, text: &str) -> bool {
    let begins =
        |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    line.match_indices(text).any(|(at, _)| begins(at))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found
}

/// The code of the program, without files that hold only tests.
fn sources() -> Vec<Source> {
    let all = files("src").into_iter().filter(|path| {
        path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
    });
    let sources: Vec<_> = all.map(|path| Source::read(&path)).collect();
    assert!(sources.len() > 80, "only {} files of source", sources.len());
    sources
}

fn nothing(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// Places of texts outside of the modules that may have them.
fn only_in(modules: &[&str], texts: &[&str]) -> Vec<String> {
    let sources = sources();
    let others = sources
        .iter()
        .filter(|source| !modules.contains(&source.module()));
    others
        .flat_map(|source| texts.iter().flat_map(|text| source.places(text)))
        .collect()
}

#[test]
fn the_checks_see_what_they_look_for() {
    let source = Source {
        path: "plan/install/host.rs".into(),
        code: vec![
            (1, "use crate::{cni, ui::Style};".to_owned()),
            (2, "    crate::cli::go(); eprintln!();".to_owned()),
        ],
    };
    assert_eq!(source.module(), "plan");
    assert_eq!(source.depth(), 3);
    let uses: Vec<_> = source.uses().into_iter().collect();
    assert_eq!(uses, ["cli", "cni", "ui"]);
    assert_eq!(source.places("println!"), [""; 0]);
    assert_eq!(
        source.places("eprintln!"),
        ["src/plan/install/host.rs:2: eprintln!"]
    );
    assert!(!only_in(&["main"], &["use clap"]).is_empty());
}

#[test]
fn modules_use_those_below_them() {
    let level = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut wrong = Vec::new();
    for source in sources() {
        if matches!(source.module(), "main" | "lib") {
            continue;
        }
        let own = level(source.module());
        let own = own.unwrap_or_else(|| panic!("{} is in no layer", source.module()));
        for used in source.uses() {
            let at = level(&used)
                .unwrap_or_else(|| panic!("{}: crate::{used} is no module", source.path.display()));
            if at < own {
                wrong.push(format!("src/{} uses {used}", source.path.display()));
            }
        }
        // Up to the root by `super` would pass by the check above.
        let climb = vec!["super::"; source.depth()].concat();
        wrong.extend(source.places(&climb));
    }
    nothing(&wrong, "used upwards");
}

#[test]
fn the_code_map_lists_every_module_in_order() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(word)
        .collect();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | ["));
    let names = rows.map(|row| row.split(" | ").next().unwrap_or_default());
    let mapped: Vec<Vec<String>> = names
        .map(|names| {
            let mut names: Vec<_> = names
                .split(' ')
                .map(|name| word(name.trim_start_matches(['[', '`'])))
                .collect();
            names.sort();
            names
        })
        .collect();
    let layers: Vec<Vec<String>> = LAYERS
        .iter()
        .map(|layer| {
            let mut layer: Vec<_> = layer.iter().map(ToString::to_string).collect();
            layer.sort();
            layer
        })
        .collect();
    assert_eq!(mapped, layers);
    assert_eq!(declared, mapped.concat().into_iter().collect());
}

#[test]
fn the_library_prints_nothing_and_reads_no_environment() {
    let texts = [
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "stdout()",
        "stderr()",
        "stdin()",
        "std::env",
        "env::",
        "process::exit",
        "home_dir",
    ];
    nothing(&only_in(FRONT, &texts), "for main, cli and ui only");
}

#[test]
fn the_time_of_day_is_passed_in() {
    let clocks = ["SystemTime", "OffsetDateTime::now_utc", "now_local"];
    nothing(
        &only_in(&["cli", "execute"], &clocks),
        "for cli and execute only",
    );
}

#[test]
fn the_crates_of_the_front_stay_there() {
    let crates = ["clap", "anyhow", "indicatif", "rpassword", "terminal_size"];
    let texts: Vec<_> = crates.iter().map(|name| format!("{name}::")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    nothing(&only_in(FRONT, &texts), "for main, cli and ui only");
}

#[test]
fn nothing_is_left_for_later_and_lints_are_expected() {
    let texts = [
        "todo!",
        "unimplemented!",
        "dbg!",
        "#[allow",
        "#![allow",
        "unsafe",
    ];
    nothing(&only_in(&[], &texts), "not in the program");
}

/// What runs on hosts stands in files, which shellcheck reads.
#[test]
fn scripts_are_made_of_files_and_calls() {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in &source.code {
            if ["Script::of(\"", "Script::of(r#", ".with(\"", ".with(r#"]
                .iter()
                .any(|text| line.contains(text))
            {
                found.push(format!("{}:{number}", source.path.display()));
            }
        }
    }
    nothing(&found, "shell text stands in templates/sh");
}

#[test]
fn files_are_short() {
    let long = sources()
        .into_iter()
        .filter(|source| source.code.len() > 400);
    let long: Vec<_> = long
        .map(|source| format!("{}: {} lines", source.path.display(), source.code.len()))
        .collect();
    nothing(&long, "over 400 lines of code");
}

#[test]
fn files_are_named_after_what_is_in_them() {
    const EMPTY: &[&str] = &[
        "util", "utils", "helper", "helpers", "common", "manager", "handler", "misc",
    ];
    let vague = sources().into_iter().filter(|source| {
        source.path.iter().any(|part| {
            let part = part.to_str().unwrap().trim_end_matches(".rs");
            EMPTY.contains(&part)
        })
    });
    let vague: Vec<_> = vague
        .map(|source| source.path.display().to_string())
        .collect();
    nothing(&vague, "says nothing");
}

#[test]
fn a_module_lies_beside_its_folder() {
    let all = ["src", "tests/integration"].into_iter().flat_map(files);
    let inside = all.filter(|path| path.ends_with("mod.rs"));
    let inside: Vec<_> = inside.map(|path| path.display().to_string()).collect();
    nothing(&inside, "name it as its folder, beside it");
}

#[test]
fn templates_lie_as_the_modules_that_fill_them() {
    let sources = sources();
    let templates = files("templates");
    assert!(!templates.is_empty());
    for path in templates {
        let name = path.strip_prefix(root().join("templates")).unwrap();
        let (module, quoted) = (
            name.iter().next().unwrap().to_str().unwrap(),
            format!("\"{}\"", name.display()),
        );
        // Scripts are named without the folder of them all, wherever they are
        // used.
        let quoted = quoted.replace("\"sh/", "\"");
        let own = sources
            .iter()
            .filter(|source| [source.module(), "sh"].contains(&module));
        let named = own
            .flat_map(|source| &source.code)
            .any(|(_, line)| line.contains(&quoted));
        assert!(named, "nothing in src/{module} names {quoted}");
    }
}

#[test]
fn every_dependency_is_used() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = |title: &str| {
        let body = manifest.split_once(&format!("\n[{title}]\n")).unwrap().1;
        let body = body.split("\n[").next().unwrap();
        let names = body.lines().filter_map(|line| line.split_once(" = "));
        names
            .map(|(name, _)| name.replace('-', "_"))
            .collect::<Vec<_>>()
    };
    let text = |folders: &[&str]| {
        let all = folders.iter().flat_map(|folder| files(folder));
        let code = all.filter(|path| path.extension().is_some_and(|end| end == "rs"));
        code.map(|path| fs::read_to_string(path).unwrap())
            .collect::<String>()
    };
    let (src, all) = (text(&["src"]), text(&["src", "tests"]));
    for (title, text) in [("dependencies", src), ("dev-dependencies", all)] {
        let names = section(title);
        assert!(!names.is_empty());
        let unused: Vec<_> = names
            .into_iter()
            .filter(|name| {
                !text
                    .lines()
                    .any(|line| has_word(line, &format!("{name}::")))
            })
            .collect();
        nothing(&unused, title);
    }
}

/// The texts of a list of deny.toml: `name = [ … ]` with its quoted strings.
fn denied(name: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let list = text.split_once(&format!("\n{name} = [\n")).unwrap().1;
    let list = list.split_once("\n]").unwrap().0;
    let first = list.lines().filter_map(|line| line.split('"').nth(1));
    first.map(str::to_owned).collect()
}

#[test]
fn crates_come_from_one_registry_and_none_is_banned() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let values = |key: &str| {
        let lines = lock.lines().filter_map(|line| line.strip_prefix(key));
        lines
            .map(|value| value.trim_matches('"'))
            .collect::<Vec<_>>()
    };
    let names = values("name = ");
    assert!(names.contains(&"russh"));
    let banned = denied("deny");
    assert!(banned.len() >= 3);
    let found: Vec<_> = banned
        .into_iter()
        .filter(|name| names.contains(&name.as_str()))
        .collect();
    nothing(&found, "banned by deny.toml");
    let mut sources = values("source = ");
    assert_eq!(sources.len() + 1, names.len(), "a crate without a source");
    sources.retain(|source| *source != "registry+https://github.com/rust-lang/crates.io-index");
    assert_eq!(sources, [""; 0]);
}

/// Whether an SPDX expression is met by what is allowed. `AND` binds closer
/// than `OR`; a slash is an old way of writing `OR`.
fn allows(allowed: &[String], expression: &str) -> bool {
    if let Some(inner) = expression.strip_prefix('(')
        && let Some((inner, rest)) = inner.split_once(')')
    {
        let inner = allows(allowed, inner);
        return match rest.trim().split_once(' ') {
            Some(("AND", rest)) => inner && allows(allowed, rest),
            Some(("OR", rest)) => inner || allows(allowed, rest),
            _ => inner,
        };
    }
    let expression = expression.replace('/', " OR ");
    expression.split(" OR ").any(|choice| {
        let mut parts = choice.split(" AND ").map(str::trim);
        parts.all(|part| allowed.iter().any(|known| known == part))
    })
}

#[test]
fn licences_are_read_as_spdx_says() {
    let allowed = ["MIT", "ISC"].map(str::to_owned);
    for good in [
        "MIT",
        "GPL-3.0/MIT",
        "GPL-3.0 OR MIT",
        "MIT AND ISC",
        "(MIT OR X) AND ISC",
    ] {
        assert!(allows(&allowed, good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR X) AND Y",
        "MIT WITH X",
    ] {
        assert!(!allows(&allowed, bad), "{bad}");
    }
}

#[test]
fn licences_are_allowed() {
    // Crates for other systems need not have been fetched.
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args([
            "--filter-platform",
            &format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let allowed = denied("allow");
    let mut refused = BTreeMap::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or_default();
        if !allows(&allowed, licence) {
            refused.insert(package["name"].to_string(), licence);
        }
    }
    assert_eq!(refused, BTreeMap::new());
}

#[test]
fn the_inventory_of_the_demo_is_valid() {
    let text = fs::read_to_string(root().join("inventories/lab/kdiy.yaml")).unwrap();
    // The lab makes its key when it is built.
    let key = root().join("inventories/files/mirror.asc");
    let loaded = kdiy::inventory::load(&text, &|named| {
        assert_eq!(named, Path::new("lab.asc"));
        fs::read_to_string(&key)
    });
    assert_eq!(loaded.findings, []);
    let cluster = loaded.cluster.unwrap();
    assert_eq!(cluster.nodes.len(), 6);
}
