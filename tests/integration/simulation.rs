//! A model of a cluster that accidents befall. kdiy's own parsers, checks and
//! planner say what is to be done; the model has it done, step by step, with
//! kills in between. What must hold then is in `invariants`.
//!
//! `KDIY_STATES=100000 cargo test --test integration -- --ignored --nocapture
//! simulation::soak` tries so many states, from `KDIY_SEED` on.

mod accidents;
mod case;
mod effects;
mod invariants;
mod observation;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use case::{Case, Checked, End, Violation};

/// States of each run of the tests: what takes a core less than 20 seconds.
const STATES: u64 = 250;

/// What all cases came to.
#[derive(Default)]
struct Tally {
    states: u64,
    accidents: BTreeMap<String, u64>,
    ends: BTreeMap<String, u64>,
    checked: Checked,
    rounds: u64,
    steps: u64,
    failures: Vec<String>,
}

impl Tally {
    fn of(seeds: impl Iterator<Item = u64>, most: usize) -> Self {
        let mut tally = Self::default();
        for seed in seeds {
            tally.states += 1;
            tally.try_case(seed);
            if tally.failures.len() >= most {
                break;
            }
        }
        tally
    }

    fn try_case(&mut self, seed: u64) {
        let case = Case::any(seed);
        for accident in &case.accidents {
            *self.accidents.entry(accident.kind()).or_default() += 1;
        }
        match case.run(&mut self.checked) {
            Ok(report) => {
                self.rounds += u64::from(report.rounds);
                self.steps += u64::from(report.steps);
                let end = match report.end {
                    End::Whole => "whole".to_owned(),
                    End::Stuck(_) => "stuck with what is broken".to_owned(),
                    End::Refused(codes) => format!("refused: {codes:?}"),
                };
                *self.ends.entry(end).or_default() += 1;
            }
            Err(violation) => self.failures.push(failure(seed, case, violation)),
        }
    }
}

/// The smallest case that breaks the same invariant, written to a file that
/// can become a case of `tests/plans`.
fn failure(seed: u64, mut case: Case, mut violation: Violation) -> String {
    'smaller: loop {
        for less in case.smaller() {
            if let Err(same) = less.run(&mut Checked::default())
                && same.invariant == violation.invariant
            {
                (case, violation) = (less, same);
                continue 'smaller;
            }
        }
        break;
    }
    let Violation {
        invariant,
        why,
        state,
    } = violation;
    let name = format!("simulation-{seed}.yaml");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    std::fs::write(file, &state).unwrap();
    format!("seed {seed}: {invariant}: {why}\n{case:?}\n{state}\n(in the target's tmp/{name})")
}

#[test]
fn no_state_of_a_few_hundred_is_harmed() {
    let tally = Tally::of(0..STATES, 1);
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
    assert!(tally.ends["whole"] > STATES / 10, "{:#?}", tally.ends);
}

#[expect(clippy::print_stdout, reason = "what it came to is what it is for")]
#[test]
#[ignore = "takes long: as many states as KDIY_STATES says"]
fn soak() {
    let number = |name: &str, default: u64| {
        let text = std::env::var(name).ok();
        text.map_or(default, |text| text.parse().expect("a number"))
    };
    let (states, first) = (number("KDIY_STATES", 100_000), number("KDIY_SEED", 0));
    let begun = Instant::now();
    let most = number("KDIY_FAILURES", 20).try_into().unwrap();
    let tally = Tally::of(first..first + states, most);
    let states = tally.states;
    let (rounds, steps) = (tally.rounds, tally.steps);
    println!("{states} states from seed {first}, {rounds} rounds, {steps} steps");
    println!("{:.0} s", begun.elapsed().as_secs_f64());
    println!("accidents: {:#?}", tally.accidents);
    println!("ends: {:#?}", tally.ends);
    println!("invariants looked at: {:#?}", tally.checked.0);
    println!("failures: {}", tally.failures.len());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
}
