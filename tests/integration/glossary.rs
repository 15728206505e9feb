//! Names in the program, held against the words that the glossary rules out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Words that are not to be used, each with what to use instead.
fn ruled_out() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let table = text.split_once("\n## Do not use\n").unwrap().1;
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let mut words = BTreeMap::new();
    for row in rows {
        let (named, instead) = row.split_once(" | ").unwrap();
        for word in named.split(", ") {
            let word = word.trim_matches('`').to_owned();
            assert!(word.chars().all(|c| c.is_ascii_lowercase()), "{word}");
            let twice = words.insert(word, instead.to_owned());
            assert_eq!(twice, None, "{named}");
        }
    }
    words
}

/// The words of a name, in lower case: `SnakeOil`, `snake_oil` and `SNAKE_OIL`
/// have the same two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if c == '_' || c == '-' || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name that a line defines: of a function, type or module.
fn defined(line: &str) -> Option<&str> {
    let kinds = ["fn", "struct", "enum", "trait", "type", "mod"];
    let mut rest = line.split_whitespace();
    let qualifiers = |word: &&str| {
        word.starts_with("pub") || ["async", "const", "super)", "crate)"].contains(word)
    };
    let kind = rest.find(|word| !qualifiers(word))?;
    let name = kinds.contains(&kind).then(|| rest.next())??;
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    name.split(ends).next().filter(|name| !name.is_empty())
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn names_are_taken_apart() {
    assert_eq!(words("RawNode"), ["raw", "node"]);
    assert_eq!(words("HOST_INFO"), ["host", "info"]);
    assert_eq!(words("quick-start"), ["quick", "start"]);
    assert_eq!(defined("pub(super) async fn run<C>("), Some("run"));
    assert_eq!(defined("    pub const fn new() -> Self {"), Some("new"));
    assert_eq!(defined("struct Head;"), Some("Head"));
    assert_eq!(defined("pub mod cli;"), Some("cli"));
    assert_eq!(defined("const LIMIT: Duration = ONE;"), None);
    assert_eq!(defined("/// What a mod is"), None);
}

#[test]
fn no_name_has_a_word_that_the_glossary_rules_out() {
    let ruled_out = ruled_out();
    assert!(ruled_out.len() > 60, "{} words", ruled_out.len());
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    let mut wrong = Vec::new();
    for path in files {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let mut check = |name: &str, place: &str| {
            for word in words(name) {
                if let Some(instead) = ruled_out.get(&word) {
                    wrong.push(format!("{place}: {name}: instead of {word}: {instead}"));
                }
            }
        };
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        check(path.file_stem().unwrap().to_str().unwrap(), &shown);
        let text = fs::read_to_string(&path).unwrap();
        // Tests have sentences as names.
        if path.ends_with("tests.rs") || shown.contains("/tests/") {
            continue;
        }
        let product = text.split("mod tests {").next().unwrap();
        for (line, number) in product.lines().zip(1..) {
            if let Some(name) = defined(line) {
                check(name, &format!("{shown}:{number}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
