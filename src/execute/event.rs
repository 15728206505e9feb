//! What happens in a run, as values. The executor sends them; renderers show
//! them and never call back.

use std::time::Duration;

use serde::Serialize;

use crate::cluster::Name;
use crate::plan::Actor;
use crate::transport::Stream;

/// Something that happened. Steps are named by their place in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A connection is being made.
    Connecting {
        /// The host's name in the inventory.
        host: Name,
    },
    /// A host was asked about its state and has answered.
    Observed {
        /// The host's name in the inventory.
        host: Name,
        /// From the start of the connection.
        #[serde(serialize_with = "as_seconds")]
        took: Duration,
    },
    /// A host could not be connected to or asked.
    Unreachable {
        /// The host's name in the inventory.
        host: Name,
        /// Stable name of the error, such as `host-key-unknown`.
        code: &'static str,
        /// Why, as a fragment.
        what: String,
    },
    /// The run has begun.
    RunStarted {
        /// Steps of the plan.
        steps: usize,
        /// Hosts of the plan.
        hosts: usize,
    },
    /// A step has begun.
    StepStarted {
        /// Its place in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// Title of the step, a fragment such as `install packages`.
        title: String,
        /// The step by whose end it could begin: the last of those that it
        /// needs, or one that gave up its turn. None at the start of the run.
        after: Option<usize>,
    },
    /// What a step is about to run, with the names of secrets in their place.
    /// Only where that was asked for.
    Script {
        /// Place of the step in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// POSIX sh.
        text: String,
    },
    /// A step has come to one of its changes.
    ChangeStarted {
        /// Place of the step in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// The resource's key.
        resource: String,
    },
    /// A line of output; secrets are masked.
    Line {
        /// Place of the step in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// Where it came from.
        #[serde(serialize_with = "as_stream")]
        stream: Stream,
        /// The line.
        text: String,
    },
    /// A step has failed by a transient error, and is tried again after a
    /// while.
    StepRetried {
        /// Its place in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// Title of the step, a fragment such as `install packages`.
        title: String,
        /// The transient error, as a fragment; secrets are masked.
        what: String,
        /// From now to the next try.
        #[serde(serialize_with = "as_seconds")]
        wait: Duration,
        /// Which try comes next: the second one is 2.
        #[serde(rename = "try")]
        next: usize,
    },
    /// A step has ended well.
    StepDone {
        /// Its place in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// Title of the step, a fragment such as `install packages`.
        title: String,
        /// From its start.
        #[serde(serialize_with = "as_seconds")]
        took: Duration,
    },
    /// A step has failed. Steps that need it do not run; others go on.
    StepFailed {
        /// Its place in the plan.
        step: usize,
        /// Who carries it out: a host or the cluster.
        actor: Actor,
        /// Title of the step, a fragment such as `install packages`.
        title: String,
        /// From its start.
        #[serde(serialize_with = "as_seconds")]
        took: Duration,
        /// What went wrong.
        failure: Failure,
    },
    /// The run has ended.
    RunEnded {
        /// Steps that ended well.
        done: usize,
        /// Steps that failed.
        failed: usize,
        /// Steps that did not run.
        left: usize,
        /// From the start of the run.
        #[serde(serialize_with = "as_seconds")]
        took: Duration,
    },
}

/// What went wrong in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Stable name of the kind of failure, such as `step-failed`, or of the
    /// connection's error.
    pub code: &'static str,
    /// The resource that was being applied.
    pub resource: Option<String>,
    /// What happened, as a fragment: `exit code 100`.
    pub what: String,
    /// Of a gate: what cluster and host say of what was waited for, the most
    /// relevant first; secrets are masked.
    pub why: Vec<String>,
    /// The last lines of its output; secrets are masked.
    pub last_lines: Vec<String>,
    /// What to do next.
    pub hint: String,
}

impl Failure {
    /// Whether the step's script ran and ended by itself: its host answers, and
    /// the plan was not out of date.
    pub(super) fn waited(&self) -> bool {
        ["step-failed", "api-not-in-time"].contains(&self.code)
    }
}

fn as_seconds<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

fn as_stream<S: serde::Serializer>(stream: &Stream, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match stream {
        Stream::Out => "stdout",
        Stream::Err => "stderr",
    })
}
