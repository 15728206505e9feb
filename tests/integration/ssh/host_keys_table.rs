//! Whom kdiy lets pass and whom OpenSSH does, side by side against one sshd.
//! `cargo test --test integration host_keys_table -- --nocapture` shows it.

use std::process::{Command, Stdio};

use futures::StreamExt as _;
use kdiy::transport::known_hosts::hashed_line;
use sshd::keygen;

use super::*;

/// One known_hosts file and one sshd.
struct Row<'a> {
    what: &'static str,
    sshd: &'a Sshd,
    /// Lines of the first known_hosts file; `HOST` is the entry's name with
    /// the port, `KEY` the key that is shown, `BLOB` its base64.
    known: Vec<String>,
    /// Lines of the second one.
    second: Vec<String>,
    hashed: bool,
    /// How the host is called.
    host: &'static str,
    /// More of ssh_config.
    config: String,
    pin: Option<String>,
    /// Why kdiy refuses whom ssh lets pass.
    stricter: Option<&'static str>,
}

/// What came of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    passed: bool,
    /// The first known_hosts file, if it is another than before.
    learnt: Option<String>,
}

impl<'a> Row<'a> {
    fn new(what: &'static str, sshd: &'a Sshd, known: &[&str]) -> Self {
        let known = known.iter().map(|line| (*line).to_owned()).collect();
        Self {
            what,
            sshd,
            known,
            second: Vec::new(),
            hashed: false,
            host: "127.0.0.1",
            config: String::new(),
            pin: None,
            stricter: None,
        }
    }

    fn second(mut self, line: &str) -> Self {
        self.second.push(line.to_owned());
        self
    }

    fn called(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    fn config(mut self, text: &str) -> Self {
        text.clone_into(&mut self.config);
        self
    }

    fn hashed(mut self) -> Self {
        self.hashed = true;
        self
    }

    fn pinned(mut self, sshd: &Sshd) -> Self {
        self.pin = Some(host_keys::fingerprint(sshd, "ed25519"));
        self
    }

    fn stricter(mut self, why: &'static str) -> Self {
        self.stricter = Some(why);
        self
    }

    /// A home with the files and the configuration of this row.
    fn home(&self) -> Home {
        let name = format!("[{}]:{}", self.host, self.sshd.port);
        let filled = |lines: &[String]| -> Vec<String> {
            let key = self.sshd.host_key("ed25519");
            let filled = lines.iter();
            filled
                .map(|line| {
                    let line = line.replace("HOST", &name).replace("KEY", &key);
                    let blob = key.split(' ').nth(1).unwrap();
                    line.replace("PORT", &self.sshd.port.to_string())
                        .replace("BLOB", blob)
                })
                .collect()
        };
        let home = Home::knowing(&filled(&self.known));
        if self.hashed {
            let file = home.known_hosts();
            let made = Command::new("ssh-keygen")
                .args(["-q", "-H", "-f"])
                .arg(&file)
                .output();
            assert!(made.unwrap().status.success() && home.known().starts_with("|1|"));
        }
        let second = home.folder.path().join("second");
        std::fs::write(&second, filled(&self.second).join("\n")).unwrap();
        let files = match self.config.contains("GLOBAL") {
            true => home.known_hosts().display().to_string(),
            false => format!("{} {}", home.known_hosts().display(), second.display()),
        };
        // The first value wins.
        home.config(&format!(
            "{}\nUserKnownHostsFile {files}\nGlobalKnownHostsFile /dev/null\n",
            self.config.replace("GLOBAL", &second.display().to_string()),
        ));
        home
    }

    async fn by_kdiy(&self, unknown: UnknownHostKey) -> (Outcome, String) {
        let home = self.home();
        let mut settings = policy(home.settings(), unknown);
        let config = home.folder.path().join(".ssh/config");
        settings.config = SshConfig::load(&[config], home.folder.path()).unwrap();
        let login = Login {
            host: self.host.to_owned(),
            fingerprint: self.pin.clone(),
            ..login_to(self.sshd)
        };
        let before = home.known();
        let result = connect(settings, &login).await.map(drop);
        let learnt = Some(home.known()).filter(|now| *now != before);
        let said = match &result {
            Ok(()) => String::new(),
            Err(error) => format!("{}: {error}", error.code()),
        };
        let passed = result.is_ok();
        (Outcome { passed, learnt }, said)
    }

    async fn by_ssh(&self, strict: &str) -> Outcome {
        let home = self.home();
        // What a pin says in ssh's own form: this key and no other.
        if let Some(pin) = &self.pin {
            let shown = host_keys::fingerprint(self.sshd, "ed25519");
            let key = match shown == *pin {
                true => self.sshd.entry("ed25519"),
                false => format!("[{}]:{} {STRANGER}", self.host, self.sshd.port),
            };
            std::fs::write(home.known_hosts(), key + "\n").unwrap();
        }
        let before = home.known();
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(home.folder.path().join(".ssh/config"));
        for option in [
            "BatchMode=yes",
            "UpdateHostKeys=no",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            &format!("StrictHostKeyChecking={strict}"),
        ] {
            ssh.args(["-o", option]);
        }
        ssh.arg("-i").arg(self.sshd.path("login"));
        ssh.args(["-p", &self.sshd.port.to_string(), self.host, "true"]);
        ssh.stdin(Stdio::null());
        let out = tokio::task::spawn_blocking(move || ssh.output()).await;
        let out = out.unwrap().expect("these tests need ssh");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let passed = out.status.success();
        assert!(
            passed || said.contains("Host key verification failed"),
            "{}: ssh {strict} said {said}",
            self.what
        );
        let learnt = Some(home.known()).filter(|now| *now != before);
        Outcome { passed, learnt }
    }
}

/// A key that no sshd here has.
const STRANGER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

/// Authorities, and hosts with certificates of the first.
struct ClusterCas {
    folder: tempfile::TempDir,
}

impl ClusterCas {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [("ours", "ed25519"), ("theirs", "ed25519"), ("rsa", "rsa")] {
            keygen(&folder.path().join(name), kind, "");
        }
        Self { folder }
    }

    fn line(&self, marker: &str, pattern: &str, name: &str) -> String {
        let path = self.folder.path().join(name).with_extension("pub");
        let key = std::fs::read_to_string(path).unwrap();
        let key: Vec<_> = key.split(' ').take(2).collect();
        format!("{marker} {pattern} {}", key.join(" "))
    }

    /// An sshd with a certificate, made by ssh-keygen with these arguments.
    fn sshd(&self, authority: &str, kinds: &[&str], arguments: &[&str]) -> Sshd {
        Sshd::start_prepared(kinds, |folder| {
            let key = folder.join(format!("host_{}.pub", kinds[0]));
            let made = Command::new("ssh-keygen")
                .args(["-q", "-h", "-I", "host", "-s"])
                .arg(self.folder.path().join(authority))
                .args(arguments)
                .arg(&key)
                .status();
            assert!(made.unwrap().success());
            let certificate = folder.join(format!("host_{}-cert.pub", kinds[0]));
            format!("HostCertificate {}\n", certificate.display())
        })
    }
}

const HERE: [&str; 2] = ["-n", "127.0.0.1,localhost"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kdiy_lets_pass_whom_ssh_lets_pass() {
    let (plain, many) = (
        Sshd::start(),
        Sshd::start_with(&["rsa", "ecdsa", "ed25519"], ""),
    );
    let (rsa, ecdsa) = (many.host_key("rsa"), many.host_key("ecdsa"));
    let (rsa, ecdsa) = (format!("HOST {rsa}"), format!("HOST {ecdsa}"));
    let stranger = format!("HOST {STRANGER}");
    let changed_ecdsa = {
        let folder = tempfile::tempdir().unwrap();
        keygen(&folder.path().join("key"), "ecdsa", "");
        let key = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
        format!("HOST {key}").trim_end().to_owned()
    };
    let new = Row::new;
    let mut rows = vec![
        new("unknown", &plain, &[]),
        new("known", &plain, &["HOST KEY"]),
        new(
            "known, a comment and a tab",
            &plain,
            &["# x", "HOST\tKEY me@here"],
        ),
        new("changed", &plain, &[&stranger]),
        new("changed, and known below", &plain, &[&stranger, "HOST KEY"]),
        new("known by another type, which it has not", &plain, &[&rsa]),
        new("several keys, unknown", &many, &[]),
        new("several keys, known by RSA", &many, &[&rsa]),
        new("several keys, known by ECDSA", &many, &[&ecdsa]),
        new(
            "several keys, one has changed",
            &many,
            &[&changed_ecdsa, "HOST KEY"],
        ),
        new(
            "several keys, only a changed one known",
            &many,
            &[&changed_ecdsa],
        ),
        new("pinned", &plain, &[]).pinned(&plain),
        new("pinned, and known_hosts has another", &plain, &[&stranger]).pinned(&plain),
        new("wrong pin", &plain, &[]).pinned(&many),
        new("wrong pin, known", &plain, &["HOST KEY"]).pinned(&many),
        new("revoked", &plain, &["@revoked HOST KEY"]),
        new(
            "revoked, and known",
            &plain,
            &["HOST KEY", "@revoked * KEY"],
        ),
        new(
            "another key is revoked",
            &plain,
            &["HOST KEY", &format!("@revoked * {STRANGER}")],
        ),
        new(
            "revoked for another host",
            &plain,
            &["HOST KEY", "@revoked other KEY"],
        ),
        new(
            "revoked without the port, known with it",
            &plain,
            &["HOST KEY", "@revoked 127.0.0.1 KEY"],
        )
        .stricter("ssh heeds @revoked only under the name with the port"),
        new("hashed, known", &plain, &["HOST KEY"]).hashed(),
        new("hashed, changed", &plain, &[&stranger]).hashed(),
        new("hashed, another port", &plain, &["[127.0.0.1]:1 KEY"]).hashed(),
        new(
            "the same name with another port",
            &plain,
            &["[127.0.0.1]:1 KEY"],
        ),
        new("without a port, the same key", &plain, &["127.0.0.1 KEY"]),
        new(
            "without a port, another key",
            &plain,
            &[&format!("127.0.0.1 {STRANGER}")],
        ),
        new(
            "without a port the same, with it another",
            &plain,
            &["127.0.0.1 KEY", &stranger],
        ),
        new(
            "with the port 22 in brackets",
            &plain,
            &["[127.0.0.1]:22 KEY"],
        ),
        new(
            "by name, known by address",
            &plain,
            &["[127.0.0.1]:PORT KEY"],
        )
        .called("localhost"),
        new("by name, known by name", &plain, &["HOST KEY"]).called("localhost"),
        new("by a name in capitals", &plain, &["[localhost]:PORT KEY"]).called("LocalHost"),
        new(
            "by address, known by name",
            &plain,
            &["[localhost]:PORT KEY"],
        ),
        new("a pattern", &plain, &["[127.0.*.?]:* KEY"]),
        new(
            "a pattern, another key",
            &plain,
            &[&format!("[127.*]:* {STRANGER}")],
        ),
        new("negated", &plain, &["![127.0.0.1]:*,[127.*]:* KEY"]),
        new(
            "negated, of others",
            &plain,
            &["![127.0.0.2]:*,[127.*]:* KEY"],
        ),
        new("only negated", &plain, &["![127.0.0.2]:* KEY"]),
        new("in the second file", &plain, &[]).second("HOST KEY"),
        new("changed in the second file", &plain, &[]).second(&stranger),
        new("known in one, another in the second", &plain, &["HOST KEY"]).second(&stranger),
        new("revoked in the second file", &plain, &["HOST KEY"]).second("@revoked * KEY"),
        new("HostKeyAlias, known", &plain, &["Alias KEY"]).config("HostKeyAlias alias"),
        new(
            "HostKeyAlias, known by the address only",
            &plain,
            &["HOST KEY"],
        )
        .config("HostKeyAlias alias"),
        new("HashKnownHosts, unknown", &plain, &[]).config("HashKnownHosts yes"),
        new("UserKnownHostsFile none, unknown", &plain, &["HOST KEY"])
            .config("UserKnownHostsFile none"),
        new("GlobalKnownHostsFile, known", &plain, &[])
            .config("GlobalKnownHostsFile GLOBAL")
            .second("HOST KEY"),
        new(
            "lines that make no sense",
            &plain,
            &["HOST", "@what HOST KEY", "HOST ssh-rsa A", "HOST KEY"],
        ),
        new(
            "a type that the key is not of",
            &plain,
            &["HOST ssh-rsa BLOB"],
        ),
    ];

    let cas = ClusterCas::new();
    let ours = cas.line("@cert-authority", "*", "ours");
    let theirs = cas.line("@cert-authority", "*", "theirs");
    let for_port = cas.line("@cert-authority", "HOST", "ours");
    let for_address = cas.line("@cert-authority", "127.0.0.1", "ours");
    let for_other = cas.line("@cert-authority", "*.example.com", "ours");
    let of_rsa = cas.line("@cert-authority", "*", "rsa");
    let revoked = cas.line("@revoked", "*", "ours");
    let as_key = cas.line("HOST", "", "ours").replace("  ", " ");
    let sshd = |arguments: &[&str]| cas.sshd("ours", &["ed25519"], arguments);
    let valid = sshd(&HERE);
    let expired = sshd(&[HERE, ["-V", "20200101:20210101"]].concat());
    let early = sshd(&[HERE, ["-V", "20990101:20990201"]].concat());
    let elsewhere = sshd(&["-n", "other.example.com"]);
    let with_port = sshd(&["-n", "[127.0.0.1]:*"]);
    let pattern = sshd(&["-n", "127.0.?.*"]);
    let everywhere = sshd(&[]);
    let named = sshd(&["-n", "alias"]);
    let conditions = sshd(&[HERE, ["-O", "critical:x@example.com=1"]].concat());
    let several = cas.sshd("ours", &["ecdsa", "rsa", "ed25519"], &HERE);
    let by_rsa = cas.sshd("rsa", &["ed25519"], &HERE);
    let by_sha1 = cas.sshd(
        "rsa",
        &["ed25519"],
        &[&HERE[..], &["-t", "ssh-rsa"]].concat(),
    );
    let hashed = {
        let line = for_port.replace("HOST", &format!("[127.0.0.1]:{}", valid.port));
        let (marker, entry) = line.split_once(' ').unwrap();
        format!("{marker} {}", hashed_line(entry).unwrap())
    };
    rows.extend([
        new("CA: valid", &valid, &[&ours]),
        new(
            "CA: valid, for the name with the port",
            &valid,
            &[&for_port],
        ),
        new(
            "CA: valid, for the name without the port",
            &valid,
            &[&for_address],
        ),
        new("CA: valid, by name", &valid, &[&ours]).called("localhost"),
        new("CA: valid, hashed", &valid, &[&hashed]),
        new("CA: valid, of RSA", &by_rsa, &[&of_rsa]),
        new("CA: signed with SHA-1", &by_sha1, &[&of_rsa]),
        new(
            "CA: valid, of an ECDSA key among others",
            &several,
            &[&ours],
        ),
        new("CA: valid, in the second file", &valid, &[]).second(&ours),
        new(
            "CA: valid, and another plain key known",
            &valid,
            &[&stranger, &ours],
        ),
        new("CA: valid, a pattern of names", &pattern, &[&ours]),
        new("CA: valid, for no names", &everywhere, &[&ours]),
        new("CA: valid, HostKeyAlias", &named, &[&ours]).config("HostKeyAlias alias"),
        new("CA: valid, for another HostKeyAlias", &named, &[&ours]).config("HostKeyAlias other"),
        new("CA: expired", &expired, &[&ours]),
        new(
            "CA: expired, and the plain key known",
            &expired,
            &[&ours, "HOST KEY"],
        ),
        new(
            "CA: expired, and another plain key known",
            &expired,
            &[&ours, &stranger],
        ),
        new("CA: not valid yet", &early, &[&ours]),
        new("CA: for another host", &elsewhere, &[&ours]),
        new("CA: for the name with the port", &with_port, &[&ours]),
        new("CA: unknown conditions", &conditions, &[&ours]),
        new("CA: of another authority", &valid, &[&theirs]),
        new("CA: ours and another", &valid, &[&theirs, &ours]),
        new("CA: for other hosts", &valid, &[&for_other]),
        new("CA: as a plain key", &valid, &[&as_key]),
        new("CA: revoked", &valid, &[&ours, &revoked]),
        new(
            "CA: revoked, and the plain key known",
            &valid,
            &["HOST KEY", &revoked],
        ),
        new(
            "CA: the key in a certificate is revoked",
            &valid,
            &[&ours, "@revoked * KEY"],
        ),
        new("CA: none, but a certificate", &valid, &[]),
        new("CA: known, no certificate", &plain, &[&ours]),
        new(
            "CA: known, no certificate, plain key known",
            &plain,
            &[&ours, "HOST KEY"],
        ),
        new(
            "CA: the host's own key as authority",
            &plain,
            &["@cert-authority * KEY"],
        ),
        new("CA: pinned, and an authority", &valid, &[&ours]).pinned(&valid),
        new("CA: wrong pin, valid certificate", &valid, &[&ours]).pinned(&plain),
    ]);
    compare(rows).await;
}

#[expect(clippy::print_stdout, reason = "for --nocapture")]
async fn compare(rows: Vec<Row<'_>>) {
    let mut wrong = Vec::new();
    println!(
        "{:48} {:18} {:18}",
        "", "yes: ssh kdiy", "accept-new: ssh kdiy"
    );
    let count = rows.len();
    let outcomes = futures::stream::iter(&rows).map(async |row: &Row<'_>| {
        futures::join!(
            row.by_ssh("yes"),
            row.by_kdiy(UnknownHostKey::Refuse),
            row.by_ssh("accept-new"),
            row.by_kdiy(UnknownHostKey::Accept),
        )
    });
    let outcomes: Vec<_> = outcomes.buffered(4).collect().await;
    for (row, (ssh, (kdiy, said), ssh_new, (kdiy_new, said_new))) in rows.iter().zip(outcomes) {
        println!(
            "{:48} {:5} {:12} {:5} {:7} {said}",
            row.what,
            ssh.shown(),
            kdiy.shown(),
            ssh_new.shown(),
            kdiy_new.shown(),
        );
        for (theirs, ours, said) in [(ssh, kdiy, said), (ssh_new, kdiy_new, said_new)] {
            let fits = match row.stricter {
                Some(_) => theirs.passed && !ours.passed && ours.learnt.is_none(),
                None if row.hashed || row.config.contains("Hash") => theirs.shown() == ours.shown(),
                None => theirs == ours || row.pin.is_some() && theirs.passed == ours.passed,
            };
            if !fits {
                wrong.push(format!("{}: {theirs:?}\n  kdiy {ours:?} {said}", row.what));
            }
        }
        if let Some(why) = row.stricter {
            println!("{:48} ^ kdiy is stricter: {why}", "");
        }
    }
    println!("{count} rows");
    assert!(wrong.is_empty(), "not as ssh:\n{}", wrong.join("\n"));
}

impl Outcome {
    fn shown(&self) -> &'static str {
        match (self.passed, &self.learnt) {
            (true, None) => "in",
            (true, Some(_)) => "learnt",
            (false, None) => "-",
            (false, Some(_)) => "WROTE",
        }
    }
}
