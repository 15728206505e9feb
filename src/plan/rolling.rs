//! Rolling groups: members that are worked on a few at a time, in order, and
//! no further once one of them has failed.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use serde::Serialize;

use super::{Blueprint, StepId};
use crate::cluster::Name;

/// A rolling group of a blueprint, its steps by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What all members get, as a fragment: `restart control planes`.
    pub title: String,
    /// Members that are worked on at a time, at most.
    pub at_once: NonZeroUsize,
    /// In the order in which they begin.
    pub members: Vec<(Name, Vec<StepId>)>,
}

/// A rolling group of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollingGroup {
    /// What all members get, as a fragment: `restart control planes`.
    pub title: String,
    /// Members that are worked on at a time, at most.
    pub at_once: NonZeroUsize,
    /// In the order in which they begin; none without steps.
    pub members: Vec<Member>,
}

/// A host of a rolling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name.
    pub host: Name,
    /// Places of its steps in [`Plan::steps`](super::Plan::steps), in order.
    pub steps: Vec<usize>,
}

/// How far the steps of a plan have come.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// Places of steps that have begun, whatever became of them.
    pub begun: BTreeSet<usize>,
    /// Places of steps that have ended well.
    pub done: BTreeSet<usize>,
    /// Places of steps that have failed.
    pub failed: BTreeSet<usize>,
}

impl Blueprint {
    /// Adds a rolling group: `steps` adds those of one member and names them,
    /// in order. A host may be a member once only.
    pub fn rolling<M>(
        &mut self,
        title: &str,
        at_once: NonZeroUsize,
        members: impl IntoIterator<Item = (Name, M)>,
        mut steps: impl FnMut(&mut Self, &Name, M) -> Vec<StepId>,
    ) -> Vec<StepId> {
        let mut group = Group {
            title: title.to_owned(),
            at_once,
            members: Vec::new(),
        };
        for (name, member) in members {
            let own = steps(self, &name, member);
            group.members.push((name, own));
        }
        let all = group.members.iter().flat_map(|(_, steps)| steps);
        let all = all.copied().collect();
        self.groups.push(group);
        all
    }
}

impl Group {
    /// The group of a plan that has these steps at these places; `None` where
    /// no member has any.
    pub(super) fn planned(&self, places: &BTreeMap<StepId, usize>) -> Option<RollingGroup> {
        let members = self.members.iter().map(|(host, steps)| Member {
            host: host.clone(),
            steps: { steps.iter() }
                .filter_map(|step| places.get(step).copied())
                .collect(),
        });
        let members: Vec<_> = members.filter(|member| !member.steps.is_empty()).collect();
        (!members.is_empty()).then(|| RollingGroup {
            title: self.title.clone(),
            at_once: self.at_once,
            members,
        })
    }
}

impl RollingGroup {
    /// Whether a step is one of a member's.
    #[must_use]
    pub fn holds(&self, step: usize) -> bool {
        self.member_of(step).is_some()
    }

    /// The member that a step is of.
    #[must_use]
    pub fn member_of(&self, step: usize) -> Option<&Name> {
        let mut members = self.members.iter();
        let own = members.find(|member| member.steps.contains(&step));
        own.map(|member| &member.host)
    }

    /// Whether a step may begin: it is of no member, its member is worked on
    /// already, or there is room for one more and none has failed.
    #[must_use]
    pub fn admits(&self, step: usize, course: &Course) -> bool {
        let own = |member: &&Member| member.steps.contains(&step);
        let Some(member) = self.members.iter().find(own) else {
            return true;
        };
        let any = |member: &Member, of: &BTreeSet<usize>| {
            member.steps.iter().any(|step| of.contains(step))
        };
        if any(member, &course.begun) {
            return true;
        }
        let members = || self.members.iter();
        let at_work = members().filter(|member| {
            any(member, &course.begun) && !member.steps.iter().all(|s| course.done.contains(s))
        });
        at_work.count() < self.at_once.get() && !members().any(|m| any(m, &course.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(at_once: usize) -> RollingGroup {
        let member = |(host, steps): (&str, [usize; 2])| Member {
            host: Name::try_from(host.to_owned()).unwrap(),
            steps: steps.into(),
        };
        RollingGroup {
            title: "restart".to_owned(),
            at_once: NonZeroUsize::new(at_once).unwrap(),
            members: [("a", [0, 1]), ("b", [2, 3]), ("c", [4, 5])]
                .map(member)
                .into(),
        }
    }

    fn course(begun: &[usize], done: &[usize], failed: &[usize]) -> Course {
        let set = |places: &[usize]| places.iter().copied().collect();
        Course {
            begun: set(begun),
            done: set(done),
            failed: set(failed),
        }
    }

    #[test]
    fn a_member_begins_when_there_is_room_and_none_has_failed() {
        let one = group(1);
        assert!(one.admits(0, &course(&[], &[], &[])));
        assert!(!one.admits(2, &course(&[0], &[], &[])), "a is at work");
        assert!(
            !one.admits(2, &course(&[0], &[0], &[])),
            "a has a step left"
        );
        assert!(one.admits(1, &course(&[0], &[0], &[])), "a goes on");
        assert!(one.admits(2, &course(&[0, 1], &[0, 1], &[])));
        assert!(!one.admits(2, &course(&[0, 1], &[0], &[1])), "a has failed");
        assert!(one.admits(9, &course(&[0, 1], &[0], &[1])), "of no member");
        let two = group(2);
        assert!(two.admits(2, &course(&[0], &[], &[])));
        assert!(!two.admits(4, &course(&[0, 2], &[], &[])));
        assert!(two.admits(4, &course(&[0, 1, 2], &[0, 1], &[])));
        assert!(!two.admits(4, &course(&[0, 1, 2], &[0], &[1])));
        assert!(two.admits(3, &course(&[0, 1, 2], &[0, 2], &[1])), "b ends");
    }
}
