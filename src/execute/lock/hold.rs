//! Whether a run still has its hosts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::scripts::{self, Number};
use super::{EXPIRY, Holder};
use crate::cluster::Name;
use crate::shell::Script;

/// Why a run does not have its hosts any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockLoss {
    /// Another has a host.
    #[error("{host} was taken by another kdiy: {holder}")]
    Taken {
        /// The first that said so.
        host: Name,
        /// Who has it.
        holder: Box<Holder>,
    },
    /// Another has it, or had it and gave it back.
    #[error("{host} is not this run's any more: another kdiy has taken it meanwhile")]
    NotOurs {
        /// The first that said so.
        host: Name,
    },
    /// This process did nothing for longer than an owner may be silent.
    #[error(
        "kdiy stood still for {} s, as when a laptop sleeps: another kdiy may have had the hosts \
         meanwhile", .0.as_secs()
    )]
    StoodStill(Duration),
}

/// A run's hold on its hosts. Clones are the same.
#[derive(Clone)]
pub struct Hold {
    number: Number,
    /// The boot in which each host was taken.
    boots: Arc<BTreeMap<Name, String>>,
    loss: Arc<watch::Sender<Option<LockLoss>>>,
    clock: Arc<Clock>,
}

impl Hold {
    /// On hosts that were just taken, each with its boot then.
    #[must_use]
    pub fn new(number: Number, boots: BTreeMap<Name, String>) -> Self {
        Self::by(number, boots, Clock::of(Box::new(Reading::now)))
    }

    pub(super) fn by(number: Number, boots: BTreeMap<Name, String>, clock: Clock) -> Self {
        Self {
            number,
            boots: Arc::new(boots),
            loss: Arc::new(watch::channel(None).0),
            clock: Arc::new(clock),
        }
    }

    pub(super) const fn number(&self) -> &Number {
        &self.number
    }

    /// The boot in which a host was taken.
    pub(super) fn boot(&self, host: &Name) -> &str {
        self.boots.get(host).map_or("", String::as_str)
    }

    /// What a script begins with that changes a host: it goes no further where
    /// the run does not have the host any more, and ends with
    /// [`super::LOCK_LOST`].
    #[must_use]
    pub fn guard(&self, host: &Name) -> Script {
        scripts::guard(&self.number, self.boot(host))
    }

    /// Why the hosts are lost, when they are. To be asked before everything
    /// that changes something: a process that stood still learns it here first.
    #[must_use]
    pub fn loss(&self) -> Option<LockLoss> {
        if let Some(gap) = self.clock.look() {
            self.lose(LockLoss::StoodStill(gap));
        }
        self.loss.borrow().clone()
    }

    /// The hosts are lost. The first reason counts.
    pub fn lose(&self, why: LockLoss) {
        self.loss.send_if_modified(|loss| {
            let first = loss.is_none();
            if first {
                *loss = Some(why);
            }
            first
        });
    }

    /// Has the reason once the hosts are lost.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<LockLoss>> {
        self.loss.subscribe()
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").finish_non_exhaustive()
    }
}

/// Both clocks at one moment. A machine that sleeps stops the second one; a
/// process that is stopped sees both go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) wall: SystemTime,
    pub(super) steady: Instant,
}

impl Reading {
    fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            steady: Instant::now(),
        }
    }

    /// The longer of both times. A wall clock that is set back says nothing.
    fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.steady.duration_since(earlier.steady))
    }
}

/// Notices when nobody looked at it for too long.
pub(super) struct Clock {
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    last: Mutex<Reading>,
}

impl Clock {
    pub(super) fn of(read: Box<dyn Fn() -> Reading + Send + Sync>) -> Self {
        let last = Mutex::new(read());
        Self { read, last }
    }

    /// How long nobody looked, where that is longer than an owner may be
    /// silent. It stays so for all who look later.
    fn look(&self) -> Option<Duration> {
        let now = (self.read)();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = now.since(*last);
        if gap > EXPIRY {
            return Some(gap);
        }
        *last = now;
        None
    }
}
