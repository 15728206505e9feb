//! A byte stream that bash opens in a session: it is essential on Debian and
//! there on every RHEL, and connects by itself (`/dev/tcp`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::ChannelMsg;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::NoStream;
use super::channel::ChannelStream;
use crate::transport::error::Unreachable;
use crate::transport::sanitise::sanitise_short;
use crate::transport::ssh::live::{Live, NoSession, Session};

/// What bash says on standard output once it has connected. What came before
/// is of login files and banners.
const CONNECTED: &[u8] = b"kdiy: connected\n";

/// The exit code that says that the address could not be connected to.
const NOT_CONNECTED: u32 = 9;

/// The most that is kept of what a host says before the stream begins, in bytes.
const PREAMBLE: usize = 64 * 1024;

/// How long messages may follow an exit.
const LINGER: Duration = Duration::from_secs(1);

/// The command that connects and then only copies. It means the same to every
/// login shell, as that of scripts does.
///
/// The end of its input, which is also how kdiy's own end shows, ends both
/// copies. The end of what the target sends ends its output, and nothing else.
fn command(to: SocketAddr) -> String {
    format!(
        "exec env LC_ALL=C PATH=/usr/local/bin:/usr/bin:/bin bash -c '\
         exec 3<>/dev/tcp/$0/$1 || exit {NOT_CONNECTED}; \
         echo \"kdiy: connected\"; exec 4>&1 >/dev/null 2>&1; \
         cat <&3 >&4 3>&- 4>&- & exec 4>&-; \
         cat >&3 3>&- && kill $(jobs -p); wait' {} {}",
        to.ip(),
        to.port()
    )
}

/// Opens a stream in a session of its own.
pub(super) async fn open(
    live: &Arc<Live>,
    to: SocketAddr,
    limit: Duration,
) -> Result<ChannelStream, NoStream> {
    let full = |_| NoStream::NoShell("it forbids forwarding, and no session is free".to_owned());
    let (permit, session) = timeout(limit, session(live, limit)).await.map_err(full)??;
    let begun = session.channel.exec(true, command(to)).await;
    begun.map_err(|error| NoStream::Broken(error.to_string()))?;
    let permits = [permit, session.slot];
    let mut stream = ChannelStream::by_program(session.channel, Arc::clone(live), permits);
    let late = |_| NoStream::Target(Unreachable::Timeout(limit));
    let received = timeout(limit, connected(&mut stream))
        .await
        .map_err(late)??;
    Ok(stream.connected(received))
}

/// A permit for a stream, and a session.
async fn session(
    live: &Arc<Live>,
    limit: Duration,
) -> Result<(OwnedSemaphorePermit, Session), NoStream> {
    let permit = Arc::clone(&live.streams.permits).acquire_owned().await;
    let permit = permit.map_err(|closed| NoStream::Broken(closed.to_string()))?;
    let session = live.session(limit).await.map_err(|why| match why {
        NoSession::Broken(why) => NoStream::Broken(why),
        NoSession::Refused(why) => NoStream::NoShell(format!(
            "it forbids forwarding, and allows no further session ({why}, MaxSessions)"
        )),
    })?;
    Ok((permit, session))
}

/// Waits until bash has connected; what it has passed on by then.
async fn connected(stream: &mut ChannelStream) -> Result<Bytes, NoStream> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut exit = None;
    loop {
        let message = match exit {
            Some(_) => timeout(LINGER, stream.message()).await.unwrap_or(None),
            None => stream.message().await,
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                out.extend_from_slice(&data);
                if let Some(rest) = after(&out, CONNECTED) {
                    return Ok(Bytes::copy_from_slice(rest));
                }
                out.drain(..out.len().saturating_sub(PREAMBLE));
            }
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                err.extend_from_slice(&data);
                err.drain(..err.len().saturating_sub(PREAMBLE));
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => exit = Some(exit_status),
            Some(ChannelMsg::Failure) => {
                let why = "it forbids forwarding, and refuses to run commands";
                return Err(NoStream::NoShell(why.to_owned()));
            }
            Some(ChannelMsg::Close) => break,
            None if exit.is_none() => return Err(NoStream::Broken("it broke".to_owned())),
            None => break,
            Some(_) => {}
        }
    }
    let output = String::from_utf8_lossy(&err);
    Err(match exit {
        Some(NOT_CONNECTED) => NoStream::Target(why_not_connected(&output)),
        _ => NoStream::NoShell(format!(
            "it forbids forwarding, and bash did not start there: {}",
            last_line(&output)
        )),
    })
}

/// What stands after a word for the first time.
fn after<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let at = text.windows(word.len()).position(|part| part == word)?;
    Some(&text[at + word.len()..])
}

/// What bash says in the C locale, which is what the system says.
fn why_not_connected(output: &str) -> Unreachable {
    let has = |words: &str| output.contains(words);
    if has("Connection refused") {
        Unreachable::Refused
    } else if has("No route to host") {
        Unreachable::NoRoute("no route to the host".to_owned())
    } else if has("Network is unreachable") {
        Unreachable::NoRoute("no route to its network".to_owned())
    } else {
        Unreachable::Other(last_line(output))
    }
}

fn last_line(output: &str) -> String {
    let line = output.lines().rfind(|line| !line.trim().is_empty());
    sanitise_short(line.unwrap_or("it said nothing"))
}

#[cfg(test)]
mod tests;
