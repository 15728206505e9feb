//! How Ansible logs in to a host.

use std::collections::BTreeMap;

use super::inventory::Var;
use super::{Notes, is_template, shown};
use crate::cluster::{Jump, SudoPassword};
use crate::draft::DraftLogin;
use crate::inventory::address;

/// The variables of a host.
pub type Known<'v> = BTreeMap<&'v str, &'v Var>;

/// The first of these variables that is a text; one for Jinja is reported and
/// left out.
pub fn text<'v>(
    known: &Known<'v>,
    names: &[&str],
    notes: &mut Notes,
) -> Option<(&'v str, &'v Var)> {
    let (name, var) = names
        .iter()
        .find_map(|name| known.get(name).map(|var| (*name, *var)))?;
    let text = var.text()?;
    if is_template(text) {
        notes.warning(
            "not-taken",
            var.place,
            format!("`{name}` is an expression that only Ansible evaluates"),
            "write the value, or say it with an option (--help)",
        );
        return None;
    }
    Some((text, var))
}

/// Reads how to log in to a host; `name` is its name.
pub fn login(name: &str, known: &Known<'_>, notes: &mut Notes) -> DraftLogin {
    let mut login = DraftLogin::default();
    let said = |names: &[&str], notes: &mut Notes| text(known, names, notes);
    match said(&["ansible_host", "ansible_ssh_host"], notes) {
        Some((host, var)) => match address::ssh_host(host) {
            Ok(host) => login.host = Some(host),
            Err(error) => {
                notes.error("invalid-login", var.place, error.message, &error.help);
            }
        },
        None if known.contains_key("ansible_host") => {}
        None => login.host = address::ssh_host(name).ok(),
    }
    if let Some((port, var)) = said(&["ansible_port", "ansible_ssh_port"], notes) {
        match port.parse::<u16>() {
            Ok(port) if port > 0 => login.port = Some(port),
            _ => {
                let message = format!("{} is no TCP port", shown(port));
                notes.error(
                    "invalid-port",
                    var.place,
                    message,
                    "write a number from 1 to 65535",
                );
            }
        }
    }
    if let Some((user, var)) = said(&["ansible_user", "ansible_ssh_user"], notes) {
        match address::user(user) {
            Ok(user) => login.user = Some(user),
            Err(error) => {
                notes.error("invalid-login", var.place, error.message, &error.help);
            }
        }
    }
    let key = ["ansible_ssh_private_key_file", "ansible_private_key_file"];
    login.identities = said(&key, notes)
        .map(|(file, _)| file.into())
        .into_iter()
        .collect();
    for arguments in ["ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        if let Some((words, var)) = said(&[arguments], notes) {
            match jumps(words) {
                Some(jumps) if login.jumps.is_empty() => login.jumps = jumps,
                Some(_) => {}
                None => notes.warning(
                    "not-taken",
                    var.place,
                    format!("`{arguments}` is not taken over"),
                    "of these a jump host is understood (-J HOST); put the rest into ~/.ssh/config",
                ),
            }
        }
    }
    passwords(known, &mut login, notes);
    let ssh = ["ssh", "smart", "paramiko", "paramiko_ssh"];
    let connection = known.get("ansible_connection");
    if let Some(var) = connection.filter(|var| !var.text().is_some_and(|text| ssh.contains(&text)))
    {
        notes.error(
            "no-login",
            var.place,
            format!("{name} is not reached over SSH"),
            "kdiy logs in to every host over SSH; leave `ansible_connection` out",
        );
    }
    login
}

fn passwords(known: &Known<'_>, login: &mut DraftLogin, notes: &mut Notes) {
    let become_names = [
        "ansible_become_password",
        "ansible_become_pass",
        "ansible_sudo_pass",
        "ansible_sudo_password",
    ];
    for name in become_names {
        if let Some(var) = known.get(name) {
            login.sudo = Some(SudoPassword::Prompt);
            notes.warning(
                "secret-in-inventory",
                var.place,
                format!("`{name}` is not copied; kdiy will ask for sudo's password"),
                "instead of `sudo: prompt` it can come from {env: NAME} or {command: ...}",
            );
        }
    }
    for name in [
        "ansible_password",
        "ansible_ssh_pass",
        "ansible_ssh_password",
    ] {
        if let Some(var) = known.get(name) {
            notes.warning(
                "secret-in-inventory",
                var.place,
                format!("`{name}` is not copied; kdiy logs in with keys"),
                "put a key on the host: ssh-copy-id",
            );
        }
    }
}

/// The jump hosts of options of ssh; `None` when anything else is in them.
pub fn jumps(text: &str) -> Option<Vec<Jump>> {
    // These change nothing about the way to the host.
    const HARMLESS: [&str; 6] = [
        "StrictHostKeyChecking",
        "UserKnownHostsFile",
        "ControlMaster",
        "ControlPersist",
        "ForwardAgent",
        "ServerAliveInterval",
    ];
    let mut found = Vec::new();
    let mut words = shlex::split(text)?.into_iter();
    while let Some(word) = words.next() {
        let option = match word.as_str() {
            "-J" => format!("ProxyJump={}", words.next()?),
            "-o" => words.next()?,
            "-A" => continue,
            word if word.starts_with("-J") => format!("ProxyJump={}", &word[2..]),
            word if word.starts_with("-o") => word[2..].to_owned(),
            _ => return None,
        };
        let (name, value) = option.split_once(['=', ' '])?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("ProxyJump") {
            let hops = value.split(',').map(jump);
            found = hops.collect::<Option<Vec<_>>>()?;
        } else if name.eq_ignore_ascii_case("ProxyCommand") {
            found = vec![proxy(value)?];
        } else if !HARMLESS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            return None;
        }
    }
    Some(found)
}

fn jump(text: &str) -> Option<Jump> {
    let (user, host, port) = address::login(text).ok()?;
    Some(Jump { host, port, user })
}

/// The host of `ssh -W %h:%p [-p PORT] [user@]host`.
fn proxy(command: &str) -> Option<Jump> {
    let words = shlex::split(command)?;
    let mut words = words.iter().map(String::as_str);
    if words.next()? != "ssh" {
        return None;
    }
    let (mut port, mut forwards, mut target) = (None, false, None);
    while let Some(word) = words.next() {
        match word {
            "-W" => forwards = words.next()? == "%h:%p",
            "-p" => port = Some(words.next()?.parse().ok()?),
            "-q" | "-A" => {}
            word if word.starts_with('-') => return None,
            word => target = Some(jump(word)?),
        }
    }
    let target = target.filter(|_| forwards)?;
    Some(Jump {
        port: port.or(target.port),
        ..target
    })
}
