//! A host that answers with anything harms neither kdiy, nor the terminal, nor
//! the work on other hosts. A real sshd has its every command replaced.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

use crate::ssh::sshd::{Sshd, user};

/// The shell is there, on both streams.
const READY: &str = "echo 'kdiy: ready'; echo 'kdiy: ready' >&2\n";
/// What terminals obey: colours, titles, the clipboard, links, C1 controls,
/// and what they hide or turn round.
const ESCAPES: &str = r"\033[2J\033]0;owned\007\033]52;c;b3duZWQ=\007\033]8;;http://x\033\\link\302\2332J\342\200\256evil\363\240\201\201";

/// A bad node, which answers each command with `script`, and a good one.
struct Nodes {
    folder: tempfile::TempDir,
    _sshds: [Sshd; 2],
}

/// What came of a run.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
    /// The most memory that kdiy had, in kB.
    memory: u64,
    took: Duration,
}

impl Nodes {
    fn start(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hostile");
        fs::write(&file, script).unwrap();
        let force = format!("ForceCommand exec sh {}", file.display());
        let sshds = [Sshd::start_with(&["ed25519"], &force), Sshd::start()];
        let known = sshds.each_ref().map(|sshd| sshd.entry("ed25519"));
        fs::write(folder.path().join("known"), known.join("\n") + "\n").unwrap();
        let mut text = "apiVersion: kdiy/v1alpha1\nname: hostile\nversion: 1.34.1\n\
                        network: {cni: bridge}\nnodes:\n"
            .to_owned();
        let names = [("bad", "worker"), ("good", "control-plane")];
        for (place, (sshd, (name, role))) in sshds.iter().zip(names).enumerate() {
            text += &format!(
                "  - name: {name}\n    role: {role}\n    address: 192.0.2.{}\n    \
                 ssh: {{host: 127.0.0.1, port: {}, user: {}, identity: {}, knownHosts: known}}\n",
                place + 1,
                sshd.port,
                user(),
                sshd.path("login").display(),
            );
        }
        fs::write(folder.path().join("kdiy.yaml"), text).unwrap();
        Self {
            folder,
            _sshds: sshds,
        }
    }

    fn kdiy(&self, words: &[&str]) -> Ran {
        let path = |name: &str| self.folder.path().join(name);
        let file = |name: &str| fs::File::create(path(name)).unwrap();
        let began = Instant::now();
        let mut child = Command::new(cargo_bin("kdiy"))
            .current_dir(self.folder.path())
            .args(words)
            .env_remove("KDIY_INVENTORY")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        let mut memory = 0;
        let status = loop {
            memory = memory.max(peak(child.id()));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let text =
            |name: &str| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
        Ran {
            code: status.code(),
            out: text("out"),
            err: text("err"),
            memory,
            took: began.elapsed(),
        }
    }
}

/// The most memory that a process had so far, in kB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or_default()
}

impl Ran {
    /// It ended by itself, and said nothing that a terminal obeys or hides.
    fn is_harmless(&self) {
        let Self { code, out, err, .. } = self;
        assert!(matches!(code, Some(0..=11)), "{code:?}\n{err}");
        assert!(!err.contains("panicked"), "{err}");
        for text in [out, err] {
            let bad =
                |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{e0041}');
            assert!(!text.contains(bad), "{text:?}");
            assert!(text.len() < 64 * 1024, "{} bytes are told", text.len());
        }
    }
}

#[test]
fn half_a_gigabyte_costs_no_memory_and_the_other_host_is_heard() {
    let endless = format!("{READY}head -c 500000000 /dev/zero\n");
    let nodes = Nodes::start(&endless);
    let ran = nodes.kdiy(&["exec", "--as-login", "--group", "--", "echo fine"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("good: exit code 0") && ran.out.contains("\nfine\n"));
    assert!(ran.memory < 100_000, "{} kB", ran.memory);
}

#[test]
fn answers_of_any_kind_are_reported_in_a_line_and_hosts_beside_it_are_seen() {
    let escapes = format!("printf '%b\\n' '{ESCAPES}'; printf '%b\\n' '{ESCAPES}' >&2\n");
    let scripts = [
        // Not a word of what was asked for.
        format!("{READY}head -c 300000 /dev/urandom\n"),
        // More than an answer may be, on one line, and a failure.
        format!("{READY}head -c 20000000 /dev/zero | tr '\\0' x >&2; exit 3\n"),
        format!("{READY}{escapes}exit 1\n"),
        // Sections of its own, with what no number is, and cut off.
        format!(
            "{READY}for s in os host facts time uptime ports packages service etcd nodes members; do \
             echo \"@section $s\"; echo \"@$s\"; {escapes} echo '99999999999999999999 -1 NaN {{{{'; done\n\
             printf '@section fi'\n"
        ),
        // No shell, but a word of farewell.
        format!("{escapes}exit 1\n"),
        format!("{escapes}head -c 3000000 /dev/zero | tr '\\0' y; exit 0\n"),
        // Prompts where no password is available.
        format!("printf 'kdiy: password for sudo:' >&2; {READY}{escapes}exit 9\n"),
        "kill -9 $$\n".to_owned(),
        "kill -9 $PPID\n".to_owned(),
    ];
    let nodes = Nodes::start("");
    let others = [
        &["plan"][..],
        &["plan", "-o", "json"],
        &["status", "-o", "json"],
        &["etcd", "status"],
        &["status"],
    ];
    for (script, other) in scripts.iter().zip(others.into_iter().cycle()) {
        fs::write(nodes.folder.path().join("hostile"), script).unwrap();
        for words in [&["facts"][..], &["facts", "-o", "json"], other] {
            let ran = nodes.kdiy(words);
            ran.is_harmless();
            assert!(ran.memory < 150_000, "{} kB: {script}", ran.memory);
            if words[0] == "facts" {
                assert!(ran.out.contains("good"), "{script}\n{}", ran.err);
            }
        }
    }
}

#[test]
fn a_host_that_says_nothing_is_given_up_and_the_others_are_not() {
    // The shell is there, the answer drips for ever.
    let drip = format!("{READY}while :; do printf .; sleep 0.2; done\n");
    let nodes = Nodes::start(&drip);
    let words = ["exec", "--as-login", "--timeout", "2", "--", "echo fine"];
    let ran = nodes.kdiy(&words);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("good  fine"), "{}", ran.out);
    assert!(ran.err.contains("time limit of 2 s"), "{}", ran.err);
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
    // Nor is a shell that never comes waited for.
    fs::write(nodes.folder.path().join("hostile"), "exec sleep 60\n").unwrap();
    let ran = nodes.kdiy(&words);
    assert!(ran.err.contains("time limit of 2 s"), "{}", ran.err);
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
}
