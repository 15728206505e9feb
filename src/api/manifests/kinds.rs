//! Which resource of the API a kind of object is.

use std::collections::HashMap;
use std::time::Duration;

use kube::api::{Api, DynamicObject};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Scope, pinned_kind};
use tokio::time::{Instant, sleep};

use super::Object;
use crate::api::client::During as _;
use crate::api::{Client, Error, ErrorKind};

/// Where objects of a namespaced kind go that name none, as with kubectl.
const DEFAULT_NAMESPACE: &str = "default";

/// How often a kind that is about to be served is looked for.
const PAUSE: Duration = Duration::from_millis(250);

/// Kinds that were asked for.
pub(super) struct Kinds<'a> {
    client: &'a Client,
    known: HashMap<GroupVersionKind, (ApiResource, Scope)>,
}

impl<'a> Kinds<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self {
            client,
            known: HashMap::new(),
        }
    }

    /// The resource of an object; none when the API does not serve its kind.
    /// A kind whose definition was just made may take until the limit.
    pub(super) async fn of(
        &mut self,
        object: &Object,
        limit: Duration,
    ) -> Result<Option<Api<DynamicObject>>, Error> {
        let (group, version) = match object.api_version.split_once('/') {
            Some(parts) => parts,
            None => ("", object.api_version.as_str()),
        };
        let kind = GroupVersionKind::gvk(group, version, &object.kind);
        let begun = Instant::now();
        while !self.known.contains_key(&kind) {
            match pinned_kind(&self.client.kube(), &kind).await {
                Ok((resource, capabilities)) => {
                    let found = (resource, capabilities.scope);
                    self.known.insert(kind.clone(), found);
                }
                Err(error) if !is_missing(&error) => {
                    return Err(error).during(|| format!("look up the kind {kind:?}"));
                }
                Err(_) if begun.elapsed() >= limit => return Ok(None),
                Err(_) => sleep(PAUSE).await,
            }
        }
        let (resource, scope) = &self.known[&kind];
        let kube = self.client.kube();
        Ok(Some(match scope {
            Scope::Cluster => Api::all_with(kube, resource),
            Scope::Namespaced => {
                let namespace = object.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
                Api::namespaced_with(kube, namespace, resource)
            }
        }))
    }

    /// The same where the kind has to be there.
    pub(super) async fn must(
        &mut self,
        object: &Object,
        limit: Duration,
    ) -> Result<Api<DynamicObject>, Error> {
        let api = self.of(object, limit).await?;
        let Object {
            api_version, kind, ..
        } = object;
        let unknown =
            || ErrorKind::Invalid(format!("the API does not serve {kind} of {api_version}"));
        api.ok_or_else(unknown).during(|| format!("apply {object}"))
    }
}

fn is_missing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Discovery(_) => true,
        kube::Error::Api(status) => status.code == 404,
        _ => false,
    }
}
