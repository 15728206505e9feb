//! What the cluster remembers of the inventory that it was set up from.

use super::Context;
use crate::cluster::change;
use crate::plan::operation::Operation;
use crate::plan::{Blueprint, StepId};

/// Last of all: what is not carried out is not remembered.
pub(super) fn settings(context: &Context, blueprint: &mut Blueprint, joined: &[StepId]) {
    let wanted = change::remembered(context.resolved);
    let pending = context.cluster_state.settings.as_ref() != Some(&wanted);
    let title = "remember the settings";
    blueprint.operate(title, Operation::Remember(wanted), pending, joined);
}
