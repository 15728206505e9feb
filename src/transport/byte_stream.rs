//! Byte streams to addresses as a host sees them.

use tokio::io::{AsyncRead, AsyncWrite};

/// Both directions of a stream of bytes.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + ?Sized> Duplex for T {}

/// An open byte stream, as [`super::Connection::open_stream`] makes it. It is
/// closed when it is dropped; what was written before still arrives.
///
/// Whoever opens one has to read it: the streams and scripts of one SSH
/// connection share a queue, and a full one holds up all of them.
///
/// `shutdown` reaches the target where the host's sshd forwards. Where it
/// forbids that, the target sees the end when the stream is dropped.
pub type ByteStream = Box<dyn Duplex>;
