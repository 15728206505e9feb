//! Waiting until objects are as they shall be, by watch.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt as _;
use kube::ResourceExt as _;
use kube::api::{Api, WatchEvent, WatchParams};
use serde::de::DeserializeOwned;

use super::client::error_kind;
use super::error::{Error, ErrorKind};
use super::read::{Listed, list};

/// How long one watch lasts, in seconds, before it is begun anew.
const WATCH: u32 = 290;

/// The wait after a watch that broke, so that a server in trouble is not
/// asked in a loop.
const PAUSE: Duration = Duration::from_secs(1);

/// Objects by uid.
pub(super) type Objects<K> = BTreeMap<String, K>;

/// What is watched, and how long.
pub(super) struct Wait<'a> {
    /// A field selector, such as `spec.nodeName=w-1`.
    pub fields: Option<&'a str>,
    /// How long it may take.
    pub limit: Duration,
    /// What it is for, such as `wait for the nodes to be ready`.
    pub action: &'a str,
}

/// Shows all objects to `done` at first and after each change, until it
/// breaks. What it goes on with is a line for each thing that is missing,
/// which the error has if the time is over. Servers that fail for the moment
/// are waited for, too.
pub(super) async fn until<K, T>(
    api: &Api<K>,
    wait: &Wait<'_>,
    mut done: impl FnMut(&Objects<K>) -> ControlFlow<T, Vec<String>>,
) -> Result<T, Error>
where
    K: Clone + Debug + DeserializeOwned + kube::Resource,
{
    let mut missing = Vec::new();
    let mut trouble = None;
    let fail = |kind| Error {
        action: wait.action.to_owned(),
        kind,
    };
    let watching = async {
        loop {
            let mut show = |objects: &Objects<K>| {
                trouble = None;
                match done(objects) {
                    ControlFlow::Break(value) => Some(value),
                    ControlFlow::Continue(lines) => {
                        missing = lines;
                        None
                    }
                }
            };
            match watch(api, wait, &mut show).await {
                Ok(Some(value)) => return Ok(value),
                // The server has forgotten the state that was watched from.
                Ok(None) => {}
                Err(why) if why.is_transient() => trouble = Some(why),
                Err(why) => return Err(why),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(wait.limit, watching).await {
        Ok(ended) => ended.map_err(fail),
        Err(_) => {
            missing.extend(trouble.map(|why| why.to_string()));
            Err(fail(ErrorKind::NotInTime {
                limit: wait.limit,
                missing,
            }))
        }
    }
}

/// Lists, then watches from there; none when it has to be listed anew.
async fn watch<K, T>(
    api: &Api<K>,
    wait: &Wait<'_>,
    show: &mut impl FnMut(&Objects<K>) -> Option<T>,
) -> Result<Option<T>, ErrorKind>
where
    K: Clone + Debug + DeserializeOwned + kube::Resource,
{
    let listed = list(api, wait.fields, || wait.action.to_owned()).await;
    let Listed { items, mut version } = listed.map_err(|error| error.kind)?;
    let mut objects: Objects<K> = items.into_iter().map(entry).collect();
    if let Some(value) = show(&objects) {
        return Ok(Some(value));
    }
    let params = WatchParams {
        field_selector: wait.fields.map(str::to_owned),
        timeout: Some(WATCH),
        bookmarks: true,
        ..WatchParams::default()
    };
    loop {
        let events = api.watch(&params, &version).await.map_err(error_kind);
        let mut events = match events {
            Err(ErrorKind::Status(status)) if status.code == 410 => return Ok(None),
            events => pin!(events?),
        };
        let before = version.clone();
        while let Some(event) = events.try_next().await.map_err(broken)? {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    version = object.resource_version().unwrap_or(version);
                    objects.extend([entry(object)]);
                }
                WatchEvent::Deleted(object) => {
                    version = object.resource_version().unwrap_or(version);
                    objects.remove(&entry(object).0);
                }
                WatchEvent::Bookmark(mark) => {
                    version = mark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Error(status) if status.code == 410 => return Ok(None),
                WatchEvent::Error(status) => {
                    return Err(error_kind(kube::Error::Api(status)));
                }
            }
            if let Some(value) = show(&objects) {
                return Ok(Some(value));
            }
        }
        if version == before {
            // One that ends without a word may end so again.
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn entry<K: kube::Resource>(object: K) -> (String, K) {
    (object.uid().unwrap_or_default(), object)
}

/// A watch that breaks off is begun anew, whatever broke it.
fn broken(error: kube::Error) -> ErrorKind {
    match error_kind(error) {
        ErrorKind::Invalid(why) => ErrorKind::WatchBroken(why),
        kind => kind,
    }
}
