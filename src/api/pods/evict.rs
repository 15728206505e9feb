//! One eviction, and the budgets that may hold it.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1 as policy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, ObjectMeta, Preconditions};
use kube::ResourceExt as _;
use kube::api::{Api, PostParams};
use kube::core::{Selector, SelectorExt as _};

use super::Pod;
use crate::api::client::During as _;
use crate::api::error::{ErrorKind, Status};
use crate::api::read::list;
use crate::api::{Client, Error};

/// Why an eviction is refused (`policyv1.DisruptionBudgetCause`).
const BUDGET: &str = "DisruptionBudget";

/// Why nothing can be made in a namespace that is being deleted
/// (`corev1.NamespaceTerminatingCause`).
const TERMINATING: &str = "NamespaceTerminating";

/// What came of asking for an eviction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eviction {
    /// The pod is being deleted: it ends within its grace period.
    Accepted,
    /// The pod is not there any more; one of the same name may be.
    Gone,
    /// A disruption budget does not allow it now.
    Held {
        /// The budgets that select the pod and allow no disruption; empty if
        /// they changed in between.
        budgets: Vec<Budget>,
        /// What the API server said.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
}

/// A PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its name; its namespace is the pod's.
    pub name: String,
    /// How many pods must stay healthy.
    pub desired_healthy: i32,
    /// How many are.
    pub current_healthy: i32,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            desired_healthy: desired,
            current_healthy: current,
        } = self;
        write!(
            f,
            "budget {name} ({current} healthy of {desired} that must be)"
        )
    }
}

/// Asks for the eviction of a pod, of none but the one with its uid. How long
/// the pod may take to end is its own business, unless `grace` says so.
///
/// # Errors
/// When the API server refuses for another reason than a budget, as it does
/// for a pod that two budgets select, or cannot be asked.
pub async fn evict(client: &Client, pod: &Pod, grace: Option<Duration>) -> Result<Eviction, Error> {
    attempt(client, pod, grace, false).await
}

/// Asks whether a pod could be evicted now, and changes nothing.
///
/// # Errors
/// As [`evict`].
pub async fn would_evict(client: &Client, pod: &Pod) -> Result<Eviction, Error> {
    attempt(client, pod, None, true).await
}

async fn attempt(
    client: &Client,
    pod: &Pod,
    grace: Option<Duration>,
    dry_run: bool,
) -> Result<Eviction, Error> {
    let seconds = |grace: Duration| i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
    // kube's own `evict` (5.0) sends `delete_options`, which the API ignores:
    // it would evict whatever has the name.
    let eviction = policy::Eviction {
        delete_options: Some(DeleteOptions {
            dry_run: dry_run.then(|| vec!["All".to_owned()]),
            grace_period_seconds: grace.map(seconds),
            preconditions: Some(Preconditions {
                uid: Some(pod.uid.clone()),
                resource_version: None,
            }),
            ..DeleteOptions::default()
        }),
        metadata: ObjectMeta {
            name: Some(pod.name.clone()),
            namespace: Some(pod.namespace.clone()),
            ..ObjectMeta::default()
        },
    };
    let params = PostParams {
        dry_run,
        field_manager: None,
    };
    let api: Api<core::Pod> = Api::namespaced(client.kube(), &pod.namespace);
    let asked = api.create_subresource("eviction", &pod.name, &params, &eviction);
    let asked: kube::Result<kube::core::Status> = asked.await;
    let error = match asked.during(|| format!("evict pod {pod}")) {
        Ok(_) => return Ok(Eviction::Accepted),
        Err(error) => error,
    };
    let ErrorKind::Status(status) = &error.kind else {
        return Err(error);
    };
    let held = status.code == 429 && is_held(status);
    // The API server asks the budgets before it compares the uid, and answers
    // 409 for other conflicts, too.
    if (held || status.code == 409) && !is_there(&api, pod).await? {
        return Ok(Eviction::Gone);
    }
    match status.code {
        404 => Ok(Eviction::Gone),
        403 if status.has_cause(TERMINATING) => Ok(Eviction::Accepted),
        429 if held => Ok(Eviction::Held {
            budgets: holding(client, pod).await?,
            message: status.message.clone(),
            retry_after: status.retry_after,
        }),
        _ => Err(error),
    }
}

/// Whether the pod with this uid is still there.
async fn is_there(api: &Api<core::Pod>, pod: &Pod) -> Result<bool, Error> {
    let now = api.get_opt(&pod.name).await;
    let now = now.during(|| format!("read pod {pod}"))?;
    Ok(now.and_then(|now| now.uid()).as_deref() == Some(pod.uid.as_str()))
}

/// A server with too much to do says 429 too, but gives no such cause.
fn is_held(status: &Status) -> bool {
    status.has_cause(BUDGET) || status.message.contains("disruption budget")
}

/// The budgets that hold a pod.
async fn holding(client: &Client, pod: &Pod) -> Result<Vec<Budget>, Error> {
    let api: Api<policy::PodDisruptionBudget> = Api::namespaced(client.kube(), &pod.namespace);
    let action = || format!("list the disruption budgets of namespace {}", pod.namespace);
    let all = list(&api, None, action).await?;
    let held = |budget: &&policy::PodDisruptionBudget| {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.clone());
        let selector = selector.and_then(|selector| Selector::try_from(selector).ok());
        let status = budget.status.as_ref();
        // A budget without a selector selects nothing, an empty one everything.
        selector.is_some_and(|selector| selector.matches(&pod.labels))
            && status.is_none_or(|status| status.disruptions_allowed <= 0)
    };
    let budget = |budget: &policy::PodDisruptionBudget| Budget {
        name: budget.name_any(),
        desired_healthy: budget
            .status
            .as_ref()
            .map_or(0, |status| status.desired_healthy),
        current_healthy: budget
            .status
            .as_ref()
            .map_or(0, |status| status.current_healthy),
    };
    Ok(all.items.iter().filter(held).map(budget).collect())
}
