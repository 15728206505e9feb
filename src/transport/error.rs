//! Why a host could not be reached or a script not run, and what to do then.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Why a host could not be reached or a script not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection to the SSH port.
    #[error("cannot reach {address}: {why}")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// What stood in the way.
        why: Unreachable,
    },
    /// Something answered, but no SSH session came about.
    #[error("no SSH session with {address}: {why}")]
    Handshake {
        /// `host:port`.
        address: String,
        /// What the protocol library said.
        why: String,
    },
    /// The host key is in no known_hosts file.
    #[error("{0}")]
    HostKeyUnknown(Box<UnknownKey>),
    /// known_hosts has another key of the same type.
    #[error(
        "the {kind} host key of {address} has changed: it is now {fingerprint}, {at} has another"
    )]
    HostKeyChanged {
        /// `host:port`.
        address: String,
        /// Such as `ssh-ed25519`.
        kind: String,
        /// `SHA256:...` of the key that the host showed.
        fingerprint: String,
        /// The entry that disagrees.
        at: Line,
    },
    /// known_hosts marks the key as revoked.
    #[error("the {kind} host key {fingerprint} of {address} is revoked at {at}")]
    HostKeyRevoked {
        /// `host:port`.
        address: String,
        /// Such as `ssh-ed25519`.
        kind: String,
        /// `SHA256:...` of the key.
        fingerprint: String,
        /// The entry that revokes it.
        at: Line,
    },
    /// The key is not the one that the inventory pins.
    #[error("the {kind} host key of {address} is {found}, but the inventory pins {pinned}")]
    HostKeyPin {
        /// `host:port`.
        address: String,
        /// Such as `ssh-ed25519`.
        kind: String,
        /// `SHA256:...` of the key that the host showed.
        found: String,
        /// The fingerprint of the inventory.
        pinned: String,
    },
    /// A known_hosts file could not be read or written.
    #[error("known hosts file {}: {why}", path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The host accepted none of the keys.
    #[error("{address} refused the login of {user}: {}", tried(attempts))]
    Authentication {
        /// `host:port`.
        address: String,
        /// Who tried to log in.
        user: String,
        /// What was tried, in order.
        attempts: Vec<Attempt>,
    },
    /// An identity file that the inventory names cannot be used.
    #[error("identity file {}: {why}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: IdentityFault,
    },
    /// A jump host could not be passed.
    #[error("jump host {hop}: {source}")]
    Jump {
        /// `user@host:port` of the hop that failed.
        hop: String,
        /// Why.
        source: Box<Error>,
    },
    /// sudo did not let the user become root.
    #[error("cannot become root on {address} as {user}: {why}")]
    Sudo {
        /// `host:port`.
        address: String,
        /// Who logged in.
        user: String,
        /// Why.
        why: SudoFault,
    },
    /// The login shell ended before the script began.
    #[error("{address} did not start a shell: {said}")]
    Shell {
        /// `host:port`.
        address: String,
        /// What it said, or how it ended.
        said: String,
    },
    /// The connection broke.
    #[error("lost the connection to {address}: {why}")]
    Lost {
        /// `host:port`.
        address: String,
        /// What is known of the reason.
        why: String,
    },
    /// A script took longer than it may and was ended.
    #[error("a script on {address} was ended after its time limit of {} s", limit.as_secs())]
    TimeLimit {
        /// `host:port`.
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// The SSH configuration asks for what cannot be done.
    #[error("{at}: {why}")]
    Config {
        /// Where it says so.
        at: Line,
        /// What is wrong.
        why: String,
    },
    /// The jump hosts lead in a circle or are too many.
    #[error("more than {limit} jump hosts on the way to {host}")]
    JumpChain {
        /// Where the chain should lead.
        host: String,
        /// The most that is followed.
        limit: usize,
    },
    /// A test ran a script that it had not scripted; only [`super::fake`] says so.
    #[error("no answer was scripted on {host} for:\n{script}")]
    Unscripted {
        /// The host of the test.
        host: String,
        /// What was run.
        script: String,
    },
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub path: PathBuf,
    /// Counted from 1.
    pub number: usize,
}

/// What stands between here and an SSH port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// Nothing listens there, or a firewall rejects.
    #[error("connection refused")]
    Refused,
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// No way to the network or the host.
    #[error("{0}")]
    NoRoute(String),
    /// The name has no address.
    #[error("the name has no address: {0}")]
    Name(String),
    /// A resolver that does not answer now.
    #[error("the name cannot be looked up now: {0}")]
    Resolver(String),
    /// A jump host could not connect further.
    #[error("the jump host could not connect to it: {0}")]
    Forward(String),
    /// Anything else that the system said.
    #[error("{0}")]
    Other(String),
}

/// A host key that nobody vouches for yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// `host:port`.
    pub address: String,
    /// Such as `ssh-ed25519`.
    pub kind: String,
    /// `SHA256:...`.
    pub fingerprint: String,
    /// The known_hosts file that it would be written to.
    pub file: PathBuf,
    /// The line that would be written there.
    pub entry: String,
    /// Entries that know this host by keys of other types.
    pub others: Vec<Line>,
}

/// One key that was tried or passed over at a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The key: a file, or the agent's comment on it.
    pub key: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of trying a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The host does not accept it.
    Refused,
    /// It was not offered, for this reason.
    Skipped(String),
}

/// Why an identity file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// There is no such file.
    #[error("does not exist")]
    Missing,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Others than its owner can read it.
    #[error("others can read it (mode {0:04o})")]
    TooOpen(u32),
    /// It holds no private key that is understood.
    #[error("holds no usable private key: {0}")]
    NotAKey(String),
    /// Only the public half, and no agent has the private one.
    #[error("holds only a public key, and no agent offers its private half")]
    PublicOnly,
    /// The passphrase was wrong each time.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Nobody gave a passphrase.
    #[error("is encrypted, and no passphrase was given")]
    NoPassphrase,
}

/// Why sudo did not let a user in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SudoFault {
    /// sudo is not installed.
    #[error("sudo is not installed")]
    Missing,
    /// sudo wants a password and the inventory has none.
    #[error("sudo asks for a password")]
    PasswordNeeded,
    /// sudo did not accept the password.
    #[error("sudo did not accept the password")]
    PasswordWrong,
    /// The password could not be had.
    #[error("the password for sudo could not be had: {0}")]
    PasswordUnavailable(String),
    /// sudoers does not allow it.
    #[error("sudo does not allow it: {0}")]
    NotAllowed(String),
    /// sudoers has `requiretty`.
    #[error("sudo wants a terminal (requiretty)")]
    TtyNeeded,
    /// Anything else that sudo said.
    #[error("sudo failed: {0}")]
    Other(String),
}

impl Error {
    /// Whether it could pass by itself, so that another try makes sense.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { why, .. } => !matches!(why, Unreachable::Name(_)),
            Self::Lost { .. } | Self::Handshake { .. } => true,
            Self::Jump { source, .. } => source.is_passing(),
            _ => false,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { why, .. } => why.hint().to_owned(),
            Self::Handshake { address, .. } => format!(
                "see what answers there with `ssh -v {}`; another service may listen on that port, \
                 or sshd may limit connections (MaxStartups)",
                of_ssh(address)
            ),
            Self::HostKeyUnknown(key) => key.hint(),
            Self::HostKeyChanged { at, .. } => format!(
                "if the host was reinstalled, compare the fingerprint on its console and delete \
                 line {} of {}; otherwise somebody may be listening in",
                at.number,
                at.path.display()
            ),
            Self::HostKeyRevoked { .. } => {
                "do not trust this host until its administrator has given it a new key".to_owned()
            }
            Self::HostKeyPin { .. } => "compare `ssh-keygen -lf` of the host's public key on its \
                console with `fingerprint` in the inventory, and correct whichever is wrong"
                .to_owned(),
            Self::KnownHosts { .. } => "make the file readable and writable for you".to_owned(),
            Self::Authentication {
                user,
                address,
                attempts,
            } => authentication_hint(user, address, attempts),
            Self::Identity { path, why } => match why {
                IdentityFault::TooOpen(_) => format!("run `chmod 600 {}`", path.display()),
                IdentityFault::Missing => "correct the path in the inventory".to_owned(),
                IdentityFault::WrongPassphrase | IdentityFault::NoPassphrase => format!(
                    "load it into an agent with `ssh-add {}` or run kdiy on a terminal",
                    path.display()
                ),
                IdentityFault::PublicOnly => "load its private half into an agent".to_owned(),
                IdentityFault::Unreadable(_) | IdentityFault::NotAKey(_) => {
                    format!("check it with `ssh-keygen -yf {}`", path.display())
                }
            },
            Self::Jump { source, .. } => source.hint(),
            Self::Sudo { user, why, .. } => why.hint(user),
            Self::Shell { .. } => {
                "check the login shell of the user on the host; `ssh HOST true` must work"
                    .to_owned()
            }
            Self::Lost { .. } => {
                "run the same command again: what is done already is not done twice".to_owned()
            }
            Self::TimeLimit { .. } => {
                "look on the host for what hangs; its last lines of output say where".to_owned()
            }
            Self::Config { .. } => "correct that line, or name what is needed in the inventory, \
                which goes before it"
                .to_owned(),
            Self::JumpChain { .. } => {
                "look for a ProxyJump in the SSH configuration that leads back to itself".to_owned()
            }
            Self::Unscripted { .. } => "script an answer in the test".to_owned(),
        }
    }
}

impl Unreachable {
    const fn hint(&self) -> &'static str {
        match self {
            Self::Refused => "check that sshd runs there, and the port in the inventory",
            Self::Timeout(_) => "check that the host is up and that no firewall drops the port",
            Self::NoRoute(_) => "check the network from here to the host, a VPN for instance",
            Self::Name(_) => "correct the host in the inventory, or give its address",
            Self::Resolver(_) => "check the DNS resolver of this machine",
            Self::Forward(_) => {
                "check that the jump host reaches it and allows it (AllowTcpForwarding)"
            }
            Self::Other(_) => "check the network from here to the host",
        }
    }
}

impl SudoFault {
    fn hint(&self, user: &str) -> String {
        match self {
            Self::Missing => "install sudo on the host, or log in as root".to_owned(),
            Self::PasswordNeeded => format!(
                "set `sudo` in the inventory to a password source, or allow it without: \
                 `{user} ALL=(ALL) NOPASSWD: ALL` in sudoers"
            ),
            Self::PasswordWrong => format!("check the password of {user} on the host"),
            Self::PasswordUnavailable(_) => {
                "check the `sudo` setting of the inventory; without a terminal use an environment \
                 variable or a command"
                    .to_owned()
            }
            Self::NotAllowed(_) => format!("add `{user} ALL=(ALL) ALL` to sudoers on the host"),
            Self::TtyNeeded => format!("add `Defaults:{user} !requiretty` to sudoers on the host"),
            Self::Other(_) => "try `sudo -v` on the host".to_owned(),
        }
    }
}

impl UnknownKey {
    fn hint(&self) -> String {
        if let Some(other) = self.others.first() {
            return format!(
                "the host is known by another type of key at {other}; if it really has a new one, \
                 add this line to {}: {}",
                self.file.display(),
                self.entry
            );
        }
        format!(
            "compare the fingerprint on the host's console (`ssh-keygen -lf {}`), then run again \
             with `--accept-new-host-keys`, which keeps the key in {}, or put the fingerprint into \
             the inventory",
            self.public_key_file(),
            self.file.display()
        )
    }

    /// Where sshd has the public key by default.
    const fn public_key_file(&self) -> &'static str {
        match self.kind.as_bytes() {
            b"ssh-ed25519" => "/etc/ssh/ssh_host_ed25519_key.pub",
            b"ssh-rsa" => "/etc/ssh/ssh_host_rsa_key.pub",
            _ => "/etc/ssh/ssh_host_ecdsa_key.pub",
        }
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            kind,
            fingerprint,
            ..
        } = self;
        write!(
            f,
            "the {kind} host key {fingerprint} of {address} is not known"
        )?;
        match self.others.first() {
            Some(other) => write!(f, "; {other} has a key of another type"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.number)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Refused => write!(f, "{}: refused", self.key),
            Outcome::Skipped(why) => write!(f, "{}: skipped, {why}", self.key),
        }
    }
}

fn tried(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return "there was no key to offer".to_owned();
    }
    attempts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn authentication_hint(user: &str, address: &str, attempts: &[Attempt]) -> String {
    if attempts
        .iter()
        .any(|attempt| attempt.outcome == Outcome::Refused)
    {
        format!(
            "add the public key with `ssh-copy-id`, or check the user name; `ssh -v {}` shows \
             what the host accepts",
            of_ssh(&format!("{user}@{address}"))
        )
    } else {
        "name an identity file in the inventory, or load a key into an agent with `ssh-add`"
            .to_owned()
    }
}

/// `host:port` as ssh's command line takes it.
fn of_ssh(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, port)) => format!("-p {port} {}", host.replace(['[', ']'], "")),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: &Error) -> String {
        format!("{error}\n-> {}", error.hint())
    }

    #[test]
    fn an_unknown_key_says_what_to_compare() {
        let key = UnknownKey {
            address: "cp-1:22".to_owned(),
            kind: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:abc".to_owned(),
            file: "/home/me/.ssh/known_hosts".into(),
            entry: "cp-1 ssh-ed25519 AAAA".to_owned(),
            others: Vec::new(),
        };
        insta::assert_snapshot!(shown(&Error::HostKeyUnknown(Box::new(key))), @r"
        the ssh-ed25519 host key SHA256:abc of cp-1:22 is not known
        -> compare the fingerprint on the host's console (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then run again with `--accept-new-host-keys`, which keeps the key in /home/me/.ssh/known_hosts, or put the fingerprint into the inventory
        ");
    }

    #[test]
    fn a_refused_login_says_what_was_tried() {
        let attempt = |key: &str, outcome| Attempt {
            key: key.to_owned(),
            outcome,
        };
        let error = Error::Authentication {
            address: "[fd00::1]:2222".to_owned(),
            user: "ops".to_owned(),
            attempts: vec![
                attempt("me@laptop (agent)", Outcome::Refused),
                attempt(
                    "/k",
                    Outcome::Skipped(IdentityFault::TooOpen(0o644).to_string()),
                ),
            ],
        };
        insta::assert_snapshot!(shown(&error), @r"
        [fd00::1]:2222 refused the login of ops: me@laptop (agent): refused; /k: skipped, others can read it (mode 0644)
        -> add the public key with `ssh-copy-id`, or check the user name; `ssh -v -p 2222 ops@fd00::1` shows what the host accepts
        ");
    }

    #[test]
    fn a_failed_hop_passes_or_not_as_its_cause() {
        let jump = |source| Error::Jump {
            hop: "a@b:22".to_owned(),
            source: Box::new(source),
        };
        let address = "c:22".to_owned();
        let passing = jump(Error::Unreachable {
            address,
            why: Unreachable::Refused,
        });
        assert!(passing.is_passing());
        insta::assert_snapshot!(shown(&passing), @r"
        jump host a@b:22: cannot reach c:22: connection refused
        -> check that sshd runs there, and the port in the inventory
        ");
        let why = SudoFault::PasswordWrong;
        let address = "c:22".to_owned();
        assert!(
            !jump(Error::Sudo {
                address,
                user: "u".to_owned(),
                why
            })
            .is_passing()
        );
    }
}
