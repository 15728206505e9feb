//! The repository's Vagrantfile, as a user has it: up, import, apply, destroy.
//! Its Docker machines have VirtualBox's network: 10.0.2.15 on every one, with
//! the default route, behind a NAT of its own through which SSH is forwarded.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::lab::{cache, command, fetch_key, ok};
use super::{cluster, figure, kdiy};
use crate::documents::{How, Shell, blocks};

const MACHINES: [(&str, &str); 3] = [
    ("cp-1", "172.29.6.21"),
    ("w-1", "172.29.6.41"),
    ("w-2", "172.29.6.42"),
];

/// A folder with the Vagrantfile, and the machines that were made there.
struct Vagrant {
    folder: TempDir,
}

impl Vagrant {
    fn new() -> Self {
        ok(&mut command(&["build"]));
        ok(&mut command(&["serve"]));
        ok(&mut command(&["down", "vagrant"]));
        let folder = tempfile::tempdir().expect("a folder");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Vagrantfile");
        std::os::unix::fs::symlink(file, folder.path().join("Vagrantfile")).expect("a link");
        std::fs::create_dir(folder.path().join("home")).expect("a folder");
        fetch_key("Release.key", folder.path());
        Self { folder }
    }

    /// A program in this folder: without a terminal, its home empty.
    fn program(&self, program: &Path, words: &[&str]) -> Command {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        // The engine's own client first, see tests/lab/lib/common.sh.
        let path = std::env::var("PATH").expect("PATH");
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("PATH", format!("/usr/bin:{path}"))
            .env("HOME", self.folder.path().join("home"))
            .env("KDIY_LAB_CACHE", cache())
            .env(
                "KDIY_BASE",
                manifest.join("tests/integration/e2e/vagrant.yaml"),
            )
            .env_remove("KDIY_INVENTORY")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null());
        for setting in ["SHAPE", "WORKERS", "CONTROL_PLANES", "NETWORK"] {
            command.env_remove(setting);
        }
        command
    }

    fn vagrant(&self, words: &[&str]) -> Command {
        self.program(Path::new("vagrant"), words)
    }

    /// kdiy; the exit code must be this one.
    fn kdiy(&self, code: i32, words: &[&str]) -> (String, String) {
        let output = self.program(&kdiy::binary(), words).output().expect("kdiy");
        let Output { status, .. } = output;
        let out = String::from_utf8(output.stdout).expect("text");
        let err = String::from_utf8(output.stderr).expect("text");
        assert_eq!(status.code(), Some(code), "kdiy {words:?}\n{out}\n{err}");
        (out, err)
    }

    fn inventory(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("kdiy.yaml")).ok()
    }
}

impl Drop for Vagrant {
    fn drop(&mut self) {
        // Nothing more can be done about a failure here; the second removes
        // what Vagrant forgot.
        let _ = self.vagrant(&["destroy", "--force"]).output();
        let _ = command(&["down", "vagrant"]).output();
    }
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn vagrant_machines_become_a_cluster() {
    let began = Instant::now();
    let lab = Vagrant::new();
    nothing_runs_yet(&lab);

    let said = as_documents_say(&lab);
    figure("from `vagrant up` to `kubectl get nodes`", began.elapsed());
    for wanted in ["Wrote kdiy.yaml", "pinned", "w-2    Ready"] {
        assert!(said.contains(wanted), "no `{wanted}`:\n{said}");
    }
    machines_have_the_trap(&lab);
    let inventory = lab.inventory().expect("kdiy.yaml");
    assert!(!inventory.contains("10.0.2.15"), "{inventory}");
    assert_eq!(
        inventory.matches("hostKey: SHA256:").count(),
        3,
        "{inventory}"
    );
    for (_, address) in MACHINES {
        let line = format!("address: {address}\n");
        assert!(inventory.contains(&line), "{inventory}");
    }

    nodes_are_ready(&lab);
    lab.kdiy(0, &["plan", "--detailed-exitcode"]);
    figure("first hour with Vagrant, all of it", began.elapsed());

    an_inventory_is_not_overwritten(&lab, &inventory);
    a_machine_that_does_not_run_is_reported(&lab);

    ok(&mut lab.vagrant(&["destroy", "--force"]));
    assert_eq!(ok(&mut command(&["ps", "vagrant"])), "", "hosts are left");
}

/// Types what README tells for Vagrant.
fn as_documents_say(lab: &Vagrant) -> String {
    let shell = Shell::new(&kdiy::binary());
    shell.program("kubectl", &cluster::binary());
    let programs = shell.home().join("bin").display().to_string();
    let mut shell = shell
        .within(lab.folder.path())
        .with("VAGRANT_DEFAULT_PROVIDER", "docker");
    let like = lab.vagrant(&[]);
    for (name, value) in like.get_envs() {
        let value = value.map(|value| value.to_str().expect("text"));
        match (name.to_str().expect("text"), value) {
            ("PATH", Some(path)) => shell = shell.with("PATH", &format!("{programs}:{path}")),
            (name, Some(value)) => shell = shell.with(name, value),
            // What is taken away is not there in tests either.
            (_, None) => {}
        }
    }
    let blocks = blocks(How::Vagrant);
    assert!(!blocks.is_empty(), "README has one");
    let said = blocks.iter().map(|block| shell.run(block));
    said.collect::<Vec<_>>().join("\n")
}

fn nothing_runs_yet(lab: &Vagrant) {
    let mut command = lab.vagrant(&["status"]);
    ok(command.env("VAGRANT_DEFAULT_PROVIDER", "docker"));
    // Vagrant itself finds no provider: there is neither machine nor
    // VirtualBox here. What it says is handed on.
    let (_, err) = lab.kdiy(1, &["inventory", "import", "vagrant"]);
    assert!(err.contains("vagrant ssh-config"), "{err}");
    assert_eq!(lab.inventory(), None);
}

/// Otherwise this would test nothing.
fn machines_have_the_trap(lab: &Vagrant) {
    for (machine, address) in MACHINES {
        let words = ["ssh", machine, "-c", "ip -o -4 addr; ip route show default"];
        let said = ok(&mut lab.vagrant(&words));
        for part in [
            "eth0    inet 10.0.2.15/24",
            "default via 10.0.2.2 dev eth0",
            address,
        ] {
            assert!(said.contains(part), "no {part} on {machine}:\n{said}");
        }
    }
}

fn nodes_are_ready(lab: &Vagrant) {
    let kubeconfig = lab.folder.path().join(".kdiy/vagrant/kubeconfig");
    let template = "jsonpath={range .items[*]}{.metadata.name} \
                    {.status.addresses[?(@.type==\"InternalIP\")].address} \
                    {.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}";
    let mut kubectl = command(&["kubectl", "--kubeconfig"]);
    let said = ok(kubectl
        .arg(kubeconfig)
        .args(["get", "nodes", "-o", template]));
    let ready = MACHINES.map(|(name, address)| format!("{name} {address} True\n"));
    assert_eq!(said, ready.concat());
}

fn an_inventory_is_not_overwritten(lab: &Vagrant, inventory: &str) {
    let (_, err) = lab.kdiy(1, &["inventory", "import", "vagrant"]);
    assert!(err.contains("--force"), "{err}");
    assert_eq!(lab.inventory().as_deref(), Some(inventory));
    // With its machines unchanged the import says the same again.
    lab.kdiy(0, &["inventory", "import", "vagrant", "--force"]);
    assert_eq!(lab.inventory().as_deref(), Some(inventory));
}

fn a_machine_that_does_not_run_is_reported(lab: &Vagrant) {
    ok(&mut lab.vagrant(&["halt", "w-2"]));
    let (out, err) = lab.kdiy(0, &["inventory", "import", "vagrant", "--out", "-"]);
    let flat = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("left out") && flat.contains("w-2 (stopped)"),
        "{err}"
    );
    assert!(
        out.contains("name: w-1") && !out.contains("name: w-2"),
        "{out}"
    );
}
