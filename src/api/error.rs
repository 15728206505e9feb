//! Why something was not done on the cluster.

use std::net::SocketAddr;
use std::time::Duration;

use super::manifests::Conflict;
use super::pods::Budget;
use crate::cluster::Name;
use crate::transport;

/// Why something was not done on the cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {kind}")]
pub struct Error {
    /// What was to be done, such as `cordon node w-1`.
    pub action: String,
    /// Why it was not.
    pub kind: ErrorKind,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// No API server could be used.
    #[error("no API server answers: {}", joined(.0))]
    NoServer(Vec<Attempt>),
    /// A connection broke, and the request must not be sent again: it may
    /// have been carried out.
    #[error("the connection to the API server of {server} broke before its answer: {why}")]
    Broken {
        /// The control plane.
        server: Name,
        /// What is known of the reason.
        why: String,
    },
    /// A watch broke off, or has sent what cannot be read.
    #[error("the watch broke off: {0}")]
    WatchBroken(String),
    /// An API server took too long; the request may have been carried out.
    #[error("the API server of {server} did not answer within {} s", limit.as_secs())]
    TimeLimit {
        /// The control plane.
        server: Name,
        /// The limit.
        limit: Duration,
    },
    /// An answer is larger than kdiy takes.
    #[error("the API server of {server} answered more than {limit} bytes")]
    TooLarge {
        /// The control plane.
        server: Name,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The API server rejected the request.
    #[error("{0}")]
    Status(Status),
    /// An answer cannot be read, or a manifest is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The CA, the client certificate or its key cannot be used.
    #[error("{0}")]
    Credentials(String),
    /// The object is not the one any more that was looked at.
    #[error("{0} is another one by now")]
    Replaced(String),
    /// Others changed it each time kdiy tried to.
    #[error("others changed it each of {0} times")]
    Contended(u32),
    /// A wait ended before what it waited for.
    #[error("not so within {} s: {}", limit.as_secs(), missing.join("; "))]
    NotInTime {
        /// The limit.
        limit: Duration,
        /// What is missing, a line each.
        missing: Vec<String>,
    },
    /// Pods would lose data or would not come back, and the options do not
    /// allow that.
    #[error("{}", .0.join("; "))]
    WouldLose(Vec<String>),
    /// Others manage fields that should become other values.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Conflicts(Vec<Conflict>),
    /// A disruption budget holds a pod.
    #[error(
        "{} held it for {} s: {message}",
        if budgets.is_empty() { "a disruption budget".to_owned() } else { held_by(budgets) },
        since.as_secs()
    )]
    Held {
        /// The budgets.
        budgets: Vec<Budget>,
        /// The API server's message.
        message: String,
        /// How long.
        since: Duration,
    },
    /// More than one thing went wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Error>),
}

/// A server that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server} ({address}): {why}")]
pub struct Attempt {
    /// The control plane.
    pub server: Name,
    /// Where its API server should be.
    pub address: SocketAddr,
    /// Why it could not.
    pub why: Unusable,
}

/// Why a server could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It could not be connected to.
    #[error("{0}")]
    Transport(#[from] transport::Error),
    /// It is not the server that it should be, or TLS did not come about.
    #[error("TLS: {0}")]
    Tls(String),
    /// HTTP did not come about.
    #[error("HTTP: {0}")]
    Http(String),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It says that it is not ready.
    #[error("not ready (HTTP {code}): {message}")]
    NotReady {
        /// The HTTP status.
        code: u16,
        /// The checks that fail, or its whole answer, as one line.
        message: String,
    },
}

/// How an API server rejected a request (`Status` of
/// `k8s.io/apimachinery/pkg/apis/meta/v1`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code} {reason}]")]
pub struct Status {
    /// The HTTP status, such as 409.
    pub code: u16,
    /// The reason for programs, such as `Conflict`; may be empty.
    pub reason: String,
    /// The reason for people.
    pub message: String,
    /// The details, each a reason, a message and a field, which may be empty.
    pub causes: Vec<StatusCause>,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

/// One detail of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCause {
    /// Such as `FieldManagerConflict` or `DisruptionBudget`.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Path of the field that it is about.
    pub field: String,
}

impl ErrorKind {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoServer(_) => "api-unreachable",
            Self::Broken { .. } => "api-connection-lost",
            Self::WatchBroken(_) => "api-watch",
            Self::TimeLimit { .. } => "api-time-limit",
            Self::TooLarge { .. } => "api-answer-too-large",
            Self::Status(_) => "api-refused",
            Self::Invalid(_) => "api-invalid",
            Self::Credentials(_) => "api-credentials",
            Self::Replaced(_) => "api-object-replaced",
            Self::Contended(_) => "api-contended",
            Self::NotInTime { .. } => "api-not-in-time",
            Self::WouldLose(_) => "drain-would-lose",
            Self::Conflicts(_) => "api-field-conflict",
            Self::Held { .. } => "drain-held",
            Self::Several(_) => "api-several",
        }
    }

    /// Whether it could pass by itself, so that another try makes sense.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoServer(_)
            | Self::Broken { .. }
            | Self::WatchBroken(_)
            | Self::TimeLimit { .. }
            | Self::Contended(_) => true,
            Self::Status(status) => status.code == 429 || status.code >= 500,
            Self::Several(errors) => errors.iter().all(|error| error.kind.is_transient()),
            _ => false,
        }
    }

    /// Whether the API server rejected the request with this HTTP status.
    #[must_use]
    pub const fn has_status(&self, code: u16) -> bool {
        matches!(self, Self::Status(status) if status.code == code)
    }
}

impl Error {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Whether there is no such object.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        self.kind.has_status(404)
    }
}

impl Status {
    /// Whether one of the details has this reason.
    #[must_use]
    pub fn has_cause(&self, reason: &str) -> bool {
        self.causes.iter().any(|cause| cause.reason == reason)
    }
}

fn joined(attempts: &[Attempt]) -> String {
    let lines: Vec<_> = attempts.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

fn held_by(budgets: &[Budget]) -> String {
    let names = budgets.iter().map(|budget| {
        let Budget {
            name,
            desired_healthy,
            current_healthy,
        } = budget;
        format!(
            "the disruption budget {name} ({current_healthy} healthy, {desired_healthy} needed)"
        )
    });
    names.collect::<Vec<_>>().join(" and ")
}
