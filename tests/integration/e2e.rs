//! The program against real hosts: `make e2e`. Each test brings up a lab of its
//! own (tests/lab) and removes it at the end, unless `KDIY_KEEP_LAB` is set.
//! The binary is `KDIY_BIN`, by default the release build.

mod api;
mod borrowed;
pub mod cluster;
mod data;
mod demo;
mod external;
mod health;
pub mod kdiy;
mod killed;
mod kubeadm;
pub mod lab;
mod life;
mod local;
mod older;
mod options;
mod refusals;
mod setbacks;
mod snapshot;
mod upgrade;
mod vagrant;
mod vip;
mod writes;

use std::time::{Duration, Instant};

/// What looks like a bootstrap token, for `grep -E`.
const TOKEN: &str = "(^|[^a-z0-9])[a-z0-9]{6}\\.[a-z0-9]{16}([^a-z0-9]|$)";

/// A measured figure, for `--nocapture`.
#[expect(clippy::print_stderr, reason = "figures are for people")]
pub fn figure(name: &str, took: Duration) {
    eprintln!("{name}: {:.1} s", took.as_secs_f64());
}

/// Tries twice a second until something is so; what it took.
pub fn eventually<T>(
    what: &str,
    limit: Duration,
    mut attempt: impl FnMut() -> Result<T, String>,
) -> (T, Duration) {
    let began = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return (value, began.elapsed()),
            Err(why) => assert!(began.elapsed() < limit, "{what}: not so in time: {why}"),
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}
