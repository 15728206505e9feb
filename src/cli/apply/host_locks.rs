//! The hosts of a run, from the moment on at which the first one is asked for:
//! whatever the run comes to, they are given back.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use crate::cli::survey::BeforeError;
use crate::cli::{CliError, Exit, owner, survey};
use crate::cluster::Name;
use crate::execute::lock::{self, Holder, Lock, LockError, Owner};
use crate::execute::survey::Connections;
use crate::transport::Connection;
use crate::ui::Ui;

/// Nobody wonders for so long what kdiy does.
const QUIET: Duration = Duration::from_secs(2);

/// What a run has of its hosts.
pub(super) struct HostLocks<C> {
    /// Some may have been taken. A host that was asked takes itself, whether
    /// somebody waits for it or not.
    taking: Option<LocalBoxFuture<'static, Result<Lock<C>, LockError>>>,
    /// All of them.
    taken: Option<Lock<C>>,
}

impl<C: Connection + 'static> HostLocks<C> {
    /// None of them.
    pub(super) const fn nothing() -> Self {
        Self {
            taking: None,
            taken: None,
        }
    }

    /// Takes all hosts; may be given up at any moment, and is to be given back
    /// then.
    ///
    /// # Errors
    /// When another has one of them, or one cannot be asked.
    pub(super) async fn take(
        &mut self,
        connections: &Connections<C>,
        owner: Owner,
        steal: bool,
        ui: &Ui,
    ) -> Result<&Lock<C>, BeforeError> {
        let (connections, ui) = (connections.clone(), ui.clone());
        let number = lock::Number::generate().map_err(CliError::from)?;
        let taking = async move {
            // One run is told of once, however many hosts it has.
            let told = Mutex::new(BTreeSet::new());
            let pushed_aside = |holder: &Holder| {
                let ended = owner::has_ended(holder);
                let run = holder.owner.as_ref().map(|owner| owner.run.clone());
                let is_new = || told.lock().is_ok_and(|mut told| told.insert(run));
                if steal && !ended && is_new() {
                    ui.warn(&format!("taken from another kdiy: {holder}"));
                }
                ended || steal
            };
            lock::take(&connections, number, &owner, pushed_aside).await
        };
        let taken = self.taking.insert(taking.boxed_local()).await;
        self.taking = None;
        match taken {
            Ok(lock) => Ok(self.taken.insert(lock)),
            Err(LockError::HostErrors(host_errors)) => Err(BeforeError::Hosts(host_errors)),
            Err(held @ LockError::Locked { .. }) => {
                let expiry = lock::EXPIRY.as_secs();
                let error = CliError::new(Exit::Locked, held).hint(format!(
                    "wait until it has ended. One that is dead is forgotten after {expiry} s; --steal-lock stops it at once"
                ));
                Err(error.into())
            }
        }
    }

    /// All hosts, once they are taken.
    pub(super) const fn lock(&self) -> Option<&Lock<C>> {
        self.taken.as_ref()
    }

    /// Gives back what was taken, and says so where that takes a while.
    pub(super) async fn give_back(self, ui: &Ui) {
        let mut giving = pin!(self.give());
        if tokio::time::timeout(QUIET, &mut giving).await.is_err() {
            ui.note("Giving the hosts back. Ctrl-C ends kdiy at once.");
            giving.await;
        }
    }

    async fn give(self) {
        if let Some(taking) = self.taking
            && let Ok(lock) = taking.await
        {
            lock.release().await;
        }
        if let Some(lock) = self.taken {
            lock.release().await;
        }
    }
}

/// Waits for what an earlier run has still at work on hosts.
pub(super) async fn wait_until_idle<C: Connection + 'static>(
    lock: &Lock<C>,
    ui: &Ui,
) -> Result<(), CliError> {
    if lock.busy().is_empty() {
        return Ok(());
    }
    let hosts: Vec<_> = lock.busy().iter().map(Name::as_str).collect();
    ui.note(&format!(
        "Waiting for a step of an earlier run to end on {}.",
        hosts.join(", ")
    ));
    lock.wait_until_idle()
        .await
        .map_err(|host_errors| survey::failed(&host_errors))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use time::OffsetDateTime;

    use super::*;
    use crate::cluster::Login;
    use crate::transport::Connector as _;
    use crate::transport::fake::{Answer, Fake};
    use crate::ui::Verbosity;

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_after_it_was_given_up_is_given_back_too() {
        let fake = Fake::default();
        let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
        let mut all = Connections::new();
        for (host, seconds) in [("a", 0), ("b", 1), ("c", 8)] {
            let taken = Answer::output("taken b-1\n").after(Duration::from_secs(seconds));
            fake.once(&name(host), "kdiy_take", taken);
            fake.once(&name(host), "kdiy_release", Answer::output(""));
            let link = fake.connect(&name(host), &Login::to("")).await.unwrap();
            all.insert(name(host), Arc::new(link));
        }
        let owner = owner::of(&name("prod"), &name("r1"), OffsetDateTime::UNIX_EPOCH);
        let (ui, _, err) = Ui::memory(Verbosity::Normal);
        let mut locks = HostLocks::nothing();
        let taking = locks.take(&all, owner, false, &ui);
        let interrupted = tokio::time::timeout(Duration::from_secs(3), taking).await;
        assert!(interrupted.is_err(), "c is not taken yet");
        locks.give_back(&ui).await;
        assert_eq!(err(), "Giving the hosts back. Ctrl-C ends kdiy at once.\n");
        for host in ["a", "b", "c"] {
            let runs = fake.runs(&name(host));
            assert_eq!(runs.len(), 2, "{host} was taken and given back");
            assert!(runs[1].script.contains("kdiy_release /run"), "{host}");
        }
    }
}
