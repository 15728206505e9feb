//! Plans as data: `tests/plans/STATE.yaml` says what hosts are, and
//! `STATE.snap` beside it what `kdiy plan` shows then. A case is a file; how
//! one is written is in `tests/plans/README.md`.

mod answer;
pub(crate) mod hosts;
mod resources;
mod scripts;
pub(crate) mod state;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use kdiy::plan::Plan;
use kdiy::ui::{self, Style, Verbosity};
use secrecy::ExposeSecret as _;

use hosts::Hosts;
use state::State;

/// The folder of all states.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans")
}

/// Names of the states, or of their plans.
fn names(end: &str) -> BTreeSet<String> {
    names_in(&folder(), end)
}

/// Names of the files with this end, without it.
fn names_in(folder: &Path, end: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|is| is == end));
    let names = paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.collect()
}

/// Does something with every state, and says at the end for which it failed.
fn each(check: impl Fn(&str, &State)) {
    let all = names("yaml");
    assert!(all.len() >= 25, "only {} states", all.len());
    let fails = |name: &String| {
        let check = || check(name, &State::read(&folder(), name));
        catch_unwind(AssertUnwindSafe(check)).is_err()
    };
    let failed: Vec<_> = all.iter().filter(|name| fails(name)).collect();
    assert!(failed.is_empty(), "failed for {failed:?}");
}

/// What a user of 80 columns is shown, and then the order of the steps.
fn shown(hosts: &Hosts) -> String {
    let style = Style {
        width: 80,
        color: false,
        verbosity: Verbosity::Normal,
    };
    let comparison = &hosts.comparison;
    let warnings = { comparison.warnings.iter().cloned() }
        .chain(ui::problems::advice(&comparison.advice))
        .map(|warning| format!("warning: {warning}\n"));
    let mut parts = vec![warnings.collect()];
    if let Ok(plan) = &hosts.plan {
        parts.push(ui::plan::render(plan, hosts.affected(), &style));
    }
    parts.push(ui::problems::render(&hosts.problems(), &style));
    if let Ok(plan) = &hosts.plan
        && !plan.is_empty()
    {
        parts.push(order(plan));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// The steps with what each comes after.
fn order(plan: &Plan) -> String {
    let line = |(place, step): (usize, &kdiy::plan::PlannedStep)| {
        let (actor, title, needs) = (&step.actor, &step.title, &step.needs);
        format!(
            "{place:>3} {:<7} {title}, after {needs:?}\n",
            actor.as_str()
        )
    };
    let lines: String = plan.steps.iter().enumerate().map(line).collect();
    format!("Steps:\n{lines}")
}

#[test]
fn every_state_has_its_plan() {
    each(|name, state| {
        let mut hosts = Hosts::of(state);
        can_run_and_holds_no_secret(&mut hosts);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_description(state.what.as_str());
        settings.bind(|| insta::assert_snapshot!(name, shown(&hosts)));
    });
    let (plans, states) = (names("snap"), names("yaml"));
    let left: Vec<_> = plans.difference(&states).collect();
    assert!(left.is_empty(), "plans without a state: {left:?}");
}

/// What holds of every plan: each step comes after what it needs, the plan is
/// the same when it is made anew, and it holds no secret.
fn can_run_and_holds_no_secret(hosts: &mut Hosts) {
    let again = hosts.planned();
    let Ok(plan) = &hosts.plan else { return };
    for (place, step) in plan.steps.iter().enumerate() {
        let before = step.needs.iter().all(|need| *need < place);
        assert!(before, "{}: {}", step.actor, step.title);
    }
    let text = serde_json::to_string(plan).unwrap();
    assert_eq!(text, serde_json::to_string(&again.unwrap()).unwrap());
    for secret in hosts.secrets() {
        let secret = secret.expose_secret();
        assert!(!text.contains(secret), "a secret is in the plan");
    }
}

#[test]
fn every_example_is_planned_for_blank_hosts() {
    let inventories = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventories");
    let states = names("yaml");
    for example in names_in(&inventories, "yaml") {
        let state = format!("example-{example}");
        assert!(
            states.contains(&state),
            "there is no tests/plans/{state}.yaml"
        );
        let hosts = Hosts::of(&State::read(&folder(), &state));
        let every: BTreeSet<_> = { hosts.resolved.cluster.nodes.iter() }
            .map(|node| &node.name)
            .collect();
        assert_eq!(
            hosts.plan.as_ref().unwrap().hosts(),
            every,
            "{example}: a host without a step"
        );
        assert_eq!(hosts.problems(), [], "{example}: blank hosts have problems");
    }
}
