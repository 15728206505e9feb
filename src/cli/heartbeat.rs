//! A word in every long silence: whoever waits shall know what for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::ui::Ui;
use crate::ui::text::sign_of_life;

/// When something was last said, and how often since then nothing was but what
/// is waited for.
#[derive(Debug)]
pub struct Heartbeat(Mutex<(Instant, usize)>);

impl Heartbeat {
    /// It begins now.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }

    /// Something was said.
    pub fn reset(&self) {
        *self.last() = (Instant::now(), 0);
    }

    /// When it is to be said what is waited for, if nothing else is.
    fn until(&self) -> Instant {
        let (since, waits) = *self.last();
        since + sign_of_life(waits)
    }

    fn last(&self) -> MutexGuard<'_, (Instant, usize)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for work to end, with a remark in each long silence; `what` says what
/// is waited for, as `an answer of cp-1`.
pub async fn wait<T>(
    ui: &Ui,
    heartbeat: &Heartbeat,
    what: impl Fn() -> String,
    work: impl Future<Output = T>,
) -> T {
    let began = Instant::now();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = tokio::time::sleep_until(heartbeat.until()) => {}
        }
        if heartbeat.until() <= Instant::now() {
            let waits = heartbeat.last().1 + 1;
            *heartbeat.last() = (Instant::now(), waits);
            let waited = began.elapsed().as_secs();
            ui.note(&format!("still waiting after {waited} s for {}", what()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Verbosity;
    use std::time::Duration;

    async fn told(verbosity: Verbosity) -> String {
        let (ui, _, err) = Ui::memory(verbosity);
        let heartbeat = Heartbeat::new();
        let work = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            heartbeat.reset();
            tokio::time::sleep(Duration::from_secs(35)).await;
        };
        wait(&ui, &heartbeat, || "an answer of cp-1".to_owned(), work).await;
        err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_silence_is_broken_and_again_after_a_longer_one() {
        let wanted = "still waiting after 17 s for an answer of cp-1\n\
                      still waiting after 37 s for an answer of cp-1\n";
        assert_eq!(told(Verbosity::Normal).await, wanted);
        assert_eq!(told(Verbosity::Quiet).await, "");
    }
}
