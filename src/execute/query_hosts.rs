//! Asks machines of which no more is known than how to log in: one connection
//! and one exec for each, side by side.

use futures::StreamExt;

use super::survey::{HostError, ask};
use crate::cluster::{Login, Name};
use crate::shell::Script;
use crate::transport::{Connector, User};

/// What each machine answers to a script that only looks, in the same order.
pub async fn query_hosts<C: Connector>(
    connector: &C,
    machines: &[(Name, Login)],
    script: &Script,
    width: usize,
) -> Vec<Result<Vec<u8>, HostError>> {
    let answers = futures::stream::iter(machines).map(async |(name, login)| {
        let connection = connector.connect(name, login).await?;
        ask(&connection, script, User::Login).await
    });
    answers.buffered(width.max(1)).collect().await
}
