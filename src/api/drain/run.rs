//! The drain itself.

use std::collections::BTreeSet;
use std::future::ready;
use std::ops::ControlFlow;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1 as core;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Event, Inspection, Options, sort, would_lose};
use crate::api::error::ErrorKind;
use crate::api::pods::{self, Eviction, Pod, evict};
use crate::api::watch::{Objects, Wait, until};
use crate::api::{Client, Error};

/// The longest wait that an API server's wish gets.
const LONGEST_WISH: Duration = Duration::from_secs(30);

/// The uids of the pods on a node; none before it was looked at.
type Present = Option<BTreeSet<String>>;

/// Empties a node: evicts what can go, and waits until it is gone, each pod
/// by its uid. Pods of DaemonSets and static pods stay. The node is to be
/// cordoned before; what comes to it in between is not waited for. Returns
/// what went and what stayed.
///
/// # Errors
/// Before anything is evicted when pods would lose something that the options
/// do not give up. Later when a budget holds a pod for too long, a pod does
/// not end in time, or the cluster cannot be asked; the other pods are waited
/// for first, and all that went wrong is told together.
pub async fn drain(
    client: &Client,
    node: &str,
    options: &Options,
    on_event: &(dyn Fn(Event) + Sync),
) -> Result<Inspection, Error> {
    let inspection = sort(pods::of_node(client, node).await?, options);
    if !inspection.at_risk.is_empty() {
        return Err(would_lose(node, &inspection.at_risk));
    }
    if inspection.evicted.is_empty() {
        return Ok(inspection);
    }
    let (present, seen) = watch::channel(Present::None);
    // Made before: a stream's closure over borrowed pods is not Send.
    let evictions: Vec<_> = { inspection.evicted.iter() }
        .map(|pod| one(client, pod, options, seen.clone(), on_event))
        .collect();
    let evictions = stream::iter(evictions)
        .buffer_unordered(options.at_once.max(1))
        // An async closure here crashes rustc 1.95 in incremental builds.
        .filter_map(|ended| ready(ended.err()))
        .collect::<Vec<_>>();
    let failed = tokio::select! {
        failed = evictions => failed,
        error = look(client, node, &present) => vec![error],
    };
    match joined(node, failed) {
        Some(error) => Err(error),
        None => Ok(inspection),
    }
}

/// Keeps track of which pods are there; ends only with an error.
async fn look(client: &Client, node: &str, present: &watch::Sender<Present>) -> Error {
    let fields = pods::selector(node);
    let action = format!("watch the pods of node {node}");
    let wait = Wait {
        fields: Some(&fields),
        // Each pod has limits of its own.
        limit: Duration::MAX,
        action: &action,
    };
    let show = |pods: &Objects<core::Pod>| {
        present.send_replace(Some(pods.keys().cloned().collect()));
        ControlFlow::Continue(Vec::new())
    };
    match until::<_, std::convert::Infallible>(&pods::all(client), &wait, show).await {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// Evicts one pod and waits until it is gone.
async fn one(
    client: &Client,
    pod: &Pod,
    options: &Options,
    mut seen: watch::Receiver<Present>,
    on_event: &(dyn Fn(Event) + Sync),
) -> Result<(), Error> {
    let gone = |present: &Present| {
        present
            .as_ref()
            .is_some_and(|pods| !pods.contains(&pod.uid))
    };
    if !accepted(client, pod, options, on_event).await? {
        on_event(Event::Gone(pod.clone()));
        return Ok(());
    }
    on_event(Event::Evicted(pod.clone()));
    // Whoever looks is there as long as the evictions are.
    if timeout(options.gone, seen.wait_for(gone)).await.is_err() {
        return Err(Error {
            action: format!("wait for pod {pod} to be gone"),
            kind: ErrorKind::NotInTime {
                limit: options.gone,
                missing: vec!["its kubelet has not ended it".to_owned()],
            },
        });
    }
    on_event(Event::Gone(pod.clone()));
    Ok(())
}

/// Asks for an eviction until it is accepted, or the pod is gone. Asking again
/// does no harm: it is about one uid, and an eviction of a pod that is ending
/// changes nothing.
async fn accepted(
    client: &Client,
    pod: &Pod,
    options: &Options,
    on_event: &(dyn Fn(Event) + Sync),
) -> Result<bool, Error> {
    let begun = Instant::now();
    let mut last = None;
    loop {
        let asked = evict(client, pod, options.grace).await;
        let since = begun.elapsed();
        let (error, wish) = match asked {
            Ok(Eviction::Accepted) => return Ok(true),
            Ok(Eviction::Gone) => return Ok(false),
            Ok(Eviction::Held {
                budgets,
                message,
                retry_after,
            }) => {
                if last.as_ref() != Some(&budgets) {
                    on_event(Event::Held {
                        pod: pod.clone(),
                        budgets: budgets.clone(),
                        since,
                    });
                    last = Some(budgets.clone());
                }
                let kind = ErrorKind::Held {
                    budgets,
                    message,
                    since,
                };
                let action = format!("evict pod {pod}");
                (Error { action, kind }, retry_after)
            }
            Err(error) if error.kind.is_transient() || error.kind.has_status(409) => (error, None),
            Err(error) => return Err(error),
        };
        let wait = wish.map_or(options.every, |wish| wish.min(LONGEST_WISH));
        if since + wait > options.held {
            return Err(error);
        }
        sleep(wait).await;
    }
}

/// All that went wrong, as one error.
fn joined(node: &str, failed: Vec<Error>) -> Option<Error> {
    let mut failed = failed.into_iter();
    match (failed.next(), failed.len()) {
        (first, 0) => first,
        (first, _) => Some(Error {
            action: format!("drain node {node}"),
            kind: ErrorKind::Several(first.into_iter().chain(failed).collect()),
        }),
    }
}
