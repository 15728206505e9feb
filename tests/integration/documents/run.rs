//! Runs blocks as somebody would who types them.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Block, How};

/// How long a block may take, in seconds: a cluster takes two minutes here.
const LIMIT: &str = "900";

/// Where blocks are typed: a home of its own, and programs on the PATH.
pub struct Shell {
    home: TempDir,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Shell {
    /// In an empty folder, with this kdiy.
    pub fn new(kdiy: &Path) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("work");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::create_dir_all(home.path().join("bin")).expect("a folder");
        let shell = Self {
            home,
            folder,
            variables: Vec::new(),
        };
        shell.program("kdiy", kdiy);
        shell
    }

    /// In another folder, which has files already.
    pub fn within(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// With a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A program that blocks call by its name.
    pub fn program(&self, name: &str, path: &Path) {
        symlink(path, self.home.path().join("bin").join(name)).expect("a link");
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Types a block, where it is about hosts on a terminal, and answers `yes`
    /// to whatever is asked; it must succeed. What was to be seen.
    pub fn run(&self, block: &Block) -> String {
        let terminal = block.how != How::Offline;
        let mut command = Command::new("timeout");
        command.args(["--foreground", "--kill-after=10", LIMIT]);
        let script = format!("set -eu\n{}", block.text);
        if terminal {
            let typed = self.home.path().join("typed");
            std::fs::write(&typed, script).expect("a file");
            command.args(["script", "--quiet", "--return", "--flush", "--command"]);
            command
                .arg(format!("bash {}", typed.display()))
                .arg("/dev/null");
        } else {
            command.args(["bash", "-c", &script]);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(of_cargo) {
                command.env_remove(name);
            }
        }
        let path = std::env::var("PATH").expect("PATH");
        command
            .current_dir(&self.folder)
            .env("HOME", self.home.path())
            .env("PATH", format!("{}/bin:{path}", self.home.path().display()))
            .env("TERM", "xterm-256color")
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("KUBECONFIG")
            .env_remove("KDIY_INVENTORY")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(if terminal {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        // It stays open: the end of what is typed is the end of a session.
        let mut typing = child.stdin.take();
        if let Some(keys) = &mut typing {
            keys.write_all("yes\n".repeat(16).as_bytes()).expect("keys");
        }
        let output = child.wait_with_output().expect("a shell");
        drop(typing);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            output.status.success(),
            "{}:{}: {}\n{}\n{said}",
            block.file.display(),
            block.line,
            output.status,
            block.text
        );
        said
    }
}

/// What `cargo test` tells its tests. A build that is started by a block would
/// take it for its own, and build everything again.
fn of_cargo(name: &str) -> bool {
    let parts = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_"];
    let names = ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
    parts.iter().any(|part| name.starts_with(part))
        || names.contains(&name)
        || ["CARGO_TARGET_TMPDIR", "LD_LIBRARY_PATH", "OUT_DIR"].contains(&name)
}
