//! No secret of a run is where it does not belong: not on a command line, not
//! in an environment, a log, a journal, a plan, an event or a temporary file,
//! here or on hosts. What is planted is found, so what is not found is not
//! there.

mod places;
mod processes;
mod secret;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

pub use self::places::fits;
use self::processes::Watch;
use self::secret::{Search, Secret};
use super::permissions::{self, Listing};
use super::{Scene, tell};

pub const HOSTS: [(&str, &str); 5] = [
    ("e-1", "172.29.32.16"),
    ("cp-1", "172.29.32.11"),
    ("lb-1", "172.29.32.10"),
    ("lb-2", "172.29.32.17"),
    ("w-1", "172.29.32.14"),
];

const APPLY: [&str; 5] = ["apply", "--yes", "-v", "--output", "json"];

/// Commands that tell of the cluster, and what they may tell it in.
const LOOKS: &[&[&str]] = &[
    &["plan", "-v"],
    &["plan", "--output", "json"],
    &["status"],
    &["status", "--output", "json"],
    &["facts", "--output", "json"],
    &["validate", "--output", "json"],
    &["exec", "--", "uname", "-a"],
    &["logs"],
    &["logs", "last", "cp-1"],
    &["kubeconfig", "--merge"],
    &["etcd", "status"],
    &["etcd", "keys"],
    &["etcd", "snapshot", "save", "etcd.snapshot"],
];

#[test]
#[ignore = "needs the lab; make faults"]
fn are_nowhere_but_where_they_belong() {
    let scene = Scene::up(&HOSTS, include_str!("secrets.yaml"));
    let password = fastrand_password();
    private(&scene, "sudo-password", &password);
    for (host, _) in HOSTS {
        let mut chpasswd = scene.lab.exec(host, &["chpasswd"]);
        feed(&mut chpasswd, format!("opspw:{password}\n").as_bytes());
    }
    let before = HOSTS.map(|(host, _)| Listing::of(&scene, host));
    let watch = Watch::begin();
    run(
        &scene,
        "plan-saved",
        &["plan", "--out", "saved.plan", "-v"],
        "",
    );
    run(&scene, "bring-up", &APPLY, "");
    for words in LOOKS {
        run(&scene, &words.join("-").replace('/', "-"), words, "");
    }
    // What developers are told, of a step that hands out secrets too.
    scene
        .lab
        .sh("cp-1", "rm /etc/kubernetes/pki/kdiy-encryption.yaml");
    run(&scene, "apply-trace", &["apply", "--yes"], "trace");
    let seen = watch.end();

    let mut secrets = places::secrets(&scene);
    secrets.push(Secret::text("sudo password", &password));
    let names: BTreeSet<_> = secrets.iter().map(|secret| secret.name.clone()).collect();
    let search = Search::of(&secrets);
    let mut found = places::in_processes(&seen, &search);
    found.extend(places::in_folder(&scene, &search));
    for (host, _) in HOSTS {
        found.extend(places::on_host(&scene, host, &search));
    }
    tell(&format!(
        "{} secrets in {} ways of writing; {} looks at all processes, {} command lines and environments: {} found where they do not belong",
        secrets.len(),
        search.len(),
        seen.rounds,
        seen.texts.len(),
        found.len()
    ));
    tell(&format!("looked for: {names:?}"));
    assert!(found.is_empty(), "{found:#?}");
    assert!(seen.rounds > 200, "only {} looks", seen.rounds);

    a_planted_one_is_found_everywhere(&scene);
    let hosts = HOSTS.iter().zip(&before);
    let unknown = hosts.flat_map(|((host, _), before)| permissions::unknown(&scene, host, before));
    let unknown: Vec<_> = unknown.collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// Something that is in all places where a scan looks.
fn a_planted_one_is_found_everywhere(scene: &Scene) {
    let planted = fastrand_password();
    let watch = Watch::begin();
    let line = format!("logger {planted}; sleep 0.5; echo {planted} > /var/tmp/planted");
    run(scene, "planted", &["exec", "--on", "w-1", "--", &line], "");
    let seen = watch.end();
    let log = "echo \"$1\" | base64 >> \"$(ls -d .kdiy/scan/runs/* | tail -n 1)/cp-1.log\"";
    crate::e2e::lab::ok(
        std::process::Command::new("sh")
            .args(["-ec", log, "sh", &planted])
            .current_dir(scene.lab.folder.path()),
    );
    scene
        .lab
        .sh("w-1", "mkdir -p /root/.ssh; ls -l /var/tmp/planted");
    let search = Search::of(&[Secret::text("planted", &planted)]);
    let processes = places::in_processes(&seen, &search);
    assert!(
        processes.iter().any(|place| place.contains("command line")),
        "{processes:#?}"
    );
    let local = places::in_folder(scene, &search);
    assert!(
        local.iter().any(|place| place.contains("cp-1.log")),
        "{local:#?}"
    );
    let host = places::on_host(scene, "w-1", &search);
    for place in ["journal", "/var/tmp/planted"] {
        assert!(
            host.iter().any(|found| found.contains(place)),
            "{place}: {host:#?}"
        );
    }
    scene.lab.sh("w-1", "rm /var/tmp/planted");
    tell("a planted one was found on a command line, in a log, in the journal and in a file");
}

/// Runs kdiy and keeps what it says beside the inventory.
fn run(scene: &Scene, name: &str, words: &[&str], log: &str) {
    let mut command = scene.kdiy().command(words);
    if !log.is_empty() {
        command.env("KDIY_LOG", log);
    }
    let output = command.output().expect("kdiy");
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let path = scene.lab.folder.path().join(format!("{name}.{stream}"));
        fs::write(path, bytes).expect("a file");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // The status may be that something could be better.
    let well = output.status.success() || (words[0] == "status" && output.status.code() == Some(9));
    let last: String = said
        .chars()
        .rev()
        .take(2000)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    assert!(well, "kdiy {words:?}: {}\n{last}", output.status);
}

/// A file beside the inventory that only its owner reads.
fn private(scene: &Scene, name: &str, text: &str) {
    use std::io::Write as _;
    let path = scene.lab.folder.path().join(name);
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    writeln!(file.expect("a file"), "{text}").expect("a file");
}

/// Runs a command with this on its standard input; what it says.
fn feed(command: &mut std::process::Command, input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    use std::process::Stdio;
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("a command");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("an end").stdout
}

/// Nobody has it by chance.
fn fastrand_password() -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(24)
        .collect()
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::symlink_metadata(path).expect("a file");
    metadata.permissions().mode() & 0o7777
}
