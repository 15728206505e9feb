//! Transient errors, which are tried again; everything else fails at once.
//!
//! This is the one place that says so. It goes by how a step ended (kdiy's own
//! functions have exit codes of their own, [`OwnExit`]), by the kind of the
//! resource that it was at, and by the last words of apt, kubeadm and others.
//! Steps look again at what they change, so trying again does no harm.

use std::time::Duration;

use tokio::time::Instant;

use crate::shell::OwnExit;
use crate::transport::{Error, Exit};

/// Seconds between one try and the next.
const WAITS: [u64; 7] = [2, 4, 8, 16, 30, 30, 30];
/// No try begins later than this after the first failure.
const LONGEST: Duration = Duration::from_secs(125);

/// How long a step is still tried again.
#[derive(Debug, Default)]
pub(super) struct RetryPolicy {
    since: Option<Instant>,
    waits: usize,
}

impl RetryPolicy {
    /// How long to wait before the next try; `None` when there is none.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let wait = WAITS
            .get(self.waits)
            .map(|wait| Duration::from_secs(*wait))?;
        self.waits += 1;
        (since.elapsed() + wait <= LONGEST).then_some(wait)
    }
}

/// Why a failed script may end well the next time: the cause, and the host's
/// own words. `said` are its last lines since it came to the resource.
pub(super) fn transient_cause<'l>(
    exit: &Exit,
    resource: Option<&str>,
    said: impl Iterator<Item = &'l str> + Clone,
) -> Option<String> {
    let from_apt = match resource?.split(' ').next()? {
        "packages" | "repository" => true,
        "command" => false,
        _ => return None,
    };
    // What kdiy's own functions say of themselves no waiting changes: they
    // have waited, or what they found is wrong.
    if !matches!(exit, Exit::Code(code) if OwnExit::of(*code).is_none()) {
        return None;
    }
    // Of apt's lines only these are its verdict; others tell of tries that it
    // repeats itself.
    let verdicts = ["E: ", "W: ", "dpkg: "];
    let said = said.filter(|line| !from_apt || verdicts.iter().any(|v| line.starts_with(v)));
    if said.clone().any(|line| matches(line, &PERMANENT)) {
        return None;
    }
    said.clone().find_map(|line| {
        let known = |(_, words): &&(&str, &[&str])| matches(line, words);
        let (cause, _) = TRANSIENT.iter().find(known)?;
        Some(format!("{cause}: {}", line.trim()))
    })
}

/// Whether another connection to a host that this run has been on may do
/// better. One that shuts down or comes up refuses logins.
pub(super) fn is_transient(error: &Error) -> bool {
    let refuses = matches!(error, Error::Authentication { .. } | Error::Shell { .. });
    error.is_transient() || refuses
}

fn matches(line: &str, words: &[&str]) -> bool {
    let line = line.to_ascii_lowercase();
    words.iter().any(|word| line.contains(word))
}

/// Words that no waiting changes, in lower case. They outweigh others.
const PERMANENT: [&str; 22] = [
    "no space left",
    "not enough free space",
    "don't have enough free space",
    "read-only file system",
    "no_pubkey",
    "expkeysig",
    "is not signed",
    "404  not found",
    ": not found",
    "manifest unknown",
    "401  unauthorized",
    "401 unauthorized",
    "403  forbidden",
    "403 forbidden",
    "(forbidden)",
    "access denied",
    // NXDOMAIN; a resolver that does not answer says "temporary failure".
    "could not resolve",
    "no such host",
    "x509: ",
    "certificate verification failed",
    // kubeadm has waited for minutes.
    "timed out waiting for the condition",
    "[kubelet-check]",
];

/// Causes that pass, each with the words by which apt, dpkg, containerd,
/// Docker, CRI-O, kubeadm, kubectl and curl tell of it, in lower case.
const TRANSIENT: [(&str, &[&str]); 5] = [
    (
        "another program holds the lock of apt or dpkg",
        &[
            "e: could not get lock",
            "e: unable to acquire the dpkg",
            "e: unable to lock directory",
            "lock was locked by another process",
            "is another process using it?",
        ],
    ),
    (
        "the mirror is just being changed",
        &["hash sum mismatch", "mirror sync in progress"],
    ),
    (
        "the API server is not there for the moment",
        &[
            "the connection to the server",
            "unable to connect to the server",
            "etcdserver: ",
            "(serviceunavailable)",
            "unable to handle the request",
            "(servertimeout)",
            "asked us to try again later",
            "http2: server sent goaway",
            "http2: client connection lost",
        ],
    ),
    (
        "a server is overloaded or out of order",
        &[
            "429 too many requests",
            "429  too many requests",
            "toomanyrequests",
            "500  internal server error",
            "500 internal server error",
            "bad gateway",
            "service unavailable",
            "gateway time",
            "error: 429",
            "error: 50",
        ],
    ),
    (
        "a server could not be reached",
        &[
            "could not connect to",
            "unable to connect to",
            "failed to connect to",
            "connection refused",
            "connection timed out",
            "connection failed",
            "connection reset by peer",
            "network is unreachable",
            "no route to host",
            "undetermined error",
            "temporary failure ",
            "server misbehaving",
            "tls handshake timeout",
            "i/o timeout",
            "context deadline exceeded",
            "client.timeout exceeded",
            "request canceled while waiting",
            "operation timed out",
            "empty reply from server",
            "transfer closed with",
            "unexpected eof",
            ": eof",
        ],
    ),
];

#[cfg(test)]
mod tests;
