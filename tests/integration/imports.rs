//! What other tools know becomes an inventory, or is refused without a trace.

mod ansible;
mod terraform;
mod vagrant;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder in which a command that is refused must leave all as it was.
pub(crate) struct Place {
    folder: TempDir,
    command: &'static [&'static str],
}

impl Place {
    /// An empty one, for this command of kdiy.
    pub(crate) fn new(command: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, command }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn kdiy(&self, words: &[&str]) -> Command {
        let mut command = Command::cargo_bin("kdiy").expect("the program");
        command
            .args(self.command)
            .args(words)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env_remove("KDIY_INVENTORY")
            .env_remove("KDIY_BASE")
            .env_remove("SSH_AUTH_SOCK");
        command
    }

    /// Runs it in vain; what it says on standard error.
    pub(crate) fn refused(&self, command: &mut Command, code: i32) -> String {
        let before = contents(self.path());
        let output = command.output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
        assert_eq!(out, "", "a result beside a failure");
        assert_eq!(contents(self.path()), before, "it left a trace:\n{err}");
        err
    }
}

/// Every file below a folder with what is in it; folders have nothing.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => {
                    left.push(path.clone());
                    found.insert(path, None);
                }
                false => {
                    let bytes = fs::read(&path).expect("a file");
                    found.insert(path, Some(bytes));
                }
            }
        }
    }
    found
}

/// Whether it is told at which line and column of a file something is wrong,
/// and what to do about it.
fn names_places(err: &str, file: &str) -> bool {
    let mut places = err
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--> "));
    let is_place = |place: &str| {
        let numbers = place
            .strip_prefix(file)
            .and_then(|rest| rest.strip_prefix(':'));
        let mut numbers = numbers.unwrap_or_default().split(':');
        let is_number = |text: Option<&str>| text.is_some_and(|text| text.parse::<u32>().is_ok());
        is_number(numbers.next()) && is_number(numbers.next()) && numbers.next().is_none()
    };
    let errors = err
        .lines()
        .filter(|line| line.starts_with("error["))
        .count();
    errors > 0
        && places.clone().count() >= errors
        && places.all(is_place)
        && err.contains("= help: ")
}

/// Every file of `tests/fixtures/imports` of this kind is refused, also where
/// there is an inventory that was to be replaced. What is said, by file.
fn all_refused(command: &'static [&'static str], kind: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = BTreeMap::new();
    for entry in fs::read_dir(root.join("tests/fixtures/imports").join(kind)).expect("fixtures") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let place = Place::new(command);
        place.write(&name, fs::read(entry.path()).expect("a fixture"));
        let err = place.refused(&mut place.kdiy(&[&name]), 3);
        assert!(names_places(&err, &name), "{kind}/{name}:\n{err}");
        place.write("kdiy.yaml", "# mine\n");
        let again = place.refused(&mut place.kdiy(&[&name, "--force"]), 3);
        assert_eq!(again, err);
        said.insert(name, err);
    }
    assert!(said.len() >= 10, "{kind}: only {} fixtures", said.len());
    said
}

/// Each file is refused with this code.
fn with_codes(said: &BTreeMap<String, String>, codes: &[(&str, &str)]) {
    for (file, code) in codes {
        let error = format!("error[{code}]: ");
        let err = &said[*file];
        assert!(err.contains(&error), "{file}: no {error} in\n{err}");
    }
}
