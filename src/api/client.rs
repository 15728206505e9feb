//! The client that all operations use.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use kube::client::Body;
use tokio_rustls::TlsConnector;
use tower::ServiceBuilder;
use tower::retry::RetryLayer;

use super::error::{Error, ErrorKind, Status, StatusCause};
use super::retry::Policy;
use super::server::{Server, Servers};
use super::{Credentials, Limits, service};

/// Speaks to a cluster, through whichever of its API servers answers. Clones
/// share the connection.
#[derive(Clone)]
pub struct Client {
    kube: kube::Client,
}

impl Client {
    /// A client of these servers, tried in this order. Nothing is connected
    /// to before the first request.
    ///
    /// # Errors
    /// When the credentials cannot be used, or the waits of the limits are
    /// not in order.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(
        servers: Vec<Server>,
        credentials: &Credentials,
        limits: Limits,
    ) -> Result<Self, Error> {
        let tls = TlsConnector::from(credentials.tls()?);
        let policy = Policy::new(&limits).map_err(|why| Error {
            action: "prepare to speak to the cluster".to_owned(),
            kind: ErrorKind::Invalid(why.to_string()),
        })?;
        let servers = Arc::new(Servers::new(servers, tls, limits));
        let send = move |request: Request<Body>| service::send(Arc::clone(&servers), request);
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(policy))
            .service(tower::service_fn(send));
        // Every operation names the namespace that it is about.
        Ok(Self {
            kube: kube::Client::new(service, "default"),
        })
    }

    /// Asks whether a server is ready.
    ///
    /// # Errors
    /// When none is.
    pub async fn is_ready(&self) -> Result<(), Error> {
        let request = Request::get("/readyz").body(Vec::new());
        let request = request.expect("a request of constants");
        let ready = self.kube.request_text(request).await;
        ready
            .map(drop)
            .during(|| "ask whether it is ready".to_owned())
    }

    /// The client as kube's own types take it.
    #[must_use]
    pub fn kube(&self) -> kube::Client {
        self.kube.clone()
    }
}

/// Adds to an error what was to be done.
pub(super) trait During<T> {
    fn during(self, action: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> During<T> for kube::Result<T> {
    fn during(self, action: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(error_kind).during(action)
    }
}

impl<T> During<T> for Result<T, ErrorKind> {
    fn during(self, action: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|kind| Error {
            action: action(),
            kind,
        })
    }
}

/// kube's error as one of ours.
pub(super) fn error_kind(error: kube::Error) -> ErrorKind {
    match error {
        kube::Error::Api(status) => ErrorKind::Status(status_of(*status)),
        kube::Error::Service(why) => match why.downcast::<ErrorKind>() {
            Ok(kind) => *kind,
            Err(other) => ErrorKind::Invalid(other.to_string()),
        },
        // The parser's own words may quote a secret.
        kube::Error::SerdeError(why) => unreadable(&why),
        other => ErrorKind::Invalid(other.to_string()),
    }
}

/// An answer that is no JSON, or not of the right shape.
pub(super) fn unreadable(why: &serde_json::Error) -> ErrorKind {
    ErrorKind::Invalid(format!(
        "the API server's answer cannot be read: {:?} error at line {} column {}",
        why.classify(),
        why.line(),
        why.column()
    ))
}

/// kube's status as one of ours.
pub(super) fn status_of(status: kube::core::Status) -> Status {
    let (causes, wait) = status.details.map_or((Vec::new(), 0), |details| {
        (details.causes, u64::from(details.retry_after_seconds))
    });
    Status {
        code: status.code,
        reason: status.reason,
        message: status.message,
        causes: causes
            .into_iter()
            .map(|cause| StatusCause {
                reason: cause.reason,
                message: cause.message,
                field: cause.field,
            })
            .collect(),
        retry_after: (wait > 0).then(|| Duration::from_secs(wait)),
    }
}
