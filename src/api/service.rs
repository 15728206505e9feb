//! One request: sent to whichever API server answers, bounded in time and
//! size, and sent once more where that does no harm.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use kube::client::Body;
use tokio::time::timeout;

use super::error::ErrorKind;
use super::http::Broken;
use super::server::{Chosen, Servers};

/// How often a request is sent at most: once more after a connection broke,
/// and once more where nothing of it had been sent.
const MOST: usize = 3;

/// The body of an answer.
pub(super) enum Answer {
    /// All of it.
    Whole(Full<Bytes>),
    /// A watch, as it comes.
    Events(Events),
}

/// A watch: lines, none of them longer than the limit.
pub(super) struct Events {
    body: Incoming,
    /// Bytes since the last end of a line.
    length: usize,
    limit: usize,
}

/// One event of a watch is larger than the limit.
#[derive(Debug, thiserror::Error)]
#[error("an event is larger than kdiy takes")]
struct TooLong;

/// What went wrong with one attempt.
struct Failure {
    unsent: bool,
    kind: ErrorKind,
}

/// Sends a request; its answer, whatever its status.
pub(super) async fn send(
    servers: Arc<Servers>,
    request: Request<Body>,
) -> Result<Response<Answer>, ErrorKind> {
    let (parts, body) = request.into_parts();
    let body = body.collect_bytes().await;
    let body = body.map_err(|why| ErrorKind::Invalid(why.to_string()))?;
    let mut avoid = None;
    let mut sent = 0;
    for attempt in 1.. {
        let mut chosen = servers.choose(avoid).await.map_err(ErrorKind::NoServer)?;
        let failed = match exchange(&servers, &mut chosen, &parts, body.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        sent += usize::from(!failed.unsent);
        let again = failed.unsent
            || (sent == 1
                && failed.kind.is_transient()
                && is_repeatable(&parts.method, &parts.headers));
        if attempt == MOST || !again {
            servers.distrust(chosen.index).await;
            return Err(failed.kind);
        }
        tracing::debug!(
            "{} {} is sent again: {}",
            parts.method,
            parts.uri,
            failed.kind
        );
        avoid = Some(chosen.index);
    }
    unreachable!("the last attempt returns")
}

/// Sends a request to one server, once.
async fn exchange(
    servers: &Servers,
    chosen: &mut Chosen,
    parts: &Parts,
    body: Bytes,
) -> Result<Response<Answer>, Failure> {
    let limits = servers.limits();
    let server = || servers.name(chosen.index).clone();
    let limit = limit(servers, parts);
    let late = |_| Failure {
        unsent: false,
        kind: ErrorKind::TimeLimit {
            server: server(),
            limit,
        },
    };
    let broken = |unsent, why: String| Failure {
        unsent,
        kind: ErrorKind::Broken {
            server: server(),
            why,
        },
    };
    let request = Request::from_parts(parts.clone(), Full::new(body));
    let authority = servers.authority(chosen.index);
    let exchange = async {
        let answer = chosen.line.send(&authority, request).await;
        let answer = answer.map_err(|Broken { unsent, why }| broken(unsent, why))?;
        let (head, body) = answer.into_parts();
        if is_watch(parts) && head.status.is_success() {
            let events = Events::new(body, limits.answer);
            return Ok(Response::from_parts(head, Answer::Events(events)));
        }
        let body = Limited::new(body, limits.answer).collect().await;
        let body = body.map_err(|why| {
            if why.is::<LengthLimitError>() {
                let (server, limit) = (server(), limits.answer);
                let kind = ErrorKind::TooLarge { server, limit };
                return Failure {
                    unsent: false,
                    kind,
                };
            }
            broken(false, why.to_string())
        })?;
        let body = Answer::Whole(Full::new(body.to_bytes()));
        Ok(Response::from_parts(head, body))
    };
    timeout(limit, exchange).await.map_err(late)?
}

fn limit(servers: &Servers, parts: &Parts) -> Duration {
    match parts.method {
        Method::GET | Method::HEAD => servers.limits().read,
        _ => servers.limits().write,
    }
}

/// Whether a request may be sent again after it may have been carried out:
/// reads, what states a whole (PUT, apply and merge patches), and removals.
/// A second removal finds nothing, a second write with a resourceVersion
/// conflicts with the first: both say so.
pub(super) fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    match *method {
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE => true,
        Method::PATCH => {
            let kind = headers.get(CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            kind.starts_with("application/apply-patch")
                || kind.starts_with("application/merge-patch")
        }
        _ => false,
    }
}

fn is_watch(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair == "watch=true")
}

impl Events {
    const fn new(body: Incoming, limit: usize) -> Self {
        Self {
            body,
            length: 0,
            limit,
        }
    }

    /// Counts what came since the last end of a line.
    fn take(&mut self, data: &[u8]) -> Result<(), TooLong> {
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            self.length += part.len();
            if self.length > self.limit {
                return Err(TooLong);
            }
            if part.ends_with(b"\n") {
                self.length = 0;
            }
        }
        Ok(())
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Events(events) => {
                let frame = ready!(Pin::new(&mut events.body).poll_frame(cx));
                if let Some(Ok(frame)) = &frame
                    && let Some(data) = frame.data_ref()
                    && let Err(why) = events.take(data)
                {
                    return Poll::Ready(Some(Err(why.into())));
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Events(events) => events.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Events(events) => events.body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests;
