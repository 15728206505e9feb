//! Every script that the plans send to hosts, for shellcheck.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use kdiy::execute::script;
use kdiy::execute::survey::questions;
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
