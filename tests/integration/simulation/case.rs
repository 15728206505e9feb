//! One case: a healthy cluster, its accidents, and kdiy applied until nothing
//! is left to do or it refuses.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use kdiy::plan::{Plan, bootstrap};

use super::accidents::Accident;
use super::effects::{Made, Stop, Work};
use super::invariants as must;
use super::observation::{observe, written};
use super::world::{Directory, Entry, Kind, Machine, Process, World};
use crate::plans::hosts::Hosts;
use crate::plans::state::Whose;

/// Rounds in which kdiy is killed at some step; after them it comes to its end.
const KILLED: u32 = 3;
/// Rounds after which it does so for ever.
const MOST: u32 = 9;

/// A case, and all chance in it.
#[derive(Debug, Clone)]
pub struct Case {
    pub planes: u8,
    pub workers: u8,
    pub accidents: Vec<Accident>,
    /// Of the order of steps, and of kills.
    pub seed: u64,
    pub killed: bool,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// There is nothing to do.
    Whole,
    /// kdiy refuses: codes of its problems, or who keeps it from its CAs.
    Refused(BTreeSet<String>),
    /// These steps fail again and again, for what kdiy cannot help.
    Stuck(BTreeSet<String>),
}

/// What a case came to.
#[derive(Debug)]
pub struct Report {
    pub end: End,
    pub rounds: u32,
    pub steps: u32,
}

/// An invariant that does not hold, and where.
#[derive(Debug)]
pub struct Violation {
    pub invariant: &'static str,
    pub why: String,
    /// What kdiy saw, as a file of `tests/plans`.
    pub state: String,
}

/// How often each invariant was looked at.
#[derive(Debug, Default)]
pub struct Checked(pub BTreeMap<&'static str, u64>);

/// Looks at an invariant, which gives the function its name.
macro_rules! holds {
    ($run:expr, $invariant:ident($($argument:expr),*)) => {
        $run.look(stringify!($invariant), must::$invariant($($argument),*))?
    };
}

impl Case {
    pub fn any(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let planes = [1, 3, 3, 3, 5][rng.usize(..5)];
        let workers = if planes == 5 {
            rng.u8(..2)
        } else {
            rng.u8(..4)
        };
        let world = healthy(planes, workers);
        let count = rng.usize(..5);
        let victim = world.inventory[rng.usize(..world.inventory.len())]
            .name
            .clone();
        let accidents = (0..count).map(|_| Accident::any(&mut rng, &world, &victim));
        Self {
            planes,
            workers,
            accidents: accidents.collect(),
            seed: rng.u64(..),
            killed: rng.u8(..3) > 0,
        }
    }

    pub fn run(&self, checked: &mut Checked) -> Result<Report, Violation> {
        let mut world = healthy(self.planes, self.workers);
        for accident in &self.accidents {
            accident.happen(&mut world);
        }
        let mut run = Run {
            case: self,
            rng: Rng::with_seed(self.seed),
            world,
            whose: Whose::Own,
            checked,
            steps: 0,
            failed: None,
        };
        for round in 0..MOST {
            if let Some(end) = run.round(round)? {
                return Ok(Report {
                    end,
                    rounds: round + 1,
                    steps: run.steps,
                });
            }
        }
        Err(run.violated("it_comes_to_an_end", format!("not after {MOST} rounds")))
    }

    /// The same with one part less each, for the smallest that fails.
    pub fn smaller(&self) -> Vec<Self> {
        let without = |place: usize| {
            let mut less = self.clone();
            less.accidents.remove(place);
            less
        };
        let mut all: Vec<_> = (0..self.accidents.len()).map(without).collect();
        if self.killed {
            all.push(Self {
                killed: false,
                ..self.clone()
            });
        }
        if self.workers > 0 {
            all.push(Self {
                workers: self.workers - 1,
                ..self.clone()
            });
        }
        if self.planes > 1 {
            all.push(Self {
                planes: self.planes - 2,
                ..self.clone()
            });
        }
        all
    }
}

struct Run<'a> {
    case: &'a Case,
    rng: Rng,
    world: World,
    whose: Whose,
    checked: &'a mut Checked,
    steps: u32,
    /// What failed in the last round that was not killed.
    failed: Option<BTreeSet<String>>,
}

impl Run<'_> {
    fn look(&mut self, invariant: &'static str, held: must::Held) -> Result<(), Violation> {
        *self.checked.0.entry(invariant).or_default() += 1;
        held.map_err(|why| self.violated(invariant, why))
    }

    fn violated(&self, invariant: &'static str, why: String) -> Violation {
        let what = format!("{invariant}: {:?}", self.case.accidents);
        Violation {
            invariant,
            why,
            state: written(&self.world, self.whose, &what),
        }
    }

    /// kdiy apply once.
    fn round(&mut self, round: u32) -> Result<Option<End>, Violation> {
        let refused = |code: &str| Ok(Some(End::Refused(BTreeSet::from([code.to_owned()]))));
        match self.world.cas() {
            Ok(whose) => self.whose = whose,
            Err(_named) => return refused("authorities"),
        }
        let hosts = observe(&self.world, self.whose);
        if let Some(cluster) = self.world.answers(self.whose) {
            holds!(
                self,
                who_the_inventory_leaves_out_is_told(&self.world, cluster, &hosts)
            );
        }
        if round == 0 {
            self.compare(&hosts)?;
        }
        let problems = hosts.problems();
        holds!(self, a_problem_names_its_host(&self.world, &problems));
        if !problems.is_empty() {
            let codes = problems.iter().map(|problem| problem.code.to_owned());
            return Ok(Some(End::Refused(codes.collect())));
        }
        let required =
            bootstrap::required_hosts(&hosts.resolved, &hosts.comparison.observed.cluster_state);
        if required
            .iter()
            .any(|name| self.world.seen(name.as_str()).is_none())
        {
            return refused("left-out");
        }
        let plan = hosts.plan.as_ref().expect("what is refused is a problem");
        holds!(self, a_living_voter_is_never_removed(&self.world, plan));
        if plan.is_empty() {
            holds!(self, who_is_not_whole_is_named(&self.world, &hosts));
            return Ok(Some(End::Whole));
        }
        self.world.directory = Directory::Has(self.whose);
        if self.rng.u8(..4) == 0 {
            // A plan is out of date by the time that it is carried out.
            self.world.recover();
        }
        let killed = self.case.killed && round < KILLED;
        let failed = self.carry_out(plan, killed)?;
        if killed {
            return Ok(None);
        }
        if failed.is_empty() {
            let again = observe(&self.world, self.whose);
            let left = again
                .plan
                .as_ref()
                .map(|plan| plan.steps.iter().map(|s| &s.title));
            let left: Vec<_> = left.into_iter().flatten().collect();
            let held = match left.is_empty() && again.problems().is_empty() {
                true => Ok(()),
                false => Err(format!("{left:?} {:#?}", again.problems())),
            };
            self.look("a_second_plan_after_success_is_empty", held)?;
            holds!(self, who_is_not_whole_is_named(&self.world, &again));
            return Ok(Some(End::Whole));
        }
        if self.failed.replace(failed.clone()) == Some(failed.clone()) {
            let sick = is_sick(&self.world);
            let held = match sick {
                true => Ok(()),
                false => Err(format!("{failed:#?} fail, though nothing is broken")),
            };
            self.look("what_is_not_broken_is_brought_to_its_end", held)?;
            return Ok(Some(End::Stuck(failed)));
        }
        Ok(None)
    }

    /// The same state without lies, and in another order.
    fn compare(&mut self, hosts: &Hosts) -> Result<(), Violation> {
        let mut liars = BTreeSet::new();
        let mut honest = healthy(self.case.planes, self.case.workers);
        for accident in &self.case.accidents {
            match accident {
                Accident::Hostile(name, _) => _ = liars.insert(name.as_str()),
                other => other.happen(&mut honest),
            }
        }
        if !liars.is_empty() {
            let honest = observe(&honest, self.whose);
            holds!(
                self,
                what_a_worker_says_changes_nothing_for_others(&liars, hosts, &honest)
            );
        }
        let inits = |hosts: &Hosts| {
            let mut steps = hosts.plan.iter().flat_map(|plan| &plan.steps);
            steps.any(|step| step.title == "initialise the control plane")
        };
        if self.rng.u8(..4) == 0 && !inits(hosts) {
            let mut other = self.world.clone();
            other.inventory.reverse();
            let other = observe(&other, self.whose);
            holds!(
                self,
                the_order_of_the_inventory_means_nothing(hosts, &other)
            );
        }
        Ok(())
    }

    /// Carries steps out in any order that keeps their needs; what needs a
    /// step that failed is left. Titles of those that failed.
    fn carry_out(&mut self, plan: &Plan, killed: bool) -> Result<BTreeSet<String>, Violation> {
        let mut left: Vec<_> = (0..plan.steps.len()).collect();
        let mut done = BTreeSet::new();
        let mut failed = BTreeSet::new();
        let mut made: Vec<Made> = Vec::new();
        let until = if killed {
            self.rng.usize(..plan.steps.len())
        } else {
            usize::MAX
        };
        loop {
            let can = |step: &usize| {
                plan.steps[*step]
                    .needs
                    .iter()
                    .all(|need| done.contains(need))
            };
            let ready: Vec<_> = left.iter().copied().filter(can).collect();
            if ready.is_empty() {
                return Ok(failed);
            }
            let step = ready[self.rng.usize(..ready.len())];
            left.retain(|other| *other != step);
            let last = done.len() >= until;
            if last && self.rng.bool() {
                return Ok(failed);
            }
            let before = self.world.clone();
            let mut work = Work {
                world: &mut self.world,
                whose: self.whose,
                parts: last.then(|| self.rng.u8(..5)),
                made: &mut made,
            };
            let ended = work.carry_out(&plan.steps[step]);
            self.steps += 1;
            holds!(self, quorum_is_never_given_up(&before, &self.world));
            holds!(self, no_step_ends_a_living_voter(&before, &self.world));
            holds!(self, there_is_never_a_second_bootstrap(&made));
            match ended {
                Ok(()) => _ = done.insert(step),
                Err(Stop::Cut) => return Ok(failed),
                Err(Stop::Failed(why)) => {
                    let step = &plan.steps[step];
                    failed.insert(format!("{}: {}: {why}", step.actor, step.title));
                }
            }
            if last {
                return Ok(failed);
            }
        }
    }
}

/// Whether something is broken that kdiy cannot help.
fn is_sick(world: &World) -> bool {
    let machines = world.machines.iter().enumerate().any(|(place, machine)| {
        let Some(data) = machine.data else {
            return !machine.reachable;
        };
        let broken = machine.pods.etcd != Process::Runs || machine.pods.api != Process::Runs;
        broken
            || !machine.reachable
            || !machine.kubelet.runs
            || !world.has_quorum(data.cluster)
            || world.member(place).is_none()
    });
    let learners = { world.etcds.iter() }
        .flat_map(|etcd| &etcd.members)
        .any(|member| {
            let listed = world.inventory.iter().any(|entry| entry.at == member.at);
            member.learner && !listed
        });
    let workers = world.inventory.iter().any(|entry| {
        let machine = world.seen(&entry.name);
        let kubelet = machine.map(|machine| &world.machines[machine].kubelet);
        let other = |name: &String| *name != entry.name;
        kubelet.is_some_and(|kubelet| {
            kubelet.kubeconfig && (!kubelet.runs || kubelet.name.as_ref().is_some_and(other))
        })
    });
    machines || learners || workers
}

thread_local! {
    static HEALTHY: RefCell<BTreeMap<(u8, u8), World>> = const { RefCell::new(BTreeMap::new()) };
}

/// A cluster in which nothing is left to do: set up by kdiy's own plan.
pub fn healthy(planes: u8, workers: u8) -> World {
    if let Some(known) = HEALTHY.with_borrow(|known| known.get(&(planes, workers)).cloned()) {
        return known;
    }
    let mut world = blank(planes, workers);
    for _ in 0..2 {
        let hosts = observe(&world, Whose::Own);
        assert_eq!(hosts.problems(), []);
        for step in hosts.plan.unwrap().steps {
            let mut work = Work {
                world: &mut world,
                whose: Whose::Own,
                parts: None,
                made: &mut Vec::new(),
            };
            let ended = work.carry_out(&step);
            assert_eq!(ended, Ok(()), "{}: {}", step.actor, step.title);
        }
    }
    let left = observe(&world, Whose::Own).plan.unwrap();
    let left: Vec<_> = left
        .steps
        .iter()
        .map(|step| (&step.actor, &step.title))
        .collect();
    assert!(left.is_empty(), "{left:#?}");
    HEALTHY.with_borrow_mut(|known| known.insert((planes, workers), world.clone()));
    world
}

fn blank(planes: u8, workers: u8) -> World {
    let of = |kind: Kind, word: &'static str, first: u8, count: u8| {
        (1..=count).map(move |number| Entry {
            name: format!("{word}{number}"),
            at: first + number - 1,
            kind,
        })
    };
    let inventory: Vec<_> = of(Kind::Plane, "cp", 11, planes)
        .chain(of(Kind::Worker, "w", 21, workers))
        .chain(of(Kind::Balancer, "lb", 10, 1))
        .collect();
    let machines = inventory.iter();
    let machine = |entry: &Entry| Machine::blank(&format!("machine-{}", entry.name), entry.at);
    World {
        machines: machines.map(machine).collect(),
        etcds: Vec::new(),
        inventory,
        serial: false,
        directory: Directory::Has(Whose::Own),
        next: 0,
    }
}
