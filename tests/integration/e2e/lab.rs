//! Hosts of tests/lab.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A lab with its hosts, and a folder for the inventory and what kdiy keeps.
pub struct Lab {
    name: &'static str,
    pub folder: TempDir,
}

/// Where the lab serves packages and archives.
pub const SERVER: &str = "http://172.29.0.1:8700";

/// What tells whether a host was changed, line by line. Routes of protocol 171
/// are kept by a unit of kdiy's own as nodes come and go.
const DIGEST: &str = r#"find /etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum
find /etc -xdev -type l -printf '%p -> %l\n' | sort
dpkg-query -W -f 'package ${Package} ${Version} ${db:Status-Abbrev}\n'
ls -dA /var/lib/kdiy/* /etc/kubernetes/* /var/lib/kubelet/* /run/kdiy/tmp.* 2>/dev/null || :
sysctl net.ipv4.ip_forward
ip -o route | grep -v 'proto 171'"#;

impl Lab {
    /// Fresh hosts, and the key of the lab's package repository.
    pub fn up(name: &'static str, hosts: &[(&str, &str)]) -> Self {
        // Quick when all of it is there and running already.
        ok(&mut command(&["build"]));
        ok(&mut command(&["serve"]));
        ok(&mut command(&["down", name]));
        let lab = Self {
            name,
            folder: tempfile::tempdir().expect("a folder"),
        };
        lab.add(hosts);
        for key in ["Release.key", "wrong.key"] {
            fetch_key(key, lab.folder.path());
        }
        lab
    }

    /// More hosts, by name and address.
    pub fn add(&self, hosts: &[(&str, &str)]) {
        let pairs = hosts.iter().map(|(host, at)| format!("{host}={at}"));
        ok(command(&["up", self.name]).args(pairs));
    }

    /// `kill`, `start` or `reset-host`.
    pub fn power(&self, verb: &str, host: &str) {
        ok(&mut command(&[verb, self.name, host]));
    }

    /// A file of the lab: the client's key, the true host keys.
    pub fn file(&self, name: &str) -> PathBuf {
        cache().join("state").join(self.name).join(name)
    }

    /// Writes a file beside the inventory.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Runs a script as root on a host, past SSH; what it said.
    pub fn sh(&self, host: &str, script: &str) -> String {
        self.try_sh(host, script)
            .unwrap_or_else(|said| panic!("{host}: {script}\n{said}"))
    }

    /// The same, where a failure is expected for a while.
    pub fn try_sh(&self, host: &str, script: &str) -> Result<String, String> {
        let output = self.exec(host, &["sh", "-ec", script]).output();
        let output = output.expect("the lab");
        let said = said(&output);
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(said)
        }
    }

    /// A command as root on a host, past SSH.
    pub fn exec(&self, host: &str, words: &[&str]) -> Command {
        command(&[&["exec", self.name, host], words].concat())
    }

    /// Runs something that must leave these hosts as they are.
    pub fn untouched<T>(&self, hosts: &[&str], run: impl FnOnce() -> T) -> T {
        let look = || -> BTreeSet<String> {
            let lines = |host: &&str| {
                let text = self.sh(host, DIGEST);
                let lines: Vec<_> = text.lines().map(|line| format!("{host}: {line}")).collect();
                assert!(lines.len() > 100, "{host} says too little: {text}");
                lines
            };
            hosts.iter().flat_map(lines).collect()
        };
        let before = look();
        let value = run();
        let after = look();
        let changed: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(changed.is_empty(), "hosts were changed: {changed:#?}");
        value
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::env::var_os("KDIY_KEEP_LAB").is_some() {
            self.folder.disable_cleanup(true);
        } else {
            // Nothing more can be done about a failure here.
            let _ = command(&["down", self.name]).output();
        }
    }
}

/// Where the lab keeps what it builds.
pub fn cache() -> PathBuf {
    std::env::var_os("KDIY_LAB_CACHE").map_or_else(
        || Path::new(&std::env::var_os("HOME").expect("HOME")).join(".cache/kdiy-lab"),
        PathBuf::from,
    )
}

/// One of the keys of the lab's repositories, all of which have the same.
pub fn fetch_key(name: &str, folder: &Path) {
    ok(Command::new("curl")
        .args(["-fsS", "-O", &format!("{SERVER}/docker/{name}")])
        .current_dir(folder));
}

/// A program that the lab has built; of the newest version, if none is named.
pub fn program(name: &str, version: Option<&str>) -> PathBuf {
    let words: Vec<_> = ["program", name].into_iter().chain(version).collect();
    ok(&mut command(&words)).trim_end().into()
}

/// A command of tests/lab.
pub fn command(words: &[&str]) -> Command {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab");
    let mut command = Command::new(lab);
    command.args(words);
    command
}

/// Runs a command that must succeed; its standard output.
pub fn ok(command: &mut Command) -> String {
    let output = command.output().expect("a command that can be run");
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
