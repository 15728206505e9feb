//! Why a host could not be reached or a script not run, and what to do then.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::host_certificate::CertificateError;

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
    /// The host speaks no SSH, or none that is safe.
    #[error("{address} speaks no SSH that kdiy speaks: {why}")]
    Incompatible {
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
    /// known_hosts marks the authority that signed the key as revoked.
    #[error("the authority {fingerprint} that signed the host key of {address} is revoked at {at}")]
    HostAuthorityRevoked {
        /// `host:port`.
        address: String,
        /// `SHA256:...` of the authority's key.
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
        why: IdentityError,
    },
    /// A jump host could not be passed.
    #[error("jump host {hop}: {source}")]
    Jump {
        /// `user@host:port` of the hop that failed.
        hop: String,
        /// The error of that hop.
        source: Box<Error>,
    },
    /// sudo did not let the user become root.
    #[error("cannot become root on {address} as {user}: {why}")]
    Sudo {
        /// `host:port`.
        address: String,
        /// Who logged in.
        user: String,
        /// What sudo said, as far as it is understood.
        why: SudoError,
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
    /// The host cannot connect to an address; the host itself is well.
    #[error("{address} cannot connect to {target}: {why}")]
    Target {
        /// `host:port` of the host that tried.
        address: String,
        /// Where a byte stream should lead.
        target: SocketAddr,
        /// What stood in the way.
        why: Unreachable,
    },
    /// What a script said could not be written down here.
    #[error("what {address} sent could not be written down: {why}")]
    NotKept {
        /// `host:port`.
        address: String,
        /// What the writer said.
        why: String,
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
    /// A test ran a script that it had not scripted; only [`super::fake`] says
    /// so.
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
    /// The known_hosts file that it would be written to, if there is to be one
    /// at all (`UserKnownHostsFile none`).
    pub file: Option<PathBuf>,
    /// The line that would be written there.
    pub entry: String,
    /// Whether the name in it is to be hashed.
    pub hashed: bool,
    /// Entries that know this host by keys of other types.
    pub others: Vec<Line>,
    /// Why no certificate vouches for the key, where an authority could.
    pub certificate: Option<CertificateError>,
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
pub enum IdentityError {
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
pub enum SudoError {
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
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { why, .. } => !matches!(why, Unreachable::Name(_)),
            Self::Lost { .. } | Self::Handshake { .. } | Self::Target { .. } => true,
            Self::Jump { source, .. } => source.is_transient(),
            _ => false,
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
        if let Some(fault) = &self.certificate {
            write!(f, "; {fault}")?;
        }
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
