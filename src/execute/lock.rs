//! One apply at a time on a host. Who holds it is written on the host itself,
//! in a file that goes away with a reboot, and says again and again that it is
//! still there. A run that lost one host, or that may have, changes nothing
//! more: see [`Hold`].
//!
//! Age is counted by the host's own uptime: no clock has to be right. All
//! hosts are taken after the one that is first by name, so of two applies that
//! begin together one gets all hosts and the other none.

mod hold;
mod holder;
mod renewal;
mod scripts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use hold::{Hold, LockLoss};
use holder::Answer;
pub use holder::{Holder, Owner, Process};
pub use scripts::{LOCK_LOST, Number};

use super::script;
use super::survey::{Connections, HostError, HostErrors, ask, ask_within};
use crate::cluster::Name;
use crate::shell::{Script, sh};
use crate::transport::{Connection, User};

/// An owner that was silent for so long is taken for dead.
pub const EXPIRY: Duration = Duration::from_secs(90);
/// How often an owner says that it is there.
const RENEW_INTERVAL: Duration = Duration::from_secs(20);

/// Why hosts could not be taken. Nothing is held then.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another apply has them.
    #[error("another kdiy is at work on {host}: {holder}")]
    Locked {
        /// The first of them.
        host: Name,
        /// Who has the lock.
        holder: Box<Holder>,
    },
    /// Hosts could not be asked.
    #[error("hosts could not be asked")]
    HostErrors(HostErrors),
}

/// Hosts that are held, until [`Lock::release`] or the owner's end.
pub struct Lock<C> {
    hold: Hold,
    connections: Connections<C>,
    renewal: JoinHandle<()>,
    /// Ends the renewal, after the beats that are under way.
    end: watch::Sender<bool>,
    busy: Vec<Name>,
}

/// Takes all these hosts. `dead` says of an owner that is in the way whether
/// it is known to have ended, or may be pushed aside; it is then.
///
/// # Errors
/// When another has one of them, or one cannot be asked.
pub async fn take<C: Connection + 'static>(
    connections: &Connections<C>,
    number: Number,
    owner: &Owner,
    dead: impl Fn(&Holder) -> bool,
) -> Result<Lock<C>, LockError> {
    let owner = owner.line();
    let mut held = Connections::new();
    let one = async |name: &Name, connection: &Arc<C>| {
        let taken = take_one(connection.as_ref(), &number, &owner, &dead).await;
        (name.clone(), Arc::clone(connection), taken)
    };
    let mut hosts = connections.iter();
    let mut results = Vec::new();
    if let Some((name, connection)) = hosts.next() {
        results.push(one(name, connection).await);
    }
    let is_ours = |taken: &Result<Answer, HostError>| matches!(taken, Ok(Answer::Taken { .. }));
    if results.iter().all(|(_, _, taken)| is_ours(taken)) {
        let rest = hosts.map(|(name, connection)| one(name, connection));
        results.extend(join_all(rest).await);
    }
    let (mut in_the_way, mut host_errors, mut at_work) = (None, HostErrors::new(), Vec::new());
    let mut boots = BTreeMap::new();
    for (name, connection, taken) in results {
        match taken {
            Ok(Answer::Taken { boot, busy }) => {
                at_work.extend(busy.then(|| name.clone()));
                boots.insert(name.clone(), boot);
                held.insert(name, connection);
            }
            Ok(Answer::Locked(holder)) => in_the_way = in_the_way.or(Some((name, holder))),
            Err(host_error) => _ = host_errors.insert(name, host_error),
        }
    }
    let failed = match in_the_way {
        Some((host, holder)) => LockError::Locked {
            host,
            holder: Box::new(holder),
        },
        None if !host_errors.is_empty() => LockError::HostErrors(host_errors),
        None => {
            let hold = Hold::new(number, boots);
            return Ok(Lock::new(hold, owner, held, at_work));
        }
    };
    give_back(&held, &number).await;
    Err(failed)
}

async fn take_one<C: Connection>(
    connection: &C,
    number: &Number,
    owner: &str,
    dead: &impl Fn(&Holder) -> bool,
) -> Result<Answer, HostError> {
    let script = scripts::take(number, None, EXPIRY.as_secs(), owner);
    let answer = Answer::parse(&ask(connection, &script, User::Root).await?)?;
    let holder = match answer {
        Answer::Locked(holder) if dead(&holder) => holder,
        answer => return Ok(answer),
    };
    // Only this one is pushed aside, not one that came meanwhile.
    let script = scripts::take(number, Some(&holder.number), EXPIRY.as_secs(), owner);
    let answer = ask(connection, &script, User::Root).await?;
    Ok(Answer::parse(&answer)?)
}

impl<C: Connection + 'static> Lock<C> {
    fn new(hold: Hold, owner: String, connections: Connections<C>, busy: Vec<Name>) -> Self {
        let (end, ended) = watch::channel(false);
        let (hosts, held) = (connections.clone(), hold.clone());
        let renewal = tokio::spawn(renewal::renew(hosts, held, owner, ended));
        Self {
            hold,
            connections,
            renewal,
            end,
            busy,
        }
    }

    /// Hosts on which a step of an earlier run is still at work: its kdiy or
    /// its connection is gone, and it goes on to its end all the same.
    #[must_use]
    pub fn busy(&self) -> &[Name] {
        &self.busy
    }

    /// Waits until no step of an earlier run is at work any more: what is seen
    /// of a host before that would not last.
    ///
    /// # Errors
    /// Hosts on which one still is after `script::HOST_LOCK_TIMEOUT`.
    pub async fn wait_until_idle(&self) -> Result<(), HostErrors> {
        let timeout = script::HOST_LOCK_TIMEOUT.as_secs().to_string();
        let script = Script::of(sh!("lock/idle.sh")).call("kdiy_wait_until_idle", [timeout]);
        let limit = script::HOST_LOCK_TIMEOUT + Duration::from_secs(30);
        let all = self.busy.iter().map(|name| {
            let (connection, script) = (self.connections[name].as_ref(), &script);
            async move {
                let ended = ask_within(connection, script, User::Root, limit).await;
                ended.err().map(|host_error| (name.clone(), host_error))
            }
        });
        let host_errors: HostErrors = join_all(all).await.into_iter().flatten().collect();
        if host_errors.is_empty() {
            Ok(())
        } else {
            Err(host_errors)
        }
    }

    /// By which steps are guarded, and which says when hosts are lost.
    #[must_use]
    pub const fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Gives all hosts back. One that cannot be reached is free after
    /// [`EXPIRY`].
    pub async fn release(self) {
        // A beat that came after this would be told of a loss.
        let _ = self.end.send(true);
        let _ = self.renewal.await;
        give_back(&self.connections, self.hold.number()).await;
    }
}

async fn give_back<C: Connection>(connections: &BTreeMap<Name, Arc<C>>, number: &Number) {
    let script = scripts::release(number);
    let all = connections.values().map(|connection| {
        let script = &script;
        async move { ask(connection.as_ref(), script, User::Root).await }
    });
    for left in join_all(all).await {
        if let Err(host_error) = left {
            tracing::debug!(%host_error, "a host was not given back");
        }
    }
}

#[cfg(test)]
mod tests;
