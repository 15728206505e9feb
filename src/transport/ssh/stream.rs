//! Byte streams to addresses as a host sees them: over a channel that sshd
//! connects (`direct-tcpip`, RFC 4254, 7.2), or, where it forbids that, over a
//! session in which bash connects.

mod by_bash;
mod channel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::Link;
use super::live::Live;
use super::route::Hop;
use crate::transport::ByteStream;
use crate::transport::error::{Error, Unreachable};
use channel::ChannelStream;

/// Byte streams at a time that take a session each; the other sessions of a
/// connection are for scripts.
const MOST_BY_BASH: usize = 4;

/// What a connection has learnt of byte streams, and how many of them may take
/// a session.
pub(super) struct Streams {
    /// Whether sshd has said that it forwards nothing.
    forbidden: AtomicBool,
    permits: Arc<Semaphore>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            forbidden: AtomicBool::new(false),
            permits: Arc::new(Semaphore::new(MOST_BY_BASH)),
        }
    }
}

/// Why there is no byte stream.
enum NoStream {
    /// sshd does not forward.
    Forbidden,
    /// The connection to the host does not work any more.
    Broken(String),
    /// The host cannot connect to the address.
    Target(Unreachable),
    /// Neither sshd nor bash connects.
    NoShell(String),
}

/// Opens a byte stream, over a new connection if the old one is broken.
pub(super) async fn open(link: &Link, to: SocketAddr) -> Result<ByteStream, Error> {
    let limit = link.shared.settings.connect_limit;
    let hop = &link.route.target;
    let first = link.live().await;
    let opened = match attempt(&first, to, limit).await {
        Err(NoStream::Broken(_)) => attempt(&link.anew(&first).await?, to, limit).await,
        opened => opened,
    };
    match opened {
        Ok(stream) => Ok(Box::new(stream)),
        Err(why) => Err(why.into_error(hop, to)),
    }
}

async fn attempt(
    live: &Arc<Live>,
    to: SocketAddr,
    limit: Duration,
) -> Result<ChannelStream, NoStream> {
    if !live.streams.forbidden.load(Ordering::Relaxed) {
        match forwarded(live, to, limit).await {
            Err(NoStream::Forbidden) => live.streams.forbidden.store(true, Ordering::Relaxed),
            opened => return opened,
        }
    }
    by_bash::open(live, to, limit).await
}

/// Has sshd connect. What it connects after the limit is closed again, which
/// takes somebody who still listens then.
async fn forwarded(
    live: &Arc<Live>,
    to: SocketAddr,
    limit: Duration,
) -> Result<ChannelStream, NoStream> {
    if live.handle.is_closed() {
        return Err(NoStream::Broken("it is closed".to_owned()));
    }
    let (give, take) = oneshot::channel();
    let live = Arc::clone(live);
    tokio::spawn(async move {
        let (host, port) = (to.ip().to_string(), u32::from(to.port()));
        let opening = live
            .handle
            .channel_open_direct_tcpip(host, port, "127.0.0.1", 0);
        let opened = opening.await;
        let opened = opened.map(|channel| ChannelStream::forwarded(channel, live));
        // Nobody waits any more: dropping the stream closes it.
        drop(give.send(opened));
    });
    let opened = timeout(limit, take)
        .await
        .map_err(|_| NoStream::Target(Unreachable::Timeout(limit)))?
        .map_err(|_| NoStream::Broken("it was given up".to_owned()))?;
    opened.map_err(|error| match error {
        russh::Error::ChannelOpenFailure(reason) => match reason {
            ChannelOpenFailure::AdministrativelyProhibited
            | ChannelOpenFailure::UnknownChannelType => NoStream::Forbidden,
            // sshd says why only in words, which russh keeps to itself.
            ChannelOpenFailure::ConnectFailed => {
                NoStream::Target(Unreachable::Other("connection failed".to_owned()))
            }
            other => NoStream::Target(Unreachable::Other(format!("sshd says {other:?}"))),
        },
        error => NoStream::Broken(error.to_string()),
    })
}

impl NoStream {
    fn into_error(self, hop: &Hop, target: SocketAddr) -> Error {
        let address = hop.address();
        match self {
            Self::Target(why) => Error::Target {
                address,
                target,
                why,
            },
            Self::Broken(why) => Error::Lost { address, why },
            Self::NoShell(said) => Error::Shell { address, said },
            Self::Forbidden => Error::Shell {
                address,
                said: "it forbids forwarding".to_owned(),
            },
        }
    }
}
