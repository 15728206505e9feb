//! kdiy is killed again and again while it brings up an HA cluster. The apply
//! after the last kill has to come to the same end as one that nobody
//! disturbed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use fastrand::Rng;

use super::converged::Shape;
use super::moment::{Open, Target, When, planned, targets};
use super::{Scene, seeded, setting, tell};
use crate::e2e::kdiy::{Ran, Running};

pub const STACKED: Shape = Shape {
    cluster: "faults",
    hosts: &[
        ("lb-1", "172.29.32.10"),
        ("cp-1", "172.29.32.11"),
        ("cp-2", "172.29.32.12"),
        ("cp-3", "172.29.32.13"),
        ("w-1", "172.29.32.14"),
    ],
};

const APPLY: [&str; 2] = ["apply", "--yes"];

#[test]
#[ignore = "needs the lab; make faults"]
fn a_bring_up_survives_them_at_every_boundary_and_within_steps() {
    let mut suite = Suite::new();
    let scene = suite.scene();
    let steps = scene.kdiy().plan(&[]);
    let boundaries = steps.values().len();
    let wanted = usize::try_from(setting("KILLS", 64)).expect("few");
    let within = wanted.saturating_sub(boundaries).max(boundaries / 3);
    let all = targets(steps.values(), within, &mut suite.rng);
    drop(scene);

    let (rounds, alone) = (setting("ROUNDS", 5), setting("ALONE", 0) == 1);
    let mut left = spread(all, usize::try_from(rounds).expect("few"));
    for round in 0.. {
        if left.is_empty() || (!alone && round >= 3 * rounds) {
            break;
        }
        let together = match (alone, round < rounds) {
            (true, _) => Together::Nothing,
            (false, true) => Together::Titles,
            (false, false) => Together::OfOneHost,
        };
        let missed = suite.round(pick(&mut left, round, together));
        left.splice(0..0, missed.into_iter().map(|target| (0, target)));
    }
    suite.sums_up();
    assert!(left.is_empty(), "never met: {left:#?}");
    assert!(suite.kills >= wanted, "only {} kills", suite.kills);
}

/// Which moments may be in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Together {
    /// Each is alone.
    Nothing,
    /// Those of different titles.
    Titles,
    /// Of those the ones of one host: its steps come one after the other, so
    /// that a kill in one of them lets none of the others end unseen.
    OfOneHost,
}

/// Takes the moments of a round from those that are left.
fn pick(left: &mut Vec<(u64, Target)>, round: u64, together: Together) -> VecDeque<Target> {
    let mut mine: VecDeque<Target> = VecDeque::new();
    left.retain(|(due, target)| {
        let title = mine.iter().all(|other| other.title != target.title);
        let host = mine.iter().all(|other| other.host == target.host);
        let now = match together {
            Together::Nothing => mine.is_empty(),
            Together::Titles => *due <= round && title,
            Together::OfOneHost => title && host,
        };
        if now {
            mine.push_back(target.clone());
        }
        !now
    });
    mine
}

#[test]
fn what_was_missed_comes_without_other_hosts() {
    let target = |(host, title): (&str, &str)| Target {
        host: host.to_owned(),
        title: title.to_owned(),
        when: When::Ended,
    };
    let all = [("a", "x"), ("b", "x"), ("b", "y"), ("a", "y"), ("a", "x")];
    let mut left: Vec<_> = all.map(target).map(|target| (0, target)).into();
    let mut hosts = |together| {
        let mine = pick(&mut left, 9, together);
        mine.iter()
            .map(|target| target.host.clone())
            .collect::<String>()
    };
    assert_eq!(hosts(Together::OfOneHost), "aa");
    assert_eq!(hosts(Together::Titles), "bb");
    assert_eq!(hosts(Together::Nothing), "a");
}

/// In which round each comes at the earliest. Steps of one title run side by
/// side on all hosts, and go on there when kdiy is dead: of each title one a
/// round is met.
fn spread(all: Vec<Target>, rounds: usize) -> Vec<(u64, Target)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let place = |target: Target| {
        // Each title begins with another round, so that all have as many.
        let begin = seen.len();
        let due = seen.entry(target.title.clone()).or_insert(begin);
        *due += 1;
        let due = u64::try_from(*due % rounds.max(1)).expect("few");
        (due, target)
    };
    all.into_iter().map(place).collect()
}

#[test]
fn steps_of_one_title_come_in_different_rounds() {
    let target = |place: usize| Target {
        host: format!("cp-{place}"),
        title: format!("step {}", place % 7),
        when: When::Ended,
    };
    let spread = spread((0..35).map(target).collect(), 5);
    for round in 0..5 {
        let mine = spread.iter().filter(|(due, _)| *due == round);
        let titles: BTreeSet<_> = mine.map(|(_, target)| &target.title).collect();
        assert_eq!(titles.len(), 7, "round {round}");
    }
}

/// One bring-up with a few kills spread over it.
pub fn a_few() {
    let number = usize::try_from(setting("FEW", 8)).expect("few");
    let mut suite = Suite::new();
    let scene = suite.scene();
    let steps = scene.kdiy().plan(&[]);
    drop(scene);
    let all = targets(steps.values(), steps.values().len(), &mut suite.rng);
    let chosen = (0..number).map(|place| all[place * all.len() / number].clone());
    suite.round(chosen.collect());
    suite.sums_up();
    assert!(suite.kills * 2 >= number, "only {} kills", suite.kills);
}

/// All rounds so far.
struct Suite {
    rng: Rng,
    rounds: usize,
    kills: usize,
    /// The empty plan that all rounds have to end with.
    end: Option<String>,
    /// Applies that failed although nobody killed them.
    failed: Vec<String>,
}

impl Suite {
    fn new() -> Self {
        Self {
            rng: seeded(),
            rounds: 0,
            kills: 0,
            end: None,
            failed: Vec::new(),
        }
    }

    fn scene(&self) -> Scene {
        Scene::up(STACKED.hosts, include_str!("stacked.yaml"))
    }

    /// A bring-up, killed at these moments; those that it did not come to.
    fn round(&mut self, mut targets: VecDeque<Target>) -> Vec<Target> {
        self.rounds += 1;
        let scene = self.scene();
        let began = Instant::now();
        let (mut missed, mut kills, mut applies) = (Vec::new(), 0, 0);
        let converged = loop {
            applies += 1;
            assert!(applies < 100, "it never ends");
            let started = Instant::now();
            match attempt(scene.kdiy().start(&APPLY), &mut targets, &mut missed) {
                Attempt::Killed { target, open } => {
                    kills += 1;
                    tell(&format!(
                        "{:>3} {:>5.1} s  {target}; at work: {open}",
                        self.rounds,
                        started.elapsed().as_secs_f64()
                    ));
                }
                Attempt::Ended(ran) if ran.code == 0 => break started.elapsed(),
                Attempt::Ended(ran) => {
                    tell(&format!(
                        "{:>3} failed with {}:\n{}",
                        self.rounds, ran.code, ran.err
                    ));
                    self.failed.push(ran.err);
                    assert!(self.failed.len() < 10, "it does not converge");
                }
            }
        };
        missed.extend(targets);
        STACKED.holds_as(&mut self.end, &scene);
        self.kills += kills;
        tell(&format!(
            "round {}: {kills} kills, {applies} applies, the last one took {:.0} s of {:.0} s; converged; {} moments not met",
            self.rounds,
            converged.as_secs_f64(),
            began.elapsed().as_secs_f64(),
            missed.len()
        ));
        missed
    }

    fn sums_up(&self) {
        tell(&format!(
            "{} kills in {} bring-ups, {} convergences to the same empty plan, {} applies failed by themselves",
            self.kills,
            self.rounds,
            self.rounds,
            self.failed.len()
        ));
        assert!(self.failed.is_empty(), "{:#?}", self.failed);
    }
}

enum Attempt {
    Killed { target: Target, open: Open },
    Ended(Ran),
}

/// One apply, killed at whichever target it comes to first. Targets whose step
/// is not in its plan any more are missed.
fn attempt(
    mut running: Running,
    targets: &mut VecDeque<Target>,
    missed: &mut Vec<Target>,
) -> Attempt {
    let mut open = Open::default();
    while let Some(event) = running.next() {
        if event["event"] == "plan" {
            let (ahead, behind) = planned(std::mem::take(targets), &event, Target::is);
            missed.extend(behind);
            *targets = ahead.into();
        }
        let what = event["event"].as_str();
        let met = targets.iter().position(|target| {
            let moment = match target.when {
                When::Ended => "step-done",
                When::Within(_) => "change-started",
            };
            what == Some(moment) && open.is(event["step"].as_u64(), target)
        });
        let Some(target) = met.and_then(|place| targets.remove(place)) else {
            open.on(&event);
            continue;
        };
        match target.when {
            When::Ended => {
                running.kill();
                open.on(&event);
            }
            When::Within(time) => running.kill_in(time, |event| open.on(event)),
        }
        return Attempt::Killed { target, open };
    }
    Attempt::Ended(running.ended())
}
