//! The beats of a run: each host is told again and again that its owner is
//! there, and is asked whether that is still us. One that hangs holds up its
//! own beats alone.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::holder::Beat;
use super::{Hold, LockLoss, RENEW_INTERVAL, scripts};
use crate::cluster::Name;
use crate::execute::survey::{Connections, ask};
use crate::transport::{Connection, User};

/// How often the clocks are looked at; also before everything that is changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Goes on until `ended`, after the beats that are under way then, or until
/// the hosts are lost.
pub(super) async fn renew<C: Connection>(
    hosts: Connections<C>,
    hold: Hold,
    owner: String,
    ended: watch::Receiver<bool>,
) {
    let beats = hosts.iter().map(|(name, connection)| {
        let rhythm = Rhythm::new(RENEW_INTERVAL, &hold, ended.clone());
        beats(name, connection, &hold, &owner, rhythm)
    });
    let looks = async {
        let mut rhythm = Rhythm::new(LOOK_INTERVAL, &hold, ended.clone());
        while rhythm.goes_on(&hold).await {}
    };
    tokio::join!(join_all(beats), looks);
}

async fn beats<C: Connection>(
    name: &Name,
    connection: &Arc<C>,
    hold: &Hold,
    owner: &str,
    mut rhythm: Rhythm,
) {
    let script = scripts::beat(hold.number(), hold.boot(name), owner);
    while rhythm.goes_on(hold).await {
        let answer = ask(connection.as_ref(), &script, User::Root).await;
        match answer.map(|answer| Beat::parse(&answer)) {
            Ok(Ok(Beat::Ours)) => {}
            Ok(Ok(Beat::Locked(holder))) => hold.lose(LockLoss::Taken {
                host: name.clone(),
                holder: Box::new(holder),
            }),
            Ok(Ok(Beat::Gone)) => hold.lose(LockLoss::NotOurs { host: name.clone() }),
            // It is there again at the next beat, or it is down.
            other => tracing::debug!(%name, ?other, "no beat"),
        }
    }
}

/// When something is due again.
struct Rhythm {
    interval: Interval,
    ended: watch::Receiver<bool>,
    loss: watch::Receiver<Option<LockLoss>>,
}

impl Rhythm {
    fn new(every: Duration, hold: &Hold, ended: watch::Receiver<bool>) -> Self {
        let start = tokio::time::Instant::now() + every;
        let mut interval = tokio::time::interval_at(start, every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let loss = hold.watch();
        Self {
            interval,
            ended,
            loss,
        }
    }

    /// Waits until it is due; `false` when it never will be.
    async fn goes_on(&mut self, hold: &Hold) -> bool {
        tokio::select! {
            biased;
            _ = self.ended.wait_for(|ended| *ended) => false,
            _ = self.loss.wait_for(Option::is_some) => false,
            _ = self.interval.tick() => hold.loss().is_none(),
        }
    }
}
