//! How to log in, said once where it is the same for all.

use std::net::IpAddr;
use std::path::Path;

use super::scalar::{list, scalar};
use super::{Draft, DraftLogin, DraftNode};
use crate::cluster::{AddressSpec, Jump, SudoPassword};

/// What all nodes share: as the draft says it, or as each of them does.
pub fn shared(draft: &Draft) -> DraftLogin {
    let logins: Vec<&DraftLogin> = draft.nodes.iter().map(|node| &node.ssh).collect();
    let said = &draft.ssh;
    DraftLogin {
        host: None,
        host_key: None,
        port: said.port.or_else(|| same(&logins, |login| login.port)),
        user: said
            .user
            .clone()
            .or_else(|| same(&logins, |login| login.user.clone())),
        identities: several(&said.identities, &logins, |login| &login.identities),
        jumps: several(&said.jumps, &logins, |login| &login.jumps),
        known_hosts: said
            .known_hosts
            .clone()
            .or_else(|| same(&logins, |login| login.known_hosts.clone())),
        sudo: said
            .sudo
            .clone()
            .or_else(|| same(&logins, |login| login.sudo.clone())),
    }
}

fn same<T: PartialEq>(
    logins: &[&DraftLogin],
    value: impl Fn(&DraftLogin) -> Option<T>,
) -> Option<T> {
    let first = value(logins.first()?)?;
    let all = logins
        .iter()
        .all(|login| value(login).as_ref() == Some(&first));
    all.then_some(first)
}

fn several<T: PartialEq + Clone>(
    said: &[T],
    logins: &[&DraftLogin],
    value: impl Fn(&DraftLogin) -> &Vec<T>,
) -> Vec<T> {
    if !said.is_empty() {
        return said.to_vec();
    }
    let own = |login: &DraftLogin| Some(value(login).clone()).filter(|value| !value.is_empty());
    same(logins, own).unwrap_or_default()
}

/// What is left of a node's login beside what all share.
pub fn own(login: &DraftLogin, shared: &DraftLogin) -> DraftLogin {
    let unless = |same: bool, list: &[_]| if same { Vec::new() } else { list.to_vec() };
    DraftLogin {
        host: login.host.clone(),
        host_key: login.host_key.clone(),
        port: login.port.filter(|port| shared.port != Some(*port)),
        user: login
            .user
            .clone()
            .filter(|user| shared.user.as_ref() != Some(user)),
        identities: match login.identities == shared.identities {
            true => Vec::new(),
            false => login.identities.clone(),
        },
        jumps: unless(login.jumps == shared.jumps, &login.jumps),
        known_hosts: login
            .known_hosts
            .clone()
            .filter(|file| shared.known_hosts.as_ref() != Some(file)),
        sudo: login
            .sudo
            .clone()
            .filter(|sudo| shared.sudo.as_ref() != Some(sudo)),
    }
}

/// Keys of `ssh` with their values as YAML.
pub fn keys(login: &DraftLogin) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    keys.extend(login.host.as_ref().map(|host| ("host", scalar(host))));
    keys.extend(login.host_key.as_ref().map(|key| ("hostKey", scalar(key))));
    keys.extend(login.user.as_ref().map(|user| ("user", scalar(user))));
    keys.extend(login.port.map(|port| ("port", port.to_string())));
    let path = |path: &Path| path.display().to_string();
    match login.identities.as_slice() {
        [] => {}
        [one] => keys.push(("identity", scalar(&path(one)))),
        many => {
            let many: Vec<String> = many.iter().map(|file| path(file)).collect();
            keys.push(("identities", list(many.iter().map(String::as_str))));
        }
    }
    match login.jumps.as_slice() {
        [] => {}
        [one] => keys.push(("jump", scalar(&jump(one)))),
        many => {
            let many: Vec<String> = many.iter().map(jump).collect();
            keys.push(("jump", list(many.iter().map(String::as_str))));
        }
    }
    keys.extend(
        login
            .known_hosts
            .as_ref()
            .map(|file| ("knownHosts", scalar(&path(file)))),
    );
    keys.extend(login.sudo.as_ref().map(|sudo| ("sudo", self::sudo(sudo))));
    keys
}

fn jump(jump: &Jump) -> String {
    login_text(jump.user.as_deref(), &jump.host, jump.port)
}

/// `[user@]host[:port]`.
pub fn login_text(user: Option<&str>, host: &str, port: Option<u16>) -> String {
    let user = user.map_or_else(String::new, |user| format!("{user}@"));
    match port {
        Some(port) if host.contains(':') => format!("{user}[{host}]:{port}"),
        Some(port) => format!("{user}{host}:{port}"),
        None => format!("{user}{host}"),
    }
}

fn sudo(sudo: &SudoPassword) -> String {
    match sudo {
        SudoPassword::NotNeeded => "none".to_owned(),
        SudoPassword::Prompt => "prompt".to_owned(),
        SudoPassword::Environment(name) => format!("{{env: {}}}", scalar(name)),
        SudoPassword::Command(words) => {
            format!("{{command: {}}}", list(words.iter().map(String::as_str)))
        }
    }
}

/// The address by which the other hosts reach a node, as the inventory reads
/// it.
pub fn address(node: &DraftNode) -> Option<AddressSpec> {
    let from_host = || node.ssh.host.as_ref()?.parse::<IpAddr>().ok();
    match (&node.address, &node.interface) {
        (Some(address), _) => Some(AddressSpec::Fixed(*address)),
        (None, Some(interface)) => Some(AddressSpec::Interface(interface.clone())),
        (None, None) => from_host().map(AddressSpec::Fixed),
    }
}
