//! Desired state: for each host an ordered list of steps.

use std::collections::{BTreeMap, BTreeSet};

use super::actor::Actor;
use super::gate::Gate;
use super::operation::{Action, Operation};
use super::rolling::Group;
use crate::cluster::Name;
use crate::resource::Resource;

/// A step of a blueprint. It can only be had from [`Blueprint::add`], so a
/// step's needs were all made before it and there is no cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(usize);

/// Resources of one host that are applied in one go, or one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who carries it out.
    pub actor: Actor,
    /// What for, as a fragment: `install packages`.
    pub title: String,
    /// What is done.
    pub action: Action<Resource>,
    /// Steps, also of other hosts, that must have ended before.
    pub needs: Vec<StepId>,
    /// When it is part of a plan.
    pub when: When,
    /// What it waits for, where it is a gate.
    pub gate: Option<Gate>,
    /// The step before it on the same host.
    after: Option<StepId>,
}

/// When a step is part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When something about it is different.
    Different,
    /// Only when a step of the plan needs it as well: gates, tokens, pulls.
    Needed,
    /// When this step is: what was begun for it is to be ended.
    With(StepId),
    /// Not at all: it is done already, and steps that need it come after what
    /// it needs.
    Never,
}

impl Step {
    /// Whether it is done on one of these hosts, or about one of these nodes.
    /// What is done to the cluster as a whole is about none of them.
    #[must_use]
    pub fn is_of(&self, hosts: &BTreeSet<Name>) -> bool {
        match (&self.actor, &self.action) {
            (Actor::Host(host), _) => hosts.contains(host),
            (Actor::Cluster, Action::Do(operation)) => {
                let nodes = operation.nodes();
                hosts.iter().any(|host| nodes.contains(&host.as_str()))
            }
            (Actor::Cluster, Action::Converge(_)) => false,
        }
    }
}

/// Desired state of all hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blueprint {
    steps: Vec<Step>,
    last: BTreeMap<Name, StepId>,
    pub(super) groups: Vec<Group>,
}

impl Blueprint {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step that is planned when something about it is different. It
    /// comes after the host's earlier steps.
    pub fn add(
        &mut self,
        host: &Name,
        title: impl Into<String>,
        resources: Vec<Resource>,
        needs: &[StepId],
    ) -> StepId {
        self.push(host, title.into(), resources, needs, When::Different)
    }

    /// Adds a step that is planned only for steps that need it.
    pub fn add_needed(
        &mut self,
        host: &Name,
        title: impl Into<String>,
        resources: Vec<Resource>,
        needs: &[StepId],
    ) -> StepId {
        self.push(host, title.into(), resources, needs, When::Needed)
    }

    /// Adds a step that is planned exactly when `other` is, which is among its
    /// needs.
    pub fn add_with(
        &mut self,
        host: &Name,
        title: impl Into<String>,
        resources: Vec<Resource>,
        other: StepId,
        needs: &[StepId],
    ) -> StepId {
        let needs = [needs, &[other]].concat();
        self.push(host, title.into(), resources, &needs, When::With(other))
    }

    /// Adds an operation on the cluster that is planned where it is `pending`.
    /// It comes after its needs alone: operations overlap.
    pub fn operate(
        &mut self,
        title: impl Into<String>,
        operation: Operation,
        pending: bool,
        needs: &[StepId],
    ) -> StepId {
        let when = match pending {
            true => When::Different,
            false => When::Never,
        };
        let action = Action::Do(operation);
        self.push_step(Actor::Cluster, title.into(), action, needs, when)
    }

    /// Adds an operation on the cluster that is planned only for steps that
    /// need it.
    pub fn operate_needed(
        &mut self,
        title: impl Into<String>,
        operation: Operation,
        needs: &[StepId],
    ) -> StepId {
        let action = Action::Do(operation);
        self.push_step(Actor::Cluster, title.into(), action, needs, When::Needed)
    }

    fn push(
        &mut self,
        host: &Name,
        title: String,
        resources: Vec<Resource>,
        needs: &[StepId],
        when: When,
    ) -> StepId {
        let action = Action::Converge(resources);
        self.push_step(Actor::Host(host.clone()), title, action, needs, when)
    }

    fn push_step(
        &mut self,
        actor: Actor,
        title: String,
        action: Action<Resource>,
        needs: &[StepId],
        when: When,
    ) -> StepId {
        let id = StepId(self.steps.len());
        // A host carries out one step at a time.
        let after = { actor.host().cloned() }.and_then(|host| self.last.insert(host, id));
        self.steps.push(Step {
            actor,
            title,
            action,
            needs: needs.to_vec(),
            when,
            gate: None,
            after,
        });
        id
    }

    /// Notes what a step waits for; the same step.
    pub fn waiting(&mut self, step: StepId, gate: Gate) -> StepId {
        self.steps[step.0].gate = Some(gate);
        step
    }

    /// Has a step planned for its own sake, not only for those that need it.
    pub fn planned(&mut self, step: StepId) -> StepId {
        self.steps[step.0].when = When::Different;
        step
    }

    /// The last step of a host so far.
    #[must_use]
    pub fn last(&self, host: &Name) -> Option<StepId> {
        self.last.get(host).copied()
    }

    /// All steps, each after those that it needs.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, &Step)> {
        self.steps
            .iter()
            .enumerate()
            .map(|(place, step)| (StepId(place), step))
    }

    /// The resources of one host, in order.
    #[must_use]
    pub fn resources(&self, host: &Name) -> Vec<&Resource> {
        let of_host = self
            .steps
            .iter()
            .filter(|step| step.actor.host() == Some(host));
        of_host.flat_map(|step| step.action.resources()).collect()
    }

    /// For each step that stays, the staying steps that it comes after:
    /// through a step that was left out, those which that one comes after.
    #[must_use]
    pub fn needs_among(&self, kept: &BTreeSet<StepId>) -> BTreeMap<StepId, BTreeSet<StepId>> {
        let mut through: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
        for (id, step) in self.steps() {
            let mut needs = BTreeSet::new();
            for need in step.needs.iter().chain(&step.after) {
                if kept.contains(need) {
                    needs.insert(*need);
                } else {
                    needs.extend(through[need].iter().copied());
                }
            }
            through.insert(id, needs);
        }
        through.retain(|id, _| kept.contains(id));
        through
    }
}
