//! Somebody else's balancer.

use super::super::super::finding::Finding;
use super::super::super::reader::Reader;
use super::{Scene, fixed, role};
use crate::cluster::Role;

/// Returns whether it was reported why an endpoint cannot be derived.
pub fn check(reader: &Reader<'_>, scene: &Scene<'_>) -> bool {
    scene.no_hosts(
        reader,
        "`loadBalancer: external` leaves balancing to somebody else",
    );
    let Some(raw) = scene.endpoint_address() else {
        return false;
    };
    if scene.planes.len() < 2 {
        return false;
    }
    let planes = scene.planes.iter();
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
