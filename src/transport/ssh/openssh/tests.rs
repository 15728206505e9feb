use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::*;
use crate::cluster::{Jump, SudoPassword};
use crate::transport::error::UnknownKey;
use crate::transport::ssh::{Operator, Settings};
use crate::transport::ssh_config::SshConfig;

struct Nobody;

#[async_trait]
impl Operator for Nobody {
    async fn trusts(&self, _: &UnknownKey) -> bool {
        false
    }
    async fn passphrase(&self, _: &Path, _: u32) -> Option<Zeroizing<String>> {
        None
    }
    async fn sudo_password(&self, _: &SudoPassword) -> Result<Zeroizing<String>, String> {
        Err("nobody is asked".to_owned())
    }
}

fn arguments(login: &Login, pinned: Option<&Pinned>) -> Vec<String> {
    let settings = Settings::new(
        "/home/me".into(),
        "me".to_owned(),
        SshConfig::default(),
        time::OffsetDateTime::now_utc,
    );
    let ssh = Ssh::new(settings, Arc::new(Nobody));
    ssh.arguments(login, pinned).unwrap()
}

fn jump(host: &str) -> Jump {
    Jump {
        host: host.to_owned(),
        port: None,
        user: None,
    }
}

#[test]
fn what_the_inventory_leaves_open_is_left_to_ssh() {
    assert_eq!(arguments(&Login::to("cp-1"), None), ["--", "cp-1"]);
}

#[test]
fn what_the_inventory_says_goes_before_ssh_config() {
    let login = Login {
        port: Some(2222),
        user: Some("ops".to_owned()),
        identities: vec!["/keys/100% mine".into()],
        known_hosts: Some("/my files/known_hosts".into()),
        jumps: Some(Vec::new()),
        ..Login::to("cp-1")
    };
    insta::assert_snapshot!(arguments(&login, None).join("\n"), @r#"
    -p
    2222
    -l
    ops
    -i
    /keys/100%% mine
    -o
    IdentitiesOnly=yes
    -o
    UserKnownHostsFile="/my files/known_hosts"
    -o
    ProxyJump=none
    --
    cp-1
    "#);
}

#[test]
fn a_pinned_key_is_the_only_one() {
    let pinned = Pinned {
        file: ".kdiy/prod/host-keys/cp-1".into(),
        name: "cp-1".to_owned(),
    };
    let words = arguments(&Login::to("192.0.2.1"), Some(&pinned));
    assert!(words.contains(&"HostKeyAlias=cp-1".to_owned()), "{words:?}");
    assert!(words.contains(&"StrictHostKeyChecking=yes".to_owned()));
    assert!(words.contains(&"GlobalKnownHostsFile=/dev/null".to_owned()));
}

/// Tokens replaced as ssh does it.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, if c == '%' { rest.next() } else { None }) {
            ('%', Some('%')) => out.push('%'),
            ('%', Some('h')) => out.push_str("HOST"),
            ('%', Some('p')) => out.push_str("PORT"),
            ('%', other) => panic!("ssh knows no token {other:?} in {text}"),
            (c, _) => out.push(c),
        }
    }
    out
}

/// Reads a proxy command as ssh and the shell do; the words for each hop, from
/// the one beside the target outwards.
fn hops(proxy: &str) -> Vec<Vec<String>> {
    let words = shlex::split(&expanded(proxy)).unwrap();
    let inner = words
        .iter()
        .find_map(|word| word.strip_prefix("ProxyCommand="));
    let mut all = inner.map(hops).unwrap_or_default();
    all.insert(0, words);
    all
}

#[test]
fn jump_hosts_have_the_inventorys_trust_at_any_depth() {
    let login = Login {
        known_hosts: Some("/it's 50%h/known_hosts".into()),
        jumps: Some(vec![jump("gate"), jump("inner"), jump("2001:db8::1")]),
        ..Login::to("cp-1")
    };
    let words = arguments(&login, None);
    let proxy = words
        .iter()
        .find_map(|word| word.strip_prefix("ProxyCommand="));
    let hops = hops(proxy.unwrap());
    let ways: Vec<_> = hops.iter().filter_map(|hop| hop.last()).collect();
    assert_eq!(ways, ["2001:db8::1", "inner", "gate"]);
    for hop in &hops {
        assert_eq!(hop[..3], ["ssh", "-F", "none"]);
        assert!(hop.contains(&"[HOST]:PORT".to_owned()), "{hop:?}");
        let known = hop
            .iter()
            .find_map(|word| word.strip_prefix("UserKnownHostsFile="));
        assert_eq!(expanded(known.unwrap()), "\"/it's 50%h/known_hosts\"");
    }
}
