//! Packets between kdiy and a host are lost: for some seconds or for good,
//! silently or with a reset. An apply survives it or says which host it was,
//! and the next one converges.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::kills::STACKED;
use super::moment::{Open, Target, targets};
use super::{Scene, seeded, setting, tell};
use crate::e2e::kdiy::{Ran, Running};

const APPLY: [&str; 2] = ["apply", "--yes"];

/// What becomes of packets.
#[derive(Debug, Clone, Copy)]
enum How {
    Dropped,
    Reset,
}

/// A connection that is cut when a run comes to a step.
#[derive(Debug, Clone)]
struct Cut {
    at: Target,
    how: How,
    /// For good where there is none.
    time: Option<Duration>,
}

/// Of so many cuts one is for good: what is dropped for good is noticed after
/// more than a minute only.
const FOR_GOOD: usize = 4;

#[test]
#[ignore = "needs the lab; make faults"]
fn a_bring_up_survives_them_or_says_where_and_converges() {
    let mut rng = seeded();
    let wanted = usize::try_from(setting("CUTS", 20)).expect("few");
    let mut suite = Suite::default();
    for round in 0..4 {
        let left = wanted.saturating_sub(suite.done);
        if left == 0 {
            break;
        }
        let scene = Scene::up(STACKED.hosts, include_str!("stacked.yaml"));
        let cuts = chosen(&scene, left, &mut rng);
        suite.round(&scene, cuts);
        STACKED.holds(&scene);
        tell(&format!("round {}: converged", round + 1));
    }
    tell(&format!(
        "{} cuts: {} applies survived theirs, {} said where and the next one went on",
        suite.done, suite.survived, suite.told
    ));
    assert!(suite.done >= wanted, "only {} cuts", suite.done);
}

/// Cuts over the whole of a bring-up, a quarter of them for good.
fn chosen(scene: &Scene, number: usize, rng: &mut Rng) -> VecDeque<Cut> {
    let steps = scene.kdiy().plan(&[]);
    let all = targets(steps.values(), 0, rng);
    let cut = |place: usize| Cut {
        at: all[(place * all.len() + rng.usize(..all.len())) / number % all.len()].clone(),
        how: if rng.bool() { How::Dropped } else { How::Reset },
        time: (place % FOR_GOOD != FOR_GOOD - 1).then(|| Duration::from_millis(rng.u64(500..8000))),
    };
    (0..number).map(cut).collect()
}

#[derive(Default)]
struct Suite {
    done: usize,
    survived: usize,
    told: usize,
}

impl Suite {
    /// One bring-up, applied until it is done.
    fn round(&mut self, scene: &Scene, mut cuts: VecDeque<Cut>) {
        let ended = |applies: usize, ran: &Ran| {
            assert!([0, 4, 6].contains(&ran.code), "{}\n{}", ran.code, ran.err);
            assert!(applies < 30, "it never ends");
            ran.code == 0
        };
        for applies in 1.. {
            let began = Instant::now();
            let (ran, made) = attempt(scene, scene.kdiy().start(&APPLY), &mut cuts, began);
            self.done += made.len();
            repair(scene);
            let took = began.elapsed().as_secs_f64();
            if ended(applies, &ran) {
                self.survived += usize::from(!made.is_empty());
                tell(&format!("{took:>5.1} s  done, through {} cuts", made.len()));
                return;
            }
            // It names a host that was cut, and what to do.
            let named = made.iter().any(|cut| ran.err.contains(&cut.at.host));
            assert!(
                named,
                "it failed elsewhere: {made:#?}\n{}\n{}",
                ran.out, ran.err
            );
            ran.says(&["apply"]);
            self.told += 1;
            let failed: Vec<_> = ran
                .err
                .lines()
                .filter(|line| line.starts_with("failed"))
                .collect();
            tell(&format!(
                "{took:>5.1} s  ended with {}: {}",
                ran.code,
                failed.join("; ")
            ));
        }
    }
}

/// One apply, cut at all moments that it comes to while it runs.
fn attempt(
    scene: &Scene,
    mut running: Running,
    cuts: &mut VecDeque<Cut>,
    began: Instant,
) -> (Ran, Vec<Cut>) {
    let mut open = Open::default();
    let mut made: Vec<Cut> = Vec::new();
    let mut menders = Vec::new();
    while let Some(event) = running.next() {
        open.on(&event);
        if event["event"] == "plan" {
            let steps = event["plan"]["steps"].as_array().expect("steps");
            cuts.retain(|cut| steps.iter().any(|step| cut.at.is(step)));
        }
        let met = |cut: &Cut| event["event"] == "step-started" && cut.at.is(&event);
        let Some(place) = cuts.iter().position(met) else {
            continue;
        };
        let cut = cuts.remove(place).expect("a cut");
        scene.lab.sh(&cut.at.host, &cut.rules("-I"));
        tell(&format!(
            "{:>5.1} s  {cut}; at work: {open}",
            began.elapsed().as_secs_f64()
        ));
        if let Some(time) = cut.time {
            let mut repair = scene
                .lab
                .exec(&cut.at.host, &["sh", "-c", &cut.rules("-D")]);
            menders.push(std::thread::spawn(move || {
                std::thread::sleep(time);
                // Gone already where another cut was fixed.
                let _ = repair.output();
            }));
        }
        made.push(cut);
    }
    for mender in menders {
        mender.join().expect("a thread");
    }
    (running.ended(), made)
}

/// Takes all cuts back.
fn repair(scene: &Scene) {
    for (host, _) in STACKED.hosts {
        let rules = "iptables -S | sed -n '/kdiy-cut/s/^-A/iptables -D/p' | sh";
        scene.lab.sh(host, rules);
    }
}

impl Cut {
    /// A script for the host that adds (`-I`) or removes (`-D`) what cuts.
    fn rules(&self, verb: &str) -> String {
        let (comment, gate) = ("-m comment --comment kdiy-cut", "172.29.0.1");
        let input = format!("iptables {verb} INPUT -p tcp -s {gate} --dport 22 {comment}");
        let output = format!("iptables {verb} OUTPUT -p tcp -d {gate} --sport 22 {comment}");
        match self.how {
            How::Dropped => format!("{input} -j DROP; {output} -j DROP"),
            How::Reset => format!("{input} -j REJECT --reject-with tcp-reset"),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Dropped => "dropped",
            How::Reset => "reset",
        };
        match self.time {
            Some(time) => write!(f, "{how} for {:.1} s", time.as_secs_f64())?,
            None => write!(f, "{how} for good")?,
        }
        write!(f, " at the begin of {}: {}", self.at.host, self.at.title)
    }
}
