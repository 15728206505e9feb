//! The kubelet's package on a node that has joined: fetched ahead, installed
//! when the node has its turn.

use super::Context;
use crate::cluster::Node;
use crate::plan::facts::software::KUBELET;
use crate::resource::{APT_FUNCTION, Command, Done, Resource, Verb};
use crate::shell::{Script, sh};

/// Defines `kdiy_fetch_package PACKAGE` and `kdiy_upgrade_package NAME PACKAGE
/// HOLD`.
const UPGRADE: &str = sh!("kubeadm/upgrade-package.sh");

/// As apt takes it: any revision of the wanted version.
fn package(context: &Context) -> String {
    format!("{KUBELET}={}-*", context.resolved.version)
}

/// Fetches it, so that the node's turn does not wait for a download.
pub(super) fn ahead(context: &Context, node: &Node) -> Option<Resource> {
    context.upgraded_from(node)?;
    Some(Resource::Command(Command {
        name: "the kubelet's package, ahead".to_owned(),
        verb: Verb::Run,
        details: vec![format!(
            "fetch {KUBELET} {}; it is installed when the node has its turn",
            context.resolved.version
        )],
        done: Done::Known(false),
        script: Script::of(APT_FUNCTION)
            .with(UPGRADE)
            .call("kdiy_fetch_package", [package(context)]),
        inputs: Vec::new(),
    }))
}

/// Installs it, where the node is upgraded.
pub(super) fn upgrade(context: &Context, node: &Node) -> Script {
    if context.upgraded_from(node).is_none() {
        return Script::new();
    }
    let hold = match context.resolved.cluster.packages.hold {
        true => "hold",
        false => "unhold",
    };
    let package = package(context);
    Script::of(APT_FUNCTION)
        .with(UPGRADE)
        .call("kdiy_upgrade_package", [KUBELET, &package, hold])
}
