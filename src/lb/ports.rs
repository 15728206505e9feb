//! Ports for servers of tests.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port of 127.0.0.1 that nothing listens at, and that no other test gets.
///
/// It is below those that Linux gives to connections (32768 to 60999 unless
/// told otherwise): one of these may be taken by anybody between the moment it
/// was seen free and the moment a server wants it.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test processes side by side start apart.
    let start = std::process::id().wrapping_mul(251);
    let taken = || NEXT.fetch_add(1, Ordering::Relaxed);
    let ports = std::iter::repeat_with(taken).take(COUNT as usize);
    let mut ports = ports.map(|next| FIRST + start.wrapping_add(next) % COUNT);
    let free = ports.find_map(|port| {
        let port = u16::try_from(port).ok()?;
        TcpListener::bind(("127.0.0.1", port))
            .is_ok()
            .then_some(port)
    });
    free.expect("one of 12000 ports is free")
}
