//! `kdiy exec`, `ssh` and `logs` as their user has them, with real sshds in
//! place of hosts.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use crate::ssh::sshd::{Sshd, user};

/// Two nodes, each an sshd of its own.
struct Nodes {
    folder: tempfile::TempDir,
    sshds: [Sshd; 2],
}

impl Nodes {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sshds = [Sshd::start(), Sshd::start()];
        let entries = sshds.each_ref().map(|sshd| sshd.entry("ed25519"));
        fs::write(folder.path().join("known"), entries.join("\n") + "\n").unwrap();
        let nodes = Self { folder, sshds };
        nodes.write("");
        nodes
    }

    /// Writes the inventory, with something more for the first node's login.
    fn write(&self, first: &str) {
        let mut text = "apiVersion: kdiy/v1alpha1\nname: hands\nversion: 1.34.1\n\
                        network: {cni: bridge}\nnodes:\n"
            .to_owned();
        for (place, (sshd, role)) in self
            .sshds
            .iter()
            .zip(["control-plane", "worker"])
            .enumerate()
        {
            let more = if place == 0 { first } else { "" };
            text += &format!(
                "  - name: n-{place}\n    role: {role}\n    address: 192.0.2.{}\n    \
                 ssh: {{host: 127.0.0.1, port: {}, user: {}, identity: {}, knownHosts: known{more}}}\n",
                place + 1,
                sshd.port,
                user(),
                sshd.path("login").display(),
            );
        }
        fs::write(self.folder.path().join("kdiy.yaml"), text).unwrap();
    }

    fn kdiy(&self, words: &[&str]) -> Command {
        kdiy(self.folder.path(), words)
    }
}

fn kdiy(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("kdiy").unwrap();
    command.current_dir(folder).args(words);
    for name in [
        "KDIY_INVENTORY",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "SSH_AUTH_SOCK",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs it; the exit code must be this one. Both streams.
fn run(mut command: Command, code: i32) -> (Vec<u8>, String) {
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (output.stdout, err)
}

fn text(command: Command, code: i32) -> (String, String) {
    let (out, err) = run(command, code);
    (String::from_utf8(out).unwrap(), err)
}

#[test]
fn commands_run_on_hosts_and_hand_their_exit_codes_on() {
    let nodes = Nodes::start();
    let exec = |words: &[&str]| nodes.kdiy(&[&["exec", "--as-login"], words].concat());

    let (out, err) = text(exec(&["--", "printf", "%s\n", "a  'b\"", "$HOME"]), 0);
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["n-0  $HOME", "n-0  a  'b\"", "n-1  $HOME", "n-1  a  'b\""]
    );
    assert_eq!(err, "exit code 0 on 2 hosts: n-0, n-1\n");

    let (out, err) = text(
        exec(&[
            "-q",
            "--on",
            "worker",
            "--",
            "echo out; echo err >&2; exit 7",
        ]),
        7,
    );
    assert_eq!((out.as_str(), err.as_str()), ("n-1  out\n", "n-1  err\n"));

    let one = format!(
        "case $SSH_CONNECTION in *{}) exit 5;; esac",
        nodes.sshds[0].port
    );
    let (_, err) = text(exec(&["--", &one]), 1);
    assert_eq!(
        err,
        "exit code 0 on 1 host: n-1\nexit code 5 on 1 host: n-0\n"
    );

    let (_, err) = text(
        exec(&["--timeout", "1", "--on", "n-0", "--", "sleep", "60"]),
        124,
    );
    assert!(err.contains("time limit of 1 s"), "{err}");

    let (out, _) = text(
        exec(&["-o", "json", "--on", "n-0", "--", "echo \"a\tb\"; exit 3"]),
        3,
    );
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["host"], "n-0");
    assert_eq!(object["exitCode"], 3);
    assert_eq!(object["stdout"], "a\tb\n");
    assert!(
        !nodes.folder.path().join(".kdiy").exists(),
        "state was made for nothing"
    );
}

#[test]
fn bytes_go_in_and_come_out_as_they_are() {
    let nodes = Nodes::start();
    let raw = [
        "exec",
        "--as-login",
        "--raw",
        "--on",
        "n-0",
        "--stdin",
        "--",
        "cat",
    ];
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(300_000).collect();
    let mut command = nodes.kdiy(&raw);
    command.write_stdin(bytes.clone());
    let (out, _) = run(command, 0);
    assert!(out == bytes, "{} bytes came back", out.len());

    let (_, err) = text(nodes.kdiy(&["exec", "--raw", "--", "true"]), 64);
    assert!(err.contains("--on"), "{err}");
}

#[test]
fn hosts_that_are_not_there_are_reported_and_the_others_go_on() {
    let nodes = Nodes::start();
    let path = nodes.folder.path().join("kdiy.yaml");
    let inventory = fs::read_to_string(&path).unwrap();
    let port = format!("port: {}", nodes.sshds[1].port);
    fs::write(&path, inventory.replace(&port, "port: 9")).unwrap();
    let (out, err) = text(
        nodes.kdiy(&["exec", "--as-login", "--", "echo", "here", "I am"]),
        4,
    );
    assert_eq!(out, "n-0  here I am\n");
    assert!(
        err.contains("error: n-1: cannot reach 127.0.0.1:9"),
        "{err}"
    );
    assert!(err.contains("not reached on 1 host: n-1"), "{err}");
}

#[test]
fn words_that_select_nothing_are_refused_before_anything_is_reached() {
    let nodes = Nodes::start();
    for (words, hint) in [
        (
            ["exec", "--on", "wroker", "--", "true"],
            "did you mean worker?",
        ),
        (["exec", "--on", "n-9", "--", "true"], "did you mean n-0?"),
        (["exec", "--on", "etcd", "--", "true"], "known are n-0, n-1"),
        (
            ["facts", "--on", "nonsense", "--width", "1"],
            "known are n-0, n-1",
        ),
        (
            ["ssh", "m-1", "--print", "--connect-timeout", "1"],
            "did you mean n-1?",
        ),
    ] {
        let (_, err) = text(nodes.kdiy(&words), 64);
        assert!(err.contains(hint), "{words:?}: {err}");
    }
    assert_eq!(nodes.sshds[0].logins(), 0);
}

#[test]
fn ssh_goes_the_same_way_with_the_same_trust() {
    let nodes = Nodes::start();
    // ssh itself reads the user's own files.
    let ssh = |words: &[&str], code| text(nodes.kdiy(words), code);
    let (out, _) = ssh(&["ssh", "n-0", "--print"], 0);
    let wanted = format!("-p {} -l {}", nodes.sshds[0].port, user());
    assert!(
        out.starts_with("ssh -o 'ConnectTimeout=10' ") && out.contains(&wanted),
        "{out}"
    );
    assert_eq!(ssh(&["ssh", "n-0", "--", "echo a; exit 4"], 4).0, "a\n");
    assert_eq!(
        ssh(&["ssh", "n-1", "--", "echo", "a  b", "$HOME"], 0).0,
        "a  b $HOME\n"
    );
    assert!(
        !nodes.folder.path().join(".kdiy").exists(),
        "no key is pinned"
    );

    let shown = std::process::Command::new("ssh-keygen")
        .args(["-l", "-f"])
        .arg(nodes.sshds[0].path("host_ed25519.pub"))
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let print = shown.split(' ').nth(1).unwrap();
    // Nobody but the pin vouches for it.
    fs::write(nodes.folder.path().join("known"), "").unwrap();
    nodes.write(&format!(", hostKey: \"{print}\""));
    assert_eq!(ssh(&["ssh", "n-0", "--", "echo pinned"], 0).0, "pinned\n");
    let kept = nodes.folder.path().join(".kdiy/hands/host-keys/n-0");
    let wanted = format!("n-0 {}\n", nodes.sshds[0].host_key("ed25519"));
    assert_eq!(fs::read_to_string(kept).unwrap(), wanted);

    let other = format!("SHA256:{}", "A".repeat(43));
    nodes.write(&format!(", hostKey: \"{other}\""));
    let (_, err) = ssh(&["ssh", "n-0", "--", "echo pinned"], 4);
    assert!(err.contains("the inventory pins"), "{err}");
}

#[test]
fn without_ssh_it_says_what_to_install() {
    let nodes = Nodes::start();
    let mut command = nodes.kdiy(&["ssh", "n-0"]);
    command.env("PATH", "/nonexistent");
    let (_, err) = text(command, 1);
    assert!(
        err.contains("openssh-client") && err.contains("kdiy exec"),
        "{err}"
    );
}

const LOG: &str = "    0.500 == kernel
    1.000 == done: kernel
    1.500 == packages
    1.700    \x1b[31mE: no\x1b[0m such package
    2.000 == failed: packages: exit code 100
";

#[test]
fn past_runs_are_read_and_nothing_is_made() {
    let nodes = Nodes::start();
    let logs = |words: &[&str], code| text(nodes.kdiy(&[&["logs"], words].concat()), code);
    let (out, err) = logs(&[], 0);
    assert_eq!(
        (out.as_str(), err.contains("No run is kept yet")),
        ("", true),
        "{err}"
    );
    assert!(logs(&["last"], 1).1.contains("kdiy apply"));
    let state = nodes.folder.path().join(".kdiy");
    assert!(!state.exists(), "state was made for nothing");

    let run = state.join("hands/runs/20260504t030201z");
    let private = |path: &Path, mode| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir_all(&run).unwrap();
    run.ancestors()
        .take(4)
        .for_each(|folder| private(folder, 0o700));
    let record = "{\"command\": \"apply\", \"began\": \"2026-05-04T03:02:01Z\", \
                  \"ended\": \"2026-05-04T03:03:01Z\", \"exitCode\": 6, \
                  \"steps\": {\"done\": 1, \"failed\": 1, \"left\": 0}}";
    for (name, text) in [("n-0.log", LOG), ("run.json", record)] {
        fs::write(run.join(name), text).unwrap();
        private(&run.join(name), 0o600);
    }
    let (out, _) = logs(&[], 0);
    assert!(
        out.contains("20260504t030201z  2026-05-04 03:02:01  apply"),
        "{out}"
    );
    assert!(out.contains("failed (6)"), "{out}");
    let (out, _) = logs(&["last"], 0);
    assert!(
        out.contains("failed: exit code 100") && !out.contains("such package"),
        "{out}"
    );
    for words in [&["last", "n-0"][..], &["n-0"], &["20260504t030201z", "n-0"]] {
        let (out, _) = logs(words, 0);
        assert!(
            out.contains("E: no such package") && !out.contains('\x1b'),
            "{out}"
        );
    }
    let (out, _) = logs(&["--failed"], 0);
    assert!(
        out.contains("such package") && !out.contains("kernel"),
        "{out}"
    );
    let (out, _) = logs(&["last", "-o", "json"], 0);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["exitCode"], 6);
    assert_eq!(document["steps"][1]["what"], "exit code 100");
    assert_eq!(
        document["steps"][1]["events"][0]["line"],
        "\x1b[31mE: no\x1b[0m such package"
    );
    assert!(logs(&["20250101t000000z"], 64).1.contains("kdiy logs"));
    assert!(logs(&["last", "n-1"], 1).1.contains("it has logs of n-0"));
    assert!(logs(&["last", "n-7"], 64).1.contains("did you mean"));
}

#[test]
fn findings_are_for_programs_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("kdiy.yaml"),
        "apiVersion: kdiy/v1alpha1\nnome: x\n",
    )
    .unwrap();
    let (out, err) = text(kdiy(folder.path(), &["validate", "-o", "json"]), 3);
    assert_eq!(err, "");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let unknown = findings
        .iter()
        .find(|finding| finding["line"] == 2)
        .unwrap();
    assert_eq!(unknown["file"], "kdiy.yaml");
    assert_eq!(
        (&unknown["column"], &unknown["severity"]),
        (&1.into(), &"error".into())
    );
    assert!(
        unknown["message"].as_str().unwrap().contains("nome"),
        "{unknown}"
    );
}
