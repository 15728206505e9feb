//! What changes something is done only while the run has its hosts. A step on
//! a host is guarded there; an operation on the cluster has no host, so one is
//! asked before it, and the clocks are looked at each time that it goes on.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::Failure;
use super::lock::{LOCK_LOST, LockLoss};
use super::run::{AttemptError, StepRunner};
use super::survey::{HostError, ask_within};
use crate::cluster::Name;
use crate::transport::{Connection, Exit, User};

/// Hosts that are asked at a time; the first answer counts.
const ASKED: usize = 4;
/// How long they have.
const LIMIT: Duration = Duration::from_secs(15);
/// What to do once hosts are lost.
pub(super) const AFTER_LOSS: &str = "this run changes nothing more: once the other has ended, run \
                                     kdiy plan, and kdiy apply where something is left to do";

impl<C: Connection> StepRunner<'_, C> {
    /// Why to stop, where it is known already that the hosts are lost.
    pub(super) fn hold_lost(&self) -> Option<AttemptError> {
        self.hold.loss().map(|loss| lost(&loss))
    }

    /// Asks hosts whether the run still has them.
    pub(super) async fn confirm_hold(&self) -> Result<(), AttemptError> {
        let hosts: Vec<_> = self.connections.iter().collect();
        let mut errors = Vec::new();
        for some in hosts.chunks(ASKED) {
            let asked = some.iter().map(async |(name, connection)| {
                let guard = self.hold.guard(name);
                let answer = ask_within(connection.as_ref(), &guard, User::Root, LIMIT).await;
                (*name, answer)
            });
            let mut asked: FuturesUnordered<_> = asked.collect();
            while let Some((name, answer)) = asked.next().await {
                match answer {
                    Ok(_) => return Ok(()),
                    Err(error) if is_loss(&error) => {
                        self.lose(name);
                        return self.hold_lost().map_or(Ok(()), Err);
                    }
                    Err(error) => errors.push(format!("{name}: {error}")),
                }
            }
        }
        let what = format!(
            "no host says that this run still has it: {}",
            errors.join("; ")
        );
        Err(AttemptError {
            transient: Some(what.clone()),
            failure: failure("step-failed", what, super::run::AGAIN),
        })
    }

    /// Does this work as long as the run has its hosts.
    pub(super) async fn while_held<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, AttemptError> {
        let mut work = pin!(work);
        let working = poll_fn(|context| match self.hold_lost() {
            Some(lost) => Poll::Ready(Err(lost)),
            None => work.as_mut().poll(context).map(Ok),
        });
        let mut loss = self.hold.watch();
        let losing = async {
            match loss.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(loss)) => lost(loss),
                // Whoever could lose them is gone.
                _ => pending().await,
            }
        };
        tokio::select! {
            biased;
            error = losing => Err(error),
            done = working => done,
        }
    }

    /// A guard has said that a host is lost.
    pub(super) fn lose(&self, host: &Name) {
        let host = host.clone();
        self.hold.lose(LockLoss::NotOurs { host });
    }
}

fn is_loss(error: &HostError) -> bool {
    matches!(error, HostError::Probe { exit: Exit::Code(code), .. } if *code == LOCK_LOST)
}

fn lost(loss: &LockLoss) -> AttemptError {
    AttemptError {
        transient: None,
        failure: failure("step-lock-lost", loss.to_string(), AFTER_LOSS),
    }
}

fn failure(code: &'static str, what: String, hint: &str) -> Failure {
    Failure {
        code,
        resource: None,
        what,
        why: Vec::new(),
        last_lines: Vec::new(),
        hint: hint.to_owned(),
    }
}
