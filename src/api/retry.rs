//! The retry policy for requests that a server rejects for the moment.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};
use kube::client::Body;
use tokio::time::Sleep;
use tower::retry::backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker};
use tower::retry::backoff::{InvalidBackoff, MakeBackoff as _};
use tower::util::rng::HasherRng;

use super::Limits;
use super::error::ErrorKind;
use super::service::is_repeatable;

/// Waits as the server asks, or twice as long each time, up to a limit.
#[derive(Clone)]
pub(super) struct Policy {
    left: u32,
    longest: Duration,
    backoff: ExponentialBackoff,
}

impl Policy {
    pub(super) fn new(limits: &Limits) -> Result<Self, InvalidBackoff> {
        let (first, longest) = (limits.first_wait, limits.longest_wait);
        let backoff = ExponentialBackoffMaker::new(first, longest, 0.5, HasherRng::new())?;
        Ok(Self {
            left: limits.retries,
            longest,
            backoff: { backoff }.make_backoff(),
        })
    }
}

/// Whether the same request may succeed in a moment.
///
/// A busy server (429) has done nothing, so any request may be repeated. The
/// exception is an eviction: there 429 mostly means a disruption budget, and
/// the drain decides how long to wait for that. A server that starts, stops
/// or has lost etcd (5xx) may have carried out the request.
fn is_transient(request: &Request<Body>, status: StatusCode, asks_to_wait: bool) -> bool {
    let repeatable = is_repeatable(request.method(), request.headers());
    match status {
        StatusCode::TOO_MANY_REQUESTS => !request.uri().path().ends_with("/eviction"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => repeatable,
        StatusCode::INTERNAL_SERVER_ERROR => asks_to_wait && repeatable,
        _ => false,
    }
}

impl<Answer> tower::retry::Policy<Request<Body>, Response<Answer>, ErrorKind> for Policy {
    type Future = Sleep;

    fn retry(
        &mut self,
        request: &mut Request<Body>,
        result: &mut Result<Response<Answer>, ErrorKind>,
    ) -> Option<Sleep> {
        let answer = result.as_ref().ok()?;
        let asked = answer.headers().get(RETRY_AFTER);
        let asked = asked.and_then(|wait| wait.to_str().ok()?.parse().ok());
        if self.left == 0 || !is_transient(request, answer.status(), asked.is_some()) {
            return None;
        }
        self.left -= 1;
        let backoff = self.backoff.next_backoff();
        Some(match asked.map(Duration::from_secs) {
            Some(wait) => tokio::time::sleep(wait.min(self.longest)),
            None => backoff,
        })
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        let mut copy = Request::new(request.body().try_clone()?);
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        copy.headers_mut().clone_from(request.headers());
        Some(copy)
    }
}
