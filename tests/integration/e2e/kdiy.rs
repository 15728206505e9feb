//! The program under test.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::lab::Lab;

/// Runs kdiy on an inventory, in the lab's folder or another one.
pub struct Kdiy<'a> {
    folder: Cow<'a, Path>,
    inventory: String,
}

/// `KDIY_BIN`, or the release build.
pub fn binary() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chosen = std::env::var_os("KDIY_BIN").map(PathBuf::from);
    manifest.join(chosen.unwrap_or_else(|| PathBuf::from("target/release/kdiy")))
}

/// How a run ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard error has all these words, wherever its lines are broken.
    pub fn says(&self, words: &[&str]) {
        let flat = self.err.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(
                flat.contains(word),
                "no `{word}` in:\n{}\n{}",
                self.out,
                self.err
            );
        }
    }
}

impl<'a> Kdiy<'a> {
    /// For an inventory of this name and text.
    pub fn with(lab: &'a Lab, name: &str, text: &str) -> Self {
        lab.write(name, text);
        Self {
            folder: lab.folder.path().into(),
            inventory: name.to_owned(),
        }
    }

    /// For an inventory that lies in a folder already.
    pub fn at(folder: &Path, name: &str) -> Self {
        Self {
            folder: folder.to_owned().into(),
            inventory: name.to_owned(),
        }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let folder = &*self.folder;
        let mut command = Command::new(binary());
        command
            .args(["-i", &self.inventory])
            .args(words)
            .current_dir(folder)
            .env("HOME", folder)
            .env("KUBECONFIG", folder.join("kubeconfig"))
            .env("E2E_SUDO", "lab")
            .env("E2E_WRONG_SUDO", "not the password")
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("KDIY_INVENTORY")
            .stdin(Stdio::null());
        command
    }

    /// Runs it; the exit code must be this one.
    pub fn run(&self, code: i32, words: &[&str]) -> Ran {
        let output = self.command(words).output().expect("kdiy can be run");
        let ran = Ran {
            code: output.status.code().expect("kdiy was killed"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        };
        let Ran { code: is, out, err } = &ran;
        assert_eq!(*is, code, "kdiy {words:?}\n{out}\n{err}");
        ran
    }

    /// Starts it, to be watched by its JSON events.
    pub fn start(&self, words: &[&str]) -> Running {
        let errors = self.folder.join("stderr");
        let mut child = self
            .command(words)
            .args(["--output", "json"])
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).expect("a file"))
            .spawn()
            .expect("kdiy can be run");
        let events = BufReader::new(child.stdout.take().expect("a pipe"));
        Running {
            child,
            events,
            seen: Vec::new(),
            errors,
        }
    }

    /// The plan as programs read it.
    pub fn plan(&self, words: &[&str]) -> Plan {
        let words: Vec<_> = [&["plan", "--output", "json"], words].concat();
        let ran = self.run(0, &words);
        let document: Value = serde_json::from_str(&ran.out).expect("JSON");
        Plan(document["plan"]["steps"].as_array().expect("steps").clone())
    }

    /// The hosts are as the inventory says, by the exit code and by the text.
    pub fn has_nothing_to_do(&self) {
        let ran = self.run(0, &["plan", "--detailed-exitcode"]);
        assert!(ran.out.starts_with("No changes."), "{}", ran.out);
        assert!(self.plan(&[]).0.is_empty());
    }
}

/// Steps of a plan.
pub struct Plan(Vec<Value>);

impl Plan {
    /// The steps as they are in the document.
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// Actor and title of each step, with what it does: `+` creates, `~`
    /// changes, `!` runs, `.` only waits.
    pub fn steps(&self) -> BTreeSet<String> {
        let line = |step: &Value| {
            let verbs: BTreeSet<_> = match step["operation"]["verb"].as_str() {
                Some(verb) => [sign(verb)].into(),
                None => changes(step)
                    .map(|c| sign(text(&c["difference"]["verb"])))
                    .collect(),
            };
            let verbs: String = verbs.into_iter().collect();
            let (actor, title) = (&step["actor"], &step["title"]);
            format!("{} {} {verbs}", text(actor), text(title))
        };
        self.0.iter().map(line).collect()
    }

    /// Host, kind and name of each change.
    pub fn changes(&self) -> BTreeSet<String> {
        let lines = |step: &Value| -> Vec<String> {
            let host = text(&step["actor"]).to_owned();
            let line = |change: &Value| {
                let resource = change["resource"].as_object().expect("a resource");
                let (kind, of) = resource.iter().next().expect("its kind");
                let name = ["path", "key", "name"]
                    .iter()
                    .find_map(|key| of[key].as_str());
                format!("{host} {kind} {}", name.expect("a name"))
            };
            changes(step).map(line).collect()
        };
        self.0.iter().flat_map(lines).collect()
    }
}

fn changes(step: &Value) -> impl Iterator<Item = &Value> {
    step["changes"].as_array().into_iter().flatten()
}

fn sign(verb: &str) -> char {
    match verb {
        "create" => '+',
        "change" => '~',
        "run" => '!',
        "wait" => '.',
        other => panic!("no verb: {other}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// A run that goes on.
pub struct Running {
    child: Child,
    events: BufReader<ChildStdout>,
    seen: Vec<String>,
    errors: PathBuf,
}

impl Running {
    /// The next event; none at the end.
    pub fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.events.read_line(&mut line).expect("a line");
        let event = serde_json::from_str(&line).ok()?;
        self.seen.push(line);
        Some(event)
    }

    /// Reads until this event, on this host and of a step, change or line that
    /// has these words; of any where there is no text.
    pub fn until(&mut self, event: &str, host: &str, what: &str) {
        while let Some(seen) = self.next() {
            let is = |key: &str| seen[key].as_str().unwrap_or_default();
            if is("event") == event
                && (host.is_empty() || is("actor") == host)
                && [is("title"), is("text"), is("resource")]
                    .iter()
                    .any(|text| text.contains(what))
            {
                return;
            }
        }
        panic!(
            "{event} {what} on {host} never came:\n{}",
            self.seen.concat()
        );
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        self.interrupter()();
    }

    /// The same, for another thread. One that has ended keeps its number until
    /// it was waited for.
    pub fn interrupter(&self) -> impl Fn() + Send + 'static {
        let pid = self.pid();
        move || {
            rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a process");
        }
    }

    /// As `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("an end");
    }

    /// The same after a while, in which its events go on.
    pub fn kill_in(mut self, time: Duration, mut on: impl FnMut(&Value)) {
        let pid = self.pid();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(time);
            // One that has ended but was not waited for keeps its number.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        });
        while let Some(event) = self.next() {
            on(&event);
        }
        killer.join().expect("a thread");
        self.child.wait().expect("an end");
    }

    fn pid(&self) -> rustix::process::Pid {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        rustix::process::Pid::from_raw(pid).expect("a process id")
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// What it has said for people so far.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).expect("standard error")
    }

    /// Reads to the end, whatever that is.
    pub fn ended(mut self) -> Ran {
        while self.next().is_some() {}
        let status = self.child.wait().expect("an end");
        Ran {
            code: status.code().expect("kdiy was killed"),
            out: self.seen.concat(),
            err: self.errors(),
        }
    }

    /// Reads to the end; the exit code must be this one.
    pub fn end(self, code: i32) -> Ran {
        let ran = self.ended();
        assert_eq!(ran.code, code, "{}\n{}", ran.out, ran.err);
        ran
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself, unless a test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
