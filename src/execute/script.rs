//! The script of one step: what every fragment may use, then its changes.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::plan::PlannedStep;
use crate::plan::install::POLL_FUNCTION;
use crate::resource::Content;
use crate::secret_store::SecretStore;
use crate::shell::{Script, WITHOUT_PROXY, sh};

/// How long a script waits on its host for an earlier one to end.
pub(super) const HOST_LOCK_TIMEOUT: Duration = Duration::from_secs(600);

/// Stops at the first error; one script at a time on a host, since one whose
/// connection was cut is still at work; a private directory, removed at the
/// end, and with it those of scripts that were killed.
///
/// A script goes on to its end when nobody listens any more: half a kubeadm
/// or dpkg is worse than a whole one. What it says goes through relays that
/// read on when the connection is gone; without them the next word would end
/// it. They do not hold the lock, and end with the script.
const HEAD: &str = sh!("step/head.sh");

/// The script of a step. `mark` begins the line that announces a change; the
/// place of the change follows. `guard` comes before all changes.
#[must_use]
pub fn of_step(
    step: &PlannedStep,
    secrets: &SecretStore,
    mark: &str,
    guard: &Script,
) -> Zeroizing<String> {
    let mut script = Script::of(WITHOUT_PROXY)
        .with(HEAD)
        .then(guard)
        .with(POLL_FUNCTION);
    let mut defined: Vec<&str> = Vec::new();
    for functions in { step.changes().iter() }.flat_map(|change| change.resource.functions()) {
        if !defined.contains(functions) {
            defined.push(functions);
            script = script.with(functions);
        }
    }
    for (place, change) in step.changes().iter().enumerate() {
        script = script.call("echo", [format!("{mark}{place}")]).then(
            &change
                .resource
                .apply(&change.seen, &|content| secrets.text(content)),
        );
    }
    Zeroizing::new(script.as_str().to_owned())
}

/// What is particular to the script of a step, for people: without what every
/// script begins with, and with names in the place of secrets.
#[must_use]
pub fn shown(step: &PlannedStep) -> String {
    let named = |content: &Content| {
        Zeroizing::new(match content {
            Content::Plain(text) | Content::Filled(text) => text.clone(),
            Content::Secret { sha256 } => format!("(secret with SHA-256 {sha256})\n"),
        })
    };
    let mut script = Script::new();
    for change in step.changes() {
        script = script.then(&change.resource.apply(&change.seen, &named));
    }
    script.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;
    use crate::shell::OwnExit;

    /// The head, for a folder of this machine, with a body.
    fn sh(folder: &Path, body: &str) -> Command {
        let head = HEAD.replace("/run/kdiy", &folder.join("kdiy").display().to_string());
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{head}{body}")]);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn what_is_waited_for_in_vain_has_an_exit_code_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let wait = "kdiy_poll 0 'the moon' false\necho on\n";
        let ended = sh(folder.path(), &format!("{POLL_FUNCTION}{wait}")).output();
        let ended = ended.unwrap();
        let code = ended
            .status
            .code()
            .and_then(|code| u32::try_from(code).ok());
        assert_eq!(code, Some(OwnExit::WaitedInVain.code()));
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(said, "waited 0 s in vain for the moon; last answer: \n");
    }

    fn there(path: &Path) {
        let until = Instant::now() + Duration::from_secs(20);
        while !path.exists() {
            assert!(Instant::now() < until, "{} never came", path.display());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Defect X1: a proxy of the host's environment stood before kubeadm.
    #[test]
    fn defect_x1_a_step_knows_no_proxy_of_its_host() {
        let command = crate::resource::Command {
            name: "tell".to_owned(),
            verb: crate::resource::Verb::Run,
            details: Vec::new(),
            done: crate::resource::Done::Known(false),
            script: Script::of("env | grep -i _proxy || echo none\n"),
            inputs: Vec::new(),
        };
        let step = PlannedStep {
            actor: crate::plan::Actor::Cluster,
            title: String::new(),
            action: crate::plan::Action::Converge(vec![crate::plan::Change {
                resource: crate::resource::Resource::Command(command),
                difference: crate::resource::Difference::plain(crate::resource::Verb::Run),
                seen: crate::resource::Seen::Command(false),
            }]),
            needs: Vec::new(),
            gate: None,
        };
        let script = of_step(&step, &SecretStore::new(), "mark ", &Script::new());
        let folder = tempfile::tempdir().unwrap();
        let script = script.replace(
            "/run/kdiy",
            &folder.path().join("kdiy").display().to_string(),
        );
        let mut shell = Command::new("sh");
        for name in ["http", "https", "all", "no"] {
            shell.env(format!("{name}_proxy"), "http://192.0.2.1:9");
            shell.env(format!("{name}_proxy").to_uppercase(), "http://192.0.2.1:9");
        }
        let ended = shell.args(["-c", &script]).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&ended.stdout),
            "mark 0\nnone\n",
            "{ended:?}"
        );
    }

    #[test]
    fn the_wait_is_as_long_as_it_is_said() {
        let seconds = HOST_LOCK_TIMEOUT.as_secs();
        assert!(HEAD.contains(&format!("flock -w {seconds} 9")));
        assert_eq!(HEAD.matches(&format!("{seconds} s")).count(), 2);
    }

    #[test]
    fn both_streams_and_the_exit_code_come_through() {
        let folder = tempfile::tempdir().unwrap();
        let many = "i=0; while [ $i -lt 3000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done\n";
        let ended = sh(folder.path(), &format!("{many}exit 7"))
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(7));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&ended.stdout), text(&ended.stderr));
        assert!(out.starts_with("out0\n") && out.ends_with("out2999\n"));
        assert!(err.starts_with("err0\n") && err.ends_with("err2999\n"));
        let left = std::fs::read_dir(folder.path().join("kdiy")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["at-work"], "its own folder is gone");
    }

    #[test]
    fn a_script_goes_on_to_its_end_when_nobody_listens_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let marks = folder.path().display().to_string();
        let body = format!(
            "echo begun\nuntil [ -e {marks}/deaf ]; do sleep 0.01; done\n\
             head -c 300000 /dev/zero | tr '\\0' x\nhead -c 300000 /dev/zero >&2\n\
             echo more | grep more\n: > {marks}/ended\n"
        );
        let mut script = sh(folder.path(), &body).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(script.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        drop((out, script.stderr.take()));
        std::fs::write(folder.path().join("deaf"), "").unwrap();
        // Another waits for it.
        let next = sh(folder.path(), &format!("ls {marks}/ended"));
        let mut next = { next }.spawn().unwrap();
        let mut said = String::new();
        next.stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(said.ends_with("/ended\n"), "{said}");
        there(&folder.path().join("ended"));
        assert!(script.wait().unwrap().success());
        assert!(next.wait().unwrap().success());
    }

    #[test]
    fn what_a_killed_script_left_goes_away_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let body = "printf secret > \"$kdiy_tmp/token\"; echo \"$kdiy_tmp\"; exec sleep 60";
        let mut script = sh(folder.path(), body).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(script.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let own = Path::new(line.trim());
        let mode = std::os::unix::fs::MetadataExt::mode(&own.metadata().unwrap());
        assert_eq!(mode & 0o777, 0o700);
        script.kill().unwrap();
        script.wait().unwrap();
        assert!(own.join("token").exists());
        assert!(sh(folder.path(), ":").status().unwrap().success());
        assert!(!own.exists());
    }
}
