//! The way to a host for OpenSSH's own client: what it has to be told so that
//! it goes where kdiy goes and trusts whom kdiy trusts.

use std::path::{Path, PathBuf};

use super::Ssh;
use super::live;
use super::route::{Hop, Route};
use crate::cluster::Login;
use crate::transport::error::Error;
use crate::transport::known_hosts::{entry_line, entry_name};

/// A host key in a file, in place of known_hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The file, in the form of known_hosts.
    pub file: PathBuf,
    /// The name of the host in it.
    pub name: String,
}

impl Ssh {
    /// The line of known_hosts with the key that the inventory pins only by
    /// its fingerprint, under this name; the host is asked for it. Nothing
    /// where no key is pinned.
    ///
    /// # Errors
    /// When the host cannot be reached, or shows another key.
    pub async fn pinned_line(&self, login: &Login, name: &str) -> Result<Option<String>, Error> {
        if login.fingerprint.is_none() {
            return Ok(None);
        }
        let route = Route::resolve(&self.shared.settings, login)?;
        live::fetch_host_key(&self.shared, &route).await?;
        let key = self.shared.trust.pinned(&route.target);
        Ok(key.map(|key| entry_line(name, &key)))
    }

    /// Arguments for `ssh` that lead to a host, its name as the last. ssh
    /// reads its own configuration, as kdiy does; what the inventory says
    /// goes before it.
    ///
    /// # Errors
    /// When ssh_config says something that makes no sense.
    pub fn arguments(&self, login: &Login, pinned: Option<&Pinned>) -> Result<Vec<String>, Error> {
        let settings = &self.shared.settings;
        let route = Route::resolve(settings, login)?;
        let mut words = Vec::new();
        if let Some(port) = login.port {
            words.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(user) = &login.user {
            words.extend(["-l".to_owned(), user.clone()]);
        }
        for path in &login.identities {
            words.extend(["-i".to_owned(), escaped(&path.display().to_string())]);
        }
        if !login.identities.is_empty() {
            words.extend(option("IdentitiesOnly", "yes"));
        }
        if let Some(Pinned { file, name }) = pinned {
            words.extend(option("UserKnownHostsFile", &value(file)));
            words.extend(option("GlobalKnownHostsFile", "/dev/null"));
            words.extend(option("HostKeyAlias", name));
            words.extend(option("StrictHostKeyChecking", "yes"));
            words.extend(option("UpdateHostKeys", "no"));
        } else if let Some(file) = &login.known_hosts {
            words.extend(option("UserKnownHostsFile", &value(file)));
        }
        let proxy = route
            .jumps
            .iter()
            .fold(None, |before, hop| Some(through(hop, before)));
        match (proxy, &login.jumps) {
            // ssh would not hand -i and known_hosts on to jump hosts.
            (Some(proxy), _) => words.extend(option("ProxyCommand", &proxy)),
            (None, Some(_)) => words.extend(option("ProxyJump", "none")),
            (None, None) => {}
        }
        words.extend(["--".to_owned(), login.host.clone()]);
        Ok(words)
    }
}

/// The command, as text for `ProxyCommand`, that connects to the next host by
/// way of this one.
fn through(hop: &Hop, before: Option<String>) -> String {
    let mut words = ["ssh", "-F", "none"].map(str::to_owned).to_vec();
    words.extend([
        "-p".to_owned(),
        hop.port.to_string(),
        "-l".to_owned(),
        hop.user.clone(),
    ]);
    // ssh complains about files that are not there.
    for identity in hop
        .identities
        .iter()
        .filter(|identity| identity.path.exists())
    {
        words.extend([
            "-i".to_owned(),
            escaped(&identity.path.display().to_string()),
        ]);
    }
    if hop.identities_only {
        words.extend(option("IdentitiesOnly", "yes"));
    }
    if let Some(agent) = &hop.agent {
        words.extend(option("IdentityAgent", &value(agent)));
    }
    let files = |paths: &[PathBuf]| {
        let paths: Vec<_> = paths.iter().map(|path| value(path)).collect();
        if paths.is_empty() {
            "/dev/null".to_owned()
        } else {
            paths.join(" ")
        }
    };
    words.extend(option("UserKnownHostsFile", &files(&hop.user_known_hosts)));
    words.extend(option(
        "GlobalKnownHostsFile",
        &files(&hop.global_known_hosts),
    ));
    if let Some(name) = hop
        .names
        .first()
        .filter(|name| **name != entry_name(&hop.host, hop.port))
    {
        words.extend(option("HostKeyAlias", name));
    }
    if let Some(before) = before {
        words.extend(option("ProxyCommand", &before));
    }
    // ssh replaces tokens before the shell reads its words: others' signs are
    // doubled.
    let words = words.iter().map(|word| escaped(word));
    let words = words.chain(["-W", "[%h]:%p", "--"].map(str::to_owned));
    let words: Vec<String> = words.chain([escaped(&hop.host)]).collect();
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

fn option(name: &str, value: &str) -> [String; 2] {
    ["-o".to_owned(), format!("{name}={value}")]
}

/// A path as a value of ssh_config.
fn value(path: &Path) -> String {
    let text = escaped(&path.display().to_string());
    if text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// Text in which ssh finds no tokens.
fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests;
