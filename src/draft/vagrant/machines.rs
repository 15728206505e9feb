//! `vagrant ssh-config` taken apart: machines and how to log in to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cluster::{Jump, Login, Name};
use crate::transport::error::{Error as SshError, Line};
use crate::transport::ssh_config::{HostConfig, SshConfig, Tokens};

/// A machine that Vagrant knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the Vagrantfile.
    pub name: Name,
    /// How to log in; everything is written out.
    pub login: Login,
}

/// What the text is read with.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// What the text is called in messages: a path, or a command.
    pub source: &'a Path,
    /// What `~` stands for.
    pub home: &'a Path,
    /// Who is here.
    pub user: &'a str,
}

/// Why a text is no list of machines.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line makes no sense.
    #[error(transparent)]
    Config(#[from] SshError),
    /// There is no `Host` line.
    #[error("{} names no machine: it has no `Host` line", .0.display())]
    Empty(PathBuf),
    /// A `Host` line is for several hosts, or a pattern.
    #[error("{at}: `Host {text}` is not the name of one machine")]
    Pattern {
        /// File and line.
        at: Line,
        /// What stands there.
        text: String,
    },
    /// The name cannot be a node's.
    #[error("{at}: the machine {name:?} cannot be a node of that name: it {why}")]
    NoName {
        /// File and line.
        at: Line,
        /// What stands there.
        name: String,
        /// What a name must be.
        why: String,
    },
    /// A machine is there twice.
    #[error("{at}: the machine {name} is there twice")]
    Twice {
        /// The second line.
        at: Line,
        /// Name of the machine in the Vagrantfile.
        name: Name,
    },
    /// There is no `HostName`.
    #[error("{at}: the machine {name} has no `HostName`, so nothing says where it is")]
    NoAddress {
        /// Its `Host` line.
        at: Line,
        /// Name of the machine in the Vagrantfile.
        name: Name,
    },
    /// Two machines are at the same place.
    #[error("{at}: the machines {first} and {second} are both at {place}")]
    SamePlace {
        /// The second's `Host` line.
        at: Line,
        /// One machine.
        first: Name,
        /// The other.
        second: Name,
        /// `host:port`.
        place: String,
    },
}

/// Machines in the order of the text, at least one.
///
/// # Errors
/// When a line makes no sense, or a machine has no name or no place of its own.
pub fn parse(text: &str, here: Here<'_>) -> Result<Vec<Machine>, Error> {
    let config = SshConfig::parse(text, here.source, here.home)?;
    let mut machines: Vec<Machine> = Vec::new();
    let mut places: BTreeMap<String, Name> = BTreeMap::new();
    for (patterns, at) in config.hosts() {
        let at = at.clone();
        let [name] = patterns else {
            let text = patterns.join(" ");
            return Err(Error::Pattern { at, text });
        };
        if name.contains(['*', '?', '!']) {
            let text = name.clone();
            return Err(Error::Pattern { at, text });
        }
        let name = Name::try_from(name.clone()).map_err(|why| Error::NoName {
            at: at.clone(),
            name: name.clone(),
            why: why.to_string(),
        })?;
        if machines.iter().any(|known| known.name == name) {
            return Err(Error::Twice { at, name });
        }
        let Some(login) = login(config.of(name.as_str())?, &name, here)? else {
            return Err(Error::NoAddress { at, name });
        };
        let place = format!("{}:{}", login.host, login.port.unwrap_or(22));
        if let Some(first) = places.insert(place.clone(), name.clone()) {
            let second = name;
            return Err(Error::SamePlace {
                at,
                first,
                second,
                place,
            });
        }
        machines.push(Machine { name, login });
    }
    if machines.is_empty() {
        return Err(Error::Empty(here.source.to_owned()));
    }
    Ok(machines)
}

fn login(found: HostConfig, name: &Name, here: Here<'_>) -> Result<Option<Login>, SshError> {
    let Some(host) = found.host_name else {
        return Ok(None);
    };
    let user = found.user;
    let tokens = Tokens {
        home: here.home,
        local_user: here.user,
        host: &host,
        name: name.as_str(),
        port: found.port.unwrap_or(22),
        user: user.as_deref().unwrap_or(here.user),
    };
    let identities = found.identity_files.iter();
    let identities = identities.filter(|file| !file.value.eq_ignore_ascii_case("none"));
    let identities = identities
        .map(|file| tokens.path(file))
        .collect::<Result<_, _>>()?;
    let jumps = found.jumps.filter(|jumps| !jumps.is_empty()).map(|jumps| {
        let jump = jumps.into_iter().map(|jump| Jump {
            host: jump.host,
            port: jump.port,
            user: jump.user,
        });
        jump.collect()
    });
    Ok(Some(Login {
        port: found.port,
        user,
        identities,
        jumps,
        ..Login::to(host)
    }))
}
