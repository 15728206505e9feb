//! ssh_config: the part of ssh_config(5) that says how to reach a host and
//! enter it.
//!
//! Files are read once and asked for each host. As in ssh the first value
//! wins; only `IdentityFile` and `CertificateFile` add up. `Match` blocks other than `Match all`
//! are passed over and listed in [`SshConfig::passed_over`].

mod words;

use std::path::{Path, PathBuf};

use super::error::{Error, Line};
use super::known_hosts::glob_matches;
use super::local;
use words::{replace, words_of};

/// Files that include files that include files, as ssh bounds it.
const DEEPEST_INCLUDE: usize = 16;

/// Configuration files, read.
#[derive(Debug, Clone, Default)]
pub struct SshConfig {
    files: Vec<Vec<Item>>,
    passed_over: Vec<Line>,
}

/// What the configuration says of one host. What it leaves open is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostConfig {
    /// Name or address to connect to; `%h` is replaced already.
    pub host_name: Option<String>,
    /// Name in known_hosts.
    pub host_key_alias: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Identity files as written, `~` and tokens not yet replaced, see
    /// [`Tokens`]; `none` clears ssh's defaults.
    pub identity_files: Vec<Located>,
    /// Files with certificates of the user, as written like identity files.
    pub certificate_files: Vec<Located>,
    /// Whether only the identity files are offered.
    pub identities_only: Option<bool>,
    /// Socket of the agent, `none` or `SSH_AUTH_SOCK`.
    pub identity_agent: Option<Located>,
    /// Jump hosts, nearest first; empty for `none`.
    pub jumps: Option<Vec<JumpHost>>,
    /// known_hosts files of the user.
    pub user_known_hosts: Option<Vec<Located>>,
    /// known_hosts files of the machine.
    pub global_known_hosts: Option<Vec<Located>>,
    /// Whether names are hashed in known_hosts.
    pub hash_known_hosts: Option<bool>,
}

/// A value with the place where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The value, without quotes.
    pub value: String,
    /// File and line that it stands in.
    pub at: Line,
}

/// A hop of `ProxyJump`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpHost {
    /// Name, alias or address.
    pub host: String,
    /// Port.
    pub port: Option<u16>,
    /// User.
    pub user: Option<String>,
}

/// What the tokens of a path stand for.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// `~`, `%d`, `${HOME}`: the home directory here.
    pub home: &'a Path,
    /// `%u`: the user here.
    pub local_user: &'a str,
    /// `%h`: the host to connect to.
    pub host: &'a str,
    /// `%n`: the host as it was named.
    pub name: &'a str,
    /// `%p`: the port.
    pub port: u16,
    /// `%r`: the user there.
    pub user: &'a str,
}

/// One line that means something.
#[derive(Debug, Clone)]
enum Item {
    Host(Vec<String>, Line),
    MatchAll,
    MatchOther,
    Include(Vec<Vec<Item>>),
    Set(Setting),
}

#[derive(Debug, Clone)]
struct Setting {
    keyword: String,
    words: Vec<String>,
    at: Line,
}

impl SshConfig {
    /// The files that ssh reads: the user's, then the machine's.
    #[must_use]
    pub fn usual_files(home: &Path) -> [PathBuf; 2] {
        [
            home.join(".ssh/config"),
            PathBuf::from("/etc/ssh/ssh_config"),
        ]
    }

    /// Reads files in order of precedence: the user's, then the machine's.
    /// A file that does not exist is empty. `home` is what `~` stands for.
    ///
    /// # Errors
    /// When a file cannot be read or a line of it makes no sense.
    pub fn load(files: &[PathBuf], home: &Path) -> Result<Self, Error> {
        let mut config = Self::default();
        for path in files {
            let items = config.read(path, home, 0)?;
            config.files.push(items);
        }
        Ok(config)
    }

    /// Reads a text as if it were in a file of this path.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(text: &str, path: &Path, home: &Path) -> Result<Self, Error> {
        let mut config = Self::default();
        let items = config.items(text, path, home, 0)?;
        config.files.push(items);
        Ok(config)
    }

    /// The patterns of each `Host` line, included files left out.
    pub fn hosts(&self) -> impl Iterator<Item = (&[String], &Line)> {
        let items = self.files.iter().flatten();
        items.filter_map(|item| match item {
            Item::Host(patterns, at) => Some((&patterns[..], at)),
            _ => None,
        })
    }

    /// `Match` lines whose blocks have no effect here.
    #[must_use]
    pub fn passed_over(&self) -> &[Line] {
        &self.passed_over
    }

    /// What applies to a host as it was named.
    ///
    /// # Errors
    /// When a value that applies makes no sense, or asks for a
    /// `ProxyCommand`, which kdiy does not run.
    pub fn of(&self, host: &str) -> Result<HostConfig, Error> {
        let mut found = HostConfig::default();
        for items in &self.files {
            apply(items, host, true, &mut found)?;
        }
        Ok(found)
    }

    fn read(&mut self, path: &Path, home: &Path, depth: usize) -> Result<Vec<Item>, Error> {
        match local::bytes(path) {
            Ok(bytes) => self.items(&String::from_utf8_lossy(&bytes), path, home, depth),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(wrong(path, 0, error.to_string())),
        }
    }

    fn items(
        &mut self,
        text: &str,
        path: &Path,
        home: &Path,
        depth: usize,
    ) -> Result<Vec<Item>, Error> {
        let wrong = |number: usize, why: String| wrong(path, number, why);
        let mut items = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let at = Line {
                path: path.to_owned(),
                number: place + 1,
            };
            let words = words_of(line).map_err(|why| wrong(at.number, why.to_owned()))?;
            let Some((keyword, words)) = words.split_first() else {
                continue;
            };
            let words = words.to_vec();
            if words.is_empty() {
                return Err(wrong(at.number, format!("`{keyword}` has no value")));
            }
            items.push(match keyword.to_ascii_lowercase().as_str() {
                "host" => Item::Host(words, at),
                "match" if words.len() == 1 && words[0].eq_ignore_ascii_case("all") => {
                    Item::MatchAll
                }
                "match" => {
                    self.passed_over.push(at);
                    Item::MatchOther
                }
                "include" if depth == DEEPEST_INCLUDE => {
                    return Err(wrong(
                        at.number,
                        "too many files that include files".to_owned(),
                    ));
                }
                "include" => Item::Include(self.include(&words, &at, home, depth)?),
                keyword => Item::Set(Setting {
                    keyword: keyword.to_owned(),
                    words,
                    at,
                }),
            });
        }
        Ok(items)
    }

    fn include(
        &mut self,
        words: &[String],
        at: &Line,
        home: &Path,
        depth: usize,
    ) -> Result<Vec<Vec<Item>>, Error> {
        let base = if at.path.starts_with("/etc/ssh") {
            PathBuf::from("/etc/ssh")
        } else {
            home.join(".ssh")
        };
        let mut files = Vec::new();
        for word in words {
            let pattern = match word.strip_prefix("~/") {
                Some(rest) => home.join(rest),
                None => base.join(word),
            };
            let paths = glob::glob(&pattern.to_string_lossy()).map_err(|error| Error::Config {
                at: at.clone(),
                why: error.to_string(),
            })?;
            for path in paths.flatten() {
                files.push(self.read(&path, home, depth + 1)?);
            }
        }
        Ok(files)
    }
}

fn wrong(path: &Path, number: usize, why: String) -> Error {
    let path = path.to_owned();
    Error::Config {
        at: Line { path, number },
        why,
    }
}

fn apply(items: &[Item], host: &str, outer: bool, found: &mut HostConfig) -> Result<(), Error> {
    let mut active = outer;
    for item in items {
        match item {
            Item::Host(patterns, _) => active = outer && host_matches(patterns, host),
            Item::MatchAll => active = outer,
            Item::MatchOther => active = false,
            Item::Include(files) if active => {
                for items in files {
                    apply(items, host, true, found)?;
                }
            }
            Item::Set(setting) if active => setting.apply(host, found)?,
            Item::Include(_) | Item::Set(_) => {}
        }
    }
    Ok(())
}

fn host_matches(patterns: &[String], host: &str) -> bool {
    let hit = |pattern: &str| glob_matches(pattern, host);
    let denied = patterns
        .iter()
        .any(|word| word.strip_prefix('!').is_some_and(hit));
    !denied
        && patterns
            .iter()
            .any(|word| !word.starts_with('!') && hit(word))
}

fn add(files: &mut Vec<Located>, file: Located) {
    if !files.iter().any(|known| known.value == file.value) {
        files.push(file);
    }
}

impl Setting {
    fn apply(&self, host: &str, found: &mut HostConfig) -> Result<(), Error> {
        let first = || self.words[0].clone();
        let all = || self.words.iter().map(|word| self.located(word)).collect();
        match self.keyword.as_str() {
            "hostname" if found.host_name.is_none() => {
                let tokens = [('h', host), ('%', "%")];
                found.host_name =
                    Some(replace(&self.words[0], &tokens).map_err(|w| self.wrong(w))?);
            }
            "hostkeyalias" => {
                found.host_key_alias.get_or_insert_with(first);
            }
            "user" => {
                found.user.get_or_insert_with(first);
            }
            "port" if found.port.is_none() => {
                let port = self.words[0].parse().ok().filter(|&port| port > 0);
                found.port = Some(port.ok_or_else(|| self.wrong("not a port".to_owned()))?);
            }
            "identityfile" => {
                let file = self.located(&self.words[0]);
                add(&mut found.identity_files, file);
            }
            "certificatefile" => {
                let file = self.located(&self.words[0]);
                add(&mut found.certificate_files, file);
            }
            "identitiesonly" if found.identities_only.is_none() => {
                found.identities_only = Some(self.flag()?);
            }
            "hashknownhosts" if found.hash_known_hosts.is_none() => {
                found.hash_known_hosts = Some(self.flag()?);
            }
            "identityagent" => {
                found
                    .identity_agent
                    .get_or_insert_with(|| self.located(&self.words[0]));
            }
            "proxyjump" if found.jumps.is_none() => {
                found.jumps = Some(JumpHost::chain(&self.words[0]).map_err(|w| self.wrong(w))?);
            }
            "proxycommand" if found.jumps.is_none() => {
                if !self.words[0].eq_ignore_ascii_case("none") {
                    return Err(self.wrong(format!(
                        "{host} is reached by a ProxyCommand, which kdiy does not run; use ProxyJump"
                    )));
                }
                found.jumps = Some(Vec::new());
            }
            "userknownhostsfile" => {
                found.user_known_hosts.get_or_insert_with(all);
            }
            "globalknownhostsfile" => {
                found.global_known_hosts.get_or_insert_with(all);
            }
            _ => {}
        }
        Ok(())
    }

    fn flag(&self) -> Result<bool, Error> {
        match self.words[0].to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => Err(self.wrong("must be yes or no".to_owned())),
        }
    }

    fn located(&self, word: &str) -> Located {
        Located {
            value: word.to_owned(),
            at: self.at.clone(),
        }
    }

    fn wrong(&self, why: String) -> Error {
        Error::Config {
            at: self.at.clone(),
            why: format!("{}: {why}", self.keyword),
        }
    }
}

impl JumpHost {
    /// `[user@]host[:port]` or `ssh://…`, with commas between hops; `none`.
    fn chain(text: &str) -> Result<Vec<Self>, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Vec::new());
        }
        text.split(',').map(|hop| Self::parse(hop.trim())).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not of the form [user@]host[:port]");
        let hop = text
            .strip_prefix("ssh://")
            .unwrap_or(text)
            .trim_end_matches('/');
        let (user, place) = match hop.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, hop),
        };
        let (host, port) = if let Some(rest) = place.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
            (host, rest.strip_prefix(':'))
        } else {
            match place.split_once(':') {
                Some((_, rest)) if rest.contains(':') => (place, None),
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            }
        };
        let port = match port {
            Some(port) => Some(
                port.parse()
                    .ok()
                    .filter(|&port: &u16| port > 0)
                    .ok_or_else(wrong)?,
            ),
            None => None,
        };
        if host.is_empty() || user.as_deref() == Some("") {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            user,
        })
    }
}

impl Tokens<'_> {
    /// The path that a written value means.
    ///
    /// # Errors
    /// When it has a token or an environment variable that is not known here.
    pub fn path(&self, located: &Located) -> Result<PathBuf, Error> {
        let wrong = |why| Error::Config {
            at: located.at.clone(),
            why,
        };
        let home = self.home.to_string_lossy();
        let port = self.port.to_string();
        let tokens = [
            ('d', &*home),
            ('u', self.local_user),
            ('h', self.host),
            ('n', self.name),
            ('p', &*port),
            ('r', self.user),
            ('%', "%"),
        ];
        let text = located.value.replace("${HOME}", &home);
        if text.contains("${") {
            return Err(wrong(format!(
                "`{text}`: of environment variables only HOME is known"
            )));
        }
        let text = replace(&text, &tokens).map_err(wrong)?;
        Ok(match text.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None if text == "~" => self.home.to_owned(),
            None => PathBuf::from(text),
        })
    }
}

#[cfg(test)]
mod tests;
