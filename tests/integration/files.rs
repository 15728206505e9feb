//! Who may get at what kdiy writes on this machine, whatever the umask: every
//! path is compared with a table, and one that is not in it is a fault.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::ssh::sshd::{Sshd, user};

/// Paths below the scratch folder; `*` stands for a part of a name. The mode
/// is the most that a path may have; with what is public the umask takes away.
const TABLE: &[(&str, u32, Kind)] = &[
    ("work/.kdiy", 0o700, Kind::Private),
    ("work/.kdiy/.gitignore", 0o600, Kind::Private),
    ("work/.kdiy/demo", 0o700, Kind::Private),
    ("work/.kdiy/demo/kubeconfig", 0o600, Kind::Private),
    ("work/.kdiy/demo/pki", 0o700, Kind::Private),
    ("work/.kdiy/demo/pki/*.key", 0o600, Kind::Private),
    ("work/.kdiy/demo/pki/*.crt", 0o600, Kind::Private),
    ("work/.kdiy/demo/pki/sa.pub", 0o600, Kind::Private),
    ("work/.kdiy/demo/pki/etcd", 0o700, Kind::Private),
    ("work/.kdiy/demo/pki/etcd/ca.*", 0o600, Kind::Private),
    ("work/.kdiy/demo/host-keys", 0o700, Kind::Private),
    ("work/.kdiy/demo/host-keys/n-0", 0o600, Kind::Private),
    ("work/plan.json", 0o600, Kind::Private),
    ("work/new.yaml", 0o644, Kind::Public),
    ("work/imported.yaml", 0o644, Kind::Public),
    ("work/cluster.svg", 0o644, Kind::Public),
    ("work/pages", 0o755, Kind::Public),
    ("work/pages/kdiy*.1", 0o644, Kind::Public),
    ("home/.ssh", 0o700, Kind::Private),
    ("home/.ssh/known_hosts", 0o600, Kind::Private),
    ("home/.kube", 0o700, Kind::Private),
    ("home/.kube/config", 0o600, Kind::Private),
    ("home/.kube/config.before-kdiy", 0o600, Kind::Private),
];

/// What the test itself wrote.
const OURS: &[&str] = &[
    "work",
    "work/kdiy.yaml",
    "work/pinned.yaml",
    "work/hosts.ini",
    "home",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No secrets: others may read it if the umask lets them.
    Public,
    Private,
}

/// A folder with an inventory of one host, which is an sshd of this machine.
struct Scratch {
    folder: tempfile::TempDir,
    umask: u32,
}

impl Scratch {
    fn new(umask: u32, sshd: &Sshd) -> Self {
        let scratch = Self {
            folder: tempfile::tempdir().unwrap(),
            umask,
        };
        for folder in ["work", "home"] {
            fs::create_dir(scratch.path(folder)).unwrap();
        }
        let inventory = |more: &str| {
            format!(
                "apiVersion: kdiy/v1alpha1\nname: demo\nversion: 1.34.1\nnetwork: {{cni: bridge}}\n\
                 kubeadm: {{ignorePreflightErrors: [all]}}\nnodes:\n- name: n-0\n  \
                 roles: [control-plane, worker]\n  address: 192.0.2.1\n  \
                 ssh: {{host: 127.0.0.1, port: {}, user: {}, identity: {}{more}}}\n",
                sshd.port,
                user(),
                sshd.path("login").display()
            )
        };
        let pin = crate::ssh::host_keys::fingerprint(sshd, "ed25519");
        scratch.write("work/kdiy.yaml", &inventory(""));
        scratch.write(
            "work/pinned.yaml",
            &inventory(&format!(", hostKey: \"{pin}\"")),
        );
        scratch.write(
            "work/hosts.ini",
            "[kube_control_plane]\na ip=192.0.2.1 ansible_host=192.0.2.1\n",
        );
        scratch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that others may read, but not change.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn kdiy(&self, words: &[&str]) -> Output {
        let mut command = Command::new("sh");
        let script = format!("umask {:03o}; exec \"$@\"", self.umask);
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_kdiy")]);
        command.args(words).current_dir(self.path("work"));
        command.env("HOME", self.path("home"));
        for name in ["KDIY_INVENTORY", "KUBECONFIG", "SSH_AUTH_SOCK"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }

    /// Runs it; it must end well. Standard error.
    fn done(&self, words: &[&str]) -> String {
        let out = self.kdiy(words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{words:?}: {said}");
        said
    }

    /// Keeps CAs as an apply does, under the umask.
    fn keep_cas(&self) {
        let script = format!("umask {:03o}; exec \"$@\"", self.umask);
        let mut command = Command::new("sh");
        command
            .args(["-c", &script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "files::cas_are_kept"])
            .env(FOLDER, self.path("work"));
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && said.contains("1 passed"), "{said}");
    }

    /// It must fail, and say this.
    fn refused(&self, words: &[&str], why: &str) {
        let out = self.kdiy(words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success(), "{words:?} went well");
        assert!(said.contains(why), "{words:?}: {said}");
    }

    /// Everything below it.
    fn tree(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.folder.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.symlink_metadata().unwrap().is_dir() {
                    open.push(path.clone());
                }
                found.push(path);
            }
        }
        found.sort();
        found
    }

    /// Compares all paths with the table; the rows that were met.
    fn audit(&self) -> BTreeSet<&'static str> {
        let (mut met, mut wrong) = (BTreeSet::new(), Vec::new());
        for path in self.tree() {
            let name = path
                .strip_prefix(self.folder.path())
                .unwrap()
                .display()
                .to_string();
            if OURS.contains(&&*name) {
                continue;
            }
            let found = path.symlink_metadata().unwrap();
            let row = TABLE.iter().find(|(pattern, ..)| matches(pattern, &name));
            let Some((pattern, mode, kind)) = row else {
                wrong.push(format!("{name} is not in the table"));
                continue;
            };
            met.insert(*pattern);
            let wanted = match kind {
                Kind::Private => *mode,
                Kind::Public => mode & !self.umask,
            };
            let mode = found.mode() & 0o7777;
            if mode != wanted {
                wrong.push(format!("{name}: {mode:04o}, not {wanted:04o}"));
            }
            if found.uid() != rustix::process::geteuid().as_raw() || found.is_symlink() {
                wrong.push(format!("{name}: of user {}", found.uid()));
            }
            if found.is_file() && found.nlink() != 1 {
                wrong.push(format!("{name}: {} links", found.nlink()));
            }
        }
        assert!(
            wrong.is_empty(),
            "umask {:03o}:\n{}",
            self.umask,
            wrong.join("\n")
        );
        met
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|part| !part.contains('/')),
    }
}

/// The folder of the inventory, for [`cas_are_kept`].
const FOLDER: &str = "KDIY_TEST_FOLDER";

#[test]
#[ignore = "run by what_is_written_is_for_its_owner_whatever_the_umask"]
fn cas_are_kept() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let now = time::OffsetDateTime::now_utc();
    let name = kdiy::cluster::Name::try_from("demo".to_owned()).unwrap();
    let state = kdiy::state::State::open(Path::new(&folder), &name).unwrap();
    let cas = kdiy::pki::ClusterCas::generate(now).unwrap();
    state.save_cas(&cas, now).unwrap();
}

#[test]
#[expect(clippy::print_stdout, reason = "for --nocapture")]
fn what_is_written_is_for_its_owner_whatever_the_umask() {
    // Others cannot be root on their own machine by ssh.
    if user() != "root" {
        return;
    }
    let sshd = Sshd::start();
    for umask in [0o000, 0o077] {
        let scratch = Scratch::new(umask, &sshd);
        scratch.done(&["plan", "--accept-new-host-keys", "--out", "plan.json"]);
        let pki = scratch.path("work/.kdiy/demo/pki");
        assert!(!pki.exists(), "a plan makes no CA");
        scratch.keep_cas();
        scratch.done(&["ssh", "n-0", "--print", "-i", "pinned.yaml"]);
        scratch.done(&["kubeconfig", "--merge"]);
        // Comments that cannot be kept are copied away.
        let config = scratch.path("home/.kube/config");
        let flow =
            "{apiVersion: v1, kind: Config, # mine\n clusters: [], contexts: [], users: []}\n";
        fs::write(&config, flow).unwrap();
        scratch.done(&["kubeconfig", "--merge", "--set-current"]);
        scratch.done(&["init", "--control-plane", "192.0.2.1", "--out", "new.yaml"]);
        scratch.done(&[
            "inventory",
            "import",
            "ansible",
            "hosts.ini",
            "--out",
            "imported.yaml",
        ]);
        scratch.done(&["topology", "--svg", "cluster.svg"]);
        scratch.done(&["topology", "--svg", "cluster.svg"]);
        scratch.done(&["man", "--dir", "pages"]);
        let met = scratch.audit();
        let unmet: Vec<_> = TABLE
            .iter()
            .filter(|(row, ..)| !met.contains(row))
            .collect();
        println!(
            "umask {umask:03o}: {} paths, {} rows",
            scratch.tree().len(),
            met.len()
        );
        assert!(unmet.is_empty(), "nothing wrote {unmet:?}");
        // The same again changes nothing about who may get at it.
        scratch.done(&["plan", "--out", "plan.json"]);
        scratch.done(&["kubeconfig"]);
        scratch.audit();
    }
}

#[test]
fn a_state_that_others_could_have_touched_is_refused() {
    let sshd = Sshd::start();
    let scratch = Scratch::new(0o022, &sshd);
    let state = scratch.path("work/.kdiy");
    let elsewhere = scratch.path("elsewhere");
    let make = |path: &Path, mode: u32| {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    make(&elsewhere, 0o700);
    for command in ["kubeconfig", "logs"] {
        symlink(&elsewhere, &state).unwrap();
        scratch.refused(&[command], "is not a plain directory");
        fs::remove_file(&state).unwrap();
        make(&state, 0o770);
        scratch.refused(&[command], "chmod 0700");
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        symlink(&elsewhere, state.join("demo")).unwrap();
        scratch.refused(&[command], "is not a plain directory");
        fs::remove_dir_all(&state).unwrap();
        fs::write(&state, "").unwrap();
        scratch.refused(&[command], "is not a plain directory");
        fs::remove_file(&state).unwrap();
    }
    assert_eq!(
        fs::read_dir(&elsewhere).unwrap().count(),
        0,
        "nothing was written there"
    );

    // A kubeconfig in place of which there is something else.
    make(&state, 0o700);
    make(&state.join("demo"), 0o700);
    let runs = state.join("demo/runs");
    make(&runs, 0o700);
    make(&runs.join("20260504t030201z"), 0o700);
    let record = runs.join("20260504t030201z/run.json");
    fs::write(scratch.path("elsewhere/mine"), "{}").unwrap();
    fs::set_permissions(
        scratch.path("elsewhere/mine"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    fs::hard_link(scratch.path("elsewhere/mine"), &record).unwrap();
    scratch.refused(&["logs"], "hard links");
    fs::remove_file(&record).unwrap();
    let made = Command::new("mkfifo").arg(&record).status().unwrap();
    assert!(made.success());
    scratch.refused(&["logs"], "is not a plain file");
    fs::remove_file(&record).unwrap();
    symlink("/etc/passwd", &record).unwrap();
    scratch.refused(&["logs"], "is not a plain file");
}

#[test]
fn files_that_are_named_are_never_followed_elsewhere() {
    let sshd = Sshd::start();
    let scratch = Scratch::new(0o022, &sshd);
    let victim = scratch.path("victim");
    fs::write(&victim, "precious").unwrap();
    for name in ["new.yaml", "cluster.svg"] {
        symlink(&victim, scratch.path(&format!("work/{name}"))).unwrap();
    }
    scratch.refused(
        &["init", "--control-plane", "192.0.2.1", "--out", "new.yaml"],
        "is there already",
    );
    scratch.done(&[
        "init",
        "--control-plane",
        "192.0.2.1",
        "--out",
        "new.yaml",
        "--force",
    ]);
    scratch.refused(&["topology", "--svg", "cluster.svg"], "no diagram");
    scratch.done(&["topology", "--svg", "cluster.svg", "--force"]);
    scratch.refused(
        &["topology", "--svg", "/dev/null", "--force"],
        "no plain file",
    );
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn an_inventory_that_everybody_may_change_is_reported() {
    let sshd = Sshd::start();
    let scratch = Scratch::new(0o022, &sshd);
    let inventory = scratch.path("work/kdiy.yaml");
    assert!(!scratch.done(&["topology"]).contains("chmod o-w"));
    fs::set_permissions(&inventory, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(
        scratch
            .done(&["topology"])
            .contains("run `chmod o-w kdiy.yaml`")
    );
}
