//! Nothing is bootstrapped behind an endpoint that another cluster answers at.

use super::super::Context;
use crate::plan::facts::endpoint::{OTHER_CLUSTER_FUNCTION, url_host};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Resource};
use crate::shell::{Script, sh};

/// Asked once more before init: the probe could not ask where curl was not
/// there yet.
pub(super) fn endpoint_unused(
    context: &Context,
    after: &[StepId],
    blueprint: &mut Blueprint,
) -> StepId {
    let endpoint = &context.resolved.cluster.endpoint;
    let script = Script::of(OTHER_CLUSTER_FUNCTION)
        .with(sh!("lb/endpoint-unused.sh"))
        .call(
            "kdiy_check_endpoint",
            [url_host(&endpoint.host), endpoint.port.to_string()],
        );
    let wait = Command::wait(format!("no other cluster at {endpoint}"), script);
    blueprint.add_needed(
        &context.lead.name,
        "look for another cluster at the endpoint",
        vec![Resource::Command(wait)],
        after,
    )
}
