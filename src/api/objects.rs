//! Single Secrets and ConfigMaps, such as bootstrap tokens and what kdiy keeps
//! in the cluster.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1 as core;
use kube::api::{Api, DeleteParams, GetParams, Patch, PatchParams, Preconditions};
use kube::{Resource, ResourceExt as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{During as _, unreadable};
use super::error::ErrorKind;
use super::{Client, Error, FIELD_MANAGER};

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A Secret; its values are left out of `Debug`.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Where it is.
    pub place: Place,
    /// Its type, such as `bootstrap.kubernetes.io/token`.
    pub kind: String,
    /// Its values by key, decoded.
    pub data: BTreeMap<String, SecretSlice<u8>>,
    /// The version that was read. Given to [`apply_secret`], another one is
    /// not overwritten; none overwrites whatever is there.
    pub version: Option<String>,
}

/// A ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigMap {
    /// Where it is.
    pub place: Place,
    /// Its texts by key.
    pub data: BTreeMap<String, String>,
    /// As [`Secret::version`].
    pub version: Option<String>,
}

/// Reads a Secret; none if there is no such one.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn secret(client: &Client, place: &Place) -> Result<Option<Secret>, Error> {
    let read: Option<core::Secret> = get(client, place).await?;
    Ok(read.map(|secret| {
        let data = secret.data.clone().unwrap_or_default().into_iter();
        Secret {
            place: place.clone(),
            version: secret.resource_version(),
            kind: secret.type_.unwrap_or_default(),
            data: data
                .map(|(key, ByteString(value))| (key, value.into()))
                .collect(),
        }
    }))
}

/// Makes or changes a Secret. Keys that kdiy had applied and that are not
/// named any more are removed; those of others stay.
///
/// # Errors
/// With 409 when the version is another one; when the cluster cannot be asked.
pub async fn apply_secret(client: &Client, secret: &Secret) -> Result<(), Error> {
    let value = |value: &SecretSlice<u8>| json!(ByteString(value.expose_secret().to_vec()));
    let data = secret
        .data
        .iter()
        .map(|(key, one)| (key.clone(), value(one)));
    let fields = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": secret.kind,
        "data": data.collect::<serde_json::Map<_, _>>(),
    });
    apply::<core::Secret>(client, &secret.place, secret.version.as_deref(), fields).await
}

/// Removes a Secret. One that is gone is no error.
///
/// # Errors
/// With 409 when `uid` is given and is another one; when the cluster cannot
/// be asked.
pub async fn delete_secret(client: &Client, place: &Place, uid: Option<&str>) -> Result<(), Error> {
    delete::<core::Secret>(client, place, uid).await
}

/// Reads a ConfigMap; none if there is no such one.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn config_map(client: &Client, place: &Place) -> Result<Option<ConfigMap>, Error> {
    let read: Option<core::ConfigMap> = get(client, place).await?;
    Ok(read.map(|map| ConfigMap {
        place: place.clone(),
        version: map.resource_version(),
        data: map.data.unwrap_or_default(),
    }))
}

/// Makes or changes a ConfigMap, as [`apply_secret`] does.
///
/// # Errors
/// As [`apply_secret`].
pub async fn apply_config_map(client: &Client, map: &ConfigMap) -> Result<(), Error> {
    let fields = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": map.data});
    apply::<core::ConfigMap>(client, &map.place, map.version.as_deref(), fields).await
}

/// Removes a ConfigMap, as [`delete_secret`] does.
///
/// # Errors
/// As [`delete_secret`].
pub async fn delete_config_map(
    client: &Client,
    place: &Place,
    uid: Option<&str>,
) -> Result<(), Error> {
    delete::<core::ConfigMap>(client, place, uid).await
}

/// kube's own `get` would log an answer that it cannot read.
async fn get<K>(client: &Client, place: &Place) -> Result<Option<K>, Error>
where
    K: DeserializeOwned + Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let action = || action::<K>("read", place);
    let path = K::url_path(&(), Some(&place.namespace));
    let request = kube::core::Request::new(path).get(&place.name, &GetParams::default());
    let request = request.map_err(|why| ErrorKind::Invalid(why.to_string()));
    let text = client.kube().request_text(request.during(action)?).await;
    match text.during(action) {
        Ok(text) => {
            let read = serde_json::from_str(&text).map_err(|why| unreadable(&why));
            read.map(Some).during(action)
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn apply<K>(
    client: &Client,
    place: &Place,
    version: Option<&str>,
    mut fields: Value,
) -> Result<(), Error>
where
    K: Clone + DeserializeOwned + Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let action = || action::<K>("apply", place);
    fields["metadata"] = json!({"namespace": place.namespace, "name": place.name});
    if let Some(version) = version {
        fields["metadata"]["resourceVersion"] = json!(version);
    }
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let path = K::url_path(&(), Some(&place.namespace));
    let request = kube::core::Request::new(path);
    let request = request.patch(&place.name, &params, &Patch::Apply(fields));
    let request = request.map_err(|why| ErrorKind::Invalid(why.to_string()));
    let applied = client.kube().request_text(request.during(action)?).await;
    applied.map(drop).during(action)
}

async fn delete<K>(client: &Client, place: &Place, uid: Option<&str>) -> Result<(), Error>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let params = DeleteParams {
        preconditions: uid.map(|uid| Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    let api: Api<K> = Api::namespaced(client.kube(), &place.namespace);
    let deleted = api.delete(&place.name, &params).await;
    match deleted.during(|| action::<K>("delete", place)) {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted.map(drop),
    }
}

fn action<K: Resource<DynamicType = ()>>(verb: &str, place: &Place) -> String {
    let Place { namespace, name } = place;
    format!("{verb} {} {namespace}/{name}", K::kind(&()))
}
