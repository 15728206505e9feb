//! Logging in with identity files, and hosts that cannot be reached.

use kdiy::transport::error::{IdentityError, Outcome, Unreachable};
use sshd::keygen;

use super::*;
use crate::ports::free_port;

fn linked_with(answers: Answers, settings: Settings) -> (Ssh, Arc<Answers>) {
    let answers = Arc::new(answers);
    (Ssh::new(settings, Arc::<Answers>::clone(&answers)), answers)
}

#[tokio::test]
async fn a_key_that_the_host_does_not_know_is_refused() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let key = sshd.path("stranger");
    keygen(&key, "ed25519", "");
    let login = Login {
        identities: vec![key.clone()],
        ..login_to(&sshd)
    };
    let error = refused(home.settings(), &login).await;
    let Error::Authentication { attempts, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].key, key.display().to_string());
    assert_eq!(attempts[0].outcome, Outcome::Refused);
    assert!(!error.is_transient());
}

#[tokio::test]
async fn too_many_keys_end_the_login_and_say_so() {
    let sshd = Sshd::start_with(&["ed25519"], "MaxAuthTries 2");
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let strangers = ["a", "b", "c"].map(|name| sshd.path(name));
    strangers
        .iter()
        .for_each(|path| keygen(path, "ed25519", ""));
    let identities = [strangers.to_vec(), vec![sshd.path("login")]].concat();
    let error = refused(
        home.settings(),
        &Login {
            identities,
            ..login_to(&sshd)
        },
    )
    .await;
    assert!(error.to_string().contains("MaxAuthTries"), "{error}");
}

#[tokio::test]
async fn rsa_and_ecdsa_keys_log_in() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    for kind in ["rsa", "ecdsa"] {
        let key = sshd.path(kind);
        keygen(&key, kind, "");
        sshd.authorize(&key);
        connect(
            home.settings(),
            &Login {
                identities: vec![key],
                ..login_to(&sshd)
            },
        )
        .await
        .unwrap();
    }
    assert!(sshd.log().contains("Accepted publickey for"));
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once_for_all_hosts() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let key = sshd.path("locked");
    keygen(&key, "ed25519", "open sesame");
    sshd.authorize(&key);
    let login = Login {
        identities: vec![key],
        ..login_to(&sshd)
    };
    let answers = Answers {
        passphrases: vec!["wrong", "open sesame"],
        ..Answers::default()
    };
    let (ssh, answers) = linked_with(answers, home.settings());
    let name = name();
    let links = futures::future::join_all((0..4).map(|_| ssh.connect(&name, &login))).await;
    assert!(links.iter().all(Result::is_ok));
    assert_eq!(
        answers.asked(),
        ["passphrase locked 1", "passphrase locked 2"]
    );
}

#[tokio::test]
async fn an_encrypted_pem_key_is_unlocked_too() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    for format in ["PEM", "PKCS8"] {
        let key = sshd.path(format);
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "rsa", "-m", format, "-N", "open sesame", "-f"])
            .arg(&key)
            .status()
            .unwrap();
        assert!(made.success());
        sshd.authorize(&key);
        let login = Login {
            identities: vec![key],
            ..login_to(&sshd)
        };
        let answers = Answers {
            passphrases: vec!["open sesame"],
            ..Answers::default()
        };
        let (ssh, answers) = linked_with(answers, home.settings());
        ssh.connect(&name(), &login).await.map(drop).unwrap();
        assert_eq!(answers.asked().len(), 1);
    }
}

#[tokio::test]
async fn without_a_passphrase_or_with_wrong_ones_there_is_no_login() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let key = sshd.path("locked");
    keygen(&key, "ed25519", "open sesame");
    sshd.authorize(&key);
    let login = Login {
        identities: vec![key],
        ..login_to(&sshd)
    };
    for (passphrases, why) in [
        (vec![], IdentityError::NoPassphrase),
        (vec!["a", "b", "c"], IdentityError::WrongPassphrase),
    ] {
        let answers = Answers {
            passphrases,
            ..Answers::default()
        };
        let (ssh, _) = linked_with(answers, home.settings());
        let error = ssh.connect(&name(), &login).await.map(drop).unwrap_err();
        assert!(
            matches!(&error, Error::Identity { why: found, .. } if *found == why),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn nobody_is_asked_for_the_passphrase_of_a_key_that_would_not_do() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let key = sshd.path("locked");
    keygen(&key, "ed25519", "open sesame");
    let login = Login {
        identities: vec![key, sshd.path("login")],
        ..login_to(&sshd)
    };
    let (ssh, answers) = linked_with(Answers::default(), home.settings());
    ssh.connect(&name(), &login).await.map(drop).unwrap();
    assert_eq!(answers.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn an_identity_file_that_cannot_be_used_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let open = sshd.path("open");
    std::fs::copy(sshd.path("login"), &open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let junk = sshd.path("junk");
    std::fs::write(&junk, "not a key").unwrap();
    std::fs::set_permissions(&junk, std::fs::Permissions::from_mode(0o600)).unwrap();
    for (file, expected) in [
        (open, "others can read it (mode 0644)"),
        (junk, "holds no usable private key"),
        (sshd.path("nowhere"), "does not exist"),
        (sshd.path("login.pub"), "holds only a public key"),
    ] {
        let login = Login {
            identities: vec![file.clone()],
            ..login_to(&sshd)
        };
        let error = refused(home.settings(), &login).await;
        assert!(
            matches!(&error, Error::Identity { path, .. } if *path == file),
            "{error:?}"
        );
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn ssh_config_says_how_to_log_in() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[format!("short {}", sshd.host_key("ed25519"))]);
    let mut settings = home.settings();
    settings.user = "nobody".to_owned();
    settings.config = home.config(&format!(
        "Host short\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  \
         HostKeyAlias short\n",
        sshd.port,
        user(),
        sshd.path("login").display()
    ));
    let login = Login {
        host: "short".to_owned(),
        port: None,
        identities: Vec::new(),
        ..login_to(&sshd)
    };
    let link = connect(settings, &login).await.unwrap();
    assert_eq!(says(&link, "id -un").await.trim(), user());
}

#[tokio::test]
async fn a_host_that_is_not_there_is_distinguished() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[]);
    let free = free_port();
    let error = refused(
        home.settings(),
        &Login {
            port: Some(free),
            ..login_to(&sshd)
        },
    )
    .await;
    assert!(
        matches!(
            &error,
            Error::Unreachable {
                why: Unreachable::Refused,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_transient());

    let login = Login {
        host: "no-such-host.invalid".to_owned(),
        ..login_to(&sshd)
    };
    let error = refused(home.settings(), &login).await;
    assert!(
        matches!(
            &error,
            Error::Unreachable {
                why: Unreachable::Name(_) | Unreachable::Resolver(_),
                ..
            }
        ),
        "{error:?}"
    );

    let old = Sshd::start_with(&["ed25519"], "Ciphers aes128-cbc");
    let error = refused(home.settings(), &login_to(&old)).await;
    assert!(matches!(&error, Error::Incompatible { .. }), "{error:?}");
    assert!(!error.is_transient());

    // Something that listens and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings {
        handshake_limit: Duration::from_millis(300),
        ..home.settings()
    };
    let port = Some(mute.local_addr().unwrap().port());
    let error = refused(
        settings,
        &Login {
            port,
            ..login_to(&sshd)
        },
    )
    .await;
    assert!(matches!(&error, Error::Handshake { .. }), "{error:?}");
}

/// A host that takes any key with a certificate of its authority, and a key
/// with one for the user.
pub fn certified(kind: &str) -> (Sshd, std::path::PathBuf) {
    let sshd = Sshd::start_prepared(&["ed25519"], |folder| {
        let authority = folder.join("authority");
        keygen(&authority, "ed25519", "");
        format!("TrustedUserCAKeys {}.pub\n", authority.display())
    });
    let key = sshd.path("certified");
    keygen(&key, kind, "");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-I", "test", "-n", &user(), "-s"])
        .arg(sshd.path("authority"))
        .arg(sshd.path("certified.pub"))
        .status();
    assert!(made.unwrap().success());
    (sshd, key)
}

/// Defect S1: certificates of users were passed over without a word.
#[tokio::test]
async fn defect_s1_a_certificate_beside_its_key_logs_in() {
    let (sshd, key) = certified("ed25519");
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let login = Login {
        identities: vec![key],
        ..login_to(&sshd)
    };
    connect(home.settings(), &login).await.unwrap();
}

/// Defect X6: `CertificateFile` had no effect.
#[tokio::test]
async fn defect_x6_a_certificate_that_ssh_config_names_logs_in() {
    let (sshd, key) = certified("ed25519");
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let moved = sshd.path("elsewhere.pub");
    std::fs::rename(sshd.path("certified-cert.pub"), &moved).unwrap();
    let (key, moved) = (key.display(), moved.display());
    let text = format!("Host *\nIdentityFile {key}\nCertificateFile {moved}\n");
    let mut settings = home.settings();
    settings.config = home.config(&text);
    let login = Login {
        identities: Vec::new(),
        ..login_to(&sshd)
    };
    connect(settings, &login).await.unwrap();
}

/// Defect S1: one that cannot be used says why.
#[tokio::test]
async fn defect_s1_a_certificate_that_is_not_used_says_why() {
    let (sshd, key) = certified("rsa");
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let login = Login {
        identities: vec![key],
        ..login_to(&sshd)
    };
    let error = refused(home.settings(), &login).await.to_string();
    assert!(error.contains("through the ssh-agent alone"), "{error}");
}
