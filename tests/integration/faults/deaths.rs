//! The power of a host fails in the middle of a step while an HA cluster is
//! bootstrapped side by side: of each of three control planes, and of a worker,
//! in each step. It comes back, some of them as a blank machine in its place,
//! and the next apply goes on.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::Value;

use super::kills::STACKED;
use super::moment::planned;
use super::{Scene, seeded, setting, tell};
use crate::e2e::kdiy::{Ran, Running};

const APPLY: [&str; 2] = ["apply", "--yes"];

const PLANES: [&str; 3] = ["cp-1", "cp-2", "cp-3"];

/// Steps in the order in which a bring-up comes to them, each with whose power
/// fails in the first bring-up, by its place. An API server has to be waited
/// for where it was cut off in its start: elsewhere it answers at once then.
const STEPS: [(&str, usize); 6] = [
    ("install packages", 0),
    ("prepare the control plane", 1),
    (START, 2),
    ("wait for etcd and the API server", 2),
    (OF_ONE, 0),
    ("complete the control plane", 1),
];

const START: &str = "start the control plane";

/// One control plane does this for all; each of them may fail meanwhile.
const OF_ONE: &str = "set up the cluster";

/// Steps of the worker: one fails in each bring-up.
const OF_WORKER: [&str; 3] = [
    "prepare the kubelet",
    "join the cluster",
    "install packages",
];

/// Deaths of one bring-up.
const EACH: usize = STEPS.len() + 1;

/// Control planes that come back blank when their member of etcd has started,
/// each in a bring-up of its own: of three members only one may be lost.
const BLANK: [(&str, &str); 2] = [
    ("cp-3", "wait for etcd and the API server"),
    ("cp-1", OF_ONE),
];

/// Of so many deaths kdiy finds one by itself, which takes it two minutes; the
/// others are followed by Ctrl-C, twice.
const FOUND: usize = 8;

/// Longer than this after the begin of a step, at first, no power fails.
fn longest(step: &str) -> Duration {
    // That only writes manifests.
    Duration::from_millis(if step == START { 400 } else { 1500 })
}

#[derive(Debug, Clone)]
struct Death {
    host: &'static str,
    step: &'static str,
    after: Duration,
    found: bool,
    blank: bool,
}

#[test]
#[ignore = "needs the lab; make faults"]
fn the_next_apply_converges_whoever_dies_in_whichever_step() {
    let mut rng = seeded();
    let wanted = usize::try_from(setting("DEATHS", 21)).expect("few");
    let deaths: Vec<_> = (0..wanted)
        .map(|place| Death::of(place, &mut rng))
        .collect();
    let mut left: VecDeque<_> = deaths.chunks(EACH).map(<[_]>::to_vec).collect();
    left.extend(BLANK.map(|(host, step)| vec![Death::blank(host, step, &mut rng)]));
    let wanted = wanted + BLANK.len();
    let mut suite = Suite::default();
    while let Some(now) = left.pop_front() {
        assert!(
            suite.rounds < 4 + wanted / 3,
            "never met: {now:#?}, {left:#?}"
        );
        let missed = suite.round(now);
        if !missed.is_empty() {
            left.push_back(missed);
        }
    }
    tell(&format!(
        "{} deaths within a step in {} bring-ups, {} of them found by kdiy, {} came back blank, \
         {} more just after one; {} convergences to the same empty plan",
        suite.within, suite.rounds, suite.found, suite.blank, suite.late, suite.rounds
    ));
    assert_eq!(suite.within, wanted);
}

#[derive(Default)]
struct Suite {
    rounds: usize,
    /// Deaths before the end of the step.
    within: usize,
    /// Those that came too late.
    late: usize,
    found: usize,
    blank: usize,
    /// The empty plan that all rounds have to end with.
    end: Option<String>,
}

impl Suite {
    /// One bring-up with these deaths; those that have to be tried again in
    /// another one.
    fn round(&mut self, mut deaths: Vec<Death>) -> Vec<Death> {
        self.rounds += 1;
        let scene = Scene::up(STACKED.hosts, include_str!("stacked.yaml"));
        let (mut missed, began) = (Vec::new(), Instant::now());
        for applies in 1.. {
            let started = Instant::now();
            let (ran, met) = attempt(&scene, &mut deaths, &mut missed);
            let took = started.elapsed().as_secs_f64();
            let Some(met) = met else {
                assert_eq!(ran.code, 0, "it failed by itself\n{}\n{}", ran.out, ran.err);
                tell(&format!(
                    "round {}: {applies} applies in {:.0} s, the last one took {took:.0} s; \
                     {} deaths not met",
                    self.rounds,
                    began.elapsed().as_secs_f64(),
                    missed.len()
                ));
                break;
            };
            let Met { death, late } = met;
            tell(&format!(
                "{:>3} {took:>5.1} s  {death}{}; ended with {}",
                self.rounds,
                if late { ", too late" } else { "" },
                ran.code
            ));
            scene.lab.power(death.comes_back(), death.host);
            if late {
                self.late += 1;
                let after = death.after / 2;
                missed.push(Death { after, ..death });
                continue;
            }
            self.within += 1;
            self.blank += usize::from(death.blank);
            if death.found {
                self.found += 1;
                says_where(&death, &ran);
            } else {
                assert_eq!(ran.code, 130, "{}\n{}", ran.out, ran.err);
                // Of what runs on, or of what is left where all ended in time.
                ran.says(&["kdiy apply", "goes on from"]);
            }
        }
        missed.extend(deaths);
        STACKED.holds_as(&mut self.end, &scene);
        missed
    }
}

/// A death that an apply came to.
struct Met {
    death: Death,
    /// Its step had ended before.
    late: bool,
}

/// One apply, to its end or to the death that it comes to first. Deaths in
/// steps that are not in its plan any more are missed.
fn attempt(scene: &Scene, deaths: &mut Vec<Death>, missed: &mut Vec<Death>) -> (Ran, Option<Met>) {
    let mut running = scene.kdiy().start(&APPLY);
    while let Some(event) = running.next() {
        if event["event"] == "plan" {
            let (ahead, behind) = planned(std::mem::take(deaths), &event, Death::is_in);
            missed.extend(behind);
            *deaths = ahead;
        }
        let met = |death: &Death| event["event"] == "step-started" && death.is_in(&event);
        let Some(place) = deaths.iter().position(met) else {
            continue;
        };
        let death = deaths.remove(place);
        let late = die(scene, &mut running, &death, &event["step"]);
        return (running.ended(), Some(Met { death, late }));
    }
    (running.ended(), None)
}

/// Cuts the power, and has kdiy end; whether the step had ended before.
fn die(scene: &Scene, running: &mut Running, death: &Death, step: &Value) -> bool {
    let interrupt = running.interrupter();
    std::thread::scope(|scope| {
        let dying = scope.spawn(move || {
            std::thread::sleep(death.after);
            scene.lab.power("kill", death.host);
            let dead = Instant::now();
            if !death.found {
                interrupt();
                // Two at one time could be taken for one.
                std::thread::sleep(Duration::from_millis(500));
                interrupt();
            }
            dead
        });
        let mut done = None;
        while let Some(event) = running.next() {
            if event["event"] == "step-done" && event["step"] == *step {
                done = Some(Instant::now());
            }
        }
        let dead = dying.join().expect("a thread");
        done.is_some_and(|done| done < dead)
    })
}

/// It names the host and its address, and what to do.
fn says_where(death: &Death, ran: &Ran) {
    assert_eq!(ran.code, 6, "{}\n{}", ran.out, ran.err);
    let hosts = STACKED.hosts.iter();
    let (_, address) = hosts
        .clone()
        .find(|(host, _)| *host == death.host)
        .expect("a host");
    ran.says(&[death.host, address, "kdiy apply goes on from here"]);
    let failed = ran.err.lines().filter(|line| line.starts_with("failed"));
    tell(&format!("    {}", failed.collect::<Vec<_>>().join("; ")));
}

impl Death {
    /// One of all hosts and steps in turn.
    fn of(place: usize, rng: &mut Rng) -> Self {
        let (round, place_in_round) = (place / EACH, place % EACH);
        let (host, step) = match STEPS.get(place_in_round) {
            Some((step, first)) => (PLANES[(first + round) % PLANES.len()], *step),
            None => ("w-1", OF_WORKER[round % OF_WORKER.len()]),
        };
        Self {
            found: place % FOUND == FOUND - 3,
            // What it had is not missed by others.
            blank: host == "w-1" || step == "install packages",
            ..Self::blank(host, step, rng)
        }
    }

    fn blank(host: &'static str, step: &'static str, rng: &mut Rng) -> Self {
        Self {
            host,
            step,
            after: longest(step).mul_f64(rng.f64()),
            found: false,
            blank: true,
        }
    }

    /// What the lab is told to have it back.
    const fn comes_back(&self) -> &'static str {
        if self.blank { "reset-host" } else { "start" }
    }

    /// Whether it is to come in this step, of a plan or an event.
    fn is_in(&self, step: &Value) -> bool {
        step["title"] == *self.step && (self.step == OF_ONE || step["actor"] == *self.host)
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, step, .. } = self;
        let after = self.after.as_secs_f64();
        write!(f, "{host} died {after:.2} s into: {step}")?;
        f.write_str(if self.found {
            ", found by kdiy"
        } else {
            ", then Ctrl-C"
        })?;
        f.write_str(if self.blank { "; comes back blank" } else { "" })
    }
}
