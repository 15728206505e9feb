//! Nothing is bootstrapped behind an endpoint that another cluster answers at.

use super::super::Context;
use crate::plan::facts::endpoint::{OTHER_CLUSTER_FUNCTION, url_host};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Resource};
use crate::shell::Script;

/// Asked once more before init: the probe could not ask where curl was not
/// there yet.
pub(super) fn endpoint_unused(
    context: &Context,
    after: &[StepId],
    blueprint: &mut Blueprint,
) -> StepId {
    let endpoint = &context.resolved.cluster.endpoint;
    let script = Script::of(OTHER_CLUSTER_FUNCTION)
        .lit("kdiy_found=$(kdiy_other_cluster /etc/kubernetes/pki/ca.crt ")
        .args([url_host(&endpoint.host), endpoint.port.to_string()])
        .lit(")\nif [ -n \"$kdiy_found\" ]; then\necho ")
        .arg(format!(
            "another cluster's API server answers at the endpoint {endpoint}:"
        ))
        .lit(" \"$kdiy_found\" >&2\nexit 1\nfi");
    let wait = Command::wait(format!("no other cluster at {endpoint}"), script);
    blueprint.add_needed(
        &context.lead.name,
        "look for another cluster at the endpoint",
        vec![Resource::Command(wait)],
        after,
    )
}
