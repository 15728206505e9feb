//! Server-side apply.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, Patch, PatchParams};

use super::difference::is_same;
use super::kinds::Kinds;
use super::{Manifest, Object};
use crate::api::client::{During as _, error_kind};
use crate::api::error::ErrorKind;
use crate::api::watch::{Objects, Wait, until};
use crate::api::{Client, Error, FIELD_MANAGER};

/// How long the API may take to serve a kind after its definition was made.
const ESTABLISHED: Duration = Duration::from_secs(60);

/// What came of applying an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The object.
    pub object: Object,
    /// What was done.
    pub verb: Verb,
}

/// What was done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It was made.
    Created,
    /// It was changed.
    Changed,
    /// It was so already.
    Unchanged,
}

/// What is done about fields that somebody else manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// The object is left alone, and the error names them.
    Fail,
    /// kdiy takes them over.
    Force,
}

/// A field that somebody else manages and that should become another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Path of the field, such as `.spec.replicas`.
    pub field: String,
    /// Who manages it, such as `kubectl-edit`, in the API server's words if
    /// they are others than kdiy knows.
    pub manager: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is managed by {}", self.field, self.manager)
    }
}

/// Applies objects: namespaces and definitions of kinds first, which are
/// waited for until the API serves them, then the others in their order.
/// Returns what was done, in the order in which it was done.
///
/// # Errors
/// When the API does not serve a kind, refuses an object, or fields are
/// managed by others. What was applied before stays.
pub async fn apply(
    client: &Client,
    manifests: &[Manifest],
    conflicts: Conflicts,
) -> Result<Vec<Applied>, Error> {
    let mut kinds = Kinds::new(client);
    let mut applied = Vec::new();
    let (first, rest): (Vec<_>, Vec<_>) = manifests.iter().partition(|one| one.comes_first());
    for manifest in &first {
        applied.push(one(&mut kinds, manifest, Duration::ZERO, conflicts).await?);
    }
    let definitions = first.iter().filter(|manifest| manifest.is_definition());
    let definitions: Vec<_> = definitions.map(|one| one.object.name.as_str()).collect();
    established(client, &definitions).await?;
    // The API serves a kind a moment after it says that it is established.
    let limit = if definitions.is_empty() {
        Duration::ZERO
    } else {
        ESTABLISHED
    };
    for manifest in rest {
        applied.push(one(&mut kinds, manifest, limit, conflicts).await?);
    }
    Ok(applied)
}

async fn one(
    kinds: &mut Kinds<'_>,
    manifest: &Manifest,
    limit: Duration,
    conflicts: Conflicts,
) -> Result<Applied, Error> {
    let object = &manifest.object;
    let action = || format!("apply {object}");
    let api = kinds.must(object, limit).await?;
    let before = api.get_opt(&object.name).await.during(action)?;
    let after = send(&api, manifest, conflicts, false)
        .await
        .during(action)?;
    let verb = match before {
        None => Verb::Created,
        // The version alone would not do: a Namespace that is applied for the
        // second time gets a new one, though only its managers change.
        Some(before) if is_same(&before, &after).during(action)? => Verb::Unchanged,
        Some(_) => Verb::Changed,
    };
    let object = object.clone();
    Ok(Applied { object, verb })
}

/// Has the API server apply an object, or only tell what would come of it.
pub(super) async fn send(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    conflicts: Conflicts,
    dry_run: bool,
) -> Result<DynamicObject, ErrorKind> {
    let params = PatchParams {
        dry_run,
        force: conflicts == Conflicts::Force,
        ..PatchParams::apply(FIELD_MANAGER).validation_strict()
    };
    let patch = Patch::Apply(&manifest.value);
    let sent = api.patch(&manifest.object.name, &params, &patch).await;
    sent.map_err(|error| match error_kind(error) {
        ErrorKind::Status(status) if status.has_cause("FieldManagerConflict") => {
            let causes = status.causes.into_iter();
            ErrorKind::Conflicts(
                causes
                    .map(|cause| conflict(cause.field, &cause.message))
                    .collect(),
            )
        }
        kind => kind,
    })
}

/// The message is `conflict with "MANAGER" using v1` or without the version.
fn conflict(field: String, message: &str) -> Conflict {
    let quoted = message.strip_prefix("conflict with \"");
    let manager = quoted.and_then(|rest| rest.split('"').next());
    Conflict {
        field,
        manager: manager.unwrap_or(message).to_owned(),
    }
}

/// Waits until the API has taken on definitions of kinds.
async fn established(client: &Client, names: &[&str]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let api: Api<CustomResourceDefinition> = Api::all(client.kube());
    let wait = Wait {
        fields: None,
        limit: ESTABLISHED,
        action: "wait for the definitions of kinds to be established",
    };
    until(&api, &wait, |all: &Objects<CustomResourceDefinition>| {
        let is = |name: &str| {
            all.values()
                .any(|one| one.name_any() == name && is_established(one))
        };
        let missing: Vec<_> = names.iter().filter(|name| !is(name)).collect();
        if missing.is_empty() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(missing.iter().map(ToString::to_string).collect())
        }
    })
    .await
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    { conditions }.any(|one| one.type_ == "Established" && one.status == "True")
}

impl Manifest {
    pub(super) fn is_definition(&self) -> bool {
        self.object.kind == "CustomResourceDefinition"
    }

    fn comes_first(&self) -> bool {
        self.is_definition() || self.object.kind == "Namespace"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_manager_is_named() {
        for (message, manager) in [
            (
                "conflict with \"kubectl-edit\" using apps/v1",
                "kubectl-edit",
            ),
            ("conflict with \"helm\"", "helm"),
            ("something new", "something new"),
        ] {
            let conflict = conflict(".spec.replicas".to_owned(), message);
            assert_eq!(conflict.manager, manager);
        }
    }
}
