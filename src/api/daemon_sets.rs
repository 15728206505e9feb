//! DaemonSets whose pods start anew.

use std::ops::ControlFlow;
use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::client::During as _;
use super::objects::Place;
use super::watch::{Wait, until};
use super::{Client, Error};

/// Restarts all pods of a DaemonSet, as `kubectl rollout restart` does, at its
/// own pace, and waits until all are there. `now` is an RFC 3339 time.
///
/// # Errors
/// When there is no such DaemonSet, its pods are not there in time, or the
/// cluster cannot be asked.
pub async fn restart(
    client: &Client,
    place: &Place,
    now: &str,
    limit: Duration,
    tell: &(dyn Fn(String) + Sync),
) -> Result<(), Error> {
    let Place { namespace, name } = place;
    let api: Api<DaemonSet> = Api::namespaced(client.kube().clone(), namespace);
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": now});
    let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    let params = PatchParams::default();
    let patched = api.patch(name, &params, &Patch::Strategic(patch)).await;
    let patched = patched.during(|| format!("restart the pods of {namespace}/{name}"))?;
    let generation = patched.metadata.generation.unwrap_or_default();
    let fields = format!("metadata.name={name}");
    let wait = Wait {
        fields: Some(&fields),
        limit,
        action: "wait for the pods that were restarted",
    };
    let mut told = String::new();
    until(&api, &wait, |all| {
        let own = all.values().find(|set| set.name_any() == *name);
        let Some(missing) = missing(own, generation) else {
            return ControlFlow::Break(());
        };
        let line = format!("{namespace}/{name}: {missing}");
        if line != told {
            tell(format!("waiting for {line}"));
            told.clone_from(&line);
        }
        ControlFlow::Continue(vec![line])
    })
    .await
}

/// What is missing until all pods are of this generation and ready.
fn missing(set: Option<&DaemonSet>, generation: i64) -> Option<String> {
    let Some(set) = set else {
        return Some("it is gone".to_owned());
    };
    let Some(status) = &set.status else {
        return Some("its controller has not seen it yet".to_owned());
    };
    if status.observed_generation.unwrap_or_default() < generation {
        return Some("its controller has not seen the change yet".to_owned());
    }
    let all = status.desired_number_scheduled;
    let new = status.updated_number_scheduled.unwrap_or_default();
    let ready = status.number_available.unwrap_or_default();
    (new < all || ready < all).then(|| format!("{new} of {all} pods are new, {ready} are ready"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::apps::v1::DaemonSetStatus;

    #[test]
    fn pods_are_there_when_all_are_new_and_ready() {
        let set = |observed, new, ready| DaemonSet {
            status: Some(DaemonSetStatus {
                observed_generation: Some(observed),
                desired_number_scheduled: 3,
                updated_number_scheduled: Some(new),
                number_available: Some(ready),
                ..DaemonSetStatus::default()
            }),
            ..DaemonSet::default()
        };
        let said = |observed, new, ready| missing(Some(&set(observed, new, ready)), 2);
        assert_eq!(said(2, 3, 3), None);
        assert_eq!(said(2, 2, 3).unwrap(), "2 of 3 pods are new, 3 are ready");
        assert_eq!(said(2, 3, 1).unwrap(), "3 of 3 pods are new, 1 are ready");
        assert!(said(1, 3, 3).unwrap().contains("not seen"), "an old status");
        assert!(missing(None, 1).is_some());
        assert!(missing(Some(&DaemonSet::default()), 1).is_some());
    }
}
