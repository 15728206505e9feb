//! Jump hosts, each with its own host key and login.

use kdiy::cluster::Jump;
use kdiy::transport::error::Unreachable;

use super::*;
use crate::ports::free_port;

fn jump_to(sshd: &Sshd) -> Jump {
    Jump {
        host: "127.0.0.1".to_owned(),
        port: Some(sshd.port),
        user: None,
    }
}

fn behind(target: &Sshd, jumps: &[&Sshd]) -> Login {
    let jumps = Some(jumps.iter().map(|sshd| jump_to(sshd)).collect());
    Login {
        jumps,
        ..login_to(target)
    }
}

fn three() -> (Sshd, Sshd, Sshd, Home) {
    let (a, b, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    for jump in [&a, &b] {
        jump.authorize(&target.path("login"));
    }
    let home = Home::knowing(&[&a, &b, &target].map(|sshd| sshd.entry("ed25519")));
    (a, b, target, home)
}

#[tokio::test]
async fn a_chain_is_passed_once_for_all_hosts_behind_it() {
    let (a, b, target, home) = three();
    let ssh = ssh(home.settings());
    let login = behind(&target, &[&a, &b]);
    let name = name();
    let links = futures::future::join_all((0..5).map(|_| ssh.connect(&name, &login))).await;
    for link in links {
        assert_eq!(says(&link.unwrap(), "echo through").await, "through\n");
    }
    assert_eq!((a.logins(), b.logins(), target.logins()), (1, 1, 5));
}

#[tokio::test]
async fn proxy_jump_of_ssh_config_is_followed_and_of_the_inventory_goes_before() {
    let (a, b, target, home) = three();
    let config = format!(
        "Host near\n HostName 127.0.0.1\n Port {}\nHost far\n HostName 127.0.0.1\n Port {}\n \
         ProxyJump near\nHost target\n HostName 127.0.0.1\n ProxyJump far\n",
        a.port, b.port
    );
    let settings = Settings {
        config: home.config(&config),
        ..home.settings()
    };
    let login = Login {
        host: "target".to_owned(),
        ..login_to(&target)
    };
    connect(settings.clone(), &login).await.unwrap();
    assert_eq!((a.logins(), b.logins(), target.logins()), (1, 1, 1));
    let login = Login {
        jumps: Some(Vec::new()),
        ..login
    };
    connect(settings, &login).await.unwrap();
    assert_eq!((a.logins(), b.logins(), target.logins()), (1, 1, 2));
}

#[tokio::test]
async fn the_hop_that_fails_is_named() {
    let (a, b, target, home) = three();
    std::fs::write(b.path("authorized_keys"), "").unwrap();
    let error = refused(home.settings(), &behind(&target, &[&a, &b])).await;
    let Error::Jump { hop, source } = &error else {
        panic!("{error:?}")
    };
    assert!(hop.ends_with(&format!(":{}", b.port)), "{hop}");
    assert!(
        matches!(**source, Error::Authentication { .. }),
        "{source:?}"
    );

    let home = Home::knowing(&[a.entry("ed25519")]);
    let error = refused(home.settings(), &behind(&target, &[&a])).await;
    assert!(matches!(error, Error::HostKeyUnknown(_)), "{error:?}");
}

#[tokio::test]
async fn a_host_that_the_jump_host_cannot_reach_is_distinguished() {
    let (a, _b, target, home) = three();
    let free = free_port();
    let login = Login {
        port: Some(free),
        ..behind(&target, &[&a])
    };
    let error = refused(home.settings(), &login).await;
    assert!(
        matches!(
            &error,
            Error::Unreachable {
                why: Unreachable::Forward(_),
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_jump_host_that_was_cut_is_passed_anew() {
    let (a, _b, target, home) = three();
    let link = connect(home.settings(), &behind(&target, &[&a]))
        .await
        .unwrap();
    assert_eq!(says(&link, "echo one").await, "one\n");
    a.cut();
    assert_eq!(says(&link, "echo two").await, "two\n");
    assert_eq!((a.logins(), target.logins()), (2, 2));
}

#[tokio::test]
async fn jumps_in_a_circle_are_refused() {
    let sshd = Sshd::start();
    let home = Home::knowing(&[]);
    let settings = Settings {
        config: home.config("ProxyJump self\n"),
        ..home.settings()
    };
    let error = refused(settings, &login_to(&sshd)).await;
    assert!(matches!(error, Error::JumpChain { .. }), "{error:?}");
}
