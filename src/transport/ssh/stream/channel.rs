//! A channel as a byte stream, which is closed when it is dropped.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use crate::transport::ssh::live::Live;

/// One channel, read and written.
pub(super) struct ChannelStream {
    reader: ChannelReadHalf,
    /// What was received and not read yet.
    received: Bytes,
    ended: bool,
    /// Whether a program at the other end does not copy yet.
    connecting: bool,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    channel: Arc<ChannelWriteHalf<Msg>>,
    /// The session and the place that it takes, where it is one.
    permits: Option<[OwnedSemaphorePermit; 2]>,
    /// The connection lives as long as its streams.
    _live: Arc<Live>,
}

impl ChannelStream {
    /// Of a channel that sshd has connected.
    pub(super) fn forwarded(channel: Channel<Msg>, live: Arc<Live>) -> Self {
        let (reader, writer) = channel.split();
        Self {
            reader,
            received: Bytes::new(),
            ended: false,
            connecting: false,
            writer: Box::pin(writer.make_writer()),
            channel: Arc::new(writer),
            permits: None,
            _live: live,
        }
    }

    /// Of a session in which a program is about to connect; what it says is
    /// to be heard until [`Self::connected`].
    pub(super) fn by_program(
        channel: Channel<Msg>,
        live: Arc<Live>,
        permits: [OwnedSemaphorePermit; 2],
    ) -> Self {
        let mut stream = Self::forwarded(channel, live);
        stream.connecting = true;
        stream.permits = Some(permits);
        stream
    }

    /// The next message while the program connects.
    pub(super) async fn message(&mut self) -> Option<ChannelMsg> {
        self.reader.wait().await
    }

    /// The program has connected, and has passed this on by now.
    pub(super) fn connected(mut self, received: Bytes) -> Self {
        self.connecting = false;
        self.received = received;
        self
    }
}

impl AsyncRead for ChannelStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.received.has_remaining() {
                let length = this.received.len().min(into.remaining());
                into.put_slice(&this.received.split_to(length));
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            match ready!(pin!(this.reader.wait()).poll(cx)) {
                Some(ChannelMsg::Data { data }) => this.received = data,
                Some(ChannelMsg::Eof | ChannelMsg::Close) => this.ended = true,
                None => {
                    this.ended = true;
                    let lost = "the SSH connection to the host is lost";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, lost)));
                }
                Some(_) => {}
            }
        }
    }
}

impl AsyncWrite for ChannelStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            // russh takes this for an error.
            return Poll::Ready(Ok(0));
        }
        self.writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    /// The program would end both directions at the end of one: it is told
    /// when the stream is dropped.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.permits.is_some() {
            self.writer.as_mut().poll_flush(cx)
        } else {
            self.writer.as_mut().poll_shutdown(cx)
        }
    }
}

/// Closing waits for what was written before, at the other end too.
impl Drop for ChannelStream {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (channel, permits) = (Arc::clone(&self.channel), self.permits.take());
        let connecting = self.connecting;
        runtime.spawn(async move {
            if connecting {
                // It would not see the end of its input before it gives up.
                channel.signal(Sig::KILL).await.ok();
            }
            channel.close().await.ok();
            drop(permits);
        });
    }
}
