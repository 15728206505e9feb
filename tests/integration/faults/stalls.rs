//! A host that reboots while it joins, and one that hangs: kdiy says so, goes
//! on with the others, and the next apply converges.

use std::time::Instant;

use super::kills::STACKED;
use super::{Scene, tell};

const APPLY: [&str; 2] = ["apply", "--yes"];

/// The last control plane: its power fails within its join.
const REBOOTED: &str = "cp-3";
/// The worker: it hangs within its join.
const FROZEN: &str = "w-1";
/// What they are at then: a worker has its certificate before.
const JOINS: [&str; 2] = ["command kubeadm join", "command the kubelet"];

#[test]
#[ignore = "needs the lab; make faults"]
fn a_reboot_and_a_freeze_hold_up_nobody_else() {
    // Control planes of a new cluster only join where they come up in turn.
    let inventory = concat!(include_str!("stacked.yaml"), "bootstrap: serial\n");
    let scene = Scene::up(STACKED.hosts, inventory);
    let began = Instant::now();
    let mut running = scene.kdiy().start(&APPLY);
    let mut left = vec![(REBOOTED, "kill"), (FROZEN, "pause")];
    let mut late = Vec::new();
    while let Some(event) = running.next() {
        let host = event["actor"].as_str().unwrap_or_default();
        let within = event["event"] == "change-started"
            && event["resource"]
                .as_str()
                .is_some_and(|what| JOINS.contains(&what));
        if let Some(place) = left.iter().position(|(name, _)| within && *name == host) {
            let (name, verb) = left.remove(place);
            scene.lab.power(verb, name);
            tell(&format!(
                "{:>5.1} s  {verb} {name} within {}",
                began.elapsed().as_secs_f64(),
                event["resource"]
            ));
        } else if event["event"] == "step-done" && left.len() < 2 {
            late.push(format!(
                "{host}: {}",
                event["title"].as_str().unwrap_or_default()
            ));
        }
    }
    assert!(left.is_empty(), "never came to {left:?}");
    let ran = running.end(6);
    tell(&format!(
        "{:>5.1} s  ended:\n{}",
        began.elapsed().as_secs_f64(),
        ran.err
    ));
    for (host, address) in STACKED.hosts {
        if [REBOOTED, FROZEN].contains(host) {
            ran.says(&[host, address, "kdiy apply goes on from here"]);
        }
    }
    tell(&format!("done by others meanwhile: {late:?}"));
    assert!(
        late.iter()
            .any(|step| !step.starts_with(REBOOTED) && !step.starts_with(FROZEN))
    );

    scene.lab.power("unpause", FROZEN);
    scene.lab.power("start", REBOOTED);
    let again = Instant::now();
    scene.kdiy().run(0, &APPLY);
    STACKED.holds(&scene);
    tell(&format!(
        "a reboot and a freeze: converged, the second apply took {:.0} s",
        again.elapsed().as_secs_f64()
    ));
}
