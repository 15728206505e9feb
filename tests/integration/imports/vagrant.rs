//! `kdiy inventory import vagrant` where something is missing or wrong.
//! Real machines are in e2e/vagrant.rs.

use std::os::unix::fs::PermissionsExt as _;

use assert_cmd::Command;

use super::Place as Folder;

/// A folder in which a refused import must leave nothing.
struct Place(Folder);

impl std::ops::Deref for Place {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.0
    }
}

impl Place {
    fn new() -> Self {
        Self(Folder::new(&["inventory", "import", "vagrant"]))
    }

    /// Runs it in vain; what it says, on one line.
    fn refused(&self, command: &mut Command, code: i32) -> String {
        let err = self.0.refused(command, code);
        assert!(err.contains("   do: "), "nothing says what to do:\n{err}");
        err.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A program `vagrant` that runs this script, alone on the PATH.
    fn vagrant(&self, script: &str) -> String {
        let folder = self.path().join("bin");
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("vagrant");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a file");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&file, executable).expect("permissions");
        folder.display().to_string()
    }
}

/// A machine at a port where nobody listens.
const NOBODY: &str = "Host cp-1\n  HostName 127.0.0.1\n  Port 1\n  User vagrant\n";

#[test]
fn malformed_configurations_are_refused_by_line() {
    let malformed = [
        ("", "standard input names no machine"),
        ("{\"hosts\": []}\n", "names no machine"),
        ("HostName 127.0.0.1\nPort 2222\n", "names no machine"),
        (
            "Host\n  HostName 127.0.0.1\n",
            "standard input:1: `Host` has no value",
        ),
        (
            "Host cp-1\n  HostName\n",
            "standard input:2: `HostName` has no value",
        ),
        (
            "Host cp-1\n  User vagrant\n",
            "standard input:1: the machine cp-1 has no `HostName`",
        ),
        (
            "Host cp-1\n HostName 127.0.0.1\n Port 22x\n",
            "standard input:3: port: not a port",
        ),
        (
            "Host cp-1\n HostName 127.0.0.1\n Port 70000\n",
            "standard input:3: port: not a port",
        ),
        (
            "Host cp-1\n IdentityFile \"/a\n",
            "standard input:2: a quote is not closed",
        ),
        (
            "Host *\n  HostName 127.0.0.1\n",
            "standard input:1: `Host *` is not the name of one",
        ),
        (
            "Host a b\n  HostName 127.0.0.1\n",
            "standard input:1: `Host a b` is not the name of one",
        ),
        (
            "Host Web_1\n  HostName 127.0.0.1\n",
            "standard input:1: the machine \"Web_1\" cannot be",
        ),
        (
            "Host a\n HostName h\nHost b\n HostName i\nHost a\n HostName j\n",
            "standard input:5: the machine a is there twice",
        ),
        (
            "Host a\n HostName h\n Port 1\nHost b\n HostName h\n Port 1\n",
            "standard input:4: the machines a and b are both at h:1",
        ),
        (
            "Host a\n HostName h\n ProxyCommand ssh -W %h:%p jump\n",
            "standard input:3: proxycommand: a is reached by a ProxyCommand",
        ),
        ("Host a\n HostName %z\n", "standard input:2: hostname:"),
    ];
    for (text, why) in malformed {
        let place = Place::new();
        let said = place.refused(place.kdiy(&["-"]).write_stdin(text), 3);
        assert!(said.contains(why), "{text:?}: no {why:?} in {said}");
    }
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_named() {
    let place = Place::new();
    let said = place.kdiy(&["nowhere"]).output().expect("it runs");
    assert_eq!(said.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&said.stderr).contains("nowhere"));
    std::fs::write(place.path().join("binary"), [b'H', 0xff, 0xfe]).expect("a file");
    let said = place.kdiy(&["binary"]).output().expect("it runs");
    assert_eq!(said.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&said.stderr).contains("binary"));
}

#[test]
fn what_machines_are_for_is_asked_before_they_are() {
    let place = Place::new();
    let text = NOBODY.replace("cp-1", "default");
    let said = place.refused(place.kdiy(&["-"]).write_stdin(text.clone()), 3);
    assert!(said.contains("nothing says what default is for"), "{said}");
    assert!(said.contains("--role default=worker"), "{said}");
    let words = ["-", "--role", "web=worker"];
    let said = place.refused(place.kdiy(&words).write_stdin(text), 64);
    assert!(
        said.contains("there is no machine web, only default"),
        "{said}"
    );
}

#[test]
fn machines_that_cannot_be_reached_are_reported() {
    let place = Place::new();
    let said = place.refused(place.kdiy(&["-"]).write_stdin(NOBODY), 4);
    assert!(said.contains("cp-1: cannot reach 127.0.0.1:1"), "{said}");
    assert!(said.contains("vagrant status"), "{said}");
}

#[test]
fn without_vagrant_there_is_a_way() {
    let place = Place::new();
    let mut command = place.kdiy(&[]);
    let said = place.refused(command.env("PATH", place.path()), 1);
    assert!(said.contains("cannot run vagrant"), "{said}");
    assert!(said.contains("install Vagrant, or give"), "{said}");
    let mut command = place.kdiy(&["--dir", "nowhere"]);
    let said = place.refused(command.env("PATH", place.vagrant("exit 0")), 64);
    assert!(said.contains("there is no folder nowhere"), "{said}");
}

#[test]
fn what_vagrant_says_is_handed_on() {
    let place = Place::new();
    let bin = place.vagrant("echo 'A Vagrant environment is required.' >&2; exit 1");
    let said = place.refused(place.kdiy(&[]).env("PATH", bin), 1);
    assert!(
        said.contains("A Vagrant environment is required."),
        "{said}"
    );
    assert!(said.contains("--dir"), "{said}");
    let bin = place.vagrant("printf 'a \\033]0;title\\007 b' >&2; exit 1");
    let output = place.kdiy(&[]).env("PATH", bin).output().expect("it runs");
    assert!(
        !output.stderr.contains(&0x1b),
        "an escape sequence got through"
    );
}

#[test]
fn machines_that_do_not_run_are_reported() {
    let place = Place::new();
    let states = |second: &str| {
        format!(
            "case $*
in ssh-config) echo 'not ready for SSH' >&2; exit 1
;; status*) echo 1,cp-1,state,poweroff; echo 1,w-1,state,{second}
;; 'ssh-config w-1') printf 'Host w-1\\n HostName 127.0.0.1\\n Port 1\\n'
esac"
        )
    };
    let bin = place.vagrant(&states("not_created"));
    let said = place.refused(place.kdiy(&[]).env("PATH", bin), 4);
    let told = "no machine runs: cp-1 (poweroff), w-1 (not created)";
    assert!(said.contains(told) && said.contains("vagrant up"), "{said}");

    let bin = place.vagrant(&states("running"));
    let said = place.refused(place.kdiy(&[]).env("PATH", bin), 4);
    assert!(
        said.contains("left out, as they do not run: cp-1 (poweroff)"),
        "{said}"
    );
    assert!(said.contains("w-1: cannot reach 127.0.0.1:1"), "{said}");
}

#[test]
fn a_file_that_is_there_is_refused_before_anybody_is_asked() {
    let place = Place::new();
    let bin = place.vagrant("touch asked");
    std::fs::write(place.path().join("kdiy.yaml"), "mine").expect("a file");
    let output = place.kdiy(&[]).env("PATH", bin).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path().join("asked").exists());
    let kept = std::fs::read_to_string(place.path().join("kdiy.yaml")).expect("a file");
    assert_eq!(kept, "mine");
}
