//! How long requests may take, how large answers may be.

use std::time::Duration;

/// Limits of a [`super::Client`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long one server may take until TLS and HTTP stand.
    pub connect: Duration,
    /// How long `/readyz` may take on a new connection.
    pub ready: Duration,
    /// How long a request that only reads may take, with its whole answer;
    /// of a watch, until it begins.
    pub read: Duration,
    /// How long a request that writes may take. An API server ends it after
    /// 60 s itself (`--request-timeout`), and knows better what came of it.
    pub write: Duration,
    /// The most bytes of an answer, or of one event of a watch. A page of
    /// 500 pods of 20 kB each is 10 MB; etcd takes 1.5 MB for one object.
    pub answer: usize,
    /// How often a request is sent again that a server has refused for the
    /// moment (429 and 5xx).
    pub retries: u32,
    /// The shortest wait before that; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait before that, also of those that servers ask for.
    pub longest_wait: Duration,
    /// How often idle connections are asked whether they still stand, and how
    /// long the answer may take.
    pub keepalive: Duration,
}

impl Limits {
    /// The limits of a run.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(15),
        ready: Duration::from_secs(5),
        read: Duration::from_secs(30),
        write: Duration::from_secs(70),
        answer: 64 << 20,
        retries: 5,
        first_wait: Duration::from_millis(500),
        longest_wait: Duration::from_secs(10),
        keepalive: Duration::from_secs(10),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
