//! Somebody else's balancer.

use super::super::super::finding::Finding;
use super::super::super::reader::Reader;
use super::{Context, fixed, role};
use crate::cluster::Role;

/// Returns whether it was reported why an endpoint cannot be derived.
pub fn check(reader: &Reader<'_>, context: &Context<'_>) -> bool {
    context.no_hosts(
        reader,
        "`loadBalancer: external` leaves balancing to somebody else",
    );
    let Some(raw) = context.endpoint_address() else {
        return false;
    };
    if context.planes.len() < 2 {
        return false;
    }
    let planes = context.planes.iter();
    for plane in planes.filter(|plane| fixed(plane) == Some(raw.value)) {
        let message = format!(
            "the endpoint is the address of {}, so it fails when that one fails",
            plane.called()
        );
        reader.report(
            Finding::error("endpoint-elsewhere", raw.span, message)
                .related(
                    role(plane, Role::ControlPlane),
                    "one of several control planes",
                )
                .help("write the address of the balancer, or the virtual IP"),
        );
    }
    false
}
