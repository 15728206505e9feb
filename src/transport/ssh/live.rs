//! SSH sessions that stand: over TCP or through other sessions.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use russh::client::{self, Config, Handle, Msg};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelOpenFailure};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::route::{Hop, Route};
use super::stream::Streams;
use super::verdict::Shown;
use super::{Shared, UnknownHostKey, login};
use crate::transport::error::{Error, Unreachable};

/// Scripts at a time over one connection; sshd allows 10 (MaxSessions).
const MOST_SESSIONS: usize = 8;

/// How long to wait for a place when a host allows no more sessions.
const FULL: Duration = Duration::from_millis(200);

/// A session with one hop, logged in.
pub(super) struct Live {
    pub handle: Handle<Client>,
    /// What is known of byte streams over this connection.
    pub streams: Streams,
    slots: Arc<Semaphore>,
    /// What the session runs through is kept as long as the session.
    _through: Option<Arc<Live>>,
}

/// A channel to run one script in.
pub(super) struct Session {
    pub channel: Channel<Msg>,
    pub slot: OwnedSemaphorePermit,
}

/// Why there is no channel to run a script in.
pub(super) enum NoSession {
    /// The connection does not work any more.
    Broken(String),
    /// The host does not want to.
    Refused(String),
}

/// Connections to jump hosts, shared by the hosts behind them.
#[derive(Default)]
pub(super) struct Jumps {
    chains: std::sync::Mutex<HashMap<String, Arc<Mutex<Attempted>>>>,
}

/// The last attempt at a chain of jump hosts.
#[derive(Default)]
struct Attempted {
    count: u64,
    result: Option<Result<Arc<Live>, Error>>,
}

/// Connects to a host by way of its jump hosts.
pub(super) async fn travel(shared: &Arc<Shared>, route: &Route) -> Result<Live, Error> {
    let through = approach(shared, route).await?;
    connect(shared, &route.target, through).await
}

/// Has a host show its key, which is checked, and goes no further.
pub(super) async fn fetch_host_key(shared: &Arc<Shared>, route: &Route) -> Result<(), Error> {
    let through = approach(shared, route).await?;
    shake(shared, &route.target, through.as_ref())
        .await
        .map(drop)
}

/// Connects to the jump hosts; the last of them.
async fn approach(shared: &Arc<Shared>, route: &Route) -> Result<Option<Arc<Live>>, Error> {
    let mut through = None;
    let mut chain = String::new();
    for hop in &route.jumps {
        chain = format!("{chain} {}@{}", hop.user, hop.address());
        through = Some(shared.jumps.get(shared, &chain, hop, through).await?);
    }
    Ok(through)
}

impl Jumps {
    async fn get(
        &self,
        shared: &Arc<Shared>,
        chain: &str,
        hop: &Hop,
        through: Option<Arc<Live>>,
    ) -> Result<Arc<Live>, Error> {
        let attempted = {
            let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(chains.entry(chain.to_owned()).or_default())
        };
        // Whoever waited while another host tried takes that result, good or
        // bad: thirty hosts must not wait out thirty timeouts in turn.
        let before = attempted.try_lock().map(|attempted| attempted.count).ok();
        let mut attempted = attempted.lock().await;
        let waited = before != Some(attempted.count);
        match &attempted.result {
            Some(Ok(live)) if !live.handle.is_closed() => return Ok(Arc::clone(live)),
            Some(Err(error)) if waited => return Err(error.clone()),
            _ => {}
        }
        let result = connect(shared, hop, through)
            .await
            .map(Arc::new)
            .map_err(|error| Error::Jump {
                hop: format!("{}@{}", hop.user, hop.address()),
                source: Box::new(error),
            });
        attempted.count += 1;
        attempted.result = Some(result.clone());
        result
    }
}

/// Connects to one hop, and asks about its key if that is wanted.
async fn connect(
    shared: &Arc<Shared>,
    hop: &Hop,
    through: Option<Arc<Live>>,
) -> Result<Live, Error> {
    let unknown = match attempt(shared, hop, through.clone()).await {
        Err(Error::HostKeyUnknown(unknown))
            if shared.settings.unknown_host_key == UnknownHostKey::Ask
                && unknown.file.is_some() =>
        {
            unknown
        }
        // The host may have ended the login while a passphrase was looked for.
        Err(Error::Lost { .. }) => return attempt(shared, hop, through).await,
        result => return result,
    };
    // The connection is closed by now: sshd would not wait for an answer.
    {
        let _one_question = shared.asking.lock().await;
        // Another connection may have asked the same while this one waited.
        if !shared.trust.has_learnt(&unknown) {
            if !shared.operator.trusts(&unknown).await {
                return Err(Error::HostKeyUnknown(unknown));
            }
            shared.trust.learn(&unknown)?;
        }
    }
    attempt(shared, hop, through).await
}

async fn attempt(
    shared: &Arc<Shared>,
    hop: &Hop,
    through: Option<Arc<Live>>,
) -> Result<Live, Error> {
    let mut handle = shake(shared, hop, through.as_ref()).await?;
    login::login(shared, hop, &mut handle).await?;
    Ok(Live {
        handle,
        streams: Streams::default(),
        slots: Arc::new(Semaphore::new(MOST_SESSIONS)),
        _through: through,
    })
}

/// The key exchange, in which the host shows its key.
async fn shake(
    shared: &Arc<Shared>,
    hop: &Hop,
    through: Option<&Arc<Live>>,
) -> Result<Handle<Client>, Error> {
    let settings = &shared.settings;
    let config = Arc::new(Config {
        nodelay: true,
        keepalive_interval: Some(settings.keepalive),
        keepalive_max: settings.keepalive_max,
        preferred: shared.trust.preferred(hop)?,
        ..Config::default()
    });
    let client = Client {
        shared: Arc::clone(shared),
        hop: hop.clone(),
    };
    let limit = settings.handshake_limit;
    let late = |_| Error::Handshake {
        address: hop.address(),
        why: format!("no end of the key exchange within {} s", limit.as_secs()),
    };
    let result = match through {
        None => {
            let socket = dial(hop, settings.connect_limit).await?;
            timeout(limit, client::connect_stream(config, socket, client)).await
        }
        Some(live) => {
            let stream = live
                .forward(hop, settings.connect_limit)
                .await?
                .into_stream();
            timeout(limit, client::connect_stream(config, stream, client)).await
        }
    };
    result.map_err(late)?.map_err(|stop| stop.into_error(hop))
}

/// Opens a TCP connection to the first address of a hop that answers.
async fn dial(hop: &Hop, limit: Duration) -> Result<TcpStream, Error> {
    let unreachable = |why| Error::Unreachable {
        address: hop.address(),
        why,
    };
    let connected = timeout(limit, async {
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((hop.host.as_str(), hop.port))
            .await
            .map_err(of_lookup)?
            .collect();
        let mut last = Unreachable::Name("it has none".to_owned());
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(socket) => return Ok(socket),
                Err(error) => last = of_connect(&error),
            }
        }
        Err(last)
    });
    let socket = connected
        .await
        .map_err(|_| unreachable(Unreachable::Timeout(limit)))?
        .map_err(unreachable)?;
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!("{}: nodelay: {error}", hop.address());
    }
    Ok(socket)
}

fn of_lookup(error: std::io::Error) -> Unreachable {
    let text = error.to_string();
    let text = text.rsplit(": ").next().unwrap_or(&text).to_lowercase();
    // EAI_AGAIN has no kind of its own in std; this is glibc's and musl's text.
    if text.contains("emporary failure") || text.contains("ry again") {
        Unreachable::Resolver(text)
    } else {
        Unreachable::Name(text)
    }
}

fn of_connect(error: &std::io::Error) -> Unreachable {
    match error.kind() {
        ErrorKind::ConnectionRefused => Unreachable::Refused,
        ErrorKind::HostUnreachable => Unreachable::NoRoute("no route to the host".to_owned()),
        ErrorKind::NetworkUnreachable => Unreachable::NoRoute("no route to its network".to_owned()),
        _ => Unreachable::Other(error.to_string()),
    }
}

impl Live {
    /// A channel to run a script in.
    ///
    /// A host that neither opens it nor refuses is given up after `limit`.
    pub(super) async fn session(&self, limit: Duration) -> Result<Session, NoSession> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|closed| NoSession::Broken(closed.to_string()))?;
        loop {
            if self.handle.is_closed() {
                return Err(NoSession::Broken("it is closed".to_owned()));
            }
            let opened = timeout(limit, self.handle.channel_open_session()).await;
            let Ok(opened) = opened else {
                let why = format!("no session was opened within {} s", limit.as_secs());
                return Err(NoSession::Broken(why));
            };
            let refused = match opened {
                Ok(channel) => {
                    return Ok(Session { channel, slot });
                }
                Err(russh::Error::ChannelOpenFailure(reason)) => reason,
                Err(error) => return Err(NoSession::Broken(error.to_string())),
            };
            // A host may allow fewer sessions than sshd does by default.
            if self.slots.available_permits() + 1 == MOST_SESSIONS {
                return Err(NoSession::Refused(format!("{refused:?}")));
            }
            tokio::time::sleep(FULL).await;
        }
    }

    /// A TCP connection from this hop to the next.
    async fn forward(&self, next: &Hop, limit: Duration) -> Result<Channel<Msg>, Error> {
        let open = self.handle.channel_open_direct_tcpip(
            next.host.clone(),
            u32::from(next.port),
            "127.0.0.1",
            0,
        );
        let why = match timeout(limit, open).await {
            Ok(Ok(channel)) => return Ok(channel),
            Err(_) => Unreachable::Timeout(limit),
            Ok(Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed))) => {
                Unreachable::Forward("connection failed".to_owned())
            }
            Ok(Err(russh::Error::ChannelOpenFailure(
                ChannelOpenFailure::AdministrativelyProhibited,
            ))) => Unreachable::Forward("forwarding is not allowed".to_owned()),
            Ok(Err(error)) => Unreachable::Forward(error.to_string()),
        };
        Err(Error::Unreachable {
            address: next.address(),
            why,
        })
    }
}

impl NoSession {
    pub(super) fn into_error(self, hop: &Hop) -> Error {
        let address = hop.address();
        match self {
            Self::Broken(why) => Error::Lost { address, why },
            Self::Refused(why) => Error::Shell {
                address,
                said: format!("it allows no session ({why}, MaxSessions)"),
            },
        }
    }
}

/// What russh calls back.
pub(super) struct Client {
    shared: Arc<Shared>,
    hop: Hop,
}

/// Why a key exchange was stopped.
#[derive(Debug)]
pub(super) enum Stop {
    Ours(Box<Error>),
    Protocol(russh::Error),
}

impl From<russh::Error> for Stop {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Stop {
    fn into_error(self, hop: &Hop) -> Error {
        match self {
            Self::Ours(error) => *error,
            Self::Protocol(
                error @ (russh::Error::NoCommonAlgo { .. }
                | russh::Error::UnknownAlgo
                | russh::Error::Version
                | russh::Error::WrongServerSig),
            ) => Error::Incompatible {
                address: hop.address(),
                why: error.to_string().to_lowercase(),
            },
            Self::Protocol(error) => Error::Handshake {
                address: hop.address(),
                why: error.to_string(),
            },
        }
    }
}

impl client::Handler for Client {
    type Error = Stop;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Stop> {
        let Some(shown) = Shown::of(shown) else {
            return Ok(false);
        };
        let settings = &self.shared.settings;
        let (policy, now) = (settings.unknown_host_key, (settings.clock)());
        match self.shared.trust.check(&self.hop, &shown, policy, now) {
            Ok(()) => Ok(true),
            Err(error) => Err(Stop::Ours(Box::new(error))),
        }
    }
}
