//! Whatever kdiy reads may be broken or hostile: nothing panics, and nothing
//! takes memory or time without bounds.
//!
//! The cases run in a process of their own whose memory is limited.
//! `PROPTEST_CASES=100000 cargo test --test integration fuzz` runs longer.
//! `KDIY_FUZZ_CASE=FILE cargo test … -- --ignored fuzz::local::inventories`
//! keeps the last case in a file, for one that ends the whole process.

mod hosts;
mod large;
mod local;
mod lock;
mod mutate;

use std::process::Command;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Address space of the process that runs the cases, in KiB. The program
/// itself, with its threads, is about half of it.
const MEMORY: u32 = 1 << 20;

/// No text of these sizes may take more of a processor, in a build for tests.
const LONGEST: Duration = Duration::from_secs(20);

/// Runs cases: so many, or as many as the environment says.
#[expect(clippy::print_stdout, reason = "for --nocapture")]
fn fuzz<S: Strategy>(cases: u32, strategy: &S, look: impl Fn(S::Value)) {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.map(|text| text.parse().expect("PROPTEST_CASES is a number"));
    let mut runner = TestRunner::new(Config {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        // In milliseconds: a slow case is as slow while it is made smaller.
        max_shrink_time: 60_000,
        ..Config::default()
    });
    let trace = std::env::var_os("KDIY_FUZZ_CASE");
    let begun = Instant::now();
    let result = runner.run(strategy, |value| {
        if let Some(file) = &trace {
            std::fs::write(file, format!("{value:?}")).unwrap();
        }
        let begun = processor();
        look(value);
        let took = processor() - begun;
        prop_assert!(took < LONGEST, "{took:?}");
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let cases = asked.unwrap_or(cases);
    println!("{cases} cases in {:.1} s", begun.elapsed().as_secs_f64());
}

/// What this thread has had of a processor, whatever else the machine does.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[expect(clippy::print_stdout, reason = "for --nocapture")]
#[test]
fn nothing_that_is_read_panics_or_takes_all_memory() {
    let script = format!("ulimit -v {MEMORY}; exec \"$@\"");
    let out = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "fuzz::"])
        // One heap for all threads: each of glibc's own takes 64 MiB at once.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    println!("{said}");
    assert!(out.status.success(), "{}\n{said}\n{wrong}", out.status);
    assert!(
        said.contains(" 0 failed") && !said.contains(" 0 passed"),
        "{said}"
    );
}

/// The limit limits: without this the test above could pass for nothing.
#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn the_memory_is_limited() {
    let mut hoard = Vec::<u8>::new();
    assert!(
        hoard
            .try_reserve_exact(usize::try_from(MEMORY).unwrap() << 10)
            .is_err()
    );
}
