//! A real sshd on a port of its own, as the user who runs the tests.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::free_port;

/// An sshd with keys in a folder of its own; ended when dropped.
pub struct Sshd {
    pub folder: tempfile::TempDir,
    pub port: u16,
    child: Child,
}

impl Sshd {
    /// Starts an sshd with an ed25519 host key, that accepts `login`.
    pub fn start() -> Self {
        Self::start_with(&["ed25519"], "")
    }

    pub fn start_with(host_keys: &[&str], more: &str) -> Self {
        Self::start_prepared(host_keys, |_| more.to_owned())
    }

    /// Starts an sshd after its host keys were made: `host_KIND` in the folder
    /// that `prepare` gets, which hands back more configuration.
    pub fn start_prepared(host_keys: &[&str], prepare: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // sshd as root wants this folder, which the system service makes.
        if user() == "root" {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        // Login files of the user may do anything, and these tests kill shells.
        fs::create_dir(at("home")).unwrap();
        let mut config = String::new();
        for kind in host_keys {
            keygen(&folder.path().join(format!("host_{kind}")), kind, "");
            config += &format!("HostKey {}\n", at(&format!("host_{kind}")));
        }
        keygen(&folder.path().join("login"), "ed25519", "");
        fs::copy(at("login.pub"), at("authorized_keys")).unwrap();
        let port = free_port();
        config += &format!(
            "ListenAddress 127.0.0.1\nPort {port}\nPidFile none\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n\
             MaxStartups 100\nLogLevel DEBUG1\nSetEnv HOME={}\n",
            at("authorized_keys"),
            at("home")
        );
        config += &prepare(folder.path());
        fs::write(at("sshd_config"), config).unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f", &at("sshd_config"), "-E", &at("log")])
            .stdin(Stdio::null())
            .spawn()
            .expect("these tests need /usr/sbin/sshd: install openssh-server");
        let sshd = Self {
            folder,
            port,
            child,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "no sshd: {}",
                sshd.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        sshd
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets a further public key in.
    pub fn authorize(&self, key: &Path) {
        let key = fs::read_to_string(key.with_extension("pub")).unwrap();
        let known = fs::read_to_string(self.path("authorized_keys")).unwrap();
        fs::write(self.path("authorized_keys"), known + &key).unwrap();
    }

    /// The known_hosts entry of a host key.
    pub fn entry(&self, kind: &str) -> String {
        format!("[127.0.0.1]:{} {}", self.port, self.host_key(kind))
    }

    /// Type and base64 of a host key.
    pub fn host_key(&self, kind: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// How many logins there were.
    pub fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Cuts all connections: ends the processes that serve them, then what
    /// they started, but not sshd itself.
    pub fn cut(&self) {
        let (serving, started): (Vec<u32>, Vec<u32>) = descendants(self.child.id())
            .into_iter()
            .partition(|pid| name_of(*pid).starts_with("sshd"));
        serving.into_iter().chain(started).for_each(kill);
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut();
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Processes that a process started, and those that they started.
fn descendants(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
    children
        .flat_map(|child| [vec![child], descendants(child)].concat())
        .collect()
}

fn name_of(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

fn kill(pid: u32) {
    Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

/// Makes a key pair.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .status()
        .expect("these tests need ssh-keygen: install openssh-client");
    assert!(made.success());
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o77, 0);
}

/// The user who runs the tests.
pub fn user() -> String {
    let out = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}
