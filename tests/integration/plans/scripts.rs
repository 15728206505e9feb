//! Every script that the plans send to hosts, for shellcheck.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use kdiy::execute::script;
use kdiy::execute::survey::questions;
use kdiy::plan::install::POLL_FUNCTION;
use kdiy::plan::observe;

use super::each;
use super::hosts::Hosts;

/// Names the folder that the scripts are written to.
const FOLDER: &str = "KDIY_SCRIPTS";

/// Writes scripts of different shapes: what differs in its data alone is the
/// same to shellcheck.
#[test]
#[ignore = "for tests/shellcheck, which names the folder"]
fn all_are_written_down() {
    let folder = std::env::var_os(FOLDER).expect("it names a folder");
    let folder = PathBuf::from(folder);
    let shapes = RefCell::new(BTreeSet::new());
    let write = |name: &str, text: &str| {
        if shapes.borrow_mut().insert(shape(text)) {
            std::fs::write(folder.join(format!("{name}.sh")), text).unwrap();
        }
    };
    each(|state, read| {
        let hosts = Hosts::of(read);
        for node in &hosts.resolved.cluster.nodes {
            let asked = questions(&hosts.resolved, &hosts.trust.ca_certificate, node);
            let probe = observe::script(&hosts.asked, &node.name, &asked);
            write(&format!("{state}.probe-{}", node.name), probe.as_str());
        }
        for (place, step) in hosts
            .plan
            .iter()
            .flat_map(|plan| plan.steps.iter().enumerate())
        {
            write(&format!("{state}.step-{place}"), &script::shown(step));
        }
    });
    assert!(shapes.borrow().len() > 50);
}

/// Shellcheck does not miss a function that nobody defines: it may be a program.
#[test]
fn every_function_that_a_step_calls_is_in_its_script() {
    let seen = RefCell::new(BTreeSet::new());
    each(|state, read| {
        let hosts = Hosts::of(read);
        for step in hosts.plan.iter().flat_map(|plan| &plan.steps) {
            let functions = step.changes().iter();
            let functions = functions.flat_map(|change| change.resource.functions());
            let functions: Vec<_> = [&POLL_FUNCTION]
                .into_iter()
                .chain(functions)
                .copied()
                .collect();
            let text = functions.concat() + &script::shown(step);
            let unknown = unknown(&text);
            assert_eq!(unknown, [""; 0], "{state}: {}: {text}", step.title);
            seen.borrow_mut().extend(names(&text).map(str::to_owned));
        }
    });
    let seen = seen.into_inner();
    assert!(seen.len() > 50 && seen.contains("kdiy_phase"), "{seen:?}");
    assert_eq!(unknown("kdiy_a() { :; }\nkdiy_a; kdiy_b x"), ["kdiy_b"]);
}

/// Names of kdiy's that stand alone, as commands and words of commands do.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || ";|&(){}'\"".contains(c));
    words.filter(|word| {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
        word.starts_with("kdiy_") && word.chars().all(is_name)
    })
}

/// What the function that does a command calls: defined beside the command.
const OF_COMMANDS: [&str; 2] = ["kdiy_is_done", "kdiy_command"];

/// Those that are neither functions nor variables of the script.
fn unknown(text: &str) -> Vec<&str> {
    let set: BTreeSet<_> = { text.lines() }
        .flat_map(|line| {
            line.split("read ")
                .skip(1)
                .chain(line.split("for ").skip(1))
        })
        .flat_map(names)
        .collect();
    let is_known = |name: &&str| {
        let defined = [format!("{name}()"), format!("{name}=")];
        set.contains(name)
            || OF_COMMANDS.contains(name)
            || defined.iter().any(|text_of| text.contains(text_of))
    };
    names(text).filter(|name| !is_known(name)).collect()
}

/// A script without its data: what is quoted, and words with a digit.
fn shape(text: &str) -> String {
    let quoted = text.split('\'').enumerate();
    let outside = quoted.map(|(place, part)| if place % 2 == 0 { part } else { "''" });
    let outside: String = outside.collect();
    let lines = outside.lines().map(|line| {
        let words = line
            .split(' ')
            .map(|word| match word.contains(|c: char| c.is_ascii_digit()) {
                true if !word.contains(['$', ';', '>', '<', '&']) => "0",
                _ => word,
            });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}
