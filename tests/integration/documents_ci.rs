//! The workflows in `docs/ci/` are YAML that GitHub could run, and their
//! commands are commands of kdiy.

use std::fs;
use std::path::Path;

use clap::Parser as _;
use kdiy::cli::Cli;
use serde_yaml::Value;

/// The steps of all jobs of a workflow.
fn steps(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/ci")
        .join(name);
    let workflow: Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(workflow["concurrency"]["group"].is_string(), "{name}");
    assert_eq!(workflow["permissions"]["contents"], "read", "{name}");
    let jobs = workflow["jobs"].as_mapping().unwrap().values();
    let jobs = jobs.inspect(|job| assert!(job["timeout-minutes"].is_u64(), "{name}"));
    jobs.flat_map(|job| job["steps"].as_sequence().unwrap().clone())
        .collect()
}

/// The arguments of each `kdiy` in a script, as a shell without variables
/// would split them.
fn commands(script: &str) -> Vec<Vec<String>> {
    let lines = script.lines().map(str::trim);
    let lines = lines.map(|line| line.trim_start_matches("until ").trim_end_matches("; do"));
    let lines = lines.filter(|line| line.starts_with("kdiy "));
    let words = lines.map(|line| line.split(" > ").next().unwrap_or(line));
    words.map(|line| shlex::split(line).unwrap()).collect()
}

#[test]
fn workflows_run_commands_that_there_are() {
    for name in ["github-actions.yml", "github-actions-lab.yml"] {
        let mut seen = 0;
        for step in steps(name) {
            let (run, uses) = (step["run"].as_str(), step["uses"].as_str());
            assert!(run.is_some() != uses.is_some(), "{name}: {step:?}");
            assert!(
                uses.is_none_or(|action| action.contains('@')),
                "{name}: {uses:?}"
            );
            for command in commands(run.unwrap_or_default()) {
                seen += 1;
                if let Err(error) = Cli::try_parse_from(&command) {
                    panic!("{name}: {command:?}\n{error}");
                }
            }
        }
        assert!(seen > 1, "{name} has {seen} commands of kdiy");
    }
}

/// What costs money or holds secrets goes away also when something failed.
#[test]
fn workflows_clean_up_and_keep_no_secrets() {
    for (name, last) in [
        ("github-actions.yml", "terraform destroy"),
        ("github-actions-lab.yml", "make demo-down"),
    ] {
        let steps = steps(name);
        let end = steps.last().unwrap();
        assert_eq!(end["if"], "always()", "{name}");
        assert!(end["run"].as_str().unwrap().starts_with(last), "{name}");
        let kept = steps
            .iter()
            .find(|step| step["with"]["include-hidden-files"] == true);
        let path = kept.unwrap()["with"]["path"].as_str().unwrap();
        assert!(path.ends_with(".kdiy/*/runs/"), "{name}: {path}");
    }
}
