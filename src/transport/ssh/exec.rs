//! Running one script over one channel.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig, client::Msg};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::Link;
use super::route::Hop;
use super::sudo::{self, Entry};
use crate::transport::error::Error;
use crate::transport::output::{Kept, Lines};
use crate::transport::sanitise::sanitise_short;
use crate::transport::{Exit, Output, Request, Stream};

/// How long the streams may stay open and silent after a script has ended:
/// a daemon that it started may hold them for ever.
const LINGER: Duration = Duration::from_secs(1);

/// How long past its end a script may take to say so, before the channel is
/// closed from this side.
const SLACK: Duration = Duration::from_secs(3);

/// The most that is kept of what a host says before the script begins, in
/// bytes.
const PREAMBLE: usize = 64 * 1024;

/// What is to be sent next.
enum NextInput {
    Password,
    Script,
    Nothing,
}

/// Who hears what a script says, as it comes.
pub(super) enum Listener<'a> {
    /// Lines of both streams, which are also kept.
    Lines(&'a mut (dyn for<'l> FnMut(Stream, &'l str) + Send)),
    /// Bytes of standard output, which are not kept.
    Bytes(&'a mut (dyn Write + Send)),
}

/// Runs a script and waits for its end.
pub(super) async fn run(
    link: &Link,
    request: Request<'_>,
    listener: Listener<'_>,
) -> Result<Output, Error> {
    let hop = &link.route.target;
    let entry = link.entry(request.user).await?;
    let session = link.open().await?;
    let begun = Instant::now();
    let command = sudo::command(&entry, request.limit);
    let lost = |error: russh::Error| Error::Lost {
        address: hop.address(),
        why: error.to_string(),
    };
    let begin = session.channel.exec(true, command);
    timeout(link.shared.settings.handshake_limit, begin)
        .await
        .unwrap_or(Err(russh::Error::ConnectionTimeout))
        .map_err(lost)?;
    let (reader, writer) = session.channel.split();
    let writer = Closing(Arc::new(writer));

    let (next_input, next_inputs) = mpsc::unbounded_channel();
    let password = match &entry {
        Entry::Password(password) => Some(Arc::clone(&password.text)),
        Entry::Direct | Entry::Sudo => None,
    };
    let mut channel = ChannelReader {
        entry,
        next_input,
        out: StreamBuffer::new(request.keep),
        err: StreamBuffer::new(request.keep),
        asked: 0,
        listener,
    };
    let send = send(
        &writer.0,
        next_inputs,
        password.as_deref().map(|text| text.as_str()),
        &request,
    );
    let at_most = request.limit.saturating_add(sudo::GRACE + SLACK);
    let ended = tokio::select! {
        ended = timeout(at_most, channel.listen(reader)) => ended,
        never = send => match never {},
    };
    let too_late = begun.elapsed() >= request.limit;
    let time_limit = Error::TimeLimit {
        address: hop.address(),
        limit: request.limit,
    };
    let Ok(ended) = ended else {
        // Reaches the login shell; root's processes are ended by timeout(1).
        // A host that takes nothing any more does not hold this up.
        timeout(LINGER, writer.0.signal(Sig::KILL)).await.ok();
        return Err(time_limit);
    };
    let exit = match ended {
        Ended::Exit(exit) => exit,
        Ended::Refused => {
            return Err(Error::Shell {
                address: hop.address(),
                said: "it refuses to run commands".to_owned(),
            });
        }
        Ended::NotKept(error) => {
            return Err(Error::NotKept {
                address: hop.address(),
                why: error.to_string(),
            });
        }
        Ended::Cut => {
            return Err(Error::Lost {
                address: hop.address(),
                why: "it broke while a script ran".to_owned(),
            });
        }
    };
    // How timeout(1) ends when it has ended a script.
    let ended_by_limit = match &exit {
        Exit::Code(code) => matches!(code, 124 | 137),
        Exit::Signal(name) => name == "KILL",
    };
    if too_late && ended_by_limit {
        return Err(time_limit);
    }
    channel.finish(hop, exit)
}

/// Sends what it is told to; ends only with the future that it runs beside.
async fn send(
    writer: &ChannelWriteHalf<Msg>,
    mut next_inputs: mpsc::UnboundedReceiver<NextInput>,
    password: Option<&str>,
    request: &Request<'_>,
) -> std::convert::Infallible {
    // A failure shows on the listening side, which knows how the channel ended.
    let send = async |next_input| match next_input {
        NextInput::Password => {
            writer.data(password.unwrap_or_default().as_bytes()).await?;
            writer.data(&b"\n"[..]).await
        }
        NextInput::Script => {
            // The host's shell drops line ends at the end, so they do not
            // count.
            let script = request.script.trim_end_matches('\n');
            writer
                .data(format!("{}\n", script.len()).as_bytes())
                .await?;
            writer.data(script.as_bytes()).await?;
            writer.eof().await
        }
        NextInput::Nothing => writer.eof().await,
    };
    while let Some(next_input) = next_inputs.recv().await {
        if let Err(error) = send(next_input).await {
            tracing::debug!("not sent: {error}");
        }
    }
    std::future::pending().await
}

/// How listening ended.
enum Ended {
    Exit(Exit),
    Refused,
    Cut,
    NotKept(io::Error),
}

/// What is heard on a channel.
struct ChannelReader<'a> {
    entry: Entry,
    next_input: mpsc::UnboundedSender<NextInput>,
    out: StreamBuffer,
    err: StreamBuffer,
    /// How often sudo asked for the password.
    asked: u32,
    listener: Listener<'a>,
}

/// One stream.
struct StreamBuffer {
    /// What came before the script began; `None` since then.
    preamble: Option<Vec<u8>>,
    /// How often sudo asked for the password in it.
    prompts: u32,
    lines: Lines,
    kept: Kept,
}

impl ChannelReader<'_> {
    async fn listen(&mut self, mut reader: ChannelReadHalf) -> Ended {
        let mut exit = None;
        loop {
            let message = if exit.is_some() {
                timeout(LINGER, reader.wait()).await.unwrap_or(None)
            } else {
                reader.wait().await
            };
            match message {
                Some(ChannelMsg::Data { data }) => {
                    if let Err(error) = self.read(Stream::Out, &data) {
                        return Ended::NotKept(error);
                    }
                }
                Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                    if let Err(error) = self.read(Stream::Err, &data) {
                        return Ended::NotKept(error);
                    }
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    exit = Some(Exit::Code(exit_status));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    exit = Some(Exit::Signal(name_of(&signal_name)));
                }
                Some(ChannelMsg::Failure) => return Ended::Refused,
                Some(ChannelMsg::Close) | None => break,
                Some(_) => {}
            }
        }
        exit.map_or(Ended::Cut, Ended::Exit)
    }

    fn read(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let buffer = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        let (began, said) = buffer.after_preamble(bytes);
        match &mut self.listener {
            Listener::Lines(lines) => buffer.take(&said, |line| lines(stream, line)),
            Listener::Bytes(out) if stream == Stream::Out => out.write_all(&said)?,
            Listener::Bytes(_) => buffer.take(&said, |_| {}),
        }
        if stream == Stream::Err {
            self.answer(began);
        }
        Ok(())
    }

    /// Sends the script once the shell is there, and not before: whatever else
    /// may read at the other end gets nothing. Until then sudo may ask for the
    /// password.
    fn answer(&mut self, began: bool) {
        if began {
            self.next_input.send(NextInput::Script).ok();
        }
        let Entry::Password(password) = &mut self.entry else {
            return;
        };
        if began {
            password.let_in(self.asked > 0);
        } else {
            let more = self.err.prompts;
            if more > self.asked {
                // Asked again, it was wrong; trying it again could lock the
                // account.
                let first = self.asked == 0 && more == 1;
                self.asked = more;
                self.next_input
                    .send(if first {
                        NextInput::Password
                    } else {
                        NextInput::Nothing
                    })
                    .ok();
                if !first {
                    password.refused();
                }
            }
        }
    }

    fn finish(mut self, hop: &Hop, exit: Exit) -> Result<Output, Error> {
        let said = match (self.out.preamble.take(), self.err.preamble.take()) {
            (None, None) => {
                let mut last = |stream, line: &str| {
                    if let Listener::Lines(lines) = &mut self.listener {
                        lines(stream, line);
                    }
                };
                return Ok(Output {
                    exit,
                    stdout: self.out.finish(|line| last(Stream::Out, line)),
                    stderr: self.err.finish(|line| last(Stream::Err, line)),
                });
            }
            (out, err) => [err, out].map(|text| text.unwrap_or_default()).concat(),
        };
        let said = String::from_utf8_lossy(&said).replace(sudo::PROMPT, "");
        let said: Vec<String> = said.lines().map(sanitise_short).collect();
        let said = said.join("\n");
        let said = said.trim();
        if matches!(self.entry, Entry::Direct) {
            let said = match (said.lines().last(), exit) {
                (Some(line), _) => line.to_owned(),
                (None, Exit::Code(code)) => format!("it ended with exit code {code}"),
                (None, Exit::Signal(name)) => format!("it was ended by the signal {name}"),
            };
            return Err(Error::Shell {
                address: hop.address(),
                said,
            });
        }
        Err(Error::Sudo {
            address: hop.address(),
            user: hop.user.clone(),
            why: sudo::sudo_error(said, self.asked > 1),
        })
    }
}

impl StreamBuffer {
    fn new(keep: usize) -> Self {
        Self {
            preamble: Some(Vec::new()),
            prompts: 0,
            lines: Lines::default(),
            kept: Kept::new(keep),
        }
    }

    /// Whether the script begins with these bytes, and which of them it said.
    fn after_preamble<'b>(&mut self, bytes: &'b [u8]) -> (bool, Cow<'b, [u8]>) {
        let Some(preamble) = &mut self.preamble else {
            return (false, Cow::Borrowed(bytes));
        };
        let before = preamble.len();
        preamble.extend_from_slice(bytes);
        // Only what is new is searched: a host may send this byte by byte.
        let Some(end) = ends(preamble, before, sudo::READY_LINE.as_bytes()).next() else {
            let prompts = ends(preamble, before, sudo::PROMPT.as_bytes()).count();
            let prompts = u32::try_from(prompts).unwrap_or(u32::MAX);
            self.prompts = self.prompts.saturating_add(prompts);
            preamble.drain(..preamble.len().saturating_sub(PREAMBLE));
            return (false, Cow::Borrowed(&[]));
        };
        let rest = preamble.split_off(end);
        self.preamble = None;
        (true, Cow::Owned(rest))
    }

    fn take(&mut self, bytes: &[u8], line: impl FnMut(&str)) {
        self.kept.feed(bytes);
        self.lines.feed(bytes, line);
    }

    fn finish(mut self, line: impl FnMut(&str)) -> Vec<u8> {
        self.lines.end(line);
        self.kept.into_bytes()
    }
}

/// Where in `text` a word ends that was not there whole within the first
/// `before` bytes.
fn ends(text: &[u8], before: usize, word: &'static [u8]) -> impl Iterator<Item = usize> {
    let from = (before + 1).saturating_sub(word.len());
    let windows = text[from..].windows(word.len()).enumerate();
    windows
        .filter(move |(_, window)| *window == word)
        .map(move |(at, _)| from + at + word.len())
}

/// The name of a signal without `SIG`, as in RFC 4254, 6.10.
fn name_of(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}

/// Closes its channel when it is dropped, so that a run which is given up does
/// not go on listening.
struct Closing(Arc<ChannelWriteHalf<Msg>>);

impl Drop for Closing {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let writer = Arc::clone(&self.0);
        runtime.spawn(async move { writer.close().await });
    }
}

#[cfg(test)]
mod tests;
