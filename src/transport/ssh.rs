//! Connections over SSH, by russh.
//!
//! ```text
//! Login + ssh_config -> Route (hops) -> Live (a session) -> exec (a script)
//! ```

mod certificate;
mod exec;
mod host_key;
mod identity;
mod live;
mod login;
mod openssh;
mod route;
mod stream;
mod sudo;
mod verdict;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::error::{Error, UnknownKey};
use super::ssh_config::SshConfig;
use super::{ByteStream, Output, Request, Stream, User};
use crate::cluster::{Login, Name, SudoPassword};
use live::Live;
pub use openssh::Pinned;
use route::Route;

/// What the program that connects knows of itself and its machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Home directory of the user here.
    pub home: PathBuf,
    /// Name of the user here; logs in where nothing else is said.
    pub user: String,
    /// Socket of the SSH agent.
    pub agent: Option<PathBuf>,
    /// The user's and the machine's ssh_config.
    pub config: SshConfig,
    /// known_hosts files of the machine.
    pub global_known_hosts: Vec<PathBuf>,
    /// What is done about host keys that nobody knows.
    pub unknown_host_key: UnknownHostKey,
    /// How long one TCP connection may take to come about.
    pub connect_limit: Duration,
    /// How long the key exchange may take, each answer to a login after it,
    /// and the beginning of each session. People have their own time.
    pub handshake_limit: Duration,
    /// After this long a silence the host is asked whether it is still there.
    pub keepalive: Duration,
    /// So many questions without an answer end the connection.
    pub keepalive_max: usize,
    /// The time of day: certificates of hosts expire.
    pub clock: fn() -> OffsetDateTime,
}

/// What is done about a host key that nobody knows. A key that has changed is
/// refused in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownHostKey {
    /// The host is refused.
    Refuse,
    /// The key is written to known_hosts, unless the host is known by a key of
    /// another type.
    Accept,
    /// The operator is asked, and the key written to known_hosts.
    Ask,
}

/// What only the operator can answer. One question is asked at a time, and
/// each only once for all hosts.
#[async_trait]
pub trait Operator: Send + Sync {
    /// Whether a host key is the right one.
    async fn trusts(&self, key: &UnknownKey) -> bool;

    /// The passphrase of an identity file; `None` to do without the file.
    /// `attempt` counts from 1.
    async fn passphrase(&self, file: &Path, attempt: u32) -> Option<Zeroizing<String>>;

    /// The password for sudo from its source, which is not
    /// [`SudoPassword::NotNeeded`].
    ///
    /// # Errors
    /// When it cannot be had; says why, without the password.
    async fn sudo_password(&self, source: &SudoPassword) -> Result<Zeroizing<String>, String>;
}

/// Connects to hosts over SSH.
#[derive(Clone)]
pub struct Ssh {
    shared: Arc<Shared>,
}

/// What the connections to all hosts share.
struct Shared {
    settings: Settings,
    operator: Arc<dyn Operator>,
    /// Held while the operator is asked something.
    asking: Mutex<()>,
    trust: host_key::Trust,
    identities: identity::Identities,
    jumps: live::Jumps,
    passwords: sudo::Passwords,
}

/// A connection to one host. When it is found broken before a script begins,
/// it is made anew, once.
pub struct Link {
    shared: Arc<Shared>,
    route: Route,
    sudo: SudoPassword,
    live: Mutex<Arc<Live>>,
}

impl Settings {
    /// The usual limits, OpenSSH's known hosts files of the machine, no agent,
    /// and unknown keys refused.
    #[must_use]
    pub fn new(
        home: PathBuf,
        user: String,
        config: SshConfig,
        clock: fn() -> OffsetDateTime,
    ) -> Self {
        Self {
            clock,
            home,
            user,
            agent: None,
            config,
            global_known_hosts: ["ssh_known_hosts", "ssh_known_hosts2"]
                .map(|name| Path::new("/etc/ssh").join(name))
                .into(),
            unknown_host_key: UnknownHostKey::Refuse,
            connect_limit: Duration::from_secs(15),
            handshake_limit: Duration::from_secs(30),
            keepalive: Duration::from_secs(15),
            keepalive_max: 4,
        }
    }
}

impl Ssh {
    /// Makes connections with these settings.
    #[must_use]
    pub fn new(settings: Settings, operator: Arc<dyn Operator>) -> Self {
        let shared = Shared {
            settings,
            operator,
            asking: Mutex::default(),
            trust: host_key::Trust::default(),
            identities: identity::Identities::default(),
            jumps: live::Jumps::default(),
            passwords: sudo::Passwords::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

#[async_trait]
impl super::Connector for Ssh {
    type Connection = Link;

    async fn connect(&self, _host: &Name, login: &Login) -> Result<Link, Error> {
        let route = Route::resolve(&self.shared.settings, login)?;
        let live = live::travel(&self.shared, &route).await?;
        Ok(Link {
            shared: Arc::clone(&self.shared),
            route,
            sudo: login.sudo.clone(),
            live: Mutex::new(Arc::new(live)),
        })
    }
}

#[async_trait]
impl super::Connection for Link {
    async fn run(
        &self,
        request: Request<'_>,
        lines: &mut (dyn for<'l> FnMut(Stream, &'l str) + Send),
    ) -> Result<Output, Error> {
        exec::run(self, request, exec::Listener::Lines(lines)).await
    }

    async fn stream(
        &self,
        request: Request<'_>,
        out: &mut (dyn Write + Send),
    ) -> Result<Output, Error> {
        exec::run(self, request, exec::Listener::Bytes(out)).await
    }

    async fn open_stream(&self, to: SocketAddr) -> Result<ByteStream, Error> {
        stream::open(self, to).await
    }
}

impl Link {
    /// How a script's shell is entered.
    async fn entry(&self, user: User) -> Result<sudo::Entry, Error> {
        let target = &self.route.target;
        let sudo = user == User::Root && target.user != "root";
        Ok(match (sudo, &self.sudo) {
            (false, _) => sudo::Entry::Direct,
            (true, SudoPassword::NotNeeded) => sudo::Entry::Sudo,
            (true, source) => sudo::Entry::Password(
                self.shared
                    .passwords
                    .get(&self.shared, target, source)
                    .await?,
            ),
        })
    }

    /// A session to run a script in, over a new connection if the old one
    /// turns out to be broken.
    async fn open(&self) -> Result<live::Session, Error> {
        let limit = self.shared.settings.handshake_limit;
        let first = self.live().await;
        let live = match first.session(limit).await {
            Err(live::NoSession::Broken(_)) => self.anew(&first).await?,
            opened => return opened.map_err(|why| why.into_error(&self.route.target)),
        };
        live.session(limit)
            .await
            .map_err(|why| why.into_error(&self.route.target))
    }

    /// The connection as it is.
    async fn live(&self) -> Arc<Live> {
        Arc::clone(&*self.live.lock().await)
    }

    /// A new connection in place of a broken one.
    async fn anew(&self, broken: &Arc<Live>) -> Result<Arc<Live>, Error> {
        let mut live = self.live.lock().await;
        // Another script may have found it broken too, and connected anew.
        if Arc::ptr_eq(broken, &live) {
            *live = Arc::new(live::travel(&self.shared, &self.route).await?);
        }
        Ok(Arc::clone(&live))
    }
}
