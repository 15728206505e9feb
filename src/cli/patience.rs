//! A word in every long silence: whoever waits shall know what for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ui::Ui;

/// How long nothing is said until it is said what is waited for.
const SILENCE: Duration = Duration::from_secs(10);

/// When something was last said.
#[derive(Debug)]
pub struct Silence(Mutex<Instant>);

impl Silence {
    /// It begins now.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Something was said.
    pub fn broken(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn since(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for work to end, with a remark in each long silence; `what` says what
/// is waited for, as `an answer of cp-1`.
pub async fn wait<T>(
    ui: &Ui,
    silence: &Silence,
    what: impl Fn() -> String,
    work: impl Future<Output = T>,
) -> T {
    let began = Instant::now();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = tokio::time::sleep_until(silence.since() + SILENCE) => {}
        }
        if silence.since().elapsed() >= SILENCE {
            silence.broken();
            let waited = began.elapsed().as_secs();
            ui.note(&format!("still waiting after {waited} s for {}", what()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Verbosity;

    async fn told(verbosity: Verbosity) -> String {
        let (ui, _, err) = Ui::memory(verbosity);
        let silence = Silence::new();
        let work = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            silence.broken();
            tokio::time::sleep(Duration::from_secs(25)).await;
        };
        wait(&ui, &silence, || "an answer of cp-1".to_owned(), work).await;
        err()
    }

    #[tokio::test(start_paused = true)]
    async fn each_silence_of_ten_seconds_is_broken() {
        let wanted = "still waiting after 17 s for an answer of cp-1\n\
                      still waiting after 27 s for an answer of cp-1\n";
        assert_eq!(told(Verbosity::Normal).await, wanted);
        assert_eq!(told(Verbosity::Quiet).await, "");
    }
}
