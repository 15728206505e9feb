//! From what is meant and what was seen to what has to be done.

pub mod actor;
pub mod blueprint;
pub mod bootstrap;
pub mod cluster_state;
pub mod etcd;
pub mod facts;
pub mod gate;
pub mod install;
pub mod membership;
pub mod observe;
pub mod operation;
pub mod preflight;
pub mod resolve;
pub mod rolling;
pub mod serving;
pub mod settings_kept;
#[cfg(test)]
mod tests;
pub mod unlisted;
pub mod unwell;
pub mod version_step;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use actor::Actor;
pub use blueprint::{Blueprint, Step, StepId, When};
pub use cluster_state::ClusterState;
pub use facts::Facts;
pub use observe::Observation;
pub use operation::{Action, Operation};
pub use preflight::Problem;
pub use rolling::RollingGroup;

use crate::cluster::Name;
use crate::resource::{Difference, ReplaceError, Resource, Seen};

/// What has to be done: the blueprint joined with what was seen. Pure: the
/// same blueprint and observations give the same plan, to the letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Steps with something to do, each after those that it needs.
    pub steps: Vec<PlannedStep>,
    /// Steps of hosts that are worked on a few at a time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rolling: Vec<RollingGroup>,
}

/// A step with something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// Who carries it out.
    pub actor: Actor,
    /// Title of the step, a fragment such as `install packages`.
    pub title: String,
    /// What is done.
    #[serde(flatten)]
    pub action: Action<Change>,
    /// Places in [`Plan::steps`] of the steps that must have ended before.
    pub needs: Vec<usize>,
    /// What it waits for, where it is a gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<gate::Gate>,
}

impl PlannedStep {
    /// The changes of resources, in order; none of an operation.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.action.resources()
    }
}

/// One resource that is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The resource as it shall be.
    pub resource: Resource,
    /// What is different.
    pub difference: Difference,
    /// What was seen of it; what is changed must still be so.
    #[serde(skip)]
    pub seen: Seen,
}

/// A resource that must not be replaced, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {error}")]
pub struct PlanError {
    /// The host.
    pub host: Name,
    /// What and why.
    pub error: ReplaceError,
}

/// Numbers at the end of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Resources that are created.
    pub create: usize,
    /// Resources that are changed.
    pub change: usize,
    /// Packages that are removed.
    pub remove: usize,
    /// Commands that run.
    pub run: usize,
    /// Hosts that something is done on.
    pub hosts: usize,
}

impl Plan {
    /// Joins a blueprint with what was seen of its hosts. Steps of hosts
    /// outside `limit` are left out, but for those that a step inside needs.
    ///
    /// # Errors
    /// All resources that must not be replaced.
    ///
    pub fn new(
        blueprint: &Blueprint,
        seen: &BTreeMap<Name, Observation>,
        limit: Option<&BTreeSet<Name>>,
    ) -> Result<Self, Vec<PlanError>> {
        let changes = changes(blueprint, seen)?;
        let inside = |step: &Step| limit.is_none_or(|limit| step.is_of(limit));
        let kept = keep(blueprint, &changes, inside);
        let needs = blueprint.needs_among(&kept);
        let mut place = BTreeMap::new();
        let mut steps = Vec::new();
        for (id, step) in blueprint.steps() {
            if !kept.contains(&id) {
                continue;
            }
            place.insert(id, steps.len());
            steps.push(PlannedStep {
                actor: step.actor.clone(),
                title: step.title.clone(),
                action: match &step.action {
                    Action::Converge(_) => Action::Converge(changes[&id].clone()),
                    Action::Do(operation) => Action::Do(operation.clone()),
                },
                needs: needs[&id].iter().map(|need| place[need]).collect(),
                gate: step.gate.clone(),
            });
        }
        let groups = blueprint.groups.iter();
        let rolling = groups.filter_map(|group| group.planned(&place)).collect();
        Ok(Self { steps, rolling })
    }

    /// The place of a step's group in [`Plan::rolling`], where it is of one.
    #[must_use]
    pub fn rolling_of(&self, step: usize) -> Option<usize> {
        self.rolling.iter().position(|group| group.holds(step))
    }

    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Hosts that something is done on.
    #[must_use]
    pub fn hosts(&self) -> BTreeSet<&Name> {
        let actors = self.steps.iter().map(|step| &step.actor);
        actors.filter_map(Actor::host).collect()
    }

    /// The numbers at its end.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            hosts: self.hosts().len(),
            ..Self::count(&self.steps)
        }
    }

    /// The same for each actor that has something to do.
    #[must_use]
    pub fn counts_by_actor(&self) -> BTreeMap<&Actor, Counts> {
        let of = |actor: &Actor| Counts {
            hosts: usize::from(actor.host().is_some()),
            ..Self::count(self.steps.iter().filter(|step| step.actor == *actor))
        };
        let actors = self.steps.iter().map(|step| &step.actor);
        actors.map(|actor| (actor, of(actor))).collect()
    }

    fn count<'s>(steps: impl IntoIterator<Item = &'s PlannedStep>) -> Counts {
        use crate::resource::Verb;
        let mut counts = Counts::default();
        let mut count = |verb| match verb {
            Verb::Create => counts.create += 1,
            Verb::Change => counts.change += 1,
            Verb::Run => counts.run += 1,
            Verb::Wait => {}
        };
        let mut remove = 0;
        for step in steps {
            match &step.action {
                Action::Do(operation) => count(operation.verb()),
                Action::Converge(changes) => {
                    for change in changes {
                        remove += change.difference.removes.len();
                        count(change.difference.verb);
                    }
                }
            }
        }
        Counts { remove, ..counts }
    }
}

/// The changes of every step.
fn changes(
    blueprint: &Blueprint,
    seen: &BTreeMap<Name, Observation>,
) -> Result<BTreeMap<StepId, Vec<Change>>, Vec<PlanError>> {
    let mut refused = Vec::new();
    let mut changed_files = BTreeSet::new();
    let mut all = BTreeMap::new();
    for (id, step) in blueprint.steps() {
        // A host outside the limit may be missing; nothing is done there.
        let host = step.actor.host();
        let Some((host, observed)) = host.and_then(|host| Some((host, seen.get(host)?))) else {
            all.insert(id, Vec::new());
            continue;
        };
        let mut changes = Vec::new();
        for resource in step.action.resources() {
            let seen = observed.of(resource);
            match resource.diff(&seen) {
                Err(error) => refused.push(PlanError {
                    host: host.clone(),
                    error,
                }),
                Ok(None) => {}
                Ok(Some(difference)) => {
                    if let Resource::File(file) = resource {
                        changed_files.insert((host, &file.path));
                    }
                    changes.push(Change {
                        resource: resource.clone(),
                        difference,
                        seen,
                    });
                    continue;
                }
            }
            // A unit in order so far has to take up the files that change.
            let Resource::Service(service) = resource else {
                continue;
            };
            let reads_changed = service
                .reads
                .iter()
                .any(|path| changed_files.contains(&(host, path)));
            if let Some(difference) = service.difference_on_change().filter(|_| reads_changed) {
                changes.push(Change {
                    resource: resource.clone(),
                    difference,
                    seen: seen.clone(),
                });
            }
        }
        all.insert(id, changes);
    }
    if refused.is_empty() {
        Ok(all)
    } else {
        Err(refused)
    }
}

/// The steps that stay: with something to do, inside the limit, or needed.
fn keep(
    blueprint: &Blueprint,
    changes: &BTreeMap<StepId, Vec<Change>>,
    inside: impl Fn(&Step) -> bool,
) -> BTreeSet<StepId> {
    let mut kept = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    let steps: Vec<_> = blueprint.steps().collect();
    for &(id, step) in steps.iter().rev() {
        let different = matches!(step.action, Action::Do(_)) || !changes[&id].is_empty();
        let stays = match step.when {
            When::Different => different && inside(step),
            When::Needed => different && wanted.contains(&id),
            // Their turn is below: they come after what they go with.
            When::With(_) | When::Never => false,
        };
        if stays {
            kept.insert(id);
            wanted.extend(step.needs.iter().copied());
        }
    }
    for (id, step) in steps {
        if matches!(step.when, When::With(other) if kept.contains(&other)) {
            kept.insert(id);
        }
    }
    kept
}
