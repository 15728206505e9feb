//! Reading lists page by page, and changing one object without overwriting
//! what others change.

use std::fmt::Debug;
use std::time::Duration;

use kube::api::{Api, ListParams, ObjectList, Patch, PatchParams};
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::FIELD_MANAGER;
use super::client::During as _;
use super::error::{Error, ErrorKind};

/// Objects of one page.
const PAGE: u32 = 500;

/// How often a list is begun anew because the server has forgotten its state.
const LISTS: u32 = 3;

/// How often a change is tried while others change the object too.
const CHANGES: u32 = 6;

/// The wait before another such try.
const CONTENTION: Duration = Duration::from_millis(100);

/// A whole list, and the version of the cluster's state that it shows.
pub(super) struct Listed<K> {
    pub items: Vec<K>,
    pub version: String,
}

/// Reads a whole list, page by page.
pub(super) async fn list<K>(
    api: &Api<K>,
    fields: Option<&str>,
    action: impl Fn() -> String,
) -> Result<Listed<K>, Error>
where
    K: Clone + Debug + DeserializeOwned,
{
    for attempt in 1.. {
        match pages(api, fields).await {
            // Reading took longer than the server keeps the state it began with.
            Err(kube::Error::Api(status)) if status.code == 410 && attempt < LISTS => {}
            listed => return listed.during(action),
        }
    }
    unreachable!("the last attempt returns")
}

async fn pages<K>(api: &Api<K>, fields: Option<&str>) -> kube::Result<Listed<K>>
where
    K: Clone + Debug + DeserializeOwned,
{
    let mut params = ListParams::default().limit(PAGE);
    params.field_selector = fields.map(str::to_owned);
    let mut items = Vec::new();
    loop {
        let ObjectList {
            metadata,
            items: page,
            ..
        } = api.list(&params).await?;
        items.extend(page);
        match metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => {
                let version = metadata.resource_version.unwrap_or_default();
                return Ok(Listed { items, version });
            }
        }
    }
}

/// Reads an object and writes what `patch` makes of it, a JSON merge patch,
/// on the condition that nobody has changed it in between; else again. No
/// patch is no change. What the object is after that.
pub(super) async fn change<K>(
    api: &Api<K>,
    name: &str,
    uid: Option<&str>,
    action: impl Fn() -> String,
    patch: impl Fn(&K) -> Result<Option<Value>, ErrorKind>,
) -> Result<K, Error>
where
    K: Clone + Debug + DeserializeOwned + Resource,
{
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    for attempt in 1..=CHANGES {
        let object = api.get(name).await.during(&action)?;
        if uid.is_some() && object.uid().as_deref() != uid {
            return Err(ErrorKind::Replaced(name.to_owned())).during(action);
        }
        let Some(mut patch) = patch(&object).during(&action)? else {
            return Ok(object);
        };
        patch["metadata"]["resourceVersion"] = json!(object.resource_version());
        match api.patch(name, &params, &Patch::Merge(patch)).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            patched => return patched.during(action),
        }
        tokio::time::sleep(CONTENTION * attempt).await;
    }
    Err(ErrorKind::Contended(CHANGES)).during(action)
}
