//! HTTP to one API server over one byte stream.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme, Uri};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_rustls::client::TlsStream;

use crate::transport::ByteStream;

/// A connection to send requests over.
pub(super) enum HttpConnection {
    /// HTTP/2, which any number of requests share.
    Shared(http2::SendRequest<Full<Bytes>>),
    /// HTTP/1.1, of a server that was told to speak nothing newer
    /// (`--disable-http2-serving`): for one request.
    Single(http1::SendRequest<Full<Bytes>>),
}

/// Why a request has no answer.
pub(super) struct Broken {
    /// Whether nothing of it was sent, so that it may be sent again.
    pub unsent: bool,
    /// What hyper says, and what the system says below it.
    pub why: String,
}

impl HttpConnection {
    /// Begins HTTP as TLS has settled it.
    pub(super) async fn begin(
        stream: TlsStream<ByteStream>,
        keepalive: Duration,
    ) -> Result<Self, hyper::Error> {
        let newer = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = TokioIo::new(stream);
        if newer {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(keepalive)
                .keep_alive_timeout(keepalive)
                .keep_alive_while_idle(true)
                .handshake(stream)
                .await?;
            tokio::spawn(async move {
                if let Err(why) = connection.await {
                    tracing::debug!("a connection to an API server ended: {why}");
                }
            });
            Ok(Self::Shared(sender))
        } else {
            let (sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(async move {
                if let Err(why) = connection.await {
                    tracing::debug!("a connection to an API server ended: {why}");
                }
            });
            Ok(Self::Single(sender))
        }
    }

    /// Whether it is known to be of no use any more.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Shared(sender) => sender.is_closed(),
            Self::Single(_) => true,
        }
    }

    /// The same for one more request, where requests may share it.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Shared(sender) => Some(Self::Shared(sender.clone())),
            Self::Single(_) => None,
        }
    }

    /// Sends a request with only a path in its URI; the head of its answer.
    pub(super) async fn send(
        &mut self,
        to: &Authority,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Broken> {
        let unsent = |why| Broken {
            unsent: true,
            why: describe(&why),
        };
        match self {
            Self::Shared(sender) => {
                sender.ready().await.map_err(unsent)?;
                let mut parts = std::mem::take(request.uri_mut()).into_parts();
                parts.scheme = Some(Scheme::HTTPS);
                parts.authority = Some(to.clone());
                *request.uri_mut() = Uri::from_parts(parts).expect("all parts are there");
                sender.try_send_request(request).await
            }
            Self::Single(sender) => {
                sender.ready().await.map_err(unsent)?;
                let host = HeaderValue::from_str(to.as_str()).expect("an address is ASCII");
                request.headers_mut().insert(HOST, host);
                sender.try_send_request(request).await
            }
        }
        .map_err(|mut failed| Broken {
            unsent: failed.take_message().is_some(),
            why: describe(&failed.into_error()),
        })
    }
}

pub(super) fn describe(why: &hyper::Error) -> String {
    let source = std::error::Error::source(why).map(ToString::to_string);
    source.map_or_else(|| why.to_string(), |source| format!("{why}: {source}"))
}
