//! Host keys: known, unknown, changed, revoked, pinned.

use super::*;

#[tokio::test]
async fn an_unknown_key_is_refused_with_what_to_compare() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[]);
    let error = refused(home.settings(), &login_to(&sshd)).await;
    let Error::HostKeyUnknown(key) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(key.kind, "ssh-ed25519");
    assert_eq!(key.fingerprint, fingerprint(&sshd, "ed25519"));
    assert_eq!(key.file, Some(home.known_hosts()));
    assert!(error.hint().contains("--accept-new-host-keys"));
    assert!(!error.is_transient());
    assert_eq!(home.known(), "");
}

#[tokio::test]
async fn an_unknown_key_is_accepted_and_then_known() {
    use std::os::unix::fs::PermissionsExt as _;
    let sshd = Sshd::start();
    let home = Home::knowing(&[]);
    std::fs::remove_file(home.known_hosts()).unwrap();
    let settings = policy(home.settings(), UnknownHostKey::Accept);
    connect(settings, &login_to(&sshd)).await.unwrap();
    assert_eq!(home.known(), format!("{}\n", sshd.entry("ed25519")));
    let mode = std::fs::metadata(home.known_hosts())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    connect(home.settings(), &login_to(&sshd)).await.unwrap();
}

#[tokio::test]
async fn many_hosts_accepted_at_once_leave_a_sound_file() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[]);
    std::fs::write(home.known_hosts(), "# no line end").unwrap();
    let hosts: String = (0..30)
        .map(|n| format!("Host h{n}\nHostKeyAlias h{n}\nHostName 127.0.0.1\n"))
        .collect();
    let mut settings = policy(home.settings(), UnknownHostKey::Accept);
    settings.config = home.config(&hosts);
    let ssh = ssh(settings);
    let links = (0..30).map(|n| {
        let (ssh, login) = (
            ssh.clone(),
            Login {
                host: format!("h{n}"),
                ..login_to(&sshd)
            },
        );
        tokio::spawn(async move { ssh.connect(&name(), &login).await.map(drop) })
    });
    for link in futures::future::join_all(links).await {
        link.unwrap().unwrap();
    }
    let mut lines: Vec<String> = home.known().lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), "# no line end");
    lines.sort();
    let mut expected: Vec<_> = (0..30)
        .map(|n| format!("h{n} {}", sshd.host_key("ed25519")))
        .collect();
    expected.sort();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn the_operator_is_asked_once_and_decides() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[]);
    let settings = policy(home.settings(), UnknownHostKey::Ask);
    let no = Arc::new(Answers::default());
    let ssh = Ssh::new(settings.clone(), Arc::<Answers>::clone(&no));
    let result = ssh.connect(&name(), &login_to(&sshd)).await.map(drop);
    assert!(matches!(result, Err(Error::HostKeyUnknown(_))));
    assert_eq!(no.asked(), ["trust ssh-ed25519"]);
    assert_eq!(home.known(), "");

    let yes = Arc::new(Answers {
        trusts: true,
        ..Answers::default()
    });
    let ssh = Ssh::new(settings, Arc::<Answers>::clone(&yes));
    let (name, login) = (name(), login_to(&sshd));
    let both = tokio::join!(ssh.connect(&name, &login), ssh.connect(&name, &login));
    assert!(both.0.is_ok() && both.1.is_ok());
    assert_eq!(yes.asked(), ["trust ssh-ed25519"]);
    assert_eq!(home.known(), format!("{}\n", sshd.entry("ed25519")));
}

#[tokio::test]
async fn a_changed_key_is_refused_whatever_the_policy() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let wrong = format!("[127.0.0.1]:{} {}", sshd.port, other.host_key("ed25519"));
    for unknown in [
        UnknownHostKey::Refuse,
        UnknownHostKey::Accept,
        UnknownHostKey::Ask,
    ] {
        let home = Home::knowing(&["# first".to_owned(), wrong.clone()]);
        let error = refused(policy(home.settings(), unknown), &login_to(&sshd)).await;
        let Error::HostKeyChanged { at, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((at.path.clone(), at.number), (home.known_hosts(), 2));
        assert!(!home.known().contains(&sshd.entry("ed25519")));
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_though_it_is_known() {
    let sshd = Sshd::start();
    let revoked = format!("@revoked * {}", sshd.host_key("ed25519"));
    let home = Home::knowing(&[sshd.entry("ed25519"), revoked]);
    let error = refused(home.settings(), &login_to(&sshd)).await;
    assert!(
        matches!(&error, Error::HostKeyRevoked { at, .. } if at.number == 2),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_authority_does_not_vouch_for_a_plain_key() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[format!("@cert-authority * {}", sshd.host_key("ed25519"))]);
    let error = refused(home.settings(), &login_to(&sshd)).await;
    assert!(matches!(error, Error::HostKeyUnknown(_)), "{error:?}");
}

#[tokio::test]
async fn a_hashed_entry_and_one_without_port_are_known() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let hashed = std::process::Command::new("ssh-keygen")
        .args(["-q", "-H", "-f"])
        .arg(home.known_hosts())
        .status()
        .unwrap();
    assert!(hashed.success() && home.known().starts_with("|1|"));
    connect(home.settings(), &login_to(&sshd)).await.unwrap();

    let home = Home::knowing(&[format!("127.0.0.* {}", sshd.host_key("ed25519"))]);
    connect(home.settings(), &login_to(&sshd)).await.unwrap();
}

#[tokio::test]
async fn a_pin_decides_alone() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let pinned = |sshd: &Sshd| Some(fingerprint(sshd, "ed25519"));
    let home = Home::knowing(&[]);
    let right = Login {
        fingerprint: pinned(&sshd),
        ..login_to(&sshd)
    };
    connect(home.settings(), &right).await.unwrap();
    assert_eq!(home.known(), "");

    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let wrong = Login {
        fingerprint: pinned(&other),
        ..login_to(&sshd)
    };
    let error = refused(policy(home.settings(), UnknownHostKey::Accept), &wrong).await;
    assert!(matches!(error, Error::HostKeyPin { .. }), "{error:?}");
}

#[tokio::test]
async fn a_host_with_several_keys_shows_the_one_that_is_known() {
    let sshd = Sshd::start_with(&["rsa", "ecdsa", "ed25519"], "");
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let home = Home::knowing(&[sshd.entry(kind)]);
        connect(home.settings(), &login_to(&sshd)).await.unwrap();
    }
}

#[tokio::test]
async fn a_host_known_by_another_type_of_key_is_not_taken_for_new() {
    let (sshd, other) = (Sshd::start(), Sshd::start_with(&["ecdsa"], ""));
    let known = format!("[127.0.0.1]:{} {}", sshd.port, other.host_key("ecdsa"));
    let home = Home::knowing(&[known]);
    let error = refused(
        policy(home.settings(), UnknownHostKey::Accept),
        &login_to(&sshd),
    )
    .await;
    let Error::HostKeyUnknown(key) = error else {
        panic!("{error:?}")
    };
    assert_eq!(key.others.len(), 1);
    assert!(key.to_string().contains("another type"));
}

#[tokio::test]
async fn a_known_hosts_file_of_the_inventory_stands_in_for_the_users() {
    let sshd = Sshd::start();
    let (home, elsewhere) = (Home::knowing(&[sshd.entry("ed25519")]), Home::knowing(&[]));
    let login = Login {
        known_hosts: Some(elsewhere.known_hosts()),
        ..login_to(&sshd)
    };
    let error = refused(home.settings(), &login).await;
    assert!(matches!(error, Error::HostKeyUnknown(_)), "{error:?}");
    let login = Login {
        known_hosts: Some(home.known_hosts()),
        ..login_to(&sshd)
    };
    connect(elsewhere.settings(), &login).await.unwrap();
}

pub fn fingerprint(sshd: &Sshd, kind: &str) -> String {
    let out = std::process::Command::new("ssh-keygen")
        .args(["-l", "-f"])
        .arg(sshd.path(&format!("host_{kind}.pub")))
        .output()
        .unwrap();
    String::from_utf8(out.stdout)
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned()
}
