//! Ctrl-C, and SIGTERM, which asks for the same.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{CliError, Exit};
use crate::ui::Ui;

/// How often somebody wanted kdiy to end.
#[derive(Debug, Clone)]
pub struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Counts from now on; neither signal ends the process any more. Within a
    /// runtime.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen() -> io::Result<Self> {
        let (count, counted) = watch::channel(0);
        let mut presses = signal(SignalKind::interrupt())?;
        let mut ends = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = presses.recv() => {}
                    _ = ends.recv() => {}
                }
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(counted))
    }

    /// Comes once there were so many.
    pub async fn wait_for(&self, times: u32) {
        let mut count = self.0.clone();
        if count.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending().await
        }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        *self.0.borrow()
    }

    /// Does something that may be given up at any moment; `left` says what
    /// that comes to. A question that is open then stays unanswered.
    ///
    /// # Errors
    /// When it is given up.
    pub async fn unless<T>(
        &self,
        ui: &Ui,
        left: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, CliError> {
        tokio::select! {
            // Work that takes the signal for itself has the last word.
            biased;
            ended = work => Ok(ended),
            () = self.wait_for(1) => {
                ui.abandon();
                Err(CliError::message(Exit::Interrupted, left))
            }
        }
    }
}
