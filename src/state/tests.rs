use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::LazyLock;

use tempfile::TempDir;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-05-04 03:02:01 UTC);
static OURS: LazyLock<ClusterCas> = LazyLock::new(|| ClusterCas::generate(NOW).unwrap());

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn fresh() -> (TempDir, State) {
    let base = tempfile::tempdir().unwrap();
    let state = State::open(base.path(), &name("prod")).unwrap();
    (base, state)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The text of an error without the changing directory.
fn say<T: std::fmt::Debug>(base: &TempDir, result: Result<T, Error>) -> String {
    let text = result.unwrap_err().to_string();
    let text = text.replace(&base.path().display().to_string(), "BASE");
    let user = format!("user {}", rustix::process::geteuid().as_raw());
    text.replace(&user, "user ME")
}

#[test]
fn cas_are_kept_and_read_back() {
    let (_base, state) = fresh();
    assert!(state.cas(NOW).unwrap().is_none());
    state.save_cas(&OURS, NOW).unwrap();
    let kept = state.cas(NOW).unwrap().unwrap();
    assert_eq!(compare(&kept.fingerprints(), &OURS.fingerprints()), Ok(()));
    // the same once more changes nothing
    state.save_cas(&OURS, NOW).unwrap();
}

#[test]
fn other_cas_are_never_overwritten() {
    let (_base, state) = fresh();
    state.save_cas(&OURS, NOW).unwrap();
    let others = ClusterCas::generate(NOW).unwrap();
    let refused = state.save_cas(&others, NOW).unwrap_err();
    assert!(matches!(refused, Error::OtherCas { .. }), "{refused}");
    let kept = state.cas(NOW).unwrap().unwrap();
    assert_eq!(kept.fingerprints(), OURS.fingerprints());
}

#[test]
fn what_a_killed_run_left_is_replaced() {
    let (_base, state) = fresh();
    let partial = state.root().join("pki.partial");
    guard::directory(&partial).unwrap();
    fs::write(partial.join("ca.crt"), "half").unwrap();
    fs::write(state.root().join("kubeconfig.partial"), "half").unwrap();
    assert!(state.cas(NOW).unwrap().is_none());
    state.save_cas(&OURS, NOW).unwrap();
    state.save_kubeconfig(&"whole".into()).unwrap();
    let mut names: Vec<_> = fs::read_dir(state.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["kubeconfig", "pki"]);
}

#[test]
fn everything_is_private_and_ignored_by_git() {
    let (base, state) = fresh();
    state.save_cas(&OURS, NOW).unwrap();
    state.save_kubeconfig(&"text".into()).unwrap();
    state
        .create_run(&name("r1"))
        .unwrap()
        .log(&name("cp-1").into(), None)
        .unwrap();
    let mut pending = vec![base.path().join(DIRECTORY)];
    let mut seen = 0;
    while let Some(path) = pending.pop() {
        let directory = path.is_dir();
        assert_eq!(
            mode(&path),
            if directory { 0o700 } else { 0o600 },
            "{}",
            path.display()
        );
        if directory {
            pending.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
        seen += 1;
    }
    // .kdiy prod pki etcd runs r1; 8 files of the PKI, .gitignore, kubeconfig,
    // a log
    assert_eq!(seen, 6 + 11);
    assert_eq!(
        fs::read_to_string(base.path().join(".kdiy/.gitignore")).unwrap(),
        "*\n"
    );
}

#[test]
fn kubeconfigs_are_replaced() {
    let (_base, state) = fresh();
    assert!(state.kubeconfig().unwrap().is_none());
    for text in ["a longer text", "short"] {
        let path = state.save_kubeconfig(&text.into()).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), text);
        assert_eq!(state.kubeconfig().unwrap().unwrap().expose_secret(), text);
    }
}

#[test]
fn exposed_files_and_directories_are_refused_with_the_fix() {
    let (base, state) = fresh();
    state.save_cas(&OURS, NOW).unwrap();
    set_mode(&state.root().join("pki/ca.key"), 0o640);
    insta::assert_snapshot!(say(&base, state.cas(NOW)), @"BASE/.kdiy/prod/pki/ca.key has mode 0640, so others may get at the cluster's keys; run `chmod 0600 BASE/.kdiy/prod/pki/ca.key`");
    set_mode(&state.root().join("pki/etcd"), 0o701);
    set_mode(&state.root().join("pki/ca.key"), 0o600);
    insta::assert_snapshot!(say(&base, state.cas(NOW)), @"BASE/.kdiy/prod/pki/etcd has mode 0701, so others may get at the cluster's keys; run `chmod 0700 BASE/.kdiy/prod/pki/etcd`");
    set_mode(&base.path().join(".kdiy"), 0o755);
    insta::assert_snapshot!(say(&base, State::open(base.path(), &name("prod"))), @"BASE/.kdiy has mode 0755, so others may get at the cluster's keys; run `chmod 0700 BASE/.kdiy`");
}

#[test]
fn links_are_refused() {
    let (base, state) = fresh();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), state.root().join("pki")).unwrap();
    insta::assert_snapshot!(say(&base, state.cas(NOW)), @"BASE/.kdiy/prod/pki is not a plain directory; keys are kept there, so links are refused: put the real directory in its place");
    let target = elsewhere.path().join("target");
    fs::write(&target, "theirs").unwrap();
    set_mode(&target, 0o600);
    symlink(&target, state.root().join("kubeconfig")).unwrap();
    insta::assert_snapshot!(say(&base, state.kubeconfig()), @"BASE/.kdiy/prod/kubeconfig is not a plain file; keys are kept there, so links are refused: put the real file in its place");
    // writing replaces the link, not what it points at
    state.save_kubeconfig(&"ours".into()).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");

    let run = state.create_run(&name("r1")).unwrap();
    symlink(&target, run.path(&name("cp-1").into(), None)).unwrap();
    assert!(matches!(
        run.log(&name("cp-1").into(), None),
        Err(Error::NotPlain { .. })
    ));

    let base = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), base.path().join(".kdiy")).unwrap();
    let opened = State::open(base.path(), &name("prod"));
    assert!(matches!(opened, Err(Error::NotPlain { .. })));
}

#[test]
fn other_names_of_a_file_are_refused() {
    let (base, state) = fresh();
    let path = state.save_kubeconfig(&"text".into()).unwrap();
    fs::hard_link(&path, base.path().join("other")).unwrap();
    insta::assert_snapshot!(say(&base, state.kubeconfig()), @"BASE/.kdiy/prod/kubeconfig has 1 other names somewhere (hard links), and keys are kept there; run `cp -p BASE/.kdiy/prod/kubeconfig BASE/.kdiy/prod/kubeconfig.own && mv BASE/.kdiy/prod/kubeconfig.own BASE/.kdiy/prod/kubeconfig`");
    // What is written goes into a file of its own.
    state.save_kubeconfig(&"new".into()).unwrap();
    assert_eq!(state.kubeconfig().unwrap().unwrap().expose_secret(), "new");
    assert_eq!(
        fs::read_to_string(base.path().join("other")).unwrap(),
        "text"
    );

    let run = state.create_run(&name("r1")).unwrap();
    fs::write(base.path().join("theirs"), "").unwrap();
    set_mode(&base.path().join("theirs"), 0o600);
    fs::hard_link(
        base.path().join("theirs"),
        run.path(&name("cp-1").into(), None),
    )
    .unwrap();
    assert!(matches!(
        run.log(&name("cp-1").into(), None),
        Err(Error::Linked { .. })
    ));
    assert!(matches!(
        run.read_log(&name("cp-1").into()),
        Err(Error::Linked { .. })
    ));
}

#[test]
fn a_pipe_in_place_of_a_file_is_refused_at_once() {
    let (_base, state) = fresh();
    let path = state.root().join("kubeconfig");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    set_mode(&path, 0o600);
    assert!(matches!(state.kubeconfig(), Err(Error::NotPlain { .. })));
}

#[test]
fn folders_in_between_are_checked_as_well() {
    let (base, state) = fresh();
    state.save_cas(&OURS, NOW).unwrap();
    state
        .save_secretbox_key(&SecretboxKey::generate().unwrap())
        .unwrap();
    let pki = state.root().join("pki");
    set_mode(&pki, 0o750);
    assert!(matches!(state.secretbox_key(), Err(Error::Exposed { .. })));
    fs::rename(&pki, base.path().join("away")).unwrap();
    set_mode(&base.path().join("away"), 0o700);
    symlink(base.path().join("away"), &pki).unwrap();
    assert!(matches!(state.secretbox_key(), Err(Error::NotPlain { .. })));
    assert!(matches!(state.cas(NOW), Err(Error::NotPlain { .. })));

    let run = state.create_run(&name("r1")).unwrap();
    set_mode(run.directory(), 0o755);
    assert!(matches!(run.record(), Err(Error::Exposed { .. })));
    assert!(matches!(
        run.read_log(&name("cp-1").into()),
        Err(Error::Exposed { .. })
    ));
}

#[test]
fn what_is_no_file_or_no_text_is_refused() {
    let (base, state) = fresh();
    let path = state.root().join("kubeconfig");
    fs::create_dir(&path).unwrap();
    assert!(matches!(
        state.kubeconfig(),
        Err(Error::NotPlain { wanted: "file", .. })
    ));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, [0xff, 0xfe]).unwrap();
    set_mode(&path, 0o600);
    insta::assert_snapshot!(say(&base, state.kubeconfig()), @"BASE/.kdiy/prod/kubeconfig is not UTF-8 text; restore it from a backup");
    fs::write(base.path().join("file"), "").unwrap();
    insta::assert_snapshot!(say(&base, State::open(&base.path().join("file"), &name("x"))), @"look at BASE/file/.kdiy: Not a directory (os error 20)");
}

/// Only root can give files away, so only root's tests see this.
#[test]
fn what_others_own_is_refused() {
    let (base, state) = fresh();
    let path = state.save_kubeconfig(&"text".into()).unwrap();
    let user = rustix::process::geteuid().as_raw();
    if std::os::unix::fs::chown(&path, Some(user + 4321), None).is_err() {
        assert_ne!(user, 0, "root may give files away");
        return;
    }
    let text = say(&base, state.kubeconfig());
    assert!(
        text.contains(&format!("belongs to user {}", user + 4321)),
        "{text}"
    );
    assert!(
        text.contains(&format!("sudo chown -R {user} BASE/.kdiy/prod/kubeconfig")),
        "{text}"
    );
}

#[test]
fn an_incomplete_pki_is_named() {
    let (base, state) = fresh();
    state.save_cas(&OURS, NOW).unwrap();
    fs::remove_file(state.root().join("pki/etcd/ca.key")).unwrap();
    insta::assert_snapshot!(say(&base, state.cas(NOW)), @"BASE/.kdiy/prod/pki: etcd/ca.key is missing; put it back, or move the whole pki directory away");
}

#[test]
fn logs_grow_at_their_end() {
    let (_base, state) = fresh();
    let run = state.create_run(&name("r1")).unwrap();
    for line in ["one\n", "two\n"] {
        run.log(&name("cp-1").into(), None)
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
    }
    assert_eq!(
        fs::read_to_string(run.path(&name("cp-1").into(), None)).unwrap(),
        "one\ntwo\n"
    );
    assert!(
        run.path(&name("cp-1").into(), None)
            .ends_with("runs/r1/cp-1.log")
    );
}

#[test]
fn old_runs_are_forgotten_but_nothing_of_others() {
    let (_base, state) = fresh();
    let id = |n: usize| name(&format!("2026050{}t0302{n:02}z", n / 10));
    for n in 0..22 {
        let run = state.create_run(&id(n)).unwrap();
        run.log(&name("cp-1").into(), None).unwrap();
        if n == 0 {
            fs::write(run.directory().join("notes.txt"), "mine").unwrap();
        }
    }
    let mut left: Vec<_> = fs::read_dir(state.root().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let mut expected: Vec<_> = (2..22).map(|n| id(n).to_string()).collect();
    expected.insert(0, id(0).to_string());
    assert_eq!(left, expected);
    let first = state.root().join("runs").join(id(0).as_str());
    assert_eq!(fs::read_to_string(first.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn the_key_of_encryption_lies_with_the_cas() {
    let (base, state) = fresh();
    assert!(state.secretbox_key().unwrap().is_none());
    state.save_cas(&OURS, NOW).unwrap();
    let key = SecretboxKey::generate().unwrap();
    state.save_secretbox_key(&key).unwrap();
    assert!(state.secretbox_key().unwrap().unwrap().is(&key));
    assert!(state.cas(NOW).unwrap().is_some());
    let path = state.root().join("pki/secretbox.key");
    assert_eq!(mode(&path), 0o600);
    fs::write(&path, "spoiled").unwrap();
    insta::assert_snapshot!(say(&base, state.secretbox_key()), @"BASE/.kdiy/prod/pki: secretbox.key is not a secretbox key (32 bytes, base64); restore it from a backup");
}
