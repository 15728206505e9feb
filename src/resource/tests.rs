//! Resources as a blank host and a finished one have them, and the fragments
//! of every kind run by a real sh.

use std::process::Command as Process;

use super::*;
use crate::template::NOTICE;

/// What a blank host has of a resource.
pub(crate) fn absent(resource: &Resource) -> Seen {
    match resource {
        Resource::Directory(_) => Seen::Directory(None),
        Resource::File(_) => Seen::File(file::Seen::Absent),
        Resource::Certificate(_) => Seen::Certificate(certificate::Seen::Absent),
        Resource::Module(_) => Seen::Module(false),
        Resource::Sysctl(_) => Seen::Sysctl(Some("0".to_owned())),
        Resource::Swap(_) => Seen::Swap(swap::Seen {
            active: vec!["/dev/sda2".to_owned()],
            fstab: vec!["UUID=1".to_owned()],
            services: vec!["zramswap.service".to_owned()],
        }),
        Resource::Repository(_) => Seen::Repository(repository::Seen::default()),
        Resource::Packages(packages) => Seen::Packages(
            packages
                .names()
                .map(|_| packages::Seen::default())
                .collect(),
        ),
        Resource::Service(_) => Seen::Service(service::Seen::default()),
        Resource::Command(_) => Seen::Command(false),
    }
}

/// What a host has that is as wanted.
pub(crate) fn as_wanted(resource: &Resource) -> Seen {
    match resource {
        Resource::Directory(directory) => {
            Seen::Directory(Some(file::Stat::of_root(directory.mode, "directory")))
        }
        Resource::File(file) => Seen::File(file::Seen::Present {
            stat: file::Stat::of_root(file.mode, "regular file"),
            sha256: Some(file.content.sha256()),
            text: None,
        }),
        Resource::Certificate(certificate) => Seen::Certificate(certificate.as_wanted()),
        Resource::Module(_) => Seen::Module(true),
        Resource::Sysctl(sysctl) => Seen::Sysctl(Some(sysctl.value.clone())),
        Resource::Swap(_) => Seen::Swap(swap::Seen::default()),
        Resource::Repository(repository) => Seen::Repository(repository.as_wanted()),
        Resource::Packages(packages) => Seen::Packages(
            packages
                .all
                .iter()
                .map(|package| packages::Seen {
                    version: Some(format!("{}1", package.version.as_deref().unwrap_or("1.2-"))),
                    held: package.hold,
                })
                .collect(),
        ),
        Resource::Service(service) => Seen::Service(service::Seen {
            enabled: true,
            active: true,
            stamp: Some(service.stamp.clone()),
        }),
        Resource::Command(_) => Seen::Command(true),
    }
}

/// The program by which `fetch.sh` fetches, for tests that fetch otherwise.
pub(crate) const FETCHES: &str = "/usr/lib/apt/apt-helper -o Acquire::http::Timeout=60 -o \
                                  APT::Sandbox::User=root download-file ";

/// A script whose notes are not this machine's: they are beside a file.
fn beside(script: &str, file: &std::path::Path) -> String {
    let folder = file.parent().unwrap_or(file);
    let notes = folder.join("notes").display().to_string();
    script.replace("/var/lib/kdiy", &notes)
}

/// Runs a probe here and reads it.
fn probed(resources: &[Resource]) -> Vec<Seen> {
    let all: Vec<&Resource> = resources.iter().collect();
    let script = Script::of(SECTION_FUNCTION).then(&probe(&all));
    let folder = std::path::Path::new(resources[0].name());
    let output = Process::new("sh")
        .arg("-c")
        .arg(beside(script.as_str(), folder))
        .output()
        .unwrap();
    let answers = Answers::parse(&output.stdout).unwrap();
    let mut seen = parse(&all, &answers).unwrap();
    resources
        .iter()
        .map(|resource| seen.remove(&resource.key()).unwrap())
        .collect()
}

/// Applies a resource to this machine: files below a temporary folder only,
/// where kdiy's own notes are too.
fn applied(resource: &Resource, seen: &Seen) -> std::process::Output {
    let fill = |content: &Content| match content {
        Content::Plain(text) | Content::Filled(text) => Zeroizing::new(text.clone()),
        Content::Secret { .. } => panic!("no secret was expected"),
    };
    // Only root may give a file away; the tests need not be root.
    let head = Script::of("set -eu\nchown() { :; }\n");
    let functions = resource.functions().iter();
    let script = functions
        .fold(head, |script, functions| script.with(functions))
        .then(&resource.apply(seen, &fill));
    Process::new("sh")
        .arg("-c")
        .arg(beside(script.as_str(), resource.name().as_ref()))
        .output()
        .unwrap()
}

#[test]
fn a_file_is_written_seen_changed_and_fixed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join("deep/er/it's a file")
        .display()
        .to_string();
    let wanted = Resource::File(File::plain(&path, 0o640, "one\n$two 'three'\n\n"));
    let blank = probed(std::slice::from_ref(&wanted)).remove(0);
    assert_eq!(blank, Seen::File(file::Seen::Absent));
    assert!(applied(&wanted, &blank).status.success());
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "one\n$two 'three'\n\n"
    );

    std::fs::write(&path, "changed\nby hand\n\n").unwrap();
    let seen = probed(std::slice::from_ref(&wanted)).remove(0);
    let text = wanted.diff(&seen).unwrap().unwrap().text.unwrap();
    assert_eq!(text.before, "changed\nby hand\n\n");
    assert!(applied(&wanted, &seen).status.success());
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "one\n$two 'three'\n\n"
    );
}

#[test]
fn a_file_that_moved_on_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file").display().to_string();
    let wanted = Resource::File(File::plain(&path, 0o644, "wanted"));
    std::fs::write(&path, "as planned").unwrap();
    let seen = probed(std::slice::from_ref(&wanted)).remove(0);
    std::fs::write(&path, "changed since").unwrap();
    let output = applied(&wanted, &seen);
    assert_eq!(output.status.code(), Some(75));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has changed since the plan"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "changed since");
}

#[test]
fn a_refused_file_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file").display().to_string();
    std::fs::write(&path, "good").unwrap();
    let mut file = File::plain(&path, 0o644, "bad");
    file.check = Some(Check::by(&["grep", "-q", "good"]));
    file.on_differ = OnDiffer::KeepOriginal;
    let wanted = Resource::File(file.clone());
    let seen = probed(std::slice::from_ref(&wanted)).remove(0);
    let output = applied(&wanted, &seen);
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("refused by its checker"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "good");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let better = Resource::File(File {
        content: Content::Plain("good too".to_owned()),
        ..file
    });
    assert!(applied(&better, &seen).status.success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "good too");
    assert_eq!(
        std::fs::read_to_string(format!("{path}.before-kdiy")).unwrap(),
        "good"
    );
}

#[test]
fn a_file_that_a_package_brought_is_kept_as_original() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file").display().to_string();
    let mut file = File::plain(&path, 0o644, "ours");
    file.on_differ = OnDiffer::KeepOriginal;
    std::fs::write(&path, "the package's").unwrap();
    let wanted = Resource::File(file);
    assert!(
        applied(&wanted, &Seen::File(file::Seen::Absent))
            .status
            .success()
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "ours");
    assert_eq!(
        std::fs::read_to_string(format!("{path}.before-kdiy")).unwrap(),
        "the package's"
    );
}

/// Writes the file again with another text, as after a change of the
/// inventory; returns what is kept of the file before.
fn rewritten(path: &str, text: &str) -> Option<String> {
    let mut file = File::plain(path, 0o644, text);
    file.on_differ = OnDiffer::KeepOriginal;
    let wanted = Resource::File(file);
    let seen = probed(std::slice::from_ref(&wanted)).remove(0);
    let output = applied(&wanted, &seen);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    std::fs::read_to_string(format!("{path}.before-kdiy")).ok()
}

#[test]
fn what_kdiy_wrote_itself_is_no_original() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("daemon.json").display().to_string();
    // No comment can be in JSON: a note on the host says whose it is.
    for text in ["{}", "{\"bridge\": \"none\"}", "{\"debug\": true}"] {
        assert_eq!(rewritten(&path, text), None);
    }
    // Somebody else's, in the same place: it is kept, and nothing after it.
    std::fs::write(&path, "{\"by\": \"hand\"}").unwrap();
    let by_hand = Some("{\"by\": \"hand\"}".to_owned());
    assert_eq!(rewritten(&path, "{}"), by_hand);
    assert_eq!(rewritten(&path, "{\"debug\": true}"), by_hand);
}

#[test]
fn what_says_that_kdiy_wrote_it_is_no_original() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("haproxy.cfg").display().to_string();
    // Written by a kdiy that left no note.
    std::fs::write(&path, format!("{NOTICE}global\n")).unwrap();
    assert_eq!(rewritten(&path, "another\n"), None);
}

/// What a plan would show of the text that is there, and beside it.
fn shown(path: &str) -> (Option<String>, Vec<String>) {
    let mut file = File::plain(path, 0o644, "{\"wanted\": true}");
    file.on_differ = OnDiffer::KeepOriginal;
    let wanted = Resource::File(file);
    let seen = probed(std::slice::from_ref(&wanted)).remove(0);
    let difference = wanted.diff(&seen).unwrap().unwrap();
    (difference.text.map(|text| text.before), difference.details)
}

#[test]
fn what_somebody_else_wrote_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keepalived.conf").display().to_string();
    let theirs = "authentication {\n auth_pass hunter2\n}\n";
    std::fs::write(&path, theirs).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let details = vec!["replaces what kdiy did not write (not shown)".to_owned()];
    assert_eq!(shown(&path), (None, details.clone()));

    // kdiy's own is, by its first line or by the note of its hash.
    let ours = format!("{NOTICE}global_defs\n");
    std::fs::write(&path, &ours).unwrap();
    assert_eq!(shown(&path), (Some(ours), Vec::new()));
    rewritten(&path, "{}");
    assert_eq!(shown(&path), (Some("{}".to_owned()), Vec::new()));
    std::fs::write(&path, theirs).unwrap();
    assert_eq!(shown(&path), (None, details));
}

#[test]
fn notes_of_what_was_written_are_for_root() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.env").display().to_string();
    assert_eq!(
        rewritten(&path, "HTTP_PROXY=http://user:password@proxy\n"),
        None
    );
    let notes = folder.path().join("notes/written");
    let mode = std::fs::metadata(notes).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn secret_files_never_travel_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key").display().to_string();
    std::fs::write(&path, "another key").unwrap();
    let secret = File {
        content: Content::Secret {
            sha256: sha256_hex(b"the key"),
        },
        ..File::plain(&path, 0o600, "")
    };
    let secret = Resource::File(secret);
    let seen = probed(std::slice::from_ref(&secret)).remove(0);
    assert!(
        matches!(&seen, Seen::File(file::Seen::Present { text: None, .. })),
        "{seen:?}"
    );
    let difference = secret.diff(&seen).unwrap().unwrap();
    assert_eq!(difference.text, None);
    assert!(difference.details.contains(&"content (secret)".to_owned()));
}

#[test]
fn several_files_are_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name).display().to_string();
        Resource::File(File::plain(path, 0o644, "wanted"))
    };
    let (a, b, c) = (file("a"), file("b"), file("c"));
    std::fs::write(a.name(), "of a\n").unwrap();
    std::fs::write(c.name(), "of c\n\n").unwrap();
    let seen = probed(&[a, b, c]);
    let text = |seen: &Seen| match seen {
        Seen::File(file::Seen::Present { text, .. }) => text.clone(),
        _ => None,
    };
    assert_eq!(text(&seen[0]).as_deref(), Some("of a\n"));
    assert_eq!(seen[1], Seen::File(file::Seen::Absent));
    assert_eq!(text(&seen[2]).as_deref(), Some("of c\n\n"));
}

#[test]
fn guarded_commands_are_asked() {
    let command = |name: &str, ask: &'static str| {
        Resource::Command(Command {
            name: name.to_owned(),
            verb: Verb::Run,
            details: Vec::new(),
            done: Done::Ask(Script::of(ask)),
            script: Script::of("echo ran"),
            inputs: Vec::new(),
        })
    };
    let all = [
        command("one thing", "true"),
        command("one thing more", "exit 3"),
    ];
    assert_eq!(probed(&all), [Seen::Command(true), Seen::Command(false)]);
    assert_eq!(
        applied(&all[0], &Seen::Command(false)).stdout,
        b"",
        "it is asked again"
    );
    assert_eq!(applied(&all[1], &Seen::Command(false)).stdout, b"ran\n");
}

#[test]
fn packages_say_what_is_different() {
    let package = |name: &str, version: Option<&str>| Package {
        version: version.map(str::to_owned),
        hold: version.is_some(),
        ..Package::any(name)
    };
    let all = vec![package("kubeadm", Some("1.34.1-")), package("curl", None)];
    let packages = Packages::new("for Kubernetes", all);
    let answers = |text: &str| {
        let text = format!("@packages {}\n{text}\n", text.len());
        packages
            .parse(&Answers::parse(text.as_bytes()).unwrap())
            .unwrap()
    };
    let details = |text: &str| {
        let difference = Resource::Packages(packages.clone()).diff(&Seen::Packages(answers(text)));
        difference.unwrap().map(|difference| difference.details)
    };
    assert_eq!(details("kubeadm hi  1.34.1-1.1\ncurl ii  7.88"), None);
    let missing = details("kubeadm un  ").unwrap();
    assert_eq!(missing, ["kubeadm 1.34.1, held", "curl"]);
    let older = details("kubeadm hi  1.34.0-1.1\ncurl ii  7.88").unwrap();
    assert_eq!(older, ["kubeadm 1.34.0-1.1 -> 1.34.1, held"]);
    let free = details("kubeadm ii  1.34.1-1.1\ncurl ii  7.88").unwrap();
    assert_eq!(free, ["kubeadm 1.34.1-1.1: hold"]);
    let half = details("kubeadm hi  1.34.1-1.1\ncurl iF  7.88").unwrap();
    assert_eq!(half, ["curl"], "half-configured is not installed");
}

/// Docker's own package, with that of the distribution as its rival.
fn docker() -> Packages {
    let rival = |name| Rival {
        name,
        with: "docker-ce",
    };
    Packages {
        rivals: vec![rival("docker.io"), rival("docker-engine")],
        ..Packages::new("for Kubernetes", vec![Package::any("docker-ce")])
    }
}

#[test]
fn what_conflicts_is_shown_and_removed_in_the_same_run_of_apt() {
    let packages = Resource::Packages(docker());
    let seen = |text: &str| {
        let text = format!("@packages {}\n{text}\n", text.len());
        let answers = Answers::parse(text.as_bytes()).unwrap();
        parse(&[&packages], &answers)
            .unwrap()
            .remove(&packages.key())
            .unwrap()
    };
    let old = seen("docker.io ii  20.10.24+dfsg1-1");
    let difference = packages.diff(&old).unwrap().unwrap();
    assert_eq!(difference.details, ["docker-ce"]);
    assert_eq!(
        difference.removes,
        ["docker.io 20.10.24+dfsg1-1, conflicts with docker-ce; its configuration and data stay"]
    );
    let fill = |_: &Content| Zeroizing::new(String::new());
    assert_eq!(
        packages.apply(&old, &fill).as_str(),
        "kdiy_apt_install docker-ce docker.io-\n"
    );
    // Removed by others, its configuration left: nothing to do about it.
    let removed = seen("docker-ce ii  5:27.1\ndocker.io rc  20.10.24+dfsg1-1");
    assert_eq!(packages.diff(&removed).unwrap(), None);
}

/// Runs `kdiy_apt_install docker-ce docker.io-` with an apt that would make
/// these removals; what it said, and what apt was told to do.
fn installed(removals: &str) -> (std::process::Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script = Script::of("set -eu\nkdiy_log=")
        .arg(log.display().to_string())
        .lit(" kdiy_removals=")
        .arg(removals)
        .lit("\n")
        .lit(APT_FUNCTION)
        .lit("kdiy_apt_mend() { :; }\nkdiy_apt() { case \" $* \" in *' --simulate '*) echo \"$kdiy_removals\";; *) echo \"$*\" >> \"$kdiy_log\";; esac; }\n")
        .lit("kdiy_apt_install docker-ce docker.io-\n");
    let output = Process::new("sh")
        .args(["-c", script.as_str()])
        .output()
        .unwrap();
    (output, std::fs::read_to_string(log).unwrap_or_default())
}

#[test]
fn apt_removes_nothing_that_was_not_shown() {
    let shown = "Remv docker.io [20.10.24]\nInst docker-ce (5:27.1 Docker [amd64])";
    let (output, log) = installed(shown);
    assert!(output.status.success(), "{output:?}");
    assert!(log.ends_with(" -- docker-ce docker.io-\n"), "{log}");

    let (output, log) = installed(&format!("Remv my-tool [1] [docker.io ]\n{shown}"));
    assert!(!output.status.success());
    assert_eq!(log, "", "apt did nothing");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("would also remove, which the plan did not show: my-tool."),
        "{said}"
    );
}

#[test]
fn repositories_are_flat_or_have_a_suite() {
    let repository = |suite: &str| {
        let repository = Repository {
            name: "x".to_owned(),
            url: "https://packages.example/debian".to_owned(),
            suite: suite.to_owned(),
            key: RepositoryKey::Armored("key".to_owned()),
            setting: "runtime",
        };
        let resource = Resource::Repository(repository);
        let details = resource.diff(&absent(&resource)).unwrap().unwrap().details;
        let script = resource.apply(&absent(&resource), &|_| Zeroizing::new(String::new()));
        let mut lists = script
            .as_str()
            .lines()
            .filter(|line| line.starts_with("deb "));
        (details[0].clone(), lists.next_back().unwrap().to_owned())
    };
    assert_eq!(
        repository("bookworm stable"),
        (
            "https://packages.example/debian bookworm stable".to_owned(),
            "deb [signed-by=/etc/apt/keyrings/x.asc] https://packages.example/debian bookworm stable".to_owned()
        )
    );
    assert!(
        repository("/")
            .1
            .ends_with("https://packages.example/debian /")
    );
}

#[test]
fn a_unit_restarts_when_it_was_last_started_with_other_files() {
    let file = File::plain("/etc/x.conf", 0o644, "x");
    let service = Service::new("x.service", OnChange::Reload, &[&file]);
    let resource = Resource::Service(service.clone());
    let seen = |show: &str, stamp: &str| {
        let text = format!(
            "@service {}\n{show}\n@stamp {}\n{stamp}\n",
            show.len(),
            stamp.len()
        );
        Seen::Service(
            service
                .parse(&Answers::parse(text.as_bytes()).unwrap())
                .unwrap(),
        )
    };
    let details = |seen: &Seen| {
        resource
            .diff(seen)
            .unwrap()
            .map(|difference| difference.details)
    };
    let running = "Id=other.service\nActiveState=active\n\nId=x.service\nActiveState=active\nUnitFileState=enabled";
    assert_eq!(
        details(&seen(running, &format!("x.service {}", service.stamp))),
        None
    );
    assert_eq!(details(&seen(running, "x.service 0")).unwrap(), ["reload"]);
    assert_eq!(details(&seen("", "")).unwrap(), ["enable", "start"]);
}
