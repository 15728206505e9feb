//! The way to a host: every hop with how to reach and enter it, from the
//! inventory, then ssh_config, then OpenSSH's defaults.

use std::path::PathBuf;

use super::Settings;
use crate::cluster::Login;
use crate::transport::error::Error;
use crate::transport::known_hosts::entry_name;
use crate::transport::ssh_config::{HostConfig, JumpHost, Tokens};

/// More jump hosts than anybody has; a ProxyJump that leads in a circle ends
/// here.
const MOST_JUMPS: usize = 8;

/// OpenSSH's default identity files, in its order, but for those that need a
/// security key.
const DEFAULT_IDENTITIES: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

/// The hops to a host.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// Jump hosts, nearest first.
    pub jumps: Vec<Hop>,
    /// The host itself.
    pub target: Hop,
}

/// One machine on the way.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub host: String,
    pub port: u16,
    pub user: String,
    /// Names in known_hosts: the first decides and is recorded; the others
    /// may also vouch for a key.
    pub names: Vec<String>,
    /// Name that a certificate must be for: without the port.
    pub principal: String,
    /// Whether names are hashed when a key is written to known_hosts.
    pub hash_known_hosts: bool,
    /// known_hosts files of the user; new keys go to the first.
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    /// Fingerprint that decides alone.
    pub pin: Option<String>,
    pub identities: Vec<IdentityFile>,
    /// Certificates of the user that ssh_config names.
    pub certificates: Vec<PathBuf>,
    /// Whether the agent may offer only keys of `identities`.
    pub identities_only: bool,
    pub agent: Option<PathBuf>,
}

/// A private key file to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdentityFile {
    pub path: PathBuf,
    /// Whether somebody named it, so that its absence is worth a word.
    pub named: bool,
    /// Whether the inventory named it for this host, so that its absence is
    /// an error.
    pub required: bool,
}

impl Hop {
    /// `host:port`.
    pub(super) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl Route {
    pub(super) fn resolve(settings: &Settings, login: &Login) -> Result<Self, Error> {
        let config = settings.config.of(&login.host)?;
        let chain = match &login.jumps {
            Some(jumps) => jumps
                .iter()
                .map(|jump| JumpHost {
                    host: jump.host.clone(),
                    port: jump.port,
                    user: jump.user.clone(),
                })
                .collect(),
            None => config.jumps.clone().unwrap_or_default(),
        };
        let target = JumpHost {
            host: login.host.clone(),
            port: login.port,
            user: login.user.clone(),
        };
        let target = hop(settings, login, &target, &config, Part::Target)?;
        let mut jumps = Vec::new();
        travel(settings, login, &chain, &mut jumps)?;
        Ok(Self { jumps, target })
    }
}

/// Appends the hops of a chain. As in ssh only the nearest hop of a chain may
/// itself lie behind jump hosts of ssh_config.
fn travel(
    settings: &Settings,
    login: &Login,
    chain: &[JumpHost],
    jumps: &mut Vec<Hop>,
) -> Result<(), Error> {
    let mut chain = chain.to_vec();
    loop {
        if chain.len() > MOST_JUMPS {
            return Err(Error::JumpChain {
                host: login.host.clone(),
                limit: MOST_JUMPS,
            });
        }
        let Some(nearest) = chain.first() else {
            return Ok(());
        };
        match settings.config.of(&nearest.host)?.jumps {
            Some(before) if !before.is_empty() => {
                chain.splice(0..0, before);
            }
            _ => break,
        }
    }
    for jump in &chain {
        let config = settings.config.of(&jump.host)?;
        jumps.push(hop(settings, login, jump, &config, Part::Jump)?);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Target,
    Jump,
}

fn hop(
    settings: &Settings,
    login: &Login,
    named: &JumpHost,
    config: &HostConfig,
    part: Part,
) -> Result<Hop, Error> {
    let host = config
        .host_name
        .clone()
        .unwrap_or_else(|| named.host.clone());
    let port = named.port.or(config.port).unwrap_or(22);
    let user = named.user.clone().or_else(|| config.user.clone());
    let user = user.unwrap_or_else(|| settings.user.clone());
    let tokens = Tokens {
        home: &settings.home,
        local_user: &settings.user,
        host: &host,
        name: &named.host,
        port,
        user: &user,
    };

    let names = match &config.host_key_alias {
        Some(alias) => vec![alias.to_ascii_lowercase()],
        // OpenSSH takes an entry without port for any port.
        None if port == 22 => vec![entry_name(&host, 22)],
        None => vec![entry_name(&host, port), entry_name(&host, 22)],
    };
    let user_known_hosts = match (&login.known_hosts, &config.user_known_hosts) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(files)) => paths(&tokens, files)?,
        (None, None) => ["known_hosts", "known_hosts2"]
            .map(|name| settings.home.join(".ssh").join(name))
            .into(),
    };
    let global_known_hosts = match &config.global_known_hosts {
        Some(files) => paths(&tokens, files)?,
        None => settings.global_known_hosts.clone(),
    };
    let agent = match &config.identity_agent {
        Some(agent) if agent.value.eq_ignore_ascii_case("none") => None,
        Some(agent) if agent.value != "SSH_AUTH_SOCK" => Some(tokens.path(agent)?),
        _ => settings.agent.clone(),
    };
    let from_inventory = part == Part::Target && !login.identities.is_empty();
    Ok(Hop {
        identities: identities(settings, login, config, &tokens, part)?,
        certificates: paths(&tokens, &config.certificate_files)?,
        identities_only: from_inventory || config.identities_only.unwrap_or(false),
        names,
        principal: match &config.host_key_alias {
            Some(alias) => alias.clone(),
            None => host.to_ascii_lowercase(),
        },
        hash_known_hosts: config.hash_known_hosts.unwrap_or(false),
        user_known_hosts,
        global_known_hosts,
        pin: login.fingerprint.clone().filter(|_| part == Part::Target),
        agent,
        host,
        port,
        user,
    })
}

/// Identity files: those of the inventory alone for its host; for a jump host
/// those of ssh_config first, as the inventory's may not be meant for it.
fn identities(
    settings: &Settings,
    login: &Login,
    config: &HostConfig,
    tokens: &Tokens<'_>,
    part: Part,
) -> Result<Vec<IdentityFile>, Error> {
    let named = |required: bool| {
        move |path: PathBuf| IdentityFile {
            path,
            named: true,
            required,
        }
    };
    if part == Part::Target && !login.identities.is_empty() {
        return Ok(login.identities.iter().cloned().map(named(true)).collect());
    }
    let mut files: Vec<IdentityFile> = paths(tokens, &config.identity_files)?
        .into_iter()
        .map(named(false))
        .collect();
    if config.identity_files.is_empty() {
        let default = |name| IdentityFile {
            path: settings.home.join(".ssh").join(name),
            named: false,
            required: false,
        };
        files.extend(DEFAULT_IDENTITIES.map(default));
    }
    files.extend(login.identities.iter().cloned().map(named(false)));
    Ok(files)
}

/// Paths of written values; `none` is none.
fn paths(
    tokens: &Tokens<'_>,
    located: &[crate::transport::ssh_config::Located],
) -> Result<Vec<PathBuf>, Error> {
    located
        .iter()
        .filter(|value| !value.value.eq_ignore_ascii_case("none"))
        .map(|value| tokens.path(value))
        .collect()
}
